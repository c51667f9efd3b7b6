package fleet_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/fleet"
)

func digestOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

func TestTwoProcessesWithOneIdentityAreQuarantined(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		first := h.connected(s, "boot-0001")
		_, err := h.connect(s, "boot-0002")
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(err))
		require.Equal(t, codes.FailedPrecondition, status.Code(err))
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(first.ended(soon)))

		agent, err := b.agents.GetAgent(t.Context(), &deploymentv1.GetAgentRequest{Name: h.name})
		require.NoError(t, err)
		require.Contains(t, agent.GetQuarantineReason(), "boot-0001")
		require.Contains(t, agent.GetQuarantineReason(), "boot-0002")
		for _, boot := range []string{"boot-0001", "boot-0002"} {
			_, err = h.connect(s, boot)
			require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(err), "neither is commanded")
		}
		require.Eventually(t, func() bool { return !b.agent(h.name).GetConnected() }, soon, often)
		agent, err = b.agents.ReleaseQuarantine(t.Context(), &deploymentv1.ReleaseQuarantineRequest{Name: h.name})
		require.NoError(t, err)
		require.Empty(t, agent.GetQuarantineReason())
		h.connected(s, "boot-0002")
	})
}

func (b *bundle) agent(name string) *deploymentv1.Agent {
	b.t.Helper()
	agent, err := b.agents.GetAgent(b.t.Context(), &deploymentv1.GetAgentRequest{Name: name})
	require.NoError(b.t, err)
	return agent
}

func TestTheSameProcessSupersedesItself(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		target := b.target("web-1")
		h := b.enrolled(s, "host-1", target)
		first := h.connected(s, "boot-0001")
		second := h.connected(s, "boot-0001")
		require.Equal(t, "STREAM_SUPERSEDED", fault.ReasonOf(first.ended(time.Second)))
		b.work.with(func() { b.work.pending[target] = []*agentv1.Command{{Installation: "i", Target: target, Epoch: 1}} })
		s.Hint([]string{target})
		require.Eventually(t, func() bool { return len(second.heard()) == 1 }, soon, often)
		require.True(t, b.agent(h.name).GetConnected(), "the end of the first does not say that it is gone")
		require.Empty(t, b.agent(h.name).GetQuarantineReason())
	})
}

func TestARebootedHostIsLetInOnceItsFormerSelfIsSilent(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		dead, err := h.open(s, "boot-0001", true) // connected, and never heard again
		require.NoError(t, err)
		h.connected(s, "boot-0002")
		require.Equal(t, "STREAM_SUPERSEDED", fault.ReasonOf(dead.ended(time.Second)))

		s.stop()
		patient := b.serve(func(c *fleet.Config) { c.Heartbeat = time.Minute })
		closed := h.connected(patient, "boot-0002")
		require.NoError(t, closed.conn.Close())
		begin := time.Now()
		h.connected(patient, "boot-0003")
		require.Less(t, time.Since(begin), soon, "a closed connection need not be waited for")
		require.Empty(t, b.agent(h.name).GetQuarantineReason())
	})
}

func TestSilentStreamIsEnded(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		c, err := h.open(s, "boot-0001", true)
		require.NoError(t, err)
		require.True(t, b.agent(h.name).GetConnected())
		require.Equal(t, "HEARTBEAT_MISSED", fault.ReasonOf(c.ended(soon)))
		require.Eventually(t, func() bool { return !b.agent(h.name).GetConnected() }, soon, often)
		require.Eventually(t, func() bool { return len(b.work.said()) == 2 }, soon, often)
		require.Equal(t, []string{"web-1 true", "web-1 false"}, b.work.said())
	})
}

func TestStreamsThatDoNotBeginWell(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		for name, test := range map[string]struct {
			first  *agentv1.ConnectRequest
			reason string
			code   codes.Code
		}{
			"older protocol": {hello("boot-0001", 0), "PROTOCOL_UNSUPPORTED", codes.Unimplemented},
			"no boot id":     {hello("", 1), "INVALID_FIELD", codes.InvalidArgument},
			"no hello":       {&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Report{Report: &agentv1.Report{}}}, "HELLO_EXPECTED", codes.InvalidArgument},
		} {
			t.Run(name, func(t *testing.T) {
				out, err := agentv1.NewAgentServiceClient(h.dial(s)).Connect(t.Context())
				require.NoError(t, err)
				require.NoError(t, out.Send(test.first))
				_, err = out.Recv()
				require.Equal(t, test.reason, fault.ReasonOf(err))
				require.Equal(t, test.code, status.Code(err))
			})
		}
		twice := h.connected(s, "boot-0001")
		require.NoError(t, twice.send(hello("boot-0001", 1)))
		require.Equal(t, "MESSAGE_UNEXPECTED", fault.ReasonOf(twice.ended(soon)))
	})
}

func hello(boot string, version int32) *agentv1.ConnectRequest {
	return &agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Hello{Hello: &agentv1.Hello{BootId: boot, ProtocolVersion: version}}}
}

func TestCommandsReachTheAgentOfTheirTargetOnly(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		one, two := b.target("web-1"), b.target("web-2")
		first, second := b.enrolled(s, "host-1", one).connected(s, "boot-0001"), b.enrolled(s, "host-2", two).connected(s, "boot-0002")
		command := &agentv1.Command{Installation: "i1", Target: one, Attempt: 1, Epoch: 1, Action: agentv1.Command_INSTALL}
		b.work.with(func() {
			b.work.pending[one] = []*agentv1.Command{command}
			b.work.stray = []*agentv1.Command{{Installation: "i9", Target: environment + "/targets/other", Epoch: 1}}
		})
		s.Hint([]string{one, two, "targets/unknown"})
		require.Eventually(t, func() bool { return len(first.heard()) == 1 }, soon, often)
		for range 3 { // still pending: not sent again and again
			s.Hint([]string{one, two})
		}
		b.work.with(func() {
			b.work.pending[one] = []*agentv1.Command{command, {Installation: "i1", Target: one, Attempt: 1, Epoch: 2, Action: agentv1.Command_REVERT}}
		})
		s.Hint([]string{one})
		require.Eventually(t, func() bool { return len(first.heard()) == 2 }, soon, often)
		require.Equal(t, agentv1.Command_REVERT, first.heard()[1].GetAction())
		require.Empty(t, second.heard())

		// A new stream of the same process hears all of it again.
		require.NoError(t, first.conn.Close())
		again := b.reconnect(s, "host-1", first)
		require.Eventually(t, func() bool { return len(again.heard()) == 2 }, soon, often)
	})
}

// reconnect opens another stream with the certificate of a host by enrolling it anew.
func (b *bundle) reconnect(s *server, id string, before *stream) *stream {
	b.t.Helper()
	return b.enrolled(s, id, before.welcome.GetTargets()...).connected(s, "boot-0009")
}

func TestServerThatStopsLeavesItsAgentsTheirLease(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		short := func(c *fleet.Config) { c.Lease = 900 * time.Millisecond }
		s := b.serve(short)
		one, two := b.target("web-1"), b.target("web-2")
		first, second := b.enrolled(s, "host-1", one), b.enrolled(s, "host-2", two)
		stream, _ := first.connected(s, "boot-0001"), second.connected(s, "boot-0002")
		s.stop()
		require.Equal(t, "SERVER_STOPPING", fault.ReasonOf(stream.ended(soon)))
		require.True(t, b.agent(first.name).GetConnected(), "its agents are about to come back")
		require.NotContains(t, b.work.said(), "web-1 false")

		next := b.serve(short)
		first.connected(next, "boot-0001")
		require.Eventually(t, func() bool { return !b.agent(second.name).GetConnected() }, soon, often, "who does not come back is gone when the lease ends")
		require.True(t, b.agent(first.name).GetConnected())
		require.Eventually(t, func() bool { return len(b.work.said()) == 4 }, soon, often)
		require.Equal(t, "web-2 false", b.work.said()[3])
	})
}
