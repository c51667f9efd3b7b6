package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// age makes the row of an installation look as if it had not changed for long.
func (w *world) age(installation string) {
	w.t.Helper()
	require.NoError(w.t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE installations SET update_time = 1 WHERE name = $1`, installation)
		return err
	}))
}

// urge is until, with a look at every turn: for what only time brings.
func (w *world) urge(name string, ok func(*deploymentv1.Deployment) bool) *deploymentv1.Deployment {
	w.t.Helper()
	return w.until(name, func(*deploymentv1.Deployment) bool {
		require.NoError(w.t, w.engine.Advance(w.ctx, name))
		d, err := store.Deployments.Load(w.ctx, w.store.DB.Read(), name)
		require.NoError(w.t, err)
		return ok(d)
	})
}

func frozen(d *deploymentv1.Deployment) bool { return d.GetState() == deploymentv1.Deployment_FROZEN }

func (w *world) command(deployment string, c rollout.Command) *deploymentv1.Deployment {
	w.t.Helper()
	d, err := w.engine.Command(w.ctx, &deploymentv1.AbandonDeploymentRequest{Name: deployment, Reason: "test"}, c)
	require.NoError(w.t, err)
	return d
}

func TestAPartialRollbackCallsBackWhatNobodyTakesOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.gate.set(1, nil)
		w.hosts.keep("t2", true)
		first := w.deploy("first", "v1", byCohort(0)).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool {
			return d.GetCounts().GetSealed() == 2 && d.GetCounts().GetInProgress() == 1
		})
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: first, Waves: []string{"pilot"}})
		require.NoError(t, err)
		old := w.reach(first, deploymentv1.Deployment_ROLLED_BACK)
		require.Zero(t, old.GetCounts().GetQueued(), "its counts say what it leaves behind")
		w.hosts.keep("t2", false)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Eventually(t, func() bool { return w.hosts.count("CANCEL t2") == 1 }, 5*time.Second, 10*time.Millisecond)
		require.Zero(t, w.hosts.count("INSTALL t2"))
	})
}

func TestARollbackReachesWhatWasAbandonedInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.hosts.keep("t0", true)
		second := w.deploy("second", "v2", nil).GetName()
		w.until(second, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		abandoned := w.command(second, rollout.Abandon)
		require.Equal(t, deploymentv1.Deployment_ABANDONED, abandoned.GetState())
		require.Equal(t, []string{env + "/targets/t0"}, abandoned.GetUnconfirmedTargets())
		pending, err := w.engine.Pending(w.ctx, []string{env + "/targets/t0"})
		require.NoError(t, err)
		require.Len(t, pending, 1)
		require.Equal(t, agentv1.Command_CANCEL, pending[0].GetAction(), "whoever listens is told to stop")

		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second})
		require.NoError(t, err)
		require.EqualValues(t, 6, back.GetCounts().GetTotal())
		w.hosts.keep("t0", false)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
	})
}

func TestARollbackLeavesAloneWhatALaterDeploymentHasReplaced(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.hosts.keep("t0", true)
		second := w.deploy("second", "v2", &deploymentv1.Rollout{
			LostAfter: durationpb.New(time.Second),
			Waves:     []*deploymentv1.WaveRule{{Id: "all", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}, Budget: &deploymentv1.FailureBudget{MaxLost: 1}}},
		}).GetName()
		w.until(second, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		w.connect("t0", -time.Second)
		w.urge(second, func(d *deploymentv1.Deployment) bool {
			return d.GetState() == deploymentv1.Deployment_SUCCEEDED && d.GetCounts().GetLost() == 1
		})
		w.connect("t0", time.Hour)
		third := w.deploy("third", "v3", nil).GetName()
		w.until(third, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		w.hosts.keep("t0", false)
		w.reach(third, deploymentv1.Deployment_SUCCEEDED)
		_, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second})
		require.Equal(t, "NOTHING_TO_ROLL_BACK", fault.ReasonOf(err))
	})
}

func TestACancellationReachesWhoIsLostAndLeavesARevertAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		second := w.deploy("second", "v2", byCohort(time.Hour)).GetName()
		w.until(second, func(*deploymentv1.Deployment) bool {
			return w.wave(second, "pilot").GetState() == deploymentv1.Wave_BAKING
		})
		w.hosts.keep("t0", true)
		w.hosts.keep("t1", true)
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
			Sequence: 1000, Installation: second + "/installations/t0", Attempt: 1, State: deploymentv1.Installation_HEALTHY, Health: deploymentv1.Installation_UNHEALTHY,
		}}))
		w.until(second, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetReverting() == 2 })
		w.connect("t1", -time.Second)
		w.until(second, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetUnknown() == 1 })
		require.Equal(t, deploymentv1.Deployment_CANCELLING, w.command(second, rollout.Cancel).GetState())
		w.connect("t1", time.Hour)
		w.hosts.keep("t0", false)
		w.hosts.keep("t1", false)
		w.reach(second, deploymentv1.Deployment_CANCELLED)
		require.Equal(t, all, w.runs())
		require.Equal(t, 1, w.hosts.count("REVERT t1"), "a revert goes on, whatever is cancelled")
		require.Zero(t, w.hosts.count("CANCEL t1"))

		w.hosts.keep("t0", true)
		third := w.deploy("third", "v3", &deploymentv1.Rollout{LostAfter: durationpb.New(time.Second), OnFailure: deploymentv1.Rollout_FREEZE}).GetName()
		w.until(third, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		w.connect("t0", -time.Second)
		w.urge(third, frozen)
		cancelled := w.command(third, rollout.Cancel)
		require.Equal(t, deploymentv1.Deployment_CANCELLED, cancelled.GetState())
		require.Equal(t, []string{env + "/targets/t0"}, cancelled.GetUnconfirmedTargets())
		w.connect("t0", time.Hour)
		w.hosts.keep("t0", false)
		require.Eventually(t, func() bool { return w.hosts.count("CANCEL t0") == 1 }, 5*time.Second, 10*time.Millisecond)
		require.Zero(t, w.hosts.count("INSTALL t0 3"), "what was cancelled is not installed by who comes back")
	})
}

func TestADownloadMayTakeItsTimeAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.keep("t0", true)
		w.hosts.keep("t1", true)
		first := w.deploy("first", "v1", nil).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 4 })
		pending, err := w.engine.Pending(w.ctx, []string{env + "/targets/t0"})
		require.NoError(t, err)
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
			Sequence: 1000, Installation: pending[0].GetInstallation(), Attempt: 1, Epoch: pending[0].GetEpoch(), State: deploymentv1.Installation_FETCHING,
		}}))
		w.age(first + "/installations/t0")
		w.age(first + "/installations/t1")
		require.NoError(t, w.engine.Advance(w.ctx, first))
		d := w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetUnknown() == 1 })
		require.EqualValues(t, 1, d.GetCounts().GetInProgress(), "only an agent sees whether a download moves")
	})
}

func TestAServerThatJustStartedGivesUpNobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		began := time.Now() // the server has started by now
		w.hosts.keep("t0", true)
		first := w.deploy("first", "v1", &deploymentv1.Rollout{LostAfter: durationpb.New(3 * time.Second), OnFailure: deploymentv1.Rollout_FREEZE}).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		w.connect("t0", -time.Second)
		w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetUnknown() == 1 })
		w.age(first + "/installations/t0") // it fell silent long before
		w.urge(first, frozen)
		require.Greater(t, time.Since(began), 2*time.Second)
	})
}
