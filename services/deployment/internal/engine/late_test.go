package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

func TestALateReportSaysNothingOfWhatRunsByNow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.keep("t0", true)
		first := w.deploy("first", "v1", &deploymentv1.Rollout{LostAfter: durationpb.New(time.Second), Waves: []*deploymentv1.WaveRule{{
			Id: "all", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}, Budget: &deploymentv1.FailureBudget{MaxLost: 1},
		}}}).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		pending, err := w.engine.Pending(w.ctx, []string{env + "/targets/t0"})
		require.NoError(t, err)
		require.Len(t, pending, 1)
		w.connect("t0", -time.Second)
		w.urge(first, func(d *deploymentv1.Deployment) bool { return d.GetState() == deploymentv1.Deployment_SUCCEEDED })
		w.connect("t0", time.Hour)
		second := w.deploy("second", "v2", nil).GetName()
		w.until(second, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		w.hosts.keep("t0", false)
		w.reach(second, deploymentv1.Deployment_SUCCEEDED)
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
			Sequence: 1000, Installation: pending[0].GetInstallation(), Attempt: pending[0].GetAttempt(), Epoch: pending[0].GetEpoch(),
			State: deploymentv1.Installation_HEALTHY, Health: deploymentv1.Installation_HEALTHY_NOW,
		}}))
		require.Equal(t, "v2", w.runs()["t0"])
	})
}
