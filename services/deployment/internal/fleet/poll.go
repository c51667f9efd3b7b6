package fleet

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	// defaultWait is how long a poll waits for work where the agent does not say.
	defaultWait = 20 * time.Second
	// The most that one answer carries; the rest comes with the next.
	pollCommands = 100
	pollBytes    = 8 << 20
)

// poll is what a session has in place of a stream. The calls of an agent follow each
// other; one that comes while another waits takes its place.
type poll struct {
	mu      sync.Mutex
	current chan struct{} // closed when a later call takes over
	cursor  int64         // of the last answer
	open    map[int64]struct{}
}

func newPoll() *poll { return &poll{open: map[int64]struct{}{}} }

// enter makes a call the one that is answered, and tells whether the answer before it arrived.
func (p *poll) enter(cursor int64) (over chan struct{}, arrived bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		close(p.current)
	}
	p.current = make(chan struct{})
	return p.current, cursor == p.cursor
}

func (p *poll) leave(over chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == over {
		p.current = nil
	}
}

// begin tells whether a report is not under way already.
func (p *poll) begin(sequence int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, under := p.open[sequence]; under {
		return false
	}
	p.open[sequence] = struct{}{}
	return true
}

func (p *poll) end(sequences ...int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range sequences {
		delete(p.open, s)
	}
}

func (p *poll) next() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cursor++
	return p.cursor
}

// FetchWork is Connect for hosts behind proxies that break streams. The session lives from
// call to call, under the rules of a stream; each call is a heartbeat.
func (h *Hub) FetchWork(ctx context.Context, req *agentv1.FetchWorkRequest) (*agentv1.FetchWorkResponse, error) {
	if req.GetHello() == nil {
		return nil, helloExpected()
	}
	s, fresh, err := h.polled(ctx, req.GetHello())
	if err != nil {
		return nil, err
	}
	over, arrived := s.poll.enter(req.GetCursor())
	defer s.poll.leave(over)
	if fresh || !arrived {
		s.forget()
		h.dirty.add(s)
	}
	h.hear(s, req)
	if err := h.report(ctx, s, req.GetReports(), over); err != nil {
		return nil, err
	}
	wait := defaultWait
	if req.GetWait() != nil {
		wait = req.GetWait().AsDuration()
	}
	if fresh {
		wait = 0 // it is to learn what it serves
	}
	return h.answer(ctx, s, req.GetReports(), min(wait, s.beats()), over)
}

// polled returns the session of the caller: the one it has, or another that is admitted now.
func (h *Hub) polled(ctx context.Context, hello *agentv1.Hello) (s *session, fresh bool, err error) {
	id, peer, err := identify(ctx)
	if err != nil {
		return nil, false, err
	}
	before := h.session(id.Agent)
	if before != nil && before.poll != nil && before.boot == hello.GetBootId() && before.enrolment == id.Enrolment &&
		before.expires.Equal(id.Expires) && !before.over() {
		return before, false, nil
	}
	s = newSession(id, peer, time.Now())
	s.poll = newPoll()
	if err := h.admit(ctx, s, hello); err != nil {
		s.end(nil)
		return nil, false, err
	}
	h.receivers.Go(func() {
		<-s.ended
		h.gone(context.WithoutCancel(ctx), s)
	})
	return s, true, nil
}

// hear takes what needs no acknowledgement.
func (h *Hub) hear(s *session, req *agentv1.FetchWorkRequest) {
	now := time.Now()
	s.heard.Store(now.UnixMicro())
	if rival := s.rival.Load(); rival != nil {
		rival.heard(now)
	}
	if facts := req.GetHello().GetFacts(); facts != nil && store.FactsDiffer(s.facts.Load(), facts) {
		s.facts.Store(facts)
		h.presence.changed(s)
	}
	for _, summary := range req.GetProbeSummaries() {
		h.ingested.probe(s, summary, h.metrics)
	}
	for _, chunk := range req.GetLogs() {
		h.ingested.log(s, chunk, h.metrics)
	}
}

// report hands reports on. What is under way already, because its call was lost, is not handed on twice.
func (h *Hub) report(ctx context.Context, s *session, reports []*agentv1.Report, over <-chan struct{}) error {
	for _, r := range reports {
		if !s.poll.begin(r.GetSequence()) {
			continue
		}
		var err error
		select {
		case s.inFlight <- struct{}{}:
			select {
			case h.reports <- arrival{s, r}:
				continue
			case <-s.ended:
				err = s.why()
			}
		case <-s.ended:
			err = s.why()
		case <-over:
			err = overtaken()
		case <-ctx.Done():
			err = ctx.Err()
		}
		s.poll.end(r.GetSequence())
		return err
	}
	return nil
}

// answer waits until there is work, or the reports are durable, or the time is over.
func (h *Hub) answer(ctx context.Context, s *session, reports []*agentv1.Report, wait time.Duration, over <-chan struct{}) (*agentv1.FetchWorkResponse, error) {
	owed := make(map[int64]struct{}, len(reports))
	for _, r := range reports {
		owed[r.GetSequence()] = struct{}{}
	}
	if len(owed) > 0 {
		wait = max(wait, h.cfg.ApplyTimeout) // what is brought is waited for
	}
	response := &agentv1.FetchWorkResponse{}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for late := wait == 0; ; {
		news := s.drain(h, response)
		for _, ack := range response.GetAcks() {
			delete(owed, ack.GetSequence())
		}
		if late || news || len(response.GetCommands()) > 0 || len(reports) > 0 && len(owed) == 0 {
			response.Welcome, response.Cursor = h.greeting(s), s.poll.next()
			return response, nil
		}
		select {
		case <-s.wake:
		case <-timer.C:
			late = true
		case <-over:
			return nil, overtaken()
		case <-s.ended:
			return nil, s.why()
		case <-h.over:
			return nil, stopping()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// drain moves what is to be sent into an answer.
func (s *session) drain(h *Hub, into *agentv1.FetchWorkResponse) (news bool) {
	size := 0
	for len(into.GetCommands()) < pollCommands && size < pollBytes {
		message := s.next(h.dirty.seed, time.Now())
		switch m := message.GetMessage().(type) {
		case *agentv1.ConnectResponse_Welcome:
			news = true
		case *agentv1.ConnectResponse_Ack:
			s.poll.end(m.Ack.GetSequence())
			into.Acks = append(into.Acks, m.Ack)
		case *agentv1.ConnectResponse_Command:
			into.Commands = append(into.Commands, m.Command)
			size += proto.Size(m.Command)
		default:
			return news
		}
	}
	s.ring() // there may be more
	return news
}

func overtaken() error {
	return fault.Conflict("POLL_SUPERSEDED", "the same agent has asked again; this question is not needed any more")
}
