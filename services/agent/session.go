package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/agent/internal/fetch"
	"github.com/golive-dev/golive/services/agent/internal/host"
	"github.com/golive-dev/golive/services/agent/internal/identity"
)

// protocolVersion is what this agent speaks.
const protocolVersion = 1

// What holds where the server does not say.
const (
	defaultHeartbeat = 15 * time.Second
	defaultSummary   = 30 * time.Second
	renewAgain       = time.Minute
	// A server that doubts whether the process before is dead makes the next one wait.
	helloTimeout = time.Minute
	// It says so at once that it hears; who does not even hear that has something between that holds streams back.
	headerTimeout = 10 * time.Second
)

// errRenewed ends a session so that the next one uses the new certificate.
var errRenewed = errors.New("the certificate was renewed")

var errNotEnrolled = errors.New("the agent is not enrolled; run `golive-agent enrol` with a join token")

// errReopen ends a session so that the next one says Hello anew.
var errReopen = errors.New("the session begins anew")

// stayConnected holds one session after the other until the context ends.
func (a *Agent) stayConnected(ctx context.Context) error {
	retry := fetch.Retry{Min: a.config.ReconnectMin, Max: a.config.ReconnectMax}
	for try := 1; ; try++ {
		polls, begin := a.transport.polls(a.config.Transport), time.Now()
		reached, err := a.connect(ctx, polls)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the session ended because the agent does
		}
		if errors.Is(err, errRenewed) || errors.Is(err, errReopen) {
			try = 0
			continue
		}
		a.transport.ended(polls, reached, time.Since(begin), err, time.Now().Add(a.config.StreamAgain))
		if reached == welcomed {
			try = 1
		}
		// Who was let out is let in again by a join token that was not used yet.
		a.lockedOut = a.config.JoinToken != "" && slices.Contains([]string{"AGENT_REVOKED", "AGENT_UNKNOWN"}, fault.ReasonOf(err))
		// A server that is asked too much says when to come again; nobody comes earlier than that.
		pause := retry.Backoff(try)
		if f := fault.From(err); f != nil {
			pause += f.RetryDelay()
		}
		a.config.Logger.Warn("no session with the server; the applications go on", told(err), zap.Duration("next_try", pause))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// told is an error in a log, worded for the person who reads it on the host.
func told(err error) zap.Field { return zap.Stringer("error", fault.Tell(err)) }

// connect holds one session, enrolling before if it must, and tells how far it came.
func (a *Agent) connect(ctx context.Context, polls bool) (reached reach, err error) {
	id, err := a.enrolled(ctx)
	if err != nil {
		return nowhere, err
	}
	server := id.Server
	if a.config.Server != "" {
		server = a.config.Server
	}
	secure, greeted := id.TLS(), &atomic.Bool{}
	verify := secure.VerifyConnection
	secure.VerifyConnection = func(state tls.ConnectionState) error {
		err := verify(state)
		greeted.Store(err == nil)
		return err
	}
	conn, err := dial(server, secure)
	if err != nil {
		return nowhere, err
	}
	defer func() { _ = conn.Close() }()
	s := &session{
		agent: a, client: agentv1.NewAgentServiceClient(conn), identity: id, server: server, sent: map[int64]bool{}, done: make(chan struct{}),
		news: make(chan *agentv1.Welcome, 1),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer a.link.set(nil)
	if polls {
		err = s.poll(ctx)
	} else {
		err = s.hold(ctx)
	}
	switch {
	case s.welcome != nil:
		return welcomed, err
	case greeted.Load():
		return handshake, fmt.Errorf("connect to %s: %w", server, err)
	default:
		return nowhere, fmt.Errorf("connect to %s: %w", server, err)
	}
}

// hold holds a stream.
func (s *session) hold(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.open(ctx); err != nil {
		return err
	}
	go func() { s.ended = s.receive(); close(s.done) }()
	err := s.send(ctx)
	cancel()
	<-s.done
	return err
}

// begun lets the rest of the agent know of a session that was welcomed.
func (s *session) begun() error {
	s.agent.link.set(s.client)
	s.agent.config.Logger.Info("connected", zap.String("server", s.server), zap.Int("targets", len(s.welcome.GetTargets())))
	return s.agent.config.updater.welcomed()
}

// greet takes what Welcome says.
func (s *session) greet(welcome *agentv1.Welcome) error {
	if v := welcome.GetProtocolVersion(); v > protocolVersion { // 0 is a server from before that was said
		return fmt.Errorf("the server speaks version %d of the agent protocol and this agent version %d; update the agent", v, protocolVersion)
	}
	if s.welcome == nil {
		s.welcome = welcome
	}
	targets := map[string]bool{}
	for _, target := range welcome.GetTargets() {
		targets[target] = true
	}
	s.agent.mu.Lock()
	s.agent.targets = targets
	s.agent.mu.Unlock()
	if p := welcome.GetProgram(); p != nil {
		select {
		case <-s.agent.programs: // the newest counts
		default:
		}
		s.agent.programs <- p
	}
	return nil
}

// reopen has the session begin anew, so that the server hears another Hello.
func (a *Agent) reopen() {
	select {
	case a.again <- struct{}{}:
	default:
	}
}

// enrolled returns an identity with a certificate that is still valid.
func (a *Agent) enrolled(ctx context.Context) (*identity.Identity, error) {
	a.mu.Lock()
	id := a.identity
	a.mu.Unlock()
	if id != nil && id.Enrolled() && time.Now().Before(id.Certificate.NotAfter) && !a.lockedOut {
		return id, nil
	}
	if a.config.JoinToken == "" {
		if id != nil && id.Enrolled() {
			return nil, fmt.Errorf("the certificate ended at %s: %w", id.Certificate.NotAfter.Format(time.RFC3339), errNotEnrolled)
		}
		return nil, errNotEnrolled
	}
	if _, err := Enrol(ctx, a.config); err != nil {
		return nil, err
	}
	id, err := identity.Load(a.layout.Identity())
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.identity = id
	a.mu.Unlock()
	return id, nil
}

// session is one stream with the server.
type session struct {
	agent    *Agent
	client   agentv1.AgentServiceClient
	identity *identity.Identity
	server   string
	stream   grpc.BidiStreamingClient[agentv1.ConnectRequest, agentv1.ConnectResponse]
	welcome  *agentv1.Welcome
	news     chan *agentv1.Welcome // the newest that came after the first
	sent     map[int64]bool        // reports of this session
	done     chan struct{}         // closed when nothing is received any more
	ended    error                 // why; set before done is closed
}

// open says Hello and hears Welcome.
func (s *session) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(helloTimeout, cancel)
	defer timer.Stop()
	if s.stream, err = s.client.Connect(ctx); err != nil {
		return err
	}
	// An error of Send is only io.EOF; Recv knows why.
	_ = s.stream.Send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Hello{Hello: s.agent.hello(s.agent.freshFacts())}})
	heard := time.AfterFunc(headerTimeout, cancel)
	_, _ = s.stream.Header() // Recv knows why not
	heard.Stop()
	first, err := s.stream.Recv()
	if err != nil {
		return err
	}
	if first.GetWelcome() == nil {
		return errors.New("the server's first word is not Welcome")
	}
	if err := s.greet(first.GetWelcome()); err != nil {
		return err
	}
	return s.begun()
}

// hello introduces this agent.
func (a *Agent) hello(facts *hostFacts) *agentv1.Hello {
	hello := &agentv1.Hello{
		BootId: a.bootID, ProtocolVersion: protocolVersion, AgentVersion: a.config.Version, Facts: facts, UpdateError: a.config.updater.failure(),
	}
	for _, slot := range a.ledger.Slots() {
		if slot.Command != nil {
			hello.Inventory = append(hello.Inventory, slot.Inventory())
		}
	}
	return hello
}

// receive takes commands and acknowledgements until the stream ends.
func (s *session) receive() error {
	for {
		response, err := s.stream.Recv()
		if err != nil {
			return err
		}
		switch message := response.GetMessage().(type) {
		case *agentv1.ConnectResponse_Welcome:
			if err := s.hear(message.Welcome); err != nil {
				return err
			}
		case *agentv1.ConnectResponse_Command:
			s.agent.dispatch(message.Command)
		case *agentv1.ConnectResponse_Ack:
			s.agent.ledger.Acknowledge(message.Ack.GetSequence())
		}
	}
}

// hear takes a Welcome that came after the first. The sending half is told of it.
func (s *session) hear(welcome *agentv1.Welcome) error {
	if err := s.greet(welcome); err != nil {
		return err
	}
	select {
	case <-s.news: // the newest counts
	default:
	}
	s.news <- welcome
	return nil
}

// send tells what there is to tell until the session ends.
func (s *session) send(ctx context.Context) error {
	a := s.agent
	heartbeat := time.NewTicker(interval(s.welcome.GetHeartbeatInterval().AsDuration(), defaultHeartbeat))
	defer heartbeat.Stop()
	summary := time.NewTicker(interval(s.welcome.GetSummaryInterval().AsDuration(), defaultSummary))
	defer summary.Stop()
	renew := time.NewTimer(time.Until(s.identity.RenewAt()))
	defer renew.Stop()
	err := s.reports()
	for err == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return s.ended
		case <-a.again:
			return errReopen
		case welcome := <-s.news:
			heartbeat.Reset(interval(welcome.GetHeartbeatInterval().AsDuration(), defaultHeartbeat))
			summary.Reset(interval(welcome.GetSummaryInterval().AsDuration(), defaultSummary))
		case <-a.ledger.Changed():
			err = s.reports()
		case report := <-a.resend:
			err = s.say(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Report{Report: report}})
		case chunk := <-a.logs:
			err = s.say(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Log{Log: chunk}})
		case <-heartbeat.C:
			err = s.heartbeat()
		case <-summary.C:
			err = s.summaries()
		case <-renew.C:
			if err = a.renew(ctx, s); err != nil && !errors.Is(err, errRenewed) {
				a.config.Logger.Warn("the certificate cannot be renewed", told(err), zap.Time("ends", s.identity.Certificate.NotAfter))
				err = nil
				renew.Reset(renewAgain)
			}
		}
	}
	return err
}

func interval(given, otherwise time.Duration) time.Duration {
	if given <= 0 {
		return otherwise
	}
	return given
}

func (s *session) say(message *agentv1.ConnectRequest) error {
	if err := s.stream.Send(message); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// reports sends what this session has not sent and the server has not acknowledged.
func (s *session) reports() error {
	pending := s.agent.ledger.Pending(0)
	still := make(map[int64]bool, len(pending))
	for _, report := range pending {
		still[report.GetSequence()] = true
		if s.sent[report.GetSequence()] {
			continue
		}
		if err := s.say(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Report{Report: report}}); err != nil {
			return err
		}
	}
	s.sent = still
	return nil
}

func (s *session) heartbeat() error {
	beat := &agentv1.Heartbeat{}
	before := s.agent.currentFacts()
	if now := s.agent.lookAround(); host.Changed(before, now) {
		s.agent.mu.Lock()
		s.agent.facts = now
		s.agent.mu.Unlock()
		beat.Facts = now
	}
	return s.say(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Heartbeat{Heartbeat: beat}})
}

func (s *session) summaries() error {
	for _, summary := range s.agent.summarised() {
		if err := s.say(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_ProbeSummary{ProbeSummary: summary}}); err != nil {
			return err
		}
	}
	return nil
}

// summarised returns what the probes of all places saw since it was asked last.
func (a *Agent) summarised() (all []*agentv1.ProbeSummary) {
	a.mu.Lock()
	workers := slices.Collect(maps.Values(a.workers))
	a.mu.Unlock()
	for _, w := range workers {
		for _, summary := range w.Summaries() {
			if summary.GetInstallation() != "" {
				all = append(all, summary)
			}
		}
	}
	return all
}

func (a *Agent) freshFacts() *hostFacts {
	now := a.lookAround()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.facts = now
	return now
}

// renew asks for a certificate for a new key and keeps both. Its error is errRenewed when it did.
func (a *Agent) renew(ctx context.Context, s *session) error {
	next, err := s.identity.Next()
	if err != nil {
		return err
	}
	request, err := next.Request()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	response, err := s.client.RenewCertificate(ctx, &agentv1.RenewCertificateRequest{CertificateRequest: request})
	if err != nil {
		return err
	}
	if err := next.Accept(response.GetCertificate(), response.GetAuthorities()); err != nil {
		return err
	}
	if next.Agent() != s.identity.Agent() {
		return fmt.Errorf("the new certificate is for %s", next.Agent())
	}
	if err := next.Save(a.layout.Identity()); err != nil {
		return err
	}
	a.mu.Lock()
	a.identity = next
	a.mu.Unlock()
	return errRenewed
}
