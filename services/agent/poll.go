package agent

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

const (
	// askMost is how many reports, summaries or chunks of output one question brings.
	askMost = 500
	// outputLinger is how long output waits for more before it interrupts a question that waits.
	outputLinger = 500 * time.Millisecond
)

// poller is a session without a stream: one question after the other.
type poller struct {
	*session

	cursor    int64
	again     []*agentv1.Report // that the server asked for by repeating a command
	output    []*agentv1.LogChunk
	facts     time.Time // when they were taken
	summarise time.Time
	renew     *time.Timer
}

// poll asks for work until the session ends. What there is to tell cuts a question short that waits,
// and goes with the next; an answer that is lost thereby is repeated by the server.
func (s *session) poll(ctx context.Context) error {
	p := &poller{session: s, summarise: time.Now(), renew: time.NewTimer(time.Until(s.identity.RenewAt()))}
	defer p.renew.Stop()
	t := &s.agent.transport
	t.waited(false)
	for {
		if t.due(s.agent.config.Transport, time.Now()) {
			return errReopenStream(t)
		}
		begin := time.Now()
		answer, err := p.ask(ctx, p.question(t.longest(s.agent.config.Transport, begin)))
		switch {
		case errors.Is(err, errTold):
			continue
		case err != nil:
			t.waited(broke(err) && time.Since(begin) > t.wait/4)
			return err
		}
		if err := p.take(answer); err != nil {
			return err
		}
	}
}

// errReopenStream ends the polls to try a stream.
func errReopenStream(t *transport) error {
	t.polling = false
	return errReopen
}

// errTold ends a question that waits, because there is something to tell.
var errTold = errors.New("there is something to tell")

// question gathers what there is to tell.
func (p *poller) question(wait time.Duration) *agentv1.FetchWorkRequest {
	a, now := p.agent, time.Now()
	facts := a.currentFacts()
	if now.Sub(p.facts) > defaultHeartbeat {
		facts, p.facts = a.freshFacts(), now
	}
	q := &agentv1.FetchWorkRequest{Hello: a.hello(facts), Wait: durationpb.New(wait), Cursor: p.cursor}
	q.Reports = append(q.Reports, p.again[:min(askMost, len(p.again))]...)
	p.again = p.again[len(q.GetReports()):]
	pending := a.ledger.Pending(0)
	q.Reports = append(q.Reports, pending[:min(askMost, len(pending))]...)
	q.Logs = p.output
	p.output = nil
	if p.welcome != nil && now.Sub(p.summarise) >= interval(p.welcome.GetSummaryInterval().AsDuration(), defaultSummary) {
		summaries := a.summarised()
		q.ProbeSummaries, p.summarise = summaries[:min(askMost, len(summaries))], now
	}
	return q
}

// ask asks one question. One that brings reports is not cut short: its answer is near.
func (p *poller) ask(ctx context.Context, q *agentv1.FetchWorkRequest) (*agentv1.FetchWorkResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, q.GetWait().AsDuration()+helloTimeout)
	defer cancel()
	type result struct {
		answer *agentv1.FetchWorkResponse
		err    error
	}
	answered := make(chan result, 1)
	go func() {
		answer, err := p.client.FetchWork(ctx, q)
		answered <- result{answer, err}
	}()
	told := p.tell(ctx, len(q.GetReports()) == 0 && p.welcome != nil)
	select {
	case r := <-answered:
		cancel()
		if why := <-told; r.err == nil && why != nil && !errors.Is(why, errTold) {
			return nil, why
		}
		return r.answer, r.err
	case why := <-told:
		cancel()
		if r := <-answered; r.err == nil && (why == nil || errors.Is(why, errTold)) {
			return r.answer, nil
		}
		return nil, why
	}
}

// tell waits in the background for what cuts a question short, while it may be cut.
func (p *poller) tell(ctx context.Context, may bool) <-chan error {
	told := make(chan error, 1)
	if !may {
		go func() { <-ctx.Done(); told <- nil }()
		return told
	}
	go func() { told <- p.wait(ctx) }()
	return told
}

// wait returns when there is something to tell, or a reason to end the session. It returns nil when the question ended.
func (p *poller) wait(ctx context.Context) error {
	a := p.agent
	var linger <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.again:
			return errReopen
		case <-a.ledger.Changed():
			return errTold
		case report := <-a.resend:
			p.again = append(p.again, report)
			return errTold
		case chunk := <-a.logs:
			if p.output = append(p.output, chunk); len(p.output) >= askMost {
				return errTold
			}
			if linger == nil {
				linger = time.After(outputLinger)
			}
		case <-linger:
			return errTold
		case <-p.renew.C:
			err := a.renew(ctx, p.session)
			if errors.Is(err, errRenewed) {
				return err
			}
			a.config.Logger.Warn("the certificate cannot be renewed", told(err), zap.Time("ends", p.identity.Certificate.NotAfter))
			p.renew.Reset(renewAgain)
		}
	}
}

// take takes an answer.
func (p *poller) take(answer *agentv1.FetchWorkResponse) error {
	first := p.welcome == nil
	p.cursor = answer.GetCursor()
	if err := p.greet(answer.GetWelcome()); err != nil {
		return err
	}
	if first {
		if err := p.begun(); err != nil {
			return err
		}
	}
	for _, ack := range answer.GetAcks() {
		p.agent.ledger.Acknowledge(ack.GetSequence())
	}
	for _, command := range answer.GetCommands() {
		p.agent.dispatch(command)
	}
	return nil
}
