package dora_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/dora"
)

var (
	begin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	end   = begin.AddDate(0, 0, 10)
)

// at is a time some hours after the begin of the window.
func at(hours float64) *timestamppb.Timestamp {
	return timestamppb.New(begin.Add(time.Duration(hours * float64(time.Hour))))
}

func ended(name string, state deploymentv1.Deployment_State, hours float64) *deploymentv1.Deployment {
	return &deploymentv1.Deployment{Name: name, State: state, StartTime: at(hours - 1), EndTime: at(hours)}
}

// The ten days of a team, worked out by hand below.
func TestTheMeasuresOfTenDays(t *testing.T) {
	good := &dora.Deployment{Deployment: ended("good", deploymentv1.Deployment_SUCCEEDED, 24), Commit: begin.Add(22 * time.Hour)}
	slow := &dora.Deployment{Deployment: ended("slow", deploymentv1.Deployment_SUCCEEDED, 48), Commit: begin}
	uncommitted := &dora.Deployment{Deployment: ended("uncommitted", deploymentv1.Deployment_SUCCEEDED, 50)}

	back := &dora.Deployment{Deployment: ended("back", deploymentv1.Deployment_SUCCEEDED, 72), Commit: begin.Add(68 * time.Hour)}
	back.Rollback = ended("rollback", deploymentv1.Deployment_SUCCEEDED, 80)
	back.Rollback.CreateTime = at(79)
	back.Exposures = []*deploymentv1.WaveExposure{{Wave: "all", TargetExposure: hours(16), UserExposure: hours(160)}}

	reverted := &dora.Deployment{Deployment: ended("reverted", deploymentv1.Deployment_FAILED, 100)}
	reverted.FailureTime = at(99.5)
	reverted.Exposures = []*deploymentv1.WaveExposure{{Wave: "canary", TargetExposure: hours(1)}}

	frozen := &dora.Deployment{Deployment: ended("frozen", deploymentv1.Deployment_SUPERSEDED, 124)}
	frozen.FailureTime, frozen.FreezeTime = at(120), at(120)
	mend := &dora.Deployment{Deployment: ended("mend", deploymentv1.Deployment_SUCCEEDED, 126), Commit: begin.Add(123 * time.Hour)}
	mend.Fixes = "frozen"
	frozen.Fix = mend.Deployment

	hurt := &dora.Deployment{Deployment: ended("hurt", deploymentv1.Deployment_SUCCEEDED, 150)}
	hurt.Incidents = []*deploymentv1.Incident{
		{Name: "one", DetectedTime: at(152), RestoredTime: at(155)},
		{Name: "two", DetectedTime: at(153), RestoredTime: at(162)},
	}
	hotfix := &dora.Deployment{Deployment: ended("hotfix", deploymentv1.Deployment_SUCCEEDED, 161)}
	hotfix.Hotfix = true

	m := dora.Compute([]*dora.Deployment{good, slow, uncommitted, back, reverted, frozen, mend, hurt, hotfix}, begin, end)
	require.EqualValues(t, 9, m.GetDeployments())
	require.EqualValues(t, 7, m.GetSucceeded(), "all but the reverted and the frozen one")
	require.InDelta(t, 0.7, m.GetDeploymentFrequency(), 1e-12, "7 in 10 days")

	// Lead times: good 2 h, slow 48 h, back 4 h, mend 3 h.
	require.EqualValues(t, 4, m.GetLeadTime().GetN())
	require.Equal(t, 3*time.Hour, m.GetLeadTime().GetP50().AsDuration())
	require.Equal(t, 48*time.Hour, m.GetLeadTime().GetP90().AsDuration())
	require.Equal(t, 57*time.Hour/4, m.GetLeadTime().GetMean().AsDuration())

	require.EqualValues(t, 4, m.GetFailed(), "back, reverted, frozen, hurt")
	require.InDelta(t, 4.0/9, m.GetChangeFailureRate(), 1e-12)

	// Recoveries: back 79 → 80, reverted 99.5 → 100, frozen 120 → 126, hurt 152 → 162.
	require.EqualValues(t, 4, m.GetRecoveryTime().GetN())
	require.Equal(t, time.Hour, m.GetRecoveryTime().GetP50().AsDuration())
	require.Equal(t, 10*time.Hour, m.GetRecoveryTime().GetP90().AsDuration())

	require.EqualValues(t, 2, m.GetRework(), "mend and hotfix")
	require.InDelta(t, 2.0/9, m.GetReworkRate(), 1e-12)
	require.Equal(t, 17*time.Hour, m.GetTargetExposure().AsDuration())
	require.Equal(t, 160*time.Hour, m.GetUserExposure().AsDuration())

	require.Len(t, m.GetEvidence(), 9)
	require.Equal(t, "hotfix", m.GetEvidence()[0].GetDeployment(), "newest first")
	byName := map[string]*deploymentv1.DoraDeployment{}
	for _, e := range m.GetEvidence() {
		byName[e.GetDeployment()] = e
	}
	require.Equal(t, []string{dora.RolledBack}, byName["back"].GetFailures())
	require.Equal(t, []string{dora.Failed}, byName["reverted"].GetFailures())
	require.Equal(t, []string{dora.Frozen, dora.Mended}, byName["frozen"].GetFailures())
	require.Equal(t, []string{dora.ByIncident}, byName["hurt"].GetFailures())
	require.Equal(t, []string{"one", "two"}, byName["hurt"].GetIncidents())
	require.Empty(t, byName["good"].GetFailures())
}

func TestWhatCounts(t *testing.T) {
	for name, c := range map[string]struct {
		d    *deploymentv1.Deployment
		want bool
	}{
		"one that ended inside":             {ended("a", deploymentv1.Deployment_SUCCEEDED, 1), true},
		"one that ended as it begins":       {&deploymentv1.Deployment{StartTime: at(-1), EndTime: at(0)}, true},
		"one that ended as it ends":         {&deploymentv1.Deployment{StartTime: at(1), EndTime: at(240)}, false},
		"one that ended before":             {&deploymentv1.Deployment{StartTime: at(-2), EndTime: at(-1)}, false},
		"one that goes on":                  {&deploymentv1.Deployment{StartTime: at(1)}, false},
		"one that never began":              {&deploymentv1.Deployment{EndTime: at(1), State: deploymentv1.Deployment_CANCELLED}, false},
		"a rollback":                        {&deploymentv1.Deployment{StartTime: at(1), EndTime: at(2), RollbackOf: "x"}, false},
		"a catch-up":                        {&deploymentv1.Deployment{StartTime: at(1), EndTime: at(2), Kind: deploymentv1.Deployment_CATCH_UP}, false},
		"what puts a changed host right":    {&deploymentv1.Deployment{StartTime: at(1), EndTime: at(2), Kind: deploymentv1.Deployment_REAPPLY}, false},
		"a change of nothing but variables": {&deploymentv1.Deployment{StartTime: at(1), EndTime: at(2), Kind: deploymentv1.Deployment_CONFIGURATION}, true},
	} {
		require.Equal(t, c.want, dora.Counts(c.d, begin, end), name)
	}
}

func TestARecoveryIsNotKnownWhileAnythingGoesOn(t *testing.T) {
	d := &dora.Deployment{Deployment: ended("d", deploymentv1.Deployment_SUCCEEDED, 10)}
	d.Incidents = []*deploymentv1.Incident{{DetectedTime: at(11), RestoredTime: at(12)}, {DetectedTime: at(11)}}
	_, known := d.Recovery()
	require.False(t, known, "an incident is open")

	d.Incidents = nil
	d.Rollback = &deploymentv1.Deployment{State: deploymentv1.Deployment_RUNNING, CreateTime: at(11)}
	_, known = d.Recovery()
	require.False(t, known, "the rollback runs")

	d.Rollback = ended("back", deploymentv1.Deployment_ROLLBACK_FAILED, 12)
	_, known = d.Recovery()
	require.False(t, known, "the rollback failed")
}

func TestNothingIsNoDivision(t *testing.T) {
	m := dora.Compute(nil, begin, end)
	require.Zero(t, m.GetChangeFailureRate())
	require.Zero(t, m.GetDeploymentFrequency())
	require.EqualValues(t, 0, m.GetLeadTime().GetN())
	require.Nil(t, m.GetLeadTime().GetP50())
}

func hours(n int) *durationpb.Duration { return durationpb.New(time.Duration(n) * time.Hour) }
