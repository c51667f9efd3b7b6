package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// statesOf returns every state of an enum but the one that says "not set", in the order of the contract.
func statesOf[S ~int32](names map[int32]string) []S {
	var all []S
	for _, n := range slices.Sorted(maps.Keys(names)) {
		if n != 0 {
			all = append(all, S(n))
		}
	}
	return all
}

func deploymentStates() []DeploymentState {
	return statesOf[DeploymentState](deploymentv1.Deployment_State_name)
}
func waveStates() []WaveState { return statesOf[WaveState](deploymentv1.Wave_State_name) }
func installationStates() []InstallationState {
	return statesOf[InstallationState](deploymentv1.Installation_State_name)
}

func TestTheTablesAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	golden(t, "deployment_moves.golden", matrix(deploymentStates(), deploymentMoves.allows))
	golden(t, "wave_moves.golden", matrix(waveStates(), waveMoves.allows))
	golden(t, "installation_moves.golden", matrix(installationStates(), installationMoves.allows))
}

func TestReportsMoveInstallationsAsTheTableJustifies(t *testing.T) {
	t.Parallel()
	golden(t, "reported.golden", matrix(installationStates(), Reported))
	decided := []InstallationState{ // by the server alone
		deploymentv1.Installation_QUEUED, deploymentv1.Installation_SKIPPED, deploymentv1.Installation_SEALED,
		deploymentv1.Installation_UNKNOWN, deploymentv1.Installation_LOST,
	}
	for _, from := range installationStates() {
		for _, to := range installationStates() {
			if from == to || !Reported(from, to) {
				continue
			}
			require.NotContains(t, decided, to, "an agent reports %s → %s", from, to)
			require.NotEqual(t, deploymentv1.Installation_QUEUED, from, "an agent reports what nobody told it to begin: %s", to)
			require.True(t, reachable(from, to), "no steps of the table lead from %s to %s", from, to)
		}
	}
}

// reachable reports whether steps of the table lead from one state to another without a
// decision of the server in between.
func reachable(from, to InstallationState) bool {
	seen := map[InstallationState]bool{}
	next := []InstallationState{from}
	for len(next) > 0 {
		s := next[0]
		next = next[1:]
		if s == to {
			return true
		}
		for _, follows := range installationMoves[s] {
			if !seen[follows] && follows != deploymentv1.Installation_QUEUED && follows != deploymentv1.Installation_UNKNOWN {
				seen[follows] = true
				next = append(next, follows)
			}
		}
	}
	return false
}

func TestEveryPairOfStatesIsAnsweredAndTheEndIsTheEnd(t *testing.T) {
	t.Parallel()
	answersEveryPair(t, deploymentMoves, deploymentStates())
	answersEveryPair(t, waveMoves, waveStates())
	answersEveryPair(t, installationMoves, installationStates())
}

func answersEveryPair[S state](t *testing.T, moves table[S], all []S) {
	t.Helper()
	for _, from := range all {
		require.False(t, moves.allows(from, from), "%s leads to itself", from)
		for _, to := range all {
			err := moves.check("it", from, to)
			require.Equal(t, moves.allows(from, to), err == nil)
			if err == nil {
				require.False(t, moves.terminal(from))
				continue
			}
			require.Equal(t, ReasonStateForbids, fault.ReasonOf(err))
			require.Equal(t, fault.KindPrecondition, fault.KindOf(err))
			require.ErrorContains(t, err, from.String())
		}
	}
}

func TestEveryLivingDeploymentCanBeGivenUpAndTakenBack(t *testing.T) {
	t.Parallel()
	for _, s := range deploymentStates() {
		require.Equal(t, Ended(s), CheckMove(s, deploymentv1.Deployment_ABANDONED) != nil, s)
		require.Equal(t, Ended(s), CheckMove(s, deploymentv1.Deployment_ROLLED_BACK) != nil, s)
	}
}

// matrix draws which state leads where: one row a state, one column a successor.
func matrix[S state](all []S, leads func(from, to S) bool) string {
	var b strings.Builder
	for _, from := range all {
		var to []string
		for _, s := range all {
			if s != from && leads(from, s) {
				to = append(to, s.String())
			}
		}
		if len(to) == 0 {
			to = []string{"(final)"}
		}
		fmt.Fprintf(&b, "%-15s → %s\n", from, strings.Join(to, " "))
	}
	return b.String()
}
