//go:build linux

package agent_test

import (
	"context"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent"
)

// FetchWork answers at once where there is something to say, else when the time is over.
func (s *server) FetchWork(ctx context.Context, r *agentv1.FetchWorkRequest) (*agentv1.FetchWorkResponse, error) {
	if err := authenticated(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls++
	s.hellos = append(s.hellos, r.GetHello())
	s.reports = append(s.reports, r.GetReports()...)
	for _, chunk := range r.GetLogs() {
		s.logs = append(s.logs, chunk.GetLines()...)
	}
	s.summaries = append(s.summaries, r.GetProbeSummaries()...)
	s.changed()
	answer := &agentv1.FetchWorkResponse{Welcome: s.welcome(), Cursor: r.GetCursor() + 1}
	for _, report := range r.GetReports() {
		answer.Acks = append(answer.Acks, &agentv1.Ack{Sequence: report.GetSequence()})
	}
	deadline := time.After(r.GetWait().AsDuration())
	for {
		for _, c := range s.desired {
			key := c.GetInstallation() + c.GetAction().String()
			if r.GetCursor() == 0 || s.told[key] != c.GetEpoch() {
				s.told[key] = c.GetEpoch()
				answer.Commands = append(answer.Commands, proto.CloneOf(c))
			}
		}
		if r.GetCursor() == 0 || len(answer.GetCommands())+len(answer.GetAcks()) > 0 {
			return answer, nil
		}
		change := s.change
		s.mu.Unlock()
		over := false
		select {
		case <-change:
		case <-deadline:
			over = true
		case <-ctx.Done():
			over = true
		}
		s.mu.Lock()
		if over {
			return answer, ctx.Err()
		}
	}
}

// cutter is a proxy that cuts every connection after a time.
type cutter struct {
	address string
	life    atomic.Int64
	cuts    atomic.Int64
}

func newCutter(t *testing.T, to string, life time.Duration) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{address: listener.Addr().String()}
	c.life.Store(int64(life))
	var group sync.WaitGroup
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	group.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { c.carry(ctx, in, to) })
		}
	})
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
		group.Wait()
	})
	return c
}

func (c *cutter) carry(ctx context.Context, in net.Conn, to string) {
	defer func() { _ = in.Close() }()
	out, err := (&net.Dialer{}).DialContext(ctx, "tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	select {
	case <-time.After(time.Duration(c.life.Load())):
		c.cuts.Add(1)
	case <-ended:
	case <-ctx.Done():
	}
}

// through starts the agent of a world anew behind a proxy.
func (w *world) through(address string, change func(*agent.Config)) {
	w.t.Helper()
	w.stop()
	config := w.config()
	config.Server = address
	change(&config)
	w.startWith(config)
}

func TestAnAgentBehindAProxyThatCutsStreamsPolls(t *testing.T) {
	w := setup(t)
	proxy := newCutter(t, w.address, time.Second)
	w.through(proxy.address, func(c *agent.Config) { c.StreamAgain = 4 * time.Second })
	w.until("polls", func() bool { return w.polls > 0 })
	before := w.workload("1.0.0", "")
	w.up(1, before, nil)
	w.only("1.0.0")
	for epoch := int64(2); epoch < 12; epoch++ {
		next := w.workload(strconv.FormatInt(epoch, 10)+".0.0", "")
		w.up(epoch, next, before)
		before = next
	}
	w.only("11.0.0")
	require.Positive(t, proxy.cuts.Load())
	w.until("every report", func() bool {
		newest, heard := int64(0), map[int64]bool{}
		for _, r := range w.reports {
			newest, heard[r.GetSequence()] = max(newest, r.GetSequence()), true
		}
		return int64(len(heard)) == newest
	})
	w.until("output", func() bool { return len(w.logs) > 0 })
	w.until("summaries", func() bool { return len(w.summaries) > 0 })

	proxy.life.Store(int64(time.Hour)) // mended
	w.until("a stream again", func() bool { return w.stream != nil })
}

func TestAnAgentPollsWhereStreamsAreUnknown(t *testing.T) {
	w := setup(t)
	w.mu.Lock()
	w.noStreams = true
	w.mu.Unlock()
	w.through(w.address, func(*agent.Config) {})
	w.up(1, w.workload("1.0.0", ""), nil)
	w.only("1.0.0")
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Positive(t, w.polls)
}

func TestAServerThatGoesAwayMakesNobodyPoll(t *testing.T) {
	w := setup(t)
	w.until("a stream", func() bool { return w.stream != nil })
	for range 2 {
		w.server.stop()
		w.until("no stream", func() bool { return w.stream == nil })
		w.restart()
		w.until("a stream", func() bool { return w.stream != nil })
		w.mu.Lock()
		w.hellos = nil
		w.mu.Unlock()
	}
}

func TestACertificateIsRenewedBetweenPolls(t *testing.T) {
	w := setup(t)
	w.mu.Lock()
	w.life = 6 * time.Second
	w.mu.Unlock()
	w.stop()
	w.enrol()
	config := w.config()
	config.Transport = agent.Poll
	w.startWith(config)
	w.up(1, w.workload("1.0.0", ""), nil)
	w.until("three certificates", func() bool { return len(w.keys) > 3 })
	w.up(2, w.workload("2.0.0", ""), w.workload("1.0.0", ""))
	w.only("2.0.0")
}

func TestARevokedAgentIsLetInByANewJoinToken(t *testing.T) {
	w := setup(t)
	w.until("a stream", func() bool { return w.stream != nil })
	w.stop()
	w.mu.Lock()
	w.revoked, w.keys = true, nil
	w.mu.Unlock()
	config := w.config()
	config.JoinToken = w.token(time.Hour)
	w.startWith(config)
	w.until("another enrolment", func() bool { return len(w.keys) == 1 && w.stream != nil })
	w.up(1, w.workload("1.0.0", ""), nil)
}

func TestCertificatesAreRenewedWhileReleasesGoOut(t *testing.T) {
	w := setup(t)
	w.mu.Lock()
	w.life, w.keys = 4*time.Second, nil
	w.mu.Unlock()
	w.stop()
	w.enrol()
	w.start()
	before := w.workload("1.0.0", "")
	w.up(1, before, nil)
	renewed := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.keys) > 3
	}
	for epoch := int64(2); !renewed(); epoch++ { // each of them has to become healthy
		next := w.workload(strconv.FormatInt(epoch, 10)+".0.0", "")
		w.up(epoch, next, before)
		before = next
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Zero(t, w.polls, "a renewal is no broken stream")
}

func TestAWelcomeThatComesAgainChangesThePace(t *testing.T) {
	w := setup(t)
	w.until("beats", func() bool { return w.beats > 2 })
	w.mu.Lock()
	require.NoError(t, w.stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Welcome{Welcome: &agentv1.Welcome{
		HeartbeatInterval: durationpb.New(time.Hour), SummaryInterval: durationpb.New(time.Hour), Targets: w.targets, ProtocolVersion: 1,
	}}}))
	w.mu.Unlock()
	require.Eventually(t, func() bool {
		w.mu.Lock()
		before := w.beats
		w.mu.Unlock()
		<-time.After(300 * time.Millisecond) // six beats of before
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.beats == before
	}, soon, time.Millisecond)
}

func TestAnActionThatIsUnknownIsUnsupported(t *testing.T) {
	w := setup(t)
	c := w.installation(1, w.workload("1.0.0", ""), nil)
	c.Action = 99 // of a newer server
	w.send(c)
	r := w.end(c)
	require.Equal(t, deploymentv1.Installation_FAILED, r.GetState())
	require.Equal(t, "UNSUPPORTED", r.GetCause())
	c = w.up(2, w.workload("1.0.0", ""), nil)
	require.Equal(t, deploymentv1.Installation_HEALTHY, w.end(c).GetState())
}
