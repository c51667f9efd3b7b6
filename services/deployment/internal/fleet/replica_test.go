package fleet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// eachReplicated runs a test with two servers on one database, which only PostgreSQL lets them share.
func eachReplicated(t *testing.T, fn func(t *testing.T, one, two *bundle)) {
	t.Helper()
	for _, kind := range tables.Databases(t)[1:] {
		t.Run(kind.Name, func(t *testing.T) {
			one := setup(t, kind)
			fn(t, one, one.replica(t))
		})
	}
}

func TestAgentMovesFromOneServerToAnother(t *testing.T) {
	eachReplicated(t, func(t *testing.T, one, two *bundle) {
		here, there := one.serve(), two.serve()
		h := one.enrolled(here, "host-1", one.target("web-1"))
		first := h.connected(here, "boot-0001")
		second := h.connected(there, "boot-0001")
		require.Equal(t, "STREAM_SUPERSEDED", fault.ReasonOf(first.ended(soon)))
		require.Never(t, func() bool { return !one.agent(h.name).GetConnected() }, 500*time.Millisecond, 50*time.Millisecond)

		_, err := one.agents.DeleteAgent(t.Context(), &deploymentv1.DeleteAgentRequest{Name: h.name})
		require.NoError(t, err)
		require.Equal(t, "AGENT_UNKNOWN", fault.ReasonOf(second.ended(time.Second)), "deleted here, cut there, within a second")
	})
}

func TestTwinsOnTwoServersAreQuarantined(t *testing.T) {
	eachReplicated(t, func(t *testing.T, one, two *bundle) {
		here, there := one.serve(), two.serve()
		h := one.enrolled(here, "host-1", one.target("web-1"))
		first := h.connected(here, "boot-0001")
		_, err := h.connect(there, "boot-0002")
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(err))
		require.Equal(t, "AGENT_QUARANTINED", fault.ReasonOf(first.ended(soon)))
		require.Contains(t, two.agent(h.name).GetQuarantineReason(), "boot-0001")
	})
}
