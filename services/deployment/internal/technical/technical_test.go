package technical_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/technical"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	prod       = "workspaces/w/environments/prod"
	deployment = "workspaces/w/applications/crm/deployments/d1"
	wave       = deployment + "/waves/w1"
)

func TestEveryWaveStateHasAnAnswer(t *testing.T) {
	pass := map[deploymentv1.Wave_State]bool{deploymentv1.Wave_SEALED: true, deploymentv1.Wave_SKIPPED: true}
	fail := map[deploymentv1.Wave_State]bool{deploymentv1.Wave_FAILED: true, deploymentv1.Wave_REVERTED: true, deploymentv1.Wave_CANCELLED: true}
	for number := range deploymentv1.Wave_State_name {
		if number == 0 { // never stored
			continue
		}
		state := deploymentv1.Wave_State(number)
		v := technical.Wave(&deploymentv1.Wave{
			Name: wave, State: state, Revision: 7, Counts: &deploymentv1.InstallationCounts{Total: 4, Healthy: 1, Sealed: 2},
			BlockedBy: []*gatev1.BlockedBy{{Resource: "workspaces/w/implementations/i/cohortPlans/c"}},
		}, now)
		want := gatev1.Verdict_WAIT
		if pass[state] {
			want = gatev1.Verdict_PASS
		} else if fail[state] {
			want = gatev1.Verdict_FAIL
		}
		require.Equal(t, want, v.GetState(), state)
		holds(t, v)
		require.EqualValues(t, 7, v.GetRevision())
		require.InDelta(t, 0.75, v.GetEvidence()[0].GetValue(), 1e-9)
		if want == gatev1.Verdict_WAIT {
			require.Equal(t, []string{wave, "workspaces/w/implementations/i/cohortPlans/c"}, v.GetWaitingOn(), "the search goes on from what the wave waits for")
		}
	}
}

func TestEveryDeploymentStateHasAnAnswer(t *testing.T) {
	fail := map[deploymentv1.Deployment_State]bool{
		deploymentv1.Deployment_FAILED: true, deploymentv1.Deployment_ROLLBACK_FAILED: true, deploymentv1.Deployment_ROLLED_BACK: true, deploymentv1.Deployment_CANCELLED: true,
		deploymentv1.Deployment_ABANDONED: true, deploymentv1.Deployment_SUPERSEDED: true, deploymentv1.Deployment_REJECTED: true, deploymentv1.Deployment_EXPIRED: true,
	}
	for number := range deploymentv1.Deployment_State_name {
		if number == 0 {
			continue
		}
		state := deploymentv1.Deployment_State(number)
		v := technical.Deployment(&deploymentv1.Deployment{Name: deployment, State: state}, now)
		want := gatev1.Verdict_WAIT
		if state == deploymentv1.Deployment_SUCCEEDED {
			want = gatev1.Verdict_PASS
		} else if fail[state] {
			want = gatev1.Verdict_FAIL
		}
		require.Equal(t, want, v.GetState(), state)
		holds(t, v)
	}
}

func TestAnEnvironmentPassesWhileAllOfItIsHealthyAndStands(t *testing.T) {
	for _, c := range []struct {
		standing technical.Standing
		state    gatev1.Verdict_State
		current  []string
	}{
		{technical.Standing{}, gatev1.Verdict_UNKNOWN, []string{"nothing runs there"}},
		{technical.Standing{Running: 3, Healthy: 3}, gatev1.Verdict_PASS, nil},
		{technical.Standing{Running: 3, Healthy: 2, Unhealthy: 1}, gatev1.Verdict_WAIT, []string{"2 of 3 are healthy, 1 are not"}},
		{technical.Standing{Running: 3, Healthy: 3, Moving: []technical.Moving{{Name: deployment, Since: now}}}, gatev1.Verdict_WAIT, []string{"a deployment is on its way"}},
		{technical.Standing{Moving: []technical.Moving{{Name: deployment, Since: now}}}, gatev1.Verdict_WAIT, []string{"a deployment is on its way"}},
	} {
		v := technical.Environment(prod, c.standing, now)
		require.Equal(t, c.state, v.GetState())
		var current []string
		for _, r := range v.GetReasons() {
			current = append(current, r.GetCurrent())
		}
		require.Equal(t, c.current, current)
		holds(t, v)
	}
}

// holds is what is true of every verdict.
func holds(t *testing.T, v *gatev1.Verdict) {
	t.Helper()
	require.Equal(t, v.GetState() == gatev1.Verdict_PASS, len(v.GetReasons()) == 0)
	require.Equal(t, v.GetState() == gatev1.Verdict_PASS, len(v.GetWaitingOn()) == 0)
	require.Equal(t, technical.TTL, v.GetTtl().AsDuration())
	require.Equal(t, gatev1.Purpose_PURPOSE_TECHNICAL, v.GetPurpose())
	for _, r := range v.GetReasons() {
		require.NotEmpty(t, r.GetCurrent())
		require.NotEmpty(t, r.GetRequired())
		require.NotEmpty(t, r.GetCommand())
		require.NotEmpty(t, r.GetOwner())
	}
}
