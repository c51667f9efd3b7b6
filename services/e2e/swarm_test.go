package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

// A swarm is many light agents in a process of its own: each has an identity, a TLS connection and a
// stream, beats, keeps its reports until they are acknowledged, and comes back when it is cut off, as slowly as a
// real agent does. It installs nothing: it holds the orders to install until it is told to answer them.
// Its exported methods are called by the benchmark, over its standard input and output.

const (
	// swarmSources is from how many loopback addresses a swarm calls: one has ports for 28 000 connections, which linger when they end.
	swarmSources = 8
	// swarmPatience is how long any step may take before it counts as broken.
	swarmPatience = 5 * time.Minute
	// reconnectMin and reconnectMax bound the pause before an agent calls again, as those of golive-agent do.
	reconnectMin, reconnectMax = 500 * time.Millisecond, 10 * time.Second
)

// Swarm is the process.
type Swarm struct {
	address string
	roots   *x509.CertPool
	key     *ecdsa.PrivateKey // of all, to save time
	agents  []*lightAgent

	connected atomic.Int64
	held      atomic.Int64
	unacked   atomic.Int64 // reports
	results   atomic.Int64 // those of them that tell of an installation
	sealed    atomic.Int64
	lastHeld  atomic.Int64 // unix ns
	changed   chan struct{}
}

// Join says how a swarm gets in. Without tokens its agents sign their certificates themselves, for a server that
// takes any.
type Join struct {
	Address   string
	Authority []byte
	Tokens    []string
	Agents    int
}

// Enrol redeems the tokens, and tells how long that took.
func (s *Swarm) Enrol(join Join, took *time.Duration) (err error) {
	began := time.Now()
	root, err := x509.ParseCertificate(join.Authority)
	if err != nil {
		return err
	}
	s.address, s.roots, s.changed = join.Address, x509.NewCertPool(), make(chan struct{}, 1)
	s.roots.AddCert(root)
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	certificates := make([][]byte, join.Agents)
	if join.Tokens == nil {
		own, err := selfSigned(s.key)
		if err != nil {
			return err
		}
		for i := range certificates {
			certificates[i] = own
		}
	} else if err := s.redeem(join.Tokens, certificates); err != nil {
		return err
	}
	for i, certificate := range certificates {
		s.agents = append(s.agents, &lightAgent{
			swarm: s, boot: fmt.Sprintf("boot-%08d", i), reports: map[int64]*agentv1.Report{}, orders: map[string]*agentv1.Command{},
			config: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: s.roots, Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: s.key}}},
			source: net.IPv4(127, 0, 0, byte(2+i%swarmSources)),
		})
	}
	*took = time.Since(began)
	return nil
}

func (s *Swarm) redeem(tokens []string, certificates [][]byte) error {
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, s.key)
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: s.roots})))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	calls, ctx := errgroup.WithContext(context.Background())
	calls.SetLimit(concurrent)
	for i, token := range tokens {
		calls.Go(func() error {
			answer, err := agentv1.NewAgentServiceClient(conn).Enrol(ctx, &agentv1.EnrolRequest{JoinToken: token, CertificateRequest: request})
			certificates[i] = answer.GetCertificate()
			return err
		})
	}
	return calls.Wait()
}

// Connect starts the agents, and tells how long it took until all were welcomed.
func (s *Swarm) Connect(_ int, took *time.Duration) error {
	began := time.Now()
	for _, a := range s.agents {
		go a.stay()
	}
	err := s.until("all agents to be welcomed", func() bool { return s.connected.Load() == int64(len(s.agents)) })
	*took = time.Since(began)
	return err
}

// Down waits until no agent has a stream.
func (s *Swarm) Down(_ int, at *time.Time) error {
	defer func() { *at = time.Now() }()
	return s.until("all agents to be cut off", func() bool { return s.connected.Load() == 0 })
}

// Back waits until all agents have a stream again.
func (s *Swarm) Back(_ int, at *time.Time) error {
	defer func() { *at = time.Now() }()
	return s.until("all agents to come back", func() bool { return s.connected.Load() == int64(len(s.agents)) })
}

// Held waits until every agent has an order to install, and tells when the last came.
func (s *Swarm) Held(_ int, last *time.Time) error {
	err := s.until("every agent to have its order", func() bool { return s.held.Load() == int64(len(s.agents)) })
	*last = time.Unix(0, s.lastHeld.Load())
	return err
}

// Answer has every agent report that its installation is healthy, and tells how long it took until all of that was acknowledged.
func (s *Swarm) Answer(_ int, took *time.Duration) error {
	began := time.Now()
	for _, a := range s.agents {
		a.answer()
	}
	err := s.until("every result to be acknowledged", func() bool { return s.results.Load() == 0 })
	*took = time.Since(began)
	return err
}

// Settled waits until every agent has sealed what it installed, and all it had to say is acknowledged.
func (s *Swarm) Settled(_ int, at *time.Time) error {
	defer func() { *at = time.Now() }()
	return s.until("every installation to be sealed", func() bool { return s.sealed.Load() == int64(len(s.agents)) && s.unacked.Load() == 0 })
}

// until waits for what the agents bring about.
func (s *Swarm) until(what string, met func() bool) error {
	limit := time.NewTimer(swarmPatience)
	defer limit.Stop()
	for !met() {
		select {
		case <-s.changed:
		case <-limit.C:
			return fmt.Errorf("waited for %s in vain: %d of %d connected, %d with an order, %d reports not acknowledged",
				what, s.connected.Load(), len(s.agents), s.held.Load(), s.unacked.Load())
		}
	}
	return nil
}

func (s *Swarm) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// lightAgent is one agent of a swarm.
type lightAgent struct {
	swarm  *Swarm
	boot   string
	config *tls.Config
	source net.IP

	mu       sync.Mutex
	stream   agentv1.AgentService_ConnectClient // nil while there is none
	sequence int64
	reports  map[int64]*agentv1.Report // not acknowledged
	orders   map[string]*agentv1.Command
	sealed   string // installation
}

// stay holds one stream after the other, for as long as the process lives.
func (a *lightAgent) stay() {
	for try := 1; ; try++ {
		welcomed, err := a.hold()
		if welcomed {
			try = 1
		}
		pause := mathrand.N(min(reconnectMax, reconnectMin<<min(try-1, 20)))
		if f := fault.From(err); f != nil {
			pause += f.RetryDelay()
		}
		<-time.After(pause)
	}
}

// hold holds a stream until it ends.
func (a *lightAgent) hold() (welcomed bool, err error) {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: a.source}}
	conn, err := grpc.NewClient("passthrough:///"+a.swarm.address, grpc.WithTransportCredentials(credentials.NewTLS(a.config)),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}),
		grpc.WithReadBufferSize(4<<10), grpc.WithWriteBufferSize(4<<10), grpc.WithDisableRetry(), grpc.WithDisableServiceConfig())
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := agentv1.NewAgentServiceClient(conn).Connect(ctx)
	if err != nil {
		return false, err
	}
	if err := stream.Send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Hello{Hello: &agentv1.Hello{BootId: a.boot, ProtocolVersion: 1}}}); err != nil {
		_, err = stream.Recv() // it says why
		return false, err
	}
	first, err := stream.Recv()
	if err != nil {
		return false, err
	}
	if err := a.welcomed(stream); err != nil {
		return true, err
	}
	defer a.cut()
	beating := make(chan struct{})
	beats := make(chan time.Duration, 1)
	beats <- first.GetWelcome().GetHeartbeatInterval().AsDuration()
	go func() { defer close(beating); a.beat(ctx, beats) }()
	err = a.listen(stream, beats)
	cancel()
	<-beating
	return true, err
}

// welcomed repeats what was not acknowledged.
func (a *lightAgent) welcomed(stream agentv1.AgentService_ConnectClient) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for sequence := range a.sequence + 1 {
		if r := a.reports[sequence]; r != nil {
			if err := send(stream, r); err != nil {
				return err
			}
		}
	}
	a.stream = stream
	a.swarm.connected.Add(1)
	a.swarm.tell()
	return nil
}

func (a *lightAgent) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stream = nil
	a.swarm.connected.Add(-1)
	a.swarm.tell()
}

// beat sends heartbeats, as often as it was told last.
func (a *lightAgent) beat(ctx context.Context, beats <-chan time.Duration) {
	tick := time.NewTicker(<-beats)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case interval := <-beats:
			tick.Reset(interval)
		case <-tick.C:
			a.mu.Lock()
			err := a.stream.Send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Heartbeat{Heartbeat: &agentv1.Heartbeat{}}})
			a.mu.Unlock()
			if err != nil {
				return // the other half hears why
			}
		}
	}
}

// listen does what the server says.
func (a *lightAgent) listen(stream agentv1.AgentService_ConnectClient, beats chan time.Duration) error {
	for {
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		switch m := message.GetMessage().(type) {
		case *agentv1.ConnectResponse_Welcome:
			select {
			case <-beats: // of a word before
			default:
			}
			beats <- m.Welcome.GetHeartbeatInterval().AsDuration()
		case *agentv1.ConnectResponse_Ack:
			a.acknowledged(m.Ack.GetSequence())
		case *agentv1.ConnectResponse_Command:
			if err := a.order(m.Command); err != nil {
				return err
			}
		default:
			return errors.New("the server says what no agent understands")
		}
	}
}

func (a *lightAgent) acknowledged(sequence int64) {
	a.mu.Lock()
	report := a.reports[sequence]
	delete(a.reports, sequence)
	a.mu.Unlock()
	if report == nil {
		return // it was acknowledged before
	}
	last := a.swarm.unacked.Add(-1) == 0
	if isResult(report) {
		last = a.swarm.results.Add(-1) == 0 || last
	}
	if last {
		a.swarm.tell()
	}
}
