package canary_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

var update = flag.Bool("update", false, "accept new answers") //nolint:gochecknoglobals // a test flag

func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// point is the i-th minute after noon.
func point(i int, canaryBad, canaryTotal, baselineBad, baselineTotal int64) *deploymentv1.AnalysisPoint {
	start := noon().Add(time.Duration(i) * time.Minute)
	return &deploymentv1.AnalysisPoint{
		StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Minute)),
		CanaryBad: canaryBad, CanaryTotal: canaryTotal, BaselineBad: baselineBad, BaselineTotal: baselineTotal,
	}
}

func errorsRule() *deploymentv1.MetricRule { return &deploymentv1.MetricRule{Id: "errors"} }

// TestStories tells what is said of some situations, interval by interval, and compares it with testdata.
func TestStories(t *testing.T) {
	t.Parallel()
	always := func(n int, p ...int64) (out []*deploymentv1.AnalysisPoint) {
		for i := range n {
			wiggle := int64(i % 3) // no two minutes are the same
			out = append(out, point(i, p[0]+wiggle*min(p[0], 1), p[1], p[2]+(2-wiggle)*min(p[2], 1), p[3]))
		}
		return out
	}
	unavailable := point(1, 0, 0, 0, 0)
	unavailable.Skipped = canary.SourceUnavailable
	for name, story := range map[string]struct {
		rule   *deploymentv1.MetricRule
		points []*deploymentv1.AnalysisPoint
	}{
		"equal":                          {errorsRule(), always(20, 9, 1000, 9, 1000)},
		"twice_as_bad":                   {errorsRule(), always(20, 20, 1000, 9, 1000)},
		"disaster":                       {errorsRule(), always(6, 400, 1000, 9, 1000)},
		"disaster_over_a_clean_baseline": {errorsRule(), always(4, 28, 30, 0, 570)},
		"no_errors_at_all":               {errorsRule(), always(12, 0, 100, 0, 100)},
		"no_errors_at_all_with_an_absolute_margin": {
			&deploymentv1.MetricRule{Id: "errors", AbsoluteMargin: 0.01}, always(12, 0, 100, 0, 100),
		},
		"rare_events": { // 3 / 0.02 requests are 15 intervals
			&deploymentv1.MetricRule{Id: "errors", AbsoluteMargin: 0.02}, always(16, 0, 10, 0, 10000),
		},
		"nothing_that_counts": {errorsRule(), []*deploymentv1.AnalysisPoint{
			point(0, 0, 0, 5, 100), unavailable, point(2, 5, 100, 0, 0), point(3, 101, 100, 5, 100),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			a := canary.New("analyses/errors", story.rule, canary.Alpha(1, 1))
			for _, p := range story.points {
				require.True(t, canary.Observe(a, p))
				fmt.Fprintf(&b, "%s %s\n", p.GetState(), a.GetReason())
			}
			v := canary.Verdict("waves/pilot", []*deploymentv1.Analysis{a})
			fmt.Fprintf(&b, "verdict %s\n", v.GetState())
			for _, r := range v.GetReasons() {
				fmt.Fprintf(&b, "  required: %s\n", r.GetRequired())
			}
			golden(t, name+".golden", b.String())
		})
	}
}

func golden(t *testing.T, name, have string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(have), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), have)
}

// TestKnownNumbers compares the interval with one that was worked out apart from this code.
func TestKnownNumbers(t *testing.T) {
	t.Parallel()
	a := canary.New("a", errorsRule(), 0.05)
	for i := range 4 {
		canary.Observe(a, point(i, 10, 1000, 10, 1000))
	}
	// All four intervals are equal, so that the variance is 8/11 of that of coin tosses with p = 81/8002:
	// σ = 0.0040131. With ρ² = 0.35662 the formula gives a half-width of 1.54540 σ at t = 4.
	require.InDelta(t, -0.001, a.GetEstimate(), 1e-12)
	require.InDelta(t, -0.001-1.5454023*0.00401309, a.GetLower(), 1e-7)
	require.InDelta(t, 0.01, a.GetCanaryShare(), 1e-12)
	require.InDelta(t, 0.05, a.GetAlpha(), 0)
}

func TestMetricsTogether(t *testing.T) {
	t.Parallel()
	metric := func(id string, state gatev1.Verdict_State, informational bool) *deploymentv1.Analysis {
		return &deploymentv1.Analysis{Name: id, State: state, Rule: &deploymentv1.MetricRule{Id: id, Informational: informational}}
	}
	const fail, pass, undecided = gatev1.Verdict_FAIL, gatev1.Verdict_PASS, gatev1.Verdict_UNDECIDED
	for name, c := range map[string]struct {
		metrics []*deploymentv1.Analysis
		want    gatev1.Verdict_State
		blocked int
	}{
		"all pass":                          {[]*deploymentv1.Analysis{metric("a", pass, false), metric("b", pass, false)}, pass, 0},
		"one is undecided":                  {[]*deploymentv1.Analysis{metric("a", pass, false), metric("b", undecided, false)}, undecided, 1},
		"one fails":                         {[]*deploymentv1.Analysis{metric("a", fail, false), metric("b", undecided, false), metric("c", pass, false)}, fail, 2},
		"one that only informs has no say":  {[]*deploymentv1.Analysis{metric("a", pass, false), metric("b", fail, true)}, pass, 0},
		"the order does not matter to FAIL": {[]*deploymentv1.Analysis{metric("a", undecided, false), metric("b", fail, false)}, fail, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := canary.Verdict("w", c.metrics)
			require.Equal(t, c.want, v.GetState())
			require.Len(t, v.GetReasons(), c.blocked)
			require.Len(t, v.GetEvidence(), len(c.metrics), "those that only inform are shown too")
		})
	}
	require.InDelta(t, 0.05/6, canary.Alpha(3, 2), 1e-12)
}

// minutes draws a history of some length.
func minutes(t *rapid.T) []*deploymentv1.AnalysisPoint {
	var out []*deploymentv1.AnalysisPoint
	for i := range rapid.IntRange(1, 40).Draw(t, "minutes") {
		nc, nb := rapid.Int64Range(0, 2000).Draw(t, "canary"), rapid.Int64Range(0, 2000).Draw(t, "baseline")
		out = append(out, point(i, rapid.Int64Range(0, nc).Draw(t, "bad"), nc, rapid.Int64Range(0, nb).Draw(t, "baseline bad"), nb))
	}
	return out
}

func TestAStoredAnalysisGoesOnAsIfNothingHadHappened(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		history := minutes(t)
		straight, resumed := canary.New("a", errorsRule(), 0.05), canary.New("a", errorsRule(), 0.05)
		for _, p := range history {
			canary.Observe(straight, proto.CloneOf(p))
			stored, err := proto.Marshal(resumed)
			require.NoError(t, err)
			resumed = &deploymentv1.Analysis{}
			require.NoError(t, proto.Unmarshal(stored, resumed))
			canary.Observe(resumed, proto.CloneOf(p))
			require.False(t, canary.Observe(resumed, proto.CloneOf(p)), "an interval is judged once")
		}
		require.True(t, proto.Equal(straight, resumed))
	})
}

func TestTheOrderOfTheIntervalsDoesNotMoveTheInterval(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		history := minutes(t)
		shuffled := rapid.Permutation(history).Draw(t, "shuffled")
		a, b := canary.New("a", errorsRule(), 0.05), canary.New("a", errorsRule(), 0.05)
		for i := range history {
			canary.Observe(a, proto.CloneOf(history[i]))
			p := proto.CloneOf(shuffled[i])
			p.StartTime, p.EndTime = history[i].GetStartTime(), history[i].GetEndTime()
			canary.Observe(b, p)
		}
		require.InDelta(t, a.GetEstimate(), b.GetEstimate(), 1e-9)
		require.InDelta(t, a.GetLower(), b.GetLower(), 1e-9)
		require.InDelta(t, a.GetUpper(), b.GetUpper(), 1e-9)
	})
}

func TestMoreOfTheSameTrafficIsNoWider(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		factor := rapid.Int64Range(2, 50).Draw(t, "factor")
		a, b := canary.New("a", errorsRule(), 0.05), canary.New("a", errorsRule(), 0.05)
		for _, p := range minutes(t) {
			canary.Observe(a, proto.CloneOf(p))
			canary.Observe(b, &deploymentv1.AnalysisPoint{
				StartTime: p.GetStartTime(), EndTime: p.GetEndTime(), CanaryBad: factor * p.GetCanaryBad(), CanaryTotal: factor * p.GetCanaryTotal(),
				BaselineBad: factor * p.GetBaselineBad(), BaselineTotal: factor * p.GetBaselineTotal(),
			})
		}
		require.InDelta(t, a.GetEstimate(), b.GetEstimate(), 1e-9, "shares do not change")
		if a.GetStatistics().GetPooledBad() > 100 {
			require.GreaterOrEqual(t, b.GetLower(), a.GetLower()-1e-6)
		}
	})
}

func TestFailIsFinal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := canary.New("a", errorsRule(), 0.05)
		failed := false
		for _, p := range minutes(t) {
			canary.Observe(a, p)
			require.False(t, failed && a.GetState() != gatev1.Verdict_FAIL)
			failed = a.GetState() == gatev1.Verdict_FAIL
			require.NotContains(t, a.GetReason(), "NaN")
			require.NotContains(t, a.GetReason(), "Inf")
		}
	})
}

func TestTheChartKeepsTheNewestThousand(t *testing.T) {
	t.Parallel()
	a := canary.New("a", errorsRule(), 0.05)
	for i := range 1100 {
		canary.Observe(a, point(i, 1, 100, 1, 100))
	}
	require.Len(t, a.GetPoints(), 1000)
	require.True(t, slices.IsSortedFunc(a.GetPoints(), func(x, y *deploymentv1.AnalysisPoint) int {
		return x.GetStartTime().AsTime().Compare(y.GetStartTime().AsTime())
	}))
	require.EqualValues(t, 1100, a.GetIntervals())
}
