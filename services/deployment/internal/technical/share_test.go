package technical_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/technical"
)

func TestSharesSayHowMuchIsBehindThem(t *testing.T) {
	const least = 0.9
	for name, c := range map[string]struct {
		shares    technical.Shares
		up, errs  gatev1.Verdict_State
		numerator int64
		detail    [2]string
	}{
		"all of it seen": {
			technical.Shares{Window: time.Hour, Good: 59 * time.Minute, Observed: time.Hour, Expected: time.Hour, MinCoverage: least, Requests: 200, Errors: 3},
			gatev1.Verdict_PASS, gatev1.Verdict_PASS, 59 * 60_000,
			[2]string{"100.0 % of the time it ran in the last 1 h was observed", "3 of 200 requests of the last 1 h"},
		},
		"half of it seen": {
			technical.Shares{Window: 48 * time.Hour, Good: time.Hour, Observed: time.Hour, Expected: 2 * time.Hour, MinCoverage: least},
			gatev1.Verdict_UNDECIDED, gatev1.Verdict_UNKNOWN, 60 * 60_000,
			[2]string{"50.0 % of the time it ran in the last 2 days was observed, of which 90.0 % are needed to judge", "nothing counted requests in the last 2 days"},
		},
		"nothing of it seen": {
			technical.Shares{Window: 90 * time.Second, Expected: time.Hour, MinCoverage: least},
			gatev1.Verdict_UNKNOWN, gatev1.Verdict_UNKNOWN, 0,
			[2]string{"nothing was observed in the last 1m30s", "nothing counted requests in the last 1m30s"},
		},
	} {
		v := technical.Deployment(&deploymentv1.Deployment{Name: deployment, State: deploymentv1.Deployment_SUCCEEDED, Revision: 4}, now)
		c.shares.Add(v)
		require.Len(t, v.GetEvidence(), 3)
		up, errs := v.GetEvidence()[1], v.GetEvidence()[2]
		require.Equal(t, []string{technical.Availability, technical.ErrorRate}, []string{up.GetCriterion(), errs.GetCriterion()})
		require.Equal(t, []gatev1.Verdict_State{c.up, c.errs}, []gatev1.Verdict_State{up.GetState(), errs.GetState()}, name)
		said := [2]string{up.GetDetail(), errs.GetDetail()}
		require.Equal(t, c.detail, said, name)
		require.Equal(t, c.numerator, up.GetNumerator(), name)
		require.Equal(t, gatev1.Verdict_PASS, v.GetState(), "bounds are for whoever asks")
		require.EqualValues(t, 4, v.GetRevision())
	}
}

func TestAReasonHoldsSinceItsStateBegan(t *testing.T) {
	at := func(hour int) *timestamppb.Timestamp {
		return timestamppb.New(time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC))
	}
	w := &deploymentv1.Wave{Name: wave, CreateTime: at(1), GatedTime: at(2), StartTime: at(3), BakeStartTime: at(4), HeldTime: at(5), EndTime: at(6)}
	for state, hour := range map[deploymentv1.Wave_State]int{
		deploymentv1.Wave_GATED: 2, deploymentv1.Wave_RUNNING: 3, deploymentv1.Wave_BAKING: 4, deploymentv1.Wave_HELD: 5, deploymentv1.Wave_REVERTED: 6, deploymentv1.Wave_CANCELLED: 6,
	} {
		w.State = state
		early, late := technical.Wave(w, now), technical.Wave(w, now.Add(time.Hour))
		require.Equal(t, at(hour).AsTime(), early.GetReasons()[0].GetSince().AsTime(), state)
		require.Equal(t, early.GetReasons()[0].GetSince().AsTime(), late.GetReasons()[0].GetSince().AsTime(), "the clock goes on, the reason stays")
	}
	bare := technical.Wave(&deploymentv1.Wave{Name: wave, State: deploymentv1.Wave_PENDING, CreateTime: at(1)}, now)
	require.Equal(t, at(1).AsTime(), bare.GetReasons()[0].GetSince().AsTime())

	d := &deploymentv1.Deployment{Name: deployment, CreateTime: at(1), StartTime: at(2), FreezeTime: at(3), CommandTime: at(4), FailureTime: at(5), EndTime: at(6)}
	for state, hour := range map[deploymentv1.Deployment_State]int{
		deploymentv1.Deployment_RUNNING: 2, deploymentv1.Deployment_FROZEN: 3, deploymentv1.Deployment_PAUSED: 4, deploymentv1.Deployment_REVERTING: 5, deploymentv1.Deployment_FAILED: 6,
	} {
		d.State = state
		require.Equal(t, at(hour).AsTime(), technical.Deployment(d, now).GetReasons()[0].GetSince().AsTime(), state)
	}

	s := technical.Standing{Running: 3, Healthy: 2, UnwellSince: at(3).AsTime(), Changed: at(4).AsTime(), Moving: []technical.Moving{{Name: deployment, Since: at(2).AsTime()}}}
	v, later := technical.Environment(prod, s, now), technical.Environment(prod, s, now.Add(time.Hour))
	require.Equal(t, at(2).AsTime(), v.GetReasons()[0].GetSince().AsTime())
	require.Equal(t, at(3).AsTime(), v.GetReasons()[1].GetSince().AsTime())
	require.Equal(t, v.GetRevision(), later.GetRevision(), "nothing changed but the time")
}
