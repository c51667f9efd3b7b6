package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// follow makes an environment to which prod is promoted, with one target.
func (w *world) follow(soak time.Duration, required bool) {
	w.t.Helper()
	_, err := store.Environments.Create(w.ctx, w.store.Resources, &deploymentv1.CreateEnvironmentRequest{Parent: ws, EnvironmentId: "live", Environment: &deploymentv1.Environment{
		PromotedFrom: env, Soak: durationpb.New(soak), PromotionRequired: required, Ordinal: 2,
	}})
	require.NoError(w.t, err)
	_, err = store.Targets.Create(w.ctx, w.store.Resources, &deploymentv1.CreateTargetRequest{Parent: live, TargetId: "t0", Target: &deploymentv1.Target{}})
	require.NoError(w.t, err)
	w.present(live+"/targets/t0", time.Hour)
}

func (w *world) promote(release, reason string) (*deploymentv1.Deployment, error) {
	return w.engine.Promote(w.ctx, &deploymentv1.PromoteReleaseRequest{Name: app + "/releases/" + release, Environment: live, Reason: reason})
}

// against lists the stable reasons of a refusal.
func against(err error) (out []string) {
	for _, v := range fault.From(err).Subjects() {
		out = append(out, v.GetType())
	}
	return out
}

func TestAReleaseIsPromotedOnceItHasStood(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.follow(200*time.Millisecond, true)
		_, err := w.promote("v1", "")
		require.Equal(t, "NOT_PROMOTABLE", fault.ReasonOf(err))
		require.Equal(t, []string{"NOT_SEALED"}, against(err))
		plain := &deploymentv1.CreateDeploymentRequest{Parent: app, Deployment: &deploymentv1.Deployment{Release: app + "/releases/v1", Environment: live}}
		_, err = w.engine.Create(w.ctx, plain)
		require.Equal(t, "PROMOTION_REQUIRED", fault.ReasonOf(err))

		w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		cell := w.cell("v1", live)
		require.NotEmpty(t, cell.GetPromotionBlockedBy(), "it has to stand for its soak")
		require.NotNil(t, cell.GetPromotionBlockedBy()[0].GetEta())
		require.Eventually(t, func() bool { return len(w.cell("v1", live).GetPromotionBlockedBy()) == 0 }, 5*time.Second, 10*time.Millisecond)

		w.hosts.keep("t0", true) // it is on its way for as long as it is asked for
		d, err := w.promote("v1", "")
		require.NoError(t, err)
		require.Equal(t, env, d.GetPromotedFrom())
		twice, err := w.promote("v1", "")
		require.NoError(t, err)
		require.Equal(t, d.GetName(), twice.GetName(), "whoever asks twice gets the same")
		w.hosts.keep("t0", false)
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
		here := w.cell("v1", live)
		require.EqualValues(t, 1, here.GetRunning())
		require.EqualValues(t, 1, here.GetHealthy())
		require.EqualValues(t, 1, here.GetDesired())
		require.NotNil(t, here.GetSealedTime())
		require.EqualValues(t, 6, w.cell("v1", env).GetRunning())
		require.NotEmpty(t, w.cell("v2", live).GetPromotionBlockedBy())
	})
}

func TestAReleaseThatFailedIsNotPromotedAgainByItself(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.follow(0, false)
		w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		w.hosts.mu.Lock()
		w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
			if c.GetTarget() == live+"/targets/t0" {
				return deploymentv1.Installation_FAILED
			}
			return 0
		}
		w.hosts.mu.Unlock()
		d, err := w.promote("v1", "")
		require.NoError(t, err)
		w.reach(d.GetName(), deploymentv1.Deployment_FAILED)
		_, err = w.promote("v1", "")
		require.Equal(t, []string{"RELEASE_FAILED_HERE"}, against(err))
		w.hosts.mu.Lock()
		w.hosts.ends = nil
		w.hosts.mu.Unlock()
		d, err = w.promote("v1", "the disk was full")
		require.NoError(t, err)
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)

		w.must(w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: d.GetName(), Reason: "customers complain"}))
		require.Equal(t, deploymentv1.Deployment_ROLLED_BACK, w.cell("v1", live).GetDeploymentState(), "it had succeeded before it was taken back")
		_, err = w.promote("v1", "")
		require.Equal(t, []string{"RELEASE_FAILED_HERE"}, against(err))
	})
}

// cell is one release in one environment, as the matrix shows it.
func (w *world) cell(release, environment string) *deploymentv1.ReleaseMatrixCell {
	w.t.Helper()
	m, err := w.store.ReleaseMatrix(w.ctx, &deploymentv1.GetReleaseMatrixRequest{Parent: ws, Application: app})
	require.NoError(w.t, err)
	for _, row := range m.GetRows() {
		if row.GetRelease() != app+"/releases/"+release {
			continue
		}
		require.Len(w.t, row.GetCells(), len(m.GetEnvironments()))
		for i, e := range m.GetEnvironments() {
			if e == environment {
				return row.GetCells()[i]
			}
		}
	}
	require.Failf(w.t, "no such cell", "%s in %s", release, environment)
	return nil
}
