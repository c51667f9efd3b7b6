package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// queue sets what happens to a deployment that finds another one.
func (w *world) queue(p deploymentv1.QueuePolicy) {
	w.t.Helper()
	_, err := store.Applications.Update(w.ctx, w.store.Resources, &deploymentv1.UpdateApplicationRequest{Application: &deploymentv1.Application{
		Name: app, QueuePolicies: map[string]deploymentv1.QueuePolicy{"prod": p},
	}})
	require.NoError(w.t, err)
}

func (w *world) state(name string) deploymentv1.Deployment_State {
	w.t.Helper()
	d, err := store.Deployments.Load(w.ctx, w.store.DB.Read(), name)
	require.NoError(w.t, err)
	return d.GetState()
}

// freezing fails on whatever runs version 2, and stays as it is.
func (w *world) freezing() *deploymentv1.Deployment {
	w.t.Helper()
	w.hosts.mu.Lock()
	w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
		if c.GetWorkload().GetVersion() == "2.0.0" && c.GetTarget() == env+"/targets/t0" {
			return deploymentv1.Installation_FAILED
		}
		return 0
	}
	w.hosts.mu.Unlock()
	plan := covering()
	plan.OnFailure = deploymentv1.Rollout_FREEZE
	return w.until(w.deploy("second", "v2", plan).GetName(), func(d *deploymentv1.Deployment) bool {
		return d.GetState() == deploymentv1.Deployment_FROZEN && d.GetCounts().GetHealthy() == 1 // that is t1
	})
}

func TestDeploymentsStandInLine(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.queue(deploymentv1.QueuePolicy_QUEUE)
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.hosts.keep("t0", true)
		second := w.deploy("second", "v2", nil).GetName()
		w.reach(second, deploymentv1.Deployment_RUNNING)
		third, fourth := w.deploy("third", "v1", nil).GetName(), w.deploy("fourth", "v3", nil).GetName()
		line, err := w.try("line", deploymentv1.Deployment_RELEASE, "v1")
		require.NoError(t, err)
		require.Equal(t, gatev1.BlockedBy_DEPLOYMENT, line.GetBlockedBy()[0].GetKind(), "it is told at once")
		_, err = w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: line.GetName()}, rollout.Cancel)
		require.NoError(t, err)
		w.until(third, waitsFor(gatev1.BlockedBy_DEPLOYMENT))
		last := w.until(fourth, waitsFor(gatev1.BlockedBy_DEPLOYMENT))
		require.Equal(t, third, last.GetBlockedBy()[0].GetResource())
		require.Equal(t, "place 2 in the queue; second is RUNNING", last.GetBlockedBy()[0].GetCurrent())

		// Whoever leaves the queue changes nothing for the others (argo, kargo#6810).
		_, err = w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: third}, rollout.Cancel)
		require.NoError(t, err)
		require.Equal(t, deploymentv1.Deployment_CANCELLED, w.state(third))
		require.Equal(t, deploymentv1.Deployment_RUNNING, w.state(second))
		w.until(fourth, func(d *deploymentv1.Deployment) bool {
			return waitsFor(gatev1.BlockedBy_DEPLOYMENT)(d) && d.GetBlockedBy()[0].GetResource() == second
		})
		require.Equal(t, "v1", w.runs()["t0"])

		w.hosts.keep("t0", false)
		w.reach(fourth, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, deploymentv1.Deployment_SUCCEEDED, w.state(second))
		require.Equal(t, app+"/releases/v2", w.installation(fourth, "t0").GetFromRelease(), "what ran when its turn came")
		require.Equal(t, "v3", w.runs()["t0"])

		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: fourth})
		require.NoError(t, err)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, "v2", w.runs()["t0"])
	})
}

func TestATargetThatGoesWhileInLineIsLeftOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.queue(deploymentv1.QueuePolicy_QUEUE)
		w.hosts.keep("t0", true)
		pilot := &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{{Id: "pilot", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: "pilot"}}}}}
		w.reach(w.deploy("first", "v1", pilot).GetName(), deploymentv1.Deployment_RUNNING)
		second := w.deploy("second", "v2", nil).GetName()
		_, err := store.Targets.Delete(w.ctx, w.store.Resources, &deploymentv1.DeleteTargetRequest{Name: env + "/targets/t5"})
		require.NoError(t, err)
		w.hosts.keep("t0", false)
		w.reach(second, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, "TARGET_GONE", w.installation(second, "t5").GetCause())
	})
}

func TestANewerDeploymentTakesThePlaceOfThoseThatHaveNotBegun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.queue(deploymentv1.QueuePolicy_SUPERSEDE)
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.hosts.keep("t0", true)
		second := w.deploy("second", "v2", nil).GetName()
		w.reach(second, deploymentv1.Deployment_RUNNING)
		third := w.deploy("third", "v1", nil).GetName()
		fourth := w.deploy("fourth", "v3", nil).GetName()
		require.Equal(t, deploymentv1.Deployment_SUPERSEDED, w.state(third))
		require.Equal(t, deploymentv1.Deployment_RUNNING, w.state(second), "one that is moving reaches its end")
		require.Equal(t, deploymentv1.Deployment_PENDING, w.state(fourth))
		w.hosts.keep("t0", false)
		w.reach(fourth, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, deploymentv1.Deployment_SUCCEEDED, w.state(second))
		require.Equal(t, "v3", w.runs()["t0"])
	})
}

func TestAFrozenDeploymentIsFixedByAnother(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]func(*deploymentv1.Deployment, *world){
		"by name":   func(d *deploymentv1.Deployment, _ *world) { d.Fixes = app + "/deployments/second" },
		"by policy": func(_ *deploymentv1.Deployment, w *world) { w.queue(deploymentv1.QueuePolicy_SUPERSEDE) },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
				frozen := w.freezing()
				require.Equal(t, "v2", w.runs()["t1"])
				fix := &deploymentv1.Deployment{Release: app + "/releases/v3", Environment: env, Reason: "mends it"}
				by(fix, w)
				d, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: "third", Deployment: fix})
				require.NoError(t, err)
				require.Equal(t, deploymentv1.Deployment_SUPERSEDED, w.state(frozen.GetName()))
				require.Equal(t, app+"/releases/v1", w.installation(d.GetName(), "t0").GetFromRelease(), "what ran well")
				w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
				require.Equal(t, "v3", w.runs()["t0"])
				require.Equal(t, "v3", w.runs()["t5"])
				require.Empty(t, w.drift())
			})
		})
	}
}

func TestOnlyWhatIsFrozenIsFixed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		_, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, Deployment: &deploymentv1.Deployment{
			Release: app + "/releases/v2", Environment: env, Fixes: first.GetName(),
		}})
		require.Equal(t, rollout.ReasonStateForbids, fault.ReasonOf(err))
	})
}

func TestWhatWasPreviewedIsWhatRuns(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		req := &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: "first", ValidateOnly: true, Deployment: &deploymentv1.Deployment{Release: app + "/releases/v1", Environment: env}}
		preview, err := w.engine.Create(w.ctx, req)
		require.NoError(t, err)
		require.Len(t, preview.GetTargetSetDigest(), 64)
		req.ValidateOnly, req.ExpectTargetSetDigest = false, preview.GetTargetSetDigest()
		w.target(6, "sales", true)
		_, err = w.engine.Create(w.ctx, req)
		require.Equal(t, "TARGET_SET_CHANGED", fault.ReasonOf(err))
		req.ValidateOnly, req.ExpectTargetSetDigest = true, ""
		preview, err = w.engine.Create(w.ctx, req)
		require.NoError(t, err)
		req.ValidateOnly, req.ExpectTargetSetDigest = false, preview.GetTargetSetDigest()
		d, err := w.engine.Create(w.ctx, req)
		require.NoError(t, err)
		require.Equal(t, preview.GetSnapshotDigest(), d.GetSnapshotDigest())
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
	})
}

// Software of another release got into the rows by some mistake: it is not installed.
func TestAWaveThatIsNotThatOfTheSnapshotFreezes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		second := w.deploy("second", "v2", byCohort(0)).GetName()
		w.until(second, waitsFor(gatev1.BlockedBy_CRITERION))
		require.NoError(t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE installations SET to_release = $1 WHERE name = $2`, app+"/releases/v3", second+"/installations/t2")
			return err
		}))
		w.gate.set(gatev1.Verdict_PASS, nil)
		frozen := w.reach(second, deploymentv1.Deployment_FROZEN)
		require.Equal(t, rollout.ReasonSnapshotChanged, frozen.GetStateReason())
		require.Equal(t, "v1", w.runs()["t2"])
		require.Zero(t, w.hosts.count("INSTALL t2 3"))
		_, err := w.engine.Command(w.ctx, &deploymentv1.ResumeDeploymentRequest{Name: second}, rollout.Resume)
		require.NoError(t, err)
		frozen = w.reach(second, deploymentv1.Deployment_FROZEN)
		require.Equal(t, rollout.ReasonSnapshotChanged, frozen.GetStateReason(), "to go on is to look again, not to look away")
		require.Zero(t, w.hosts.count("INSTALL t2 3"))
	})
}
