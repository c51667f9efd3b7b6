package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// covering is a rollout in two waves that seal when half of their members are healthy.
func covering() *deploymentv1.Rollout {
	return &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{
		{Id: "pilot", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: "pilot"}}, MinCoverage: 0.5},
		{Id: "rest", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}, MinCoverage: 0.5},
	}}
}

// away says that the agents of targets are not there.
func (w *world) away(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		require.NoError(w.t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE target_presence SET lease_until = 0 WHERE target = $1`, env+"/targets/"+id)
			return err
		}))
	}
}

// drift lists what differs in the environment, as "target reason".
func (w *world) drift() []string {
	w.t.Helper()
	var out []string
	req := &deploymentv1.ListDriftRequest{Parent: env, PageSize: 1}
	for {
		page, err := w.store.ListDrift(w.ctx, req)
		require.NoError(w.t, err)
		for _, d := range page.GetDrifts() {
			out = append(out, strings.TrimPrefix(d.GetTarget(), env+"/targets/")+" "+d.GetRunning().GetDrift())
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			return out
		}
	}
}

func (w *world) installation(deployment, target string) *deploymentv1.Installation {
	w.t.Helper()
	all, err := store.SelectInstallations(w.ctx, w.store.DB.Read(), `name = $1`, deployment+"/installations/"+target)
	require.NoError(w.t, err)
	require.Len(w.t, all, 1)
	return all[0].Installation
}

func waitsFor(kind gatev1.BlockedBy_Kind) func(*deploymentv1.Deployment) bool {
	return func(d *deploymentv1.Deployment) bool {
		return len(d.GetBlockedBy()) > 0 && d.GetBlockedBy()[0].GetKind() == kind
	}
}

func TestStragglersCatchUpOneByOneAsTheyReturn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Empty(t, w.drift())
		w.away("t1", "t4", "t5")
		second := w.reach(w.deploy("second", "v2", covering()).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.EqualValues(t, 2, w.wave(second.GetName(), "rest").GetStragglerCount())
		require.Equal(t, []string{"t1 STRAGGLER", "t4 STRAGGLER", "t5 STRAGGLER"}, w.drift())
		left, err := store.Stragglers(w.ctx, w.store.DB.Read(), second.GetName())
		require.NoError(t, err)
		require.Len(t, left, 3)

		late := w.until(second.GetCaughtUpBy(), func(d *deploymentv1.Deployment) bool {
			return d.GetState() == deploymentv1.Deployment_WAITING && d.GetCounts().GetTotal() == 3 && waitsFor(gatev1.BlockedBy_TARGET)(d)
		})
		require.Equal(t, deploymentv1.Deployment_CATCH_UP, late.GetKind())
		require.Equal(t, second.GetName(), late.GetCatchUpOf())
		require.Equal(t, "1 away: t1", late.GetBlockedBy()[0].GetCurrent())
		require.Equal(t, "2 away: t4, t5", w.wave(late.GetName(), "rest").GetBlockedBy()[0].GetCurrent())

		w.connect("t4", time.Hour) // the later wave does not wait for t1
		w.until(late.GetName(), func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetSealed() == 1 })
		require.Equal(t, "v2", w.runs()["t4"])
		require.Equal(t, []string{"t1 STRAGGLER", "t5 STRAGGLER"}, w.drift())
		w.connect("t1", time.Hour)
		w.connect("t5", time.Hour)
		w.reach(late.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Empty(t, w.drift())
		require.Equal(t, 6, w.hosts.count("INSTALL t0")+w.hosts.count("INSTALL t1")+w.hosts.count("INSTALL t4"), "each release once")
	})
}

// A catch-up is served while its deployment still waits for the people of a later wave, and grows with it.
func TestACatchUpGrowsWithItsDeployment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.away("t1", "t5")
		plan := covering()
		plan.Waves[1].Gates = []*deploymentv1.GateRule{{Id: "ok", Type: &deploymentv1.GateRule_Readiness{
			Readiness: &deploymentv1.ReadinessGate{CohortPlan: ws + "/implementations/crm/cohortPlans/sales"},
		}}}
		second := w.until(w.deploy("second", "v2", plan).GetName(), func(d *deploymentv1.Deployment) bool { return d.GetCaughtUpBy() != "" })
		w.connect("t1", time.Hour)
		late := w.until(second.GetCaughtUpBy(), waitsFor(gatev1.BlockedBy_DEPLOYMENT))
		require.Equal(t, deploymentv1.Deployment_WAITING, late.GetState(), "it is not over while more may come")
		require.Equal(t, "v2", w.runs()["t1"])

		w.gate.set(gatev1.Verdict_PASS, nil)
		w.reach(second.GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.gate.set(gatev1.Verdict_WAIT, nil)
		late = w.until(late.GetName(), waitsFor(gatev1.BlockedBy_TARGET))
		require.Equal(t, "1 away: t5", late.GetBlockedBy()[0].GetCurrent())
		require.Eventually(t, func() bool { // a yes of just now would be good enough, and may be on its way
			gates := w.wave(late.GetName(), "rest").GetGates()
			return len(gates) == 1 && gates[0].GetVerdict().GetState() == gatev1.Verdict_WAIT
		}, 20*time.Second, 10*time.Millisecond)
		w.connect("t5", time.Hour)
		w.until(late.GetName(), waitsFor(gatev1.BlockedBy_CRITERION)) // the same gate as its wave
		require.Equal(t, "v1", w.runs()["t5"])
		w.gate.set(gatev1.Verdict_PASS, nil)
		w.reach(late.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, "v2", w.runs()["t5"])
	})
}

func TestANewerDeploymentTakesThePlaceOfACatchUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.away("t5")
		second := w.reach(w.deploy("second", "v2", covering()).GetName(), deploymentv1.Deployment_SUCCEEDED)
		third := w.deploy("third", "v3", covering()) // not TARGET_BUSY
		old := w.reach(second.GetCaughtUpBy(), deploymentv1.Deployment_SUPERSEDED)
		require.Equal(t, third.GetName(), old.GetSupersededBy())
		third = w.reach(third.GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.connect("t5", time.Hour)
		w.reach(third.GetCaughtUpBy(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, "v3", w.runs()["t5"])
		require.Zero(t, w.hosts.count("INSTALL t5 2"), "nobody brings what is old by now")
	})
}

// What a catch-up has in the middle of its work is not torn out of it: the newer one waits for that.
func TestANewerDeploymentWaitsForWhatACatchUpIsDoing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.away("t4", "t5")
		second := w.reach(w.deploy("second", "v2", covering()).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.hosts.keep("t5", true)
		w.connect("t5", time.Hour)
		late := w.until(second.GetCaughtUpBy(), func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetInProgress() == 1 })
		third := w.deploy("third", "v3", covering())
		w.until(third.GetName(), func(d *deploymentv1.Deployment) bool {
			return d.GetState() == deploymentv1.Deployment_PENDING && waitsFor(gatev1.BlockedBy_DEPLOYMENT)(d)
		})
		require.Equal(t, deploymentv1.Installation_CANCELLED, w.installation(late.GetName(), "t4").GetState(), "it begins nothing more")
		w.hosts.keep("t5", false)
		w.reach(late.GetName(), deploymentv1.Deployment_SUPERSEDED)
		require.Equal(t, deploymentv1.Installation_SEALED, w.installation(late.GetName(), "t5").GetState())
		w.reach(third.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, app+"/releases/v2", w.installation(third.GetName(), "t5").GetFromRelease(), "what it ran when its turn came")
		require.Equal(t, "v3", w.runs()["t5"])
	})
}

func TestARollbackTakesBackWhatHasCaughtUpAndForgetsTheOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.away("t4", "t5")
		second := w.reach(w.deploy("second", "v2", covering()).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.connect("t4", time.Hour)
		late := w.until(second.GetCaughtUpBy(), func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetSealed() == 1 })

		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second.GetName()})
		require.NoError(t, err)
		require.Equal(t, deploymentv1.Deployment_ROLLBACK, back.GetKind())
		w.reach(late.GetName(), deploymentv1.Deployment_SUPERSEDED)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
		require.Empty(t, w.drift(), "nobody is to run version 2 any more")
		w.connect("t5", time.Hour)
		require.Zero(t, w.hosts.count("INSTALL t5 2"))
	})
}

// Who was away while the others went back goes back on its return, whatever is frozen by then: that is still the rollback.
func TestAStragglerOfARollbackWaitsForNoPolicyEither(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		second := w.reach(w.deploy("second", "v2", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.away("t5")
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second.GetName()})
		require.NoError(t, err)
		late := w.until(back.GetName(), func(d *deploymentv1.Deployment) bool { return d.GetCaughtUpBy() != "" }).GetCaughtUpBy()
		w.policy("everything", &deploymentv1.Policy{Freezes: around(time.Hour)})
		w.connect("t5", time.Hour)
		caught := w.reach(late, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, second.GetName(), caught.GetRollbackOf())
		require.Equal(t, all, w.runs())
	})
}

// A newer deployment does not wait for a host that never came back from a rollback.
func TestANewerDeploymentTakesThePlaceOfTheStragglersOfARollback(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		second := w.reach(w.deploy("second", "v2", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.away("t5")
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second.GetName()})
		require.NoError(t, err)
		late := w.until(back.GetName(), func(d *deploymentv1.Deployment) bool { return d.GetCaughtUpBy() != "" && d.GetEndTime() != nil }).GetCaughtUpBy()
		w.deploy("third", "v3", covering())
		w.reach(late, deploymentv1.Deployment_SUPERSEDED)
		w.reach(app+"/deployments/third", deploymentv1.Deployment_SUCCEEDED)
	})
}
