package fleet

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

// helloTime is how long a stream may be open without saying who it is.
const helloTime = 10 * time.Second

// Connect is the stream of an agent's life. The handler sends; a second
// goroutine receives, because only the end of the handler ends a wait for the agent.
func (h *Hub) Connect(stream agentv1.AgentService_ConnectServer) error {
	ctx := stream.Context()
	id, peer, err := identify(ctx)
	if err != nil {
		return err
	}
	// The header at once: an agent that does not even hear that knows that something on the way holds streams back.
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	s := newSession(id, peer, time.Now())
	hello := make(chan *agentv1.Hello, 1)
	admitted := make(chan struct{})
	received := make(chan error, 1)
	h.receivers.Go(func() { received <- h.receive(stream, s, hello, admitted) })
	defer s.end(nil)

	timer := time.NewTimer(helloTime)
	defer timer.Stop()
	select {
	case said := <-hello:
		if err := h.admit(ctx, s, said); err != nil {
			return err
		}
	case err := <-received:
		return err
	case <-timer.C:
		return helloExpected()
	case <-h.over:
		return stopping()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer h.gone(ctx, s)
	if err := h.welcome(stream, s); err != nil {
		return err
	}
	close(admitted)
	h.dirty.add(s)
	return h.send(stream, s, received)
}

func (h *Hub) welcome(stream agentv1.AgentService_ConnectServer, s *session) error {
	return stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Welcome{Welcome: h.greeting(s)}})
}

// send is the sending half. It returns when the session is over.
func (h *Hub) send(stream agentv1.AgentService_ConnectServer, s *session, received <-chan error) error {
	for {
		select {
		case <-s.ended:
			return s.why()
		case err := <-received:
			return cmp.Or(s.why(), err)
		case <-stream.Context().Done():
			return cmp.Or(s.why(), context.Cause(stream.Context()))
		case <-s.wake:
		}
		for !s.over() {
			message := s.next(h.dirty.seed, time.Now())
			if message == nil {
				break
			}
			if err := stream.Send(message); err != nil {
				return err
			}
		}
	}
}

// receive is the receiving half. Nothing after Hello is taken before the session is admitted.
func (h *Hub) receive(stream agentv1.AgentService_ConnectServer, s *session, hello chan<- *agentv1.Hello, admitted <-chan struct{}) error {
	first, err := stream.Recv()
	if err != nil {
		return ended(err)
	}
	if first.GetHello() == nil {
		return helloExpected()
	}
	hello <- first.GetHello()
	select {
	case <-admitted:
	case <-s.ended:
		return nil
	}
	for {
		message, err := stream.Recv()
		if err != nil {
			return ended(err)
		}
		if err := h.take(s, message); err != nil {
			return err
		}
	}
}

// take handles one message of an agent.
func (h *Hub) take(s *session, message *agentv1.ConnectRequest) error {
	now := time.Now()
	s.heard.Store(now.UnixMicro())
	if rival := s.rival.Load(); rival != nil {
		rival.heard(now)
	}
	switch m := message.GetMessage().(type) {
	case *agentv1.ConnectRequest_Report:
		select {
		case s.inFlight <- struct{}{}:
		case <-s.ended:
			return nil
		}
		select {
		case h.reports <- arrival{s, m.Report}:
		case <-s.ended:
			return nil
		}
	case *agentv1.ConnectRequest_Heartbeat:
		if now.After(s.expires) {
			return certificateExpired(s.agent)
		}
		if facts := m.Heartbeat.GetFacts(); facts != nil {
			s.facts.Store(facts)
			h.presence.changed(s)
		}
	case *agentv1.ConnectRequest_ProbeSummary:
		h.ingested.probe(s, m.ProbeSummary, h.metrics)
	case *agentv1.ConnectRequest_Log:
		h.ingested.log(s, m.Log, h.metrics)
	default:
		return fault.Invalid("MESSAGE_UNEXPECTED", "this server understands a heartbeat, a report, a probe summary or output after the first message; update the agent or the server")
	}
	return nil
}

// gone takes a session out. Where the server stops, its agent is about to come
// back and its presence is left to the lease.
func (h *Hub) gone(ctx context.Context, s *session) {
	h.leave(s)
	if fault.ReasonOf(context.Cause(ctx)) == reasonStopping || fault.ReasonOf(s.why()) == reasonStopping {
		return
	}
	h.presence.changed(s)
	h.logger.Debug("agent disconnected", zap.String("agent", s.agent), zap.String("boot_id", s.boot), zap.NamedError("why", s.why()))
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
