package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// A deployment that succeeded can be taken back also after a later one was tried and reverted: what runs is its release again.
func TestWhatALaterRevertBroughtBackCanBeRolledBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		second := w.must(w.try("second", deploymentv1.Deployment_RELEASE, "v2")).GetName()
		w.hosts.mu.Lock()
		w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
			if c.GetWorkload().GetVersion() == "3.0.0" {
				return deploymentv1.Installation_REVERTED
			}
			return 0
		}
		w.hosts.mu.Unlock()
		third := w.deploy("third", "v3", nil).GetName()
		w.until(third, func(d *deploymentv1.Deployment) bool { return d.GetState() == deploymentv1.Deployment_FAILED })
		require.Equal(t, "v2", w.runs()["t0"])

		_, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: third})
		require.Equal(t, "NOTHING_TO_ROLL_BACK", fault.ReasonOf(err))
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second})
		require.NoError(t, err)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		for target, release := range w.runs() {
			require.Equal(t, "v1", release, target)
		}
		_, err = w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second})
		require.Equal(t, "NOTHING_TO_ROLL_BACK", fault.ReasonOf(err), "it was taken back")
	})
}

// A host that could not be brought back is one on which something is wrong, until it is put right.
func TestWhatCouldNotBeBroughtBackIsDrift(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		w.hosts.mu.Lock()
		w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
			if c.GetWorkload().GetVersion() == "2.0.0" && c.GetTarget() == env+"/targets/t3" {
				return deploymentv1.Installation_REVERT_FAILED
			}
			return 0
		}
		w.hosts.mu.Unlock()
		second := w.deploy("second", "v2", nil).GetName()
		w.until(second, func(d *deploymentv1.Deployment) bool { return d.GetState() == deploymentv1.Deployment_ROLLBACK_FAILED })
		require.Equal(t, []string{"t3 NOT_RUNNING"}, w.drift())
		w.must(w.try("again", deploymentv1.Deployment_REAPPLY, "v1"))
		require.Empty(t, w.drift())
		require.Equal(t, "v1", w.runs()["t3"])
	})
}
