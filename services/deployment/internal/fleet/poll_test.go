package fleet_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/fleet"
)

// poller is an agent behind a proxy that breaks streams.
type poller struct {
	t      *testing.T
	client agentv1.AgentServiceClient
	boot   string
	cursor int64
}

func (h *host) poller(t *testing.T, s *server, boot string) *poller {
	t.Helper()
	return &poller{t: t, client: agentv1.NewAgentServiceClient(h.dial(s)), boot: boot}
}

func (p *poller) ask(ctx context.Context, wait time.Duration, reports ...*agentv1.Report) (*agentv1.FetchWorkResponse, error) {
	answer, err := p.client.FetchWork(ctx, &agentv1.FetchWorkRequest{
		Hello: hello(p.boot, 1).GetHello(), Reports: reports, Wait: durationpb.New(wait), Cursor: p.cursor,
	})
	if err == nil {
		p.cursor = answer.GetCursor()
	}
	return answer, err
}

func (p *poller) asked(wait time.Duration, reports ...*agentv1.Report) *agentv1.FetchWorkResponse {
	p.t.Helper()
	answer, err := p.ask(p.t.Context(), wait, reports...)
	require.NoError(p.t, err)
	return answer
}

func aReport(sequence int64, installation string) *agentv1.Report {
	return &agentv1.Report{Sequence: sequence, Installation: installation, Attempt: 1, Epoch: 1, State: deploymentv1.Installation_HEALTHY}
}

func TestAPollBringsWhatAStreamWould(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve(func(c *fleet.Config) { c.Heartbeat = 2 * time.Second })
		target := b.target("web-1")
		h := b.enrolled(s, "host-1", target)
		installation := b.installation(target)
		p := h.poller(t, s, "boot-0001")

		begin := time.Now()
		first := p.asked(time.Minute)
		require.Less(t, time.Since(begin), time.Second, "the first answer is at once")
		require.Equal(t, []string{target}, first.GetWelcome().GetTargets())
		require.True(t, b.agent(h.name).GetConnected())

		answer := p.asked(time.Minute, aReport(1, installation), aReport(2, installation))
		require.Len(t, answer.GetAcks(), 2)
		require.Equal(t, []int64{1, 2}, b.work.sequences(), "acknowledged when it is durable")

		command := &agentv1.Command{Installation: installation, Target: target, Attempt: 1, Epoch: 1, Action: agentv1.Command_INSTALL}
		go func() {
			b.work.with(func() { b.work.pending[target] = []*agentv1.Command{command} })
			s.Hint([]string{target})
		}()
		require.Len(t, p.asked(time.Minute).GetCommands(), 1)

		begin = time.Now()
		require.Empty(t, p.asked(time.Minute).GetCommands(), "what arrived is not said again and again")
		require.Greater(t, time.Since(begin), time.Second, "it waits")
		require.Less(t, time.Since(begin), 5*time.Second, "but no longer than a heartbeat")

		p.cursor-- // an answer was lost
		require.Len(t, p.asked(time.Minute).GetCommands(), 1)
		require.True(t, b.agent(h.name).GetConnected())
		require.Equal(t, []string{"web-1 true"}, b.work.said(), "one session, from call to call")
	})
}

func TestAPollThatIsOvertakenLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve(func(c *fleet.Config) { c.Heartbeat = 5 * time.Second })
		target := b.target("web-1")
		h := b.enrolled(s, "host-1", target)
		installation := b.installation(target)
		p := h.poller(t, s, "boot-0001")
		p.asked(0)
		waiting := make(chan error, 1)
		go func() {
			other := *p
			_, err := other.ask(t.Context(), time.Minute)
			waiting <- err
		}()
		var overtaken bool
		for n := int64(1); !overtaken; n++ { // until one of them comes while the other waits
			answer, err := p.ask(t.Context(), 0, aReport(n, installation))
			if fault.ReasonOf(err) == "POLL_SUPERSEDED" { // by the other, which came late
				continue
			}
			require.NoError(t, err)
			require.NotEmpty(t, answer.GetAcks())
			select {
			case err := <-waiting:
				require.Equal(t, "POLL_SUPERSEDED", fault.ReasonOf(err))
				overtaken = true
			default:
			}
		}

		b.work.with(func() { b.work.hang = true })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := p.ask(ctx, 0, aReport(1001, installation))
		cancel()
		require.Error(t, err)
		b.work.with(func() { b.work.hang = false })
		require.Eventually(t, func() bool {
			answer := p.asked(0, aReport(1001, installation), aReport(1002, installation))
			return len(answer.GetAcks()) == 2
		}, soon, often)
	})
}

func TestPollsAreUnderTheRulesOfStreams(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		p := h.poller(t, s, "boot-0001")
		p.asked(0)
		require.Eventually(t, func() bool { return !b.agent(h.name).GetConnected() }, soon, often, "who does not ask is silent")

		p.cursor = 0
		p.asked(0)
		stream := h.connected(s, "boot-0001") // the same process holds a stream again
		p.cursor = 0
		p.asked(0) // and loses it
		require.Equal(t, "STREAM_SUPERSEDED", fault.ReasonOf(stream.ended(soon)))

		stop := make(chan struct{})
		ended := make(chan error, 1)
		go func() { // it goes on asking, so that it is alive
			for {
				select {
				case <-stop:
					ended <- nil
					return
				default:
				}
				if _, err := p.ask(t.Context(), 100*time.Millisecond); err != nil {
					ended <- err
					return
				}
			}
		}()
		_, err := h.connect(s, "boot-0002")
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(err))
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(<-ended), "a twin that polls is found like one that streams")
		_, err = h.poller(t, s, "boot-0003").ask(t.Context(), 0)
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(err))
	})
}

func TestAPollingTwinOnAnotherServerIsQuarantined(t *testing.T) {
	eachReplicated(t, func(t *testing.T, one, two *bundle) {
		here, there := one.serve(), two.serve()
		h := one.enrolled(here, "host-1", one.target("web-1"))
		first := h.connected(here, "boot-0001")
		_, err := h.poller(t, there, "boot-0002").ask(t.Context(), 0)
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(err))
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(first.ended(soon)))
	})
}

func TestARevokedAgentIsCutAtOnceEverywhere(t *testing.T) {
	eachReplicated(t, func(t *testing.T, one, two *bundle) {
		here, there := one.serve(), two.serve()
		target := one.target("web-1")
		h := one.enrolled(here, "host-1", target)
		stream := h.connected(there, "boot-0001")
		invited := one.invite("host-1", target)

		agent, err := one.agents.RevokeAgent(t.Context(), &deploymentv1.RevokeAgentRequest{Name: h.name, Reason: "stolen"})
		require.NoError(t, err)
		require.NotNil(t, agent.GetRevokeTime())
		require.Equal(t, "AGENT_REVOKED", fault.ReasonOf(stream.ended(time.Second)), "revoked here, cut there, within a second")
		_, err = h.connect(here, "boot-0001")
		require.Equal(t, "AGENT_REVOKED", fault.ReasonOf(err))
		_, err = h.poller(t, there, "boot-0001").ask(t.Context(), 0)
		require.Equal(t, "AGENT_REVOKED", fault.ReasonOf(err))
		require.Equal(t, "JOIN_TOKEN_INVALID", fault.ReasonOf(one.newHost("host-1").enrol(here, invited)), "nor do tokens from before let it in")

		again := one.enrolled(here, "host-1", target)
		back := again.connected(there, "boot-0002")
		require.Nil(t, one.agent(h.name).GetRevokeTime())
		_, err = h.connect(here, "boot-0001")
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(err), "the certificate from before does not")
		require.NoError(t, back.conn.Close())
	})
}

func TestAnAgentIsToldWhichProgramToRun(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		c := h.connected(s, "boot-0001")
		require.Nil(t, c.welcome.GetProgram())
		require.Equal(t, int32(1), c.welcome.GetProtocolVersion())
		require.Eventually(t, func() bool { return b.agent(h.name).GetVersion() == "1.0.0" }, soon, often)

		upgrade := &deploymentv1.UpgradeAgentRequest{Name: h.name, Version: "2.0.0", Artifacts: []*deploymentv1.Artifact{{
			Os: "linux", Arch: "amd64", Sha256: strings.Repeat("a", 64), SizeBytes: 1,
		}}}
		_, err := b.agents.UpgradeAgent(t.Context(), upgrade)
		require.Equal(t, "BLOB_NOT_FOUND", fault.ReasonOf(err))
		upgrade.Artifacts[0].Uri, upgrade.Artifacts[0].Arch = "https://example.com/agent.tar.gz", "arm64"
		_, err = b.agents.UpgradeAgent(t.Context(), upgrade)
		require.Equal(t, "PLATFORM_UNSUPPORTED", fault.ReasonOf(err))
		upgrade.Artifacts[0].Arch = "amd64"
		agent, err := b.agents.UpgradeAgent(t.Context(), upgrade)
		require.NoError(t, err)
		require.Equal(t, "2.0.0", agent.GetDesiredVersion())
		require.Eventually(t, func() bool { return len(c.greetings()) == 1 }, soon, often, "at once, on the same stream")
		program := c.greetings()[0].GetProgram()
		require.Equal(t, "2.0.0", program.GetVersion())

		failed := hello("boot-0001", 1)
		failed.GetHello().AgentVersion, failed.GetHello().UpdateError = "1.0.0", "it crashed"
		failed.GetHello().Facts = &deploymentv1.HostFacts{Os: "linux", Arch: "amd64"}
		again := h.said(s, failed)
		require.Equal(t, program.GetGeneration(), again.GetProgram().GetGeneration())
		require.Eventually(t, func() bool { return b.agent(h.name).GetUpdateError() == "it crashed" }, soon, often)
		_, err = b.agents.UpgradeAgent(t.Context(), upgrade)
		require.NoError(t, err)
		updated := hello("boot-0001", 1)
		updated.GetHello().AgentVersion = "2.0.0"
		require.Nil(t, h.said(s, updated).GetProgram())
		require.Eventually(t, func() bool { return b.agent(h.name).GetVersion() == "2.0.0" }, soon, often)
		require.Empty(t, b.agent(h.name).GetUpdateError())
	})
}

// said opens a stream with a Hello of its own and returns the answer.
func (h *host) said(s *server, first *agentv1.ConnectRequest) *agentv1.Welcome {
	h.t.Helper()
	out, err := agentv1.NewAgentServiceClient(h.dial(s)).Connect(h.t.Context())
	require.NoError(h.t, err)
	require.NoError(h.t, out.Send(first))
	answer, err := out.Recv()
	require.NoError(h.t, err)
	return answer.GetWelcome()
}

func TestAgentsOfOtherVersionsAreMet(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		newer := hello("boot-0001", 2)
		newer.GetHello().ProtoReflect().SetUnknown([]byte{0xfa, 0x3e, 0x03, 'n', 'e', 'w'}) // field 1007
		require.Equal(t, int32(1), h.said(s, newer).GetProtocolVersion(), "a newer agent is met at what this server speaks")
	})
}

func TestHeartbeatsFollowTheSizeOfTheFleet(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve(func(c *fleet.Config) { c.Heartbeat = 200 * time.Millisecond })
		h := b.enrolled(s, "host-1", b.target("web-1"))
		c := h.connected(s, "boot-0001")
		before := c.welcome.GetHeartbeatInterval().AsDuration()
		fleet.Grow(s.Hub, 2000)
		require.Eventually(t, func() bool { return len(c.greetings()) > 0 }, soon, often)
		require.Greater(t, c.greetings()[0].GetHeartbeatInterval().AsDuration(), 4*before)
	})
}

func TestTooManyArrivalsAreToldWhenToComeAgain(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		h := b.enrolled(s, "host-1", b.target("web-1"))
		over := fleet.Crowd(s.Hub)
		_, err := h.connect(s, "boot-0001")
		require.Equal(t, "SERVER_BUSY", fault.ReasonOf(err))
		require.GreaterOrEqual(t, fault.From(err).RetryDelay(), time.Second)
		over()
		h.connected(s, "boot-0001")
	})
}
