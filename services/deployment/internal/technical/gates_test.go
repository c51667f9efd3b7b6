package technical_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/technical"
)

func TestAllIsTheWorstOfMachinesAndGates(t *testing.T) {
	t.Parallel()
	gate := func(id string, state gatev1.Verdict_State, about string) *deploymentv1.GateStatus {
		g := &deploymentv1.GateStatus{Id: id, Verdict: &gatev1.Verdict{Resource: about, State: state}}
		if state != gatev1.Verdict_PASS && state != gatev1.Verdict_WAIVED {
			g.Verdict.Reasons = []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_DECISION, Resource: about, Current: "nobody has decided"}}
		}
		return g
	}
	wave := func(state deploymentv1.Wave_State, gates ...*deploymentv1.GateStatus) *deploymentv1.Wave {
		return &deploymentv1.Wave{Name: "d/waves/w", State: state, Revision: 3, Gates: gates}
	}
	now := time.Unix(0, 0)
	for name, c := range map[string]struct {
		wave *deploymentv1.Wave
		want gatev1.Verdict_State
		on   []string
	}{
		"a closed gate is what it waits for":  {wave(deploymentv1.Wave_GATED, gate("a", gatev1.Verdict_WAIT, "x"), gate("b", gatev1.Verdict_PASS, "y")), gatev1.Verdict_WAIT, []string{"d/waves/w", "x"}},
		"the worst gate counts":               {wave(deploymentv1.Wave_GATED, gate("a", gatev1.Verdict_WAIT, "x"), gate("b", gatev1.Verdict_FAIL, "y")), gatev1.Verdict_FAIL, []string{"d/waves/w", "x", "y"}},
		"what nobody evaluated is unknown":    {wave(deploymentv1.Wave_GATED, gate("a", 0, "x")), gatev1.Verdict_UNKNOWN, []string{"d/waves/w", "x"}},
		"open gates leave a wave that waits":  {wave(deploymentv1.Wave_GATED, gate("a", gatev1.Verdict_WAIVED, "x")), gatev1.Verdict_WAIT, []string{"d/waves/w"}},
		"gates of a wave that began are over": {wave(deploymentv1.Wave_SEALED, gate("a", gatev1.Verdict_FAIL, "x")), gatev1.Verdict_PASS, nil},
	} {
		v := technical.All(technical.Wave(c.wave, now), []*deploymentv1.Wave{c.wave})
		require.Equal(t, c.want, v.GetState(), name)
		require.Equal(t, c.on, v.GetWaitingOn(), name)
		require.Equal(t, gatev1.Purpose_PURPOSE_ALL, v.GetPurpose())
		require.EqualValues(t, 3, v.GetRevision())
	}
	d := &deploymentv1.Deployment{Name: "d", Revision: 2, State: deploymentv1.Deployment_WAITING}
	v := technical.All(technical.Deployment(d, now), []*deploymentv1.Wave{wave(deploymentv1.Wave_GATED, gate("a", gatev1.Verdict_UNKNOWN, "x"))})
	require.Equal(t, gatev1.Verdict_UNKNOWN, v.GetState())
	require.Equal(t, []string{"d", "x"}, v.GetWaitingOn())
	require.EqualValues(t, 5, v.GetRevision(), "it rises with what its waves say")
}
