package earned_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/earned"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

func TestEarnedValueGivesThePublishedFigures(t *testing.T) {
	f := earned.Compute(earned.Facts{Planned: 23_000, Earned: 20_000, Actual: 25_000, Budget: 120_000})
	require.InDelta(t, -5_000, f.CostVariance, 0)
	require.InDelta(t, -3_000, f.ScheduleVariance, 0)
	require.InDelta(t, .80, f.CostPerformance.Number, 1e-12)
	require.InDelta(t, .8696, f.SchedulePerformance.Number, 5e-5)
	require.InDelta(t, 150_000, f.Estimates[0].AtCompletion.Number, 1e-6)
	require.InDelta(t, -30_000, f.Estimates[0].Variance.Number, 1e-6)
	require.InDelta(t, 125_000, f.Estimates[0].ToComplete.Number, 1e-6)
	require.InDelta(t, .8, f.Estimates[0].Index.Number, 1e-12, "to the estimate by CPI it is CPI")
	require.InDelta(t, 125_000, f.Estimates[1].AtCompletion.Number, 1e-6)
	require.InDelta(t, 25_000+100_000/(.8*20./23), f.Estimates[2].AtCompletion.Number, 1e-6)
	require.InDelta(t, 100./95, f.ToComplete.Number, 1e-12)
}

func TestEarnedScheduleGivesThePublishedFigures(t *testing.T) {
	curve := []earned.Point{{1, 10}, {2, 25}, {3, 45}, {4, 70}, {5, 90}, {6, 100}}
	require.InDelta(t, .5714, earned.Compute(earned.Facts{Planned: 70, Earned: 40}).SchedulePerformance.Number, 5e-5)
	s := earned.Schedule(curve, 40, 4)
	require.InDelta(t, 2.75, s.Earned.Number, 1e-12)
	require.InDelta(t, .6875, s.Performance.Number, 1e-12)
	require.InDelta(t, 8.727, s.Duration.Number, 5e-4)

	require.InDelta(t, 6, earned.Schedule(curve, 100, 9).Earned.Number, 1e-12, "all is earned")
	require.InDelta(t, 6./9, earned.Schedule(curve, 100, 9).Performance.Number, 1e-12, "and late stays late")
	require.InDelta(t, .5, earned.Schedule(curve, 5, 1).Earned.Number, 1e-12)
}

func TestEarnedHasNoAnswerToWhatIsNotDefined(t *testing.T) {
	f := earned.Compute(earned.Facts{Budget: 100})
	require.False(t, f.CostPerformance.Defined)
	require.False(t, f.SchedulePerformance.Defined)
	require.False(t, f.Estimates[0].AtCompletion.Defined)
	require.True(t, f.Estimates[1].AtCompletion.Defined)
	require.False(t, f.Estimates[2].AtCompletion.Defined)
	require.False(t, earned.Compute(earned.Facts{Budget: 100, Actual: 100, Earned: 50}).ToComplete.Defined, "the budget is spent")
	require.False(t, earned.Schedule(nil, 1, 1).Earned.Defined)
	require.False(t, earned.Schedule([]earned.Point{{1, 1}}, 1, 0).Performance.Defined)
	require.False(t, earned.Schedule([]earned.Point{{1, 1}}, 0, 1).Duration.Defined, "nothing was earned")
	require.False(t, earned.Schedule([]earned.Point{{1, 1}}, 1, -70).Performance.Defined, "what was done before the plan began was done in no time")
}

func TestEarnedNeverAnswersWhatIsNoNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1e12))
		f := earned.Compute(earned.Facts{
			Budget: number.Draw(t, "bac"), Planned: number.Draw(t, "pv"), Earned: number.Draw(t, "ev"), Actual: number.Draw(t, "ac"),
		})
		var curve []earned.Point
		planned := 0.0
		for at := range rapid.IntRange(0, 10).Draw(t, "points") {
			planned += number.Draw(t, "more")
			curve = append(curve, earned.Point{At: float64(at + 1), Planned: planned})
		}
		s := earned.Schedule(curve, number.Draw(t, "earned"), number.Draw(t, "now"))
		values := []earned.Value{f.CostPerformance, f.SchedulePerformance, f.ToComplete, s.Earned, s.Performance, s.Duration}
		for _, e := range f.Estimates {
			values = append(values, e.AtCompletion, e.Index, e.ToComplete, e.Variance)
		}
		for _, v := range values {
			require.False(t, math.IsNaN(v.Number) || math.IsInf(v.Number, 0))
		}
	})
}

func TestEarnedValueOfAPlan(t *testing.T) {
	monday := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	const root = "workspaces/default/implementations/crm"
	in := plan.Input{
		Implementation: &implementationv1.Implementation{Name: root, StartTime: timestamppb.New(monday), Currency: "EUR"},
		Resources:      []*implementationv1.Resource{{Name: "workspaces/default/resources/ada", Kind: implementationv1.Resource_PERSON, HourlyRateMinor: 100_00}},
		Now:            monday,
	}
	for i, name := range []string{"a", "b"} {
		task := &implementationv1.Task{
			Name: root + "/tasks/" + name, State: implementationv1.Task_TODO, Estimate: &implementationv1.Estimate{LikelyMinutes: 5 * 480},
			Assignments: []*implementationv1.Assignment{{Resource: "workspaces/default/resources/ada"}},
		}
		if i > 0 {
			task.Dependencies = []*implementationv1.Dependency{{Predecessor: root + "/tasks/a"}}
		}
		in.Tasks = append(in.Tasks, task)
	}
	_, err := earned.Of(in)
	require.Equal(t, "BASELINE_MISSING", fault.ReasonOf(err))

	p, err := plan.New(in)
	require.NoError(t, err)
	in.Baseline = p.Baseline()
	require.Equal(t, int64(80*100_00), in.Baseline.GetCostMinor())

	a := in.Tasks[0]
	a.State, a.ProgressPercent, a.ActualEffortMinutes = implementationv1.Task_IN_PROGRESS, 80, 5*480
	a.ActualStartTime = timestamppb.New(monday)
	in.Now = monday.AddDate(0, 0, 4).Add(8 * time.Hour) // Friday evening: a should be done
	v, err := earned.Of(in)
	require.NoError(t, err)
	require.Equal(t, int64(80*100_00), v.GetBudgetAtCompletion())
	require.Equal(t, int64(40*100_00), v.GetPlannedValue())
	require.Equal(t, int64(32*100_00), v.GetEarnedValue())
	require.Equal(t, int64(40*100_00), v.GetActualCost())
	require.InDelta(t, .8, v.GetCostPerformanceIndex(), 1e-9)
	require.InDelta(t, 4*480, v.GetEarnedScheduleMinutes(), 1e-6, "four of five days")
	require.InDelta(t, .8, v.GetTimePerformanceIndex(), 1e-9)
	require.InDelta(t, 12.5*480, v.GetEstimatedDurationMinutes(), 1e-6)
	require.Equal(t, "EUR", v.GetCurrency())
	last := v.GetPoints()[len(v.GetPoints())-1]
	require.Equal(t, int64(80*100_00), last.GetPlannedValue())
	require.Nil(t, last.EarnedValue, "that is to come")
	for _, point := range v.GetPoints() {
		if point.GetDate() == "2026-01-09" {
			require.Equal(t, int64(40*100_00), point.GetPlannedValue())
			require.Equal(t, int64(32*100_00), point.GetEarnedValue())
		}
	}
}
