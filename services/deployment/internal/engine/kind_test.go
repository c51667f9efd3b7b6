package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

func (w *world) try(id string, kind deploymentv1.Deployment_Kind, release string) (*deploymentv1.Deployment, error) {
	w.t.Helper()
	return w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: id, Deployment: &deploymentv1.Deployment{
		Release: app + "/releases/" + release, Environment: env, Kind: kind,
	}})
}

func (w *world) must(d *deploymentv1.Deployment, err error) *deploymentv1.Deployment {
	w.t.Helper()
	require.NoError(w.t, err)
	return w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
}

func (w *world) secret(version string) {
	w.t.Helper()
	_, err := store.Environments.Update(w.ctx, w.store.Resources, &deploymentv1.UpdateEnvironmentRequest{Environment: &deploymentv1.Environment{
		Name: env, Secrets: map[string]*deploymentv1.SecretReference{"key": {Source: &deploymentv1.SecretReference_Env{Env: "KEY"}, Version: version}},
	}})
	require.NoError(w.t, err)
}

func TestAConfigurationReachesThoseThatRunTheRelease(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.secret("2026-10")
		w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		pilot := &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{{Id: "pilot", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: "pilot"}}}}}
		w.reach(w.deploy("second", "v2", pilot).GetName(), deploymentv1.Deployment_SUCCEEDED)

		same := w.must(w.try("same", deploymentv1.Deployment_CONFIGURATION, "v1"))
		require.EqualValues(t, 4, same.GetCounts().GetSkipped(), "nothing has changed")
		require.Equal(t, []string{env + "/targets/t0", env + "/targets/t1"}, same.GetUnselectedTargets(), "they run another release")

		w.secret("2026-11") // rotated where it was
		rotated := w.must(w.try("rotated", deploymentv1.Deployment_CONFIGURATION, "v1"))
		require.EqualValues(t, 4, rotated.GetCounts().GetSealed())
		require.Equal(t, 2, w.hosts.count("INSTALL t2"))
		require.Equal(t, "v1", w.runs()["t2"])
		require.Equal(t, "v2", w.runs()["t0"])
		require.Empty(t, w.drift())

		_, err := w.try("none", deploymentv1.Deployment_CONFIGURATION, "v3")
		require.Equal(t, "RELEASE_NOT_RUNNING", fault.ReasonOf(err))
		_, err = w.try("ours", deploymentv1.Deployment_CATCH_UP, "v1")
		require.Equal(t, "INVALID_FIELD", fault.ReasonOf(err))
	})
}

func TestWhatWasChangedOnAHostIsPutBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		_, err := w.try("early", deploymentv1.Deployment_REAPPLY, "v1")
		require.Equal(t, "NO_DRIFT", fault.ReasonOf(err))
		w.until(first.GetName(), func(*deploymentv1.Deployment) bool { return w.hosts.count("SEAL") == 6 })

		says := func(drift, message string) {
			i := w.installation(first.GetName(), "t3")
			require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
				Sequence: 1000, Installation: i.GetName(), Attempt: i.GetAttempt(), Epoch: i.GetEpoch(), State: deploymentv1.Installation_SEALED,
				Health: deploymentv1.Installation_HEALTHY_NOW, Drift: drift, Message: message,
			}}))
		}
		says("CHANGED_ON_HOST", "bin/app has another digest")
		page, err := w.store.ListDrift(w.ctx, &deploymentv1.ListDriftRequest{Parent: env, Application: app})
		require.NoError(t, err)
		require.Len(t, page.GetDrifts(), 1)
		require.Equal(t, "CHANGED_ON_HOST", page.GetDrifts()[0].GetRunning().GetDrift())
		require.Equal(t, "bin/app has another digest", page.GetDrifts()[0].GetMessage())
		require.NotNil(t, page.GetDrifts()[0].GetSince())
		target := &deploymentv1.Target{Name: env + "/targets/t3"}
		require.NoError(t, w.store.DescribeTargets(w.ctx, target))
		require.Equal(t, "CHANGED_ON_HOST", target.GetRunning()[0].GetDrift())
		require.Equal(t, app+"/releases/v1", target.GetRunning()[0].GetDesiredRelease())
		says("", "")
		require.Empty(t, w.drift(), "somebody has put it right by hand")
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
			Sequence: 1001, Installation: first.GetName() + "/installations/t3", Attempt: 1, State: deploymentv1.Installation_SEALED, Health: deploymentv1.Installation_UNHEALTHY,
		}}))
		require.Equal(t, []string{"t3 NOT_RUNNING"}, w.drift(), "it does not answer")
		says("NOT_RUNNING", "its process was stopped")
		require.Equal(t, []string{"t3 NOT_RUNNING"}, w.drift())

		again := w.must(w.try("again", deploymentv1.Deployment_REAPPLY, "v1"))
		require.EqualValues(t, 1, again.GetCounts().GetTotal())
		require.Equal(t, 2, w.hosts.count("INSTALL t3"), "although nothing of release or configuration differs")
		require.Empty(t, w.drift())
	})
}

// What a revert brought back is looked after like anything else that runs.
func TestWhatARevertBroughtBackIsLookedAfter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		w.hosts.mu.Lock()
		w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
			if c.GetWorkload().GetVersion() == "2.0.0" {
				return deploymentv1.Installation_REVERTED
			}
			return 0
		}
		w.hosts.mu.Unlock()
		second := w.deploy("second", "v2", nil)
		w.until(second.GetName(), func(d *deploymentv1.Deployment) bool { return d.GetState() == deploymentv1.Deployment_FAILED })
		require.Empty(t, w.drift())

		i := w.installation(second.GetName(), "t3")
		require.Equal(t, deploymentv1.Installation_REVERTED, i.GetState())
		says := func(health deploymentv1.Installation_Health, drift string) {
			require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
				Sequence: 1000, Installation: i.GetName(), Attempt: i.GetAttempt(), Epoch: i.GetEpoch(), State: i.GetState(), Health: health, Drift: drift, Message: "by hand",
			}}))
		}
		says(deploymentv1.Installation_UNHEALTHY, "")
		require.Equal(t, []string{"t3 NOT_RUNNING"}, w.drift())
		says(deploymentv1.Installation_UNHEALTHY, "CHANGED_ON_HOST")
		require.Equal(t, []string{"t3 CHANGED_ON_HOST"}, w.drift())
		says(deploymentv1.Installation_HEALTHY_NOW, "")
		require.Empty(t, w.drift())
	})
}

// A release that was left behind by a deployment which ended badly is not what should run there.
func TestAReleaseThatNobodySealedIsDrift(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		frozen := w.freezing()
		require.Empty(t, w.drift(), "a person still decides")
		_, err := w.engine.Command(w.ctx, &deploymentv1.AbandonDeploymentRequest{Name: frozen.GetName(), Reason: "no time"}, rollout.Abandon)
		require.NoError(t, err)
		require.Equal(t, []string{"t1 RELEASE_DIFFERS"}, w.drift(), "t0 never took it over")
		w.must(w.try("again", deploymentv1.Deployment_REAPPLY, "v1"))
		require.Equal(t, all, w.runs())
	})
}

func TestATargetThatJoinsLaterIsDriftUntilItIsBroughtWhatTheOthersRun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(w.try("first", deploymentv1.Deployment_RELEASE, "v1"))
		w.target(6, "sales", true)
		require.Equal(t, []string{"t6 NOT_RUNNING"}, w.drift())
		again := w.must(w.try("again", deploymentv1.Deployment_REAPPLY, "v1"))
		require.EqualValues(t, 1, again.GetCounts().GetSealed())
		require.Equal(t, "v1", w.runs()["t6"])
		require.Empty(t, w.drift())
		require.NoError(t, store.Deployments.CheckTable(w.ctx, w.store.DB))
		require.NoError(t, store.Deployments.Rederive(w.ctx, w.store.DB))
	})
}
