package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

func TestManyGatesAreWatchedByManyStreams(t *testing.T) {
	many := watch{}
	for i := range 2*watchMost + 1 {
		many[fmt.Sprintf("p%d", i)] = []string{"d2", "d1", "d2"}
	}
	a, b := part{workspace: "workspaces/a"}, part{workspace: "workspaces/b"}
	pieces := parts(map[part]watch{a: many, b: {"p": {"d"}}})
	require.Len(t, pieces, 4)
	again := watch{}
	for p, piece := range pieces {
		require.LessOrEqual(t, len(piece), watchMost, "more is refused by the contract, and nobody would be told of anything")
		for r, waiting := range piece {
			if p.workspace == "workspaces/a" {
				again[r] = waiting
				require.Equal(t, []string{"d1", "d2"}, waiting)
			}
		}
	}
	require.Len(t, again, len(many))
}

func TestWhatNothingWasHeardOfIsWatchedApart(t *testing.T) {
	const plan, decision = "workspaces/a/implementations/i/cohortPlans/p", "workspaces/a/implementations/i/decisions/d"
	wave := func(state gatev1.Verdict_State) *deploymentv1.Wave {
		return &deploymentv1.Wave{Gates: []*deploymentv1.GateStatus{{Id: "other", Verdict: &gatev1.Verdict{State: gatev1.Verdict_PASS}}, {Id: "ready", Verdict: &gatev1.Verdict{State: state}}}}
	}
	rule := &deploymentv1.GateRule{Id: "ready"}
	ready := part{workspace: "workspaces/a", purpose: gatev1.Purpose_PURPOSE_READINESS}
	for _, state := range []gatev1.Verdict_State{gatev1.Verdict_WAIT, gatev1.Verdict_FAIL, gatev1.Verdict_UNDECIDED, gatev1.Verdict_PASS} {
		require.Equal(t, ready, partOf(wave(state), rule, plan))
	}
	ready.unheard = true
	require.Equal(t, ready, partOf(wave(gatev1.Verdict_UNKNOWN), rule, plan), "it may not exist, and end the stream of all the others")
	require.Equal(t, ready, partOf(&deploymentv1.Wave{}, rule, plan), "nobody was asked yet")
	rule.Type = &deploymentv1.GateRule_Decision{Decision: &deploymentv1.DecisionGate{Decision: decision}}
	require.Equal(t, part{workspace: "workspaces/a", purpose: gatev1.Purpose_PURPOSE_ALL}, partOf(wave(gatev1.Verdict_WAIT), rule, decision))
}
