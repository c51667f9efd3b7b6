package rollout

import (
	"testing"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// TestAGateNamesACommandEvenWhereOnlyTimeHelps leaves the commands of gates as they are and adds the one that is left.
func TestAGateNamesACommandEvenWhereOnlyTimeHelps(t *testing.T) {
	t.Parallel()
	closed := func(id, command string) *deploymentv1.GateStatus {
		return &deploymentv1.GateStatus{Id: id, Verdict: &gatev1.Verdict{State: gatev1.Verdict_WAIT, Reasons: []*gatev1.BlockedBy{{Resource: "w", Command: command}}}}
	}
	w := &deploymentv1.Wave{Name: "w", Gates: []*deploymentv1.GateStatus{
		closed("signed", "golive approve w"), closed("rested", ""), {Id: "well", Verdict: &gatev1.Verdict{State: gatev1.Verdict_PASS}},
	}}
	var commands []string
	for _, r := range closedGates(w) {
		commands = append(commands, r.GetCommand())
	}
	require.Equal(t, []string{"golive approve w", "golive override w --gate rested --reason …"}, commands)
	require.Empty(t, w.GetGates()[1].GetVerdict().GetReasons()[0].GetCommand(), "what the gate said is kept as it was")
}
