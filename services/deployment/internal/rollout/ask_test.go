package rollout

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

func TestAnAnswerCountsWhenTheClockWasPutBack(t *testing.T) {
	w := &deploymentv1.Wave{Rule: &deploymentv1.WaveRule{Gates: []*deploymentv1.GateRule{{
		Id: "ready", Type: &deploymentv1.GateRule_Readiness{Readiness: &deploymentv1.ReadinessGate{CohortPlan: simPlans + "p0"}},
	}}}}
	state := func() gatev1.Verdict_State { return w.GetGates()[0].GetVerdict().GetState() }
	Answer(w, "ready", &gatev1.Verdict{State: gatev1.Verdict_PASS}, noon)
	Answer(w, "ready", &gatev1.Verdict{State: gatev1.Verdict_WAIT}, noon.Add(-time.Second))
	require.Equal(t, gatev1.Verdict_PASS, state(), "it was asked before, and comes late")
	Answer(w, "ready", &gatev1.Verdict{State: gatev1.Verdict_WAIT}, noon.Add(-time.Hour))
	require.Equal(t, gatev1.Verdict_WAIT, state(), "nothing is an hour late")
	require.Equal(t, noon.Add(-time.Hour), w.GetGates()[0].GetAskTime().AsTime())
}
