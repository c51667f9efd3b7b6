package history_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/history"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

var now = time.Date(2026, 11, 23, 12, 34, 56, 0, time.UTC)

func TestAWindowTakesTheFinestThatIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		last       time.Duration
		resolution time.Duration
		start      time.Time
	}{
		"an hour":    {time.Hour, store.Minute, time.Date(2026, 11, 23, 11, 34, 0, 0, time.UTC)},
		"a day":      {24 * time.Hour, store.Minute, time.Date(2026, 11, 22, 12, 34, 0, 0, time.UTC)},
		"two days":   {48 * time.Hour, store.Hour, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)},
		"sixty days": {60 * store.Day, store.Hour, time.Date(2026, 9, 24, 12, 0, 0, 0, time.UTC)},
		"a year":     {365 * store.Day, store.Day, time.Date(2025, 11, 23, 0, 0, 0, 0, time.UTC)},
	} {
		w, err := history.NewWindow(nil, nil, durationpb.New(c.last), now)
		require.NoError(t, err, name)
		require.Equal(t, c.resolution, w.Resolution, name)
		require.Equal(t, c.start, w.Start, name)
		require.Equal(t, now, w.End, name)
	}
	_, err := history.NewWindow(timestamppb.New(now), timestamppb.New(now.Add(-time.Hour)), nil, now)
	require.Equal(t, "INVALID_WINDOW", fault.ReasonOf(err))
	_, err = history.NewWindow(timestamppb.New(now.Add(time.Hour)), nil, nil, now)
	require.Equal(t, "INVALID_WINDOW", fault.ReasonOf(err), "the future")
	_, err = history.NewWindow(timestamppb.New(now.AddDate(-3, 0, 0)), nil, nil, now)
	require.Equal(t, "WINDOW_TOO_OLD", fault.ReasonOf(err))
}

func window(length time.Duration) history.Window {
	return history.Window{Start: now.Add(-length), End: now, Resolution: time.Minute}
}

func TestExpectedIsWhatLiesInsideTheWindow(t *testing.T) {
	runs := []store.Run{
		{Target: "a", From: now.Add(-48 * time.Hour)},                               // all of it
		{Target: "b", From: now.Add(-6 * time.Hour), To: now.Add(-2 * time.Hour)},   // four hours
		{Target: "b", From: now.Add(-time.Hour)},                                    // one
		{Target: "c", From: now.Add(-72 * time.Hour), To: now.Add(-25 * time.Hour)}, // before
	}
	total, targets := history.Expected(runs, window(24*time.Hour))
	require.Equal(t, 29*time.Hour, total)
	require.Equal(t, 2, targets)
}

func TestAnObjectiveIsJudgedOnlyByWhatWasSeen(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		observed, good, expected time.Duration
		objective                history.Objective
		want                     gatev1.Verdict_State
		reason                   string
	}{
		"all of it up":      {day, day, day, history.Objective{Share: 0.999}, gatev1.Verdict_PASS, "100.000 % up over 24 h on 1 target, objective 99.900 %"},
		"down for a minute": {day, day - time.Minute, day, history.Objective{Share: 0.999}, gatev1.Verdict_PASS, "99.931 % up over 24 h on 1 target, objective 99.900 %"},
		"down for two":      {day, day - 2*time.Minute, day, history.Objective{Share: 0.999}, gatev1.Verdict_FAIL, "99.861 % up over 24 h on 1 target, objective 99.900 %"},
		"hardly seen": {
			12 * time.Hour, 12 * time.Hour, day,
			history.Objective{Share: 0.999},
			gatev1.Verdict_UNDECIDED,
			"100.000 % up over 24 h on 1 target, but only 50.0 % of the time was observed and 90.0 % are needed to judge",
		},
		"hardly seen and enough": {12 * time.Hour, 12 * time.Hour, day, history.Objective{Share: 0.999, MinCoverage: 0.5}, gatev1.Verdict_PASS, "100.000 % up over 24 h on 1 target, objective 99.900 %"},
		"nothing ran":            {0, 0, 0, history.Objective{Share: 0.999}, gatev1.Verdict_UNDECIDED, "nothing of it ran in this time"},
		"nothing asked":          {day, day / 2, day, history.Objective{}, gatev1.Verdict_STATE_UNSPECIFIED, "50.000 % up over 24 h on 1 target"},
	} {
		a := history.Judge(store.Observation{Observed: c.observed, Good: c.good}, c.expected, 1, window(day), c.objective)
		require.Equal(t, c.want, a.GetState(), name)
		require.Equal(t, c.reason, a.GetReason(), name)
	}
}

func TestMoreSeenThanExpectedIsCutAtTheEdges(t *testing.T) {
	a := history.Judge(store.Observation{Observed: 70 * time.Second, Good: 35 * time.Second}, time.Minute, 1, window(time.Minute), history.Objective{})
	require.InDelta(t, 0.5, a.GetAvailability(), 1e-12)
	require.InDelta(t, 1, a.GetCoverage(), 1e-12)
}

// A hundred probes: 50 within 1 ms, 40 more within 10 ms, 10 above five seconds with 9 s the worst.
func TestQuantilesLieInsideTheirClass(t *testing.T) {
	within := []int64{50, 50, 50, 90, 90, 90, 90, 90, 90, 90, 90, 90}
	a := history.Judge(store.Observation{Observed: time.Minute, Good: time.Minute, Succeeded: 100, LatencySum: 100 * time.Second, LatencyMax: 9 * time.Second, Within: within},
		time.Minute, 1, window(time.Minute), history.Objective{})
	require.Equal(t, time.Second, a.GetLatencyMean().AsDuration())
	require.Equal(t, time.Millisecond, a.GetLatencyP50().AsDuration())
	require.Equal(t, 7*time.Second, a.GetLatencyP95().AsDuration(), "half way from the last bound to the worst")
	require.Equal(t, 8600*time.Millisecond, a.GetLatencyP99().AsDuration())

	none := history.Judge(store.Observation{Observed: time.Minute, Good: time.Minute, Succeeded: 1, Within: make([]int64, 12)}, time.Minute, 1, window(time.Minute), history.Objective{})
	require.Nil(t, none.GetLatencyP50(), "an agent that sends no histogram")
}

func TestNobodyIsExpectedToHaveToldOfTheLastSeconds(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := history.Window{Start: now.Add(-time.Minute), End: now, Resolution: time.Minute}
	runs := []store.Run{
		{Target: "a", From: now.Add(-time.Hour)},
		{Target: "b", From: now.Add(-time.Hour), To: now.Add(-4 * time.Second)},
		{Target: "b", From: now.Add(-4 * time.Second)},
		{Target: "c", From: now.Add(-time.Hour), To: now.Add(-30 * time.Second)},
	}
	require.Equal(t, 20*time.Second, w.Told(runs, now).Untold, "of c everything can be known")
	expected, targets := history.Expected(runs, w)
	a := history.Judge(store.Observation{Observed: expected - 20*time.Second, Good: expected - 20*time.Second}, expected, targets, w.Told(runs, now), history.Objective{Share: 0.9})
	require.InDelta(t, 1, a.GetCoverage(), 1e-9)
	require.Equal(t, gatev1.Verdict_PASS, a.GetState(), a.GetReason())
	require.Zero(t, w.Told(runs, now.Add(time.Hour)).Untold, "whoever asks later hears all of it")
	w.Resolution = time.Hour
	require.Equal(t, 50*time.Second, w.Told(runs, now).Untold, "hours are added up later than minutes")
}
