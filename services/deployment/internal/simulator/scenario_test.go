package simulator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/services/deployment/internal/simulator"
)

// TestTwoServersEndWhereOneDoes (F2): whoever decides, and however often at once, a calm life comes to the same end.
func TestTwoServersEndWhereOneDoes(t *testing.T) {
	b := open(t, "servers")
	for seed := range uint64(30) {
		one, two := b.Calm(seed, 1), b.Calm(seed, 2)
		require.NoError(t, one.Err)
		require.NoError(t, two.Err)
		require.NotEmpty(t, one.Ends)
		require.Equal(t, one.Ends, two.Ends, "seed %d", seed)
	}
}

// TestAPoisonedDeploymentHoldsUpNobodyElse (F12): one that cannot be read, or given out, fails alone.
func TestAPoisonedDeploymentHoldsUpNobodyElse(t *testing.T) {
	b := open(t, "poison")
	for _, poison := range []string{simulator.PoisonedRow, simulator.PoisonedOverlay} {
		for seed := range uint64(10) {
			r := b.Poisoned(seed, poison)
			require.NoError(t, r.Err, "%s", r)
			require.Equal(t, "SUCCEEDED", r.Ends["healthy"], "%s", r.Trace)
			require.NotEqual(t, "SUCCEEDED", r.Ends["poisoned"])
		}
	}
}

// TestTheWayBackNeedsNoArchive (F32): what ran before is kept on the hosts, so that a rollback reaches it when its
// archive is gone; a deployment that would have to fetch it does not begin.
func TestTheWayBackNeedsNoArchive(t *testing.T) {
	r := open(t, "past").Lost(1)
	require.NoError(t, r.Err, "%s", r.Trace)
	require.Equal(t, "SUCCEEDED", r.Ends["second"])
	require.Equal(t, "SUCCEEDED", r.Ends["rollback-0001"])
	require.Equal(t, "FAILED", r.Ends["fourth"])
}

// deployments is how many TestTheHeapStaysBounded rolls out; DEPLOYMENTS=n says otherwise.
const deployments = 1000

// TestTheHeapStaysBounded (F33): one server that rolls out deployment after deployment holds no more at the end than early on.
func TestTheHeapStaysBounded(t *testing.T) {
	n := int(number(t, "DEPLOYMENTS", deployments))
	r, heaps := open(t, "heap").Soak(1, n)
	require.NoError(t, r.Err)
	require.Len(t, heaps, simulator.Samples)
	early, late := heaps[1], heaps[len(heaps)-1]
	t.Logf("live heap after each tenth of %d deployments: %v", n, heaps)
	require.Less(t, late, early+early/4+(1<<20))
}
