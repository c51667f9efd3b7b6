package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// TestStagesAndADeploymentServiceThatIsGone is the other direction: a stage waits for a wave whose service is killed. The people's
// side answers as ever, the stage starts for nobody, and goes on by itself when the rollout does.
func TestStagesAndADeploymentServiceThatIsGone(t *testing.T) {
	w := newPair(t, pgtest.URL(t))
	stages := implementationv1.NewStageServiceClient(w.implementation)
	const parent = inWorkspace + "implementations/crm"
	stage := func(id string) *implementationv1.Stage {
		got, err := stages.GetStage(t.Context(), &implementationv1.GetStageRequest{Name: parent + "/stages/" + id})
		require.NoError(t, err)
		return got
	}
	waiting := func(id string, kind gatev1.BlockedBy_Kind, within time.Duration) {
		w.until(within, id+" to wait for "+kind.String(), func() (bool, string) {
			got := stage(id)
			require.Equal(t, implementationv1.Stage_PENDING, got.GetState(), "it went on although the wave did not")
			b := got.GetBlockedBy()
			return len(b) > 0 && b[0].GetKind() == kind, fmt.Sprint(b)
		})
	}
	create := func(id, resource string) error {
		_, err := stages.CreateStage(t.Context(), &implementationv1.CreateStageRequest{Parent: parent, StageId: id, Stage: &implementationv1.Stage{
			DisplayName: id, WaitsFor: []*implementationv1.StageCondition{{Id: "rolled-out", Resource: resource}},
		}})
		return err
	}
	w.deploy("late", "2.0.0", "late", wave("all", gatedBy("stock")))
	require.NoError(t, create("known", nameOf("late")+"/waves/all"))
	waiting("known", gatev1.BlockedBy_TECHNICAL, 15*time.Second)

	w.processes["deployment"].kill()
	require.NoError(t, create("new", nameOf("late")), "a plan is made without the other service")
	waiting("new", gatev1.BlockedBy_SERVICE, 10*time.Second)
	for _, id := range []string{"known", "new"} {
		began := time.Now()
		_, err := stages.StartStage(t.Context(), &implementationv1.StartStageRequest{Name: parent + "/stages/" + id})
		require.True(t, fault.Is(err, fault.KindPrecondition), "%s: %v", id, err)
		require.Less(t, time.Since(began), time.Second)
	}
	w.promptly("recording a training", func(context.Context) error { w.trains("stock"); return nil })
	w.promptly("judging people", func(ctx context.Context) error {
		v, err := gatev1.NewGateServiceClient(w.implementation).EvaluateGate(ctx, &gatev1.EvaluateGateRequest{Resource: parent + "/cohortPlans/stock", Purpose: gatev1.Purpose_PURPOSE_READINESS})
		require.Equal(t, gatev1.Verdict_PASS, v.GetState())
		return err
	})

	w.processes["deployment"].start()
	w.answers(t, w.deployment)
	began := time.Now()
	w.starts("late", "all", healed)
	w.reaches("late", deploymentv1.Deployment_SUCCEEDED, 30*time.Second)
	sealed := time.Now()
	for _, id := range []string{"known", "new"} {
		w.until(healed, id+" to be ready", func() (bool, string) {
			got := stage(id)
			return got.GetState() == implementationv1.Stage_READY, got.GetState().String() + fmt.Sprint(got.GetBlockedBy())
		})
	}
	t.Logf("the wave went on %s after its service was back, the stages %s after it was sealed", sealed.Sub(began).Round(time.Millisecond), time.Since(sealed).Round(time.Millisecond))
}
