package fleet

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
)

const (
	// maxInFlight is how many reports of one agent may wait for the database; after
	// that the agent waits, by the flow control of its stream.
	maxInFlight = 64
	// maxKnown bounds what a session remembers of installations.
	maxKnown = 4096
	// sendAgain is when a command that is still pending is repeated on the same
	// stream. The stream loses nothing; this is for an agent that forgot.
	sendAgain = time.Minute
)

// session is one open stream of an agent.
type session struct {
	agent, enrolment string
	boot, peer       string
	expires          time.Time
	targets          []string // sorted; a session with other targets is another session
	version          string   // of its program
	protocol         int32    // that it speaks
	poll             *poll    // it asks for work; nil where it holds a stream

	interval atomic.Int64  // of its heartbeats, in ns
	inFlight chan struct{} // a slot for each report that is not acknowledged
	wake     chan struct{} // there is something to send
	present  chan struct{} // closed when the database says that it is connected
	ended    chan struct{} // closed when it is over

	heard atomic.Int64            // unix µs, by our clock
	asked atomic.Int64            // when Work was asked for it last
	rival atomic.Pointer[contest] // somebody else claims its identity
	facts atomic.Pointer[deploymentv1.HostFacts]

	program     atomic.Pointer[agentv1.AgentProgram] // it should run; nil where it is to stay as it is
	updateError string

	mu     sync.Mutex
	known  map[string]struct{} // installations on its targets
	cause  error
	closed bool
	news   *agentv1.Welcome // to be told
	acks   []int64
	outbox []*agentv1.Command
	sent   map[uint64]time.Time // what was sent of that which is pending
}

func newSession(id authority.Identity, peer string, now time.Time) *session {
	s := &session{
		agent: id.Agent, enrolment: id.Enrolment, expires: id.Expires, peer: peer,
		inFlight: make(chan struct{}, maxInFlight), wake: make(chan struct{}, 1),
		present: make(chan struct{}), ended: make(chan struct{}),
	}
	s.heard.Store(now.UnixMicro())
	return s
}

// end closes the session for a reason; the first one counts.
func (s *session) end(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed, s.cause = true, why
	s.outbox, s.acks, s.news = nil, nil, nil
	close(s.ended)
}

func (s *session) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

func (s *session) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *session) serves(target string) bool {
	_, found := slices.BinarySearch(s.targets, target)
	return found
}

// beats is how often its heartbeats come.
func (s *session) beats() time.Duration { return time.Duration(s.interval.Load()) }

// tell has the agent greeted anew.
func (s *session) tell(news *agentv1.Welcome) {
	s.mu.Lock()
	if !s.closed {
		s.news = news
	}
	s.mu.Unlock()
	s.ring()
}

// forget has all that is pending sent again.
func (s *session) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = nil
}

func (s *session) seen() time.Time { return time.UnixMicro(s.heard.Load()) }

// ack has the agent told that a report is durable, and frees its slot.
func (s *session) ack(sequence int64) {
	s.mu.Lock()
	if !s.closed {
		s.acks = append(s.acks, sequence) // at most maxInFlight
	}
	s.mu.Unlock()
	s.free()
	s.ring()
}

func (s *session) free() { <-s.inFlight }

func (s *session) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// offer replaces what is to be sent by what is pending now, less what was sent.
func (s *session) offer(seed maphash.Seed, pending []*agentv1.Command, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	sent := make(map[uint64]time.Time, len(pending))
	s.outbox = nil
	for _, c := range pending {
		key := commandKey(seed, c)
		if at, before := s.sent[key]; before && now.Sub(at) < sendAgain {
			sent[key] = at
			continue
		}
		s.outbox = append(s.outbox, c)
	}
	if s.sent = sent; len(sent) == 0 {
		s.sent = nil
	}
	if len(s.outbox) > 0 {
		s.ring()
	}
}

// next takes what is to be sent next: acknowledgements first, they are small and awaited.
func (s *session) next(seed maphash.Seed, now time.Time) *agentv1.ConnectResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	if news := s.news; news != nil {
		s.news = nil
		return &agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Welcome{Welcome: news}}
	}
	if len(s.acks) > 0 {
		sequence := s.acks[0]
		if s.acks = s.acks[1:]; len(s.acks) == 0 {
			s.acks = nil
		}
		return &agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Ack{Ack: &agentv1.Ack{Sequence: sequence}}}
	}
	if len(s.outbox) == 0 {
		return nil
	}
	command := s.outbox[0]
	if s.outbox = s.outbox[1:]; len(s.outbox) == 0 {
		s.outbox = nil
	}
	if s.sent == nil {
		s.sent = map[uint64]time.Time{}
	}
	s.sent[commandKey(seed, command)] = now
	return &agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Command{Command: command}}
}

// commandKey names what an agent does once.
func commandKey(seed maphash.Seed, c *agentv1.Command) uint64 {
	return maphash.Comparable(seed, struct {
		installation string
		attempt      int32
		epoch        int64
		action       agentv1.Command_Action
	}{c.GetInstallation(), c.GetAttempt(), c.GetEpoch(), c.GetAction()})
}
