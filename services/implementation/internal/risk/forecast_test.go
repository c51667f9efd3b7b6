package risk_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
	"github.com/golive-dev/golive/services/implementation/internal/risk"
)

const crm = "workspaces/default/implementations/crm"

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

func input(tasks ...*implementationv1.Task) plan.Input {
	return plan.Input{
		Implementation: &implementationv1.Implementation{Name: crm, Uid: "u", StartTime: at(monday), TargetDate: at(monday.AddDate(0, 0, 30))},
		Stages:         []*implementationv1.Stage{{Name: crm + "/stages/a"}, {Name: crm + "/stages/b"}},
		Tasks:          tasks, Now: monday,
	}
}

func name(i int) string { return fmt.Sprintf("%s/tasks/t%02d", crm, i) }

func task(i int, o, m, p int32, before ...int) *implementationv1.Task {
	t := &implementationv1.Task{
		Name: name(i), Stage: crm + "/stages/a",
		Estimate: &implementationv1.Estimate{OptimisticMinutes: &o, LikelyMinutes: m, PessimisticMinutes: &p},
	}
	for _, b := range before {
		t.Dependencies = append(t.Dependencies, &implementationv1.Dependency{Predecessor: name(b)})
	}
	return t
}

func forecast(t require.TestingT, in plan.Input, f *implementationv1.Forecast) *implementationv1.Forecast {
	require.NoError(t, risk.Forecast(in, f))
	return f
}

func TestAPlanWithoutUncertaintyIsItsSchedule(t *testing.T) {
	t.Parallel()
	f := forecast(t, input(task(1, 480, 480, 480), task(2, 960, 960, 960, 1)), &implementationv1.Forecast{})
	end := at(time.Date(2026, 3, 4, 17, 0, 0, 0, time.UTC))
	for _, got := range []*timestamppb.Timestamp{f.GetP50Time(), f.GetP80Time(), f.GetP90Time(), f.GetMeanTime(), f.GetScheduleFinishTime(), f.GetClassicalPert().GetFinishTime()} {
		require.Equal(t, end.AsTime(), got.AsTime())
	}
	require.InDelta(t, 1, f.GetScheduleProbability(), 0)
	require.InDelta(t, 1, f.GetTargetProbability(), 0)
	require.Zero(t, f.GetStandardDeviationMinutes())
	require.Equal(t, risk.WarnMissing, f.GetWarnings()[0].GetReason())
	require.Len(t, f.GetBins(), 1)
	require.EqualValues(t, 10_000, f.GetBins()[0].GetCount())
}

// The forward pass over columns and the one of package plan are two programs; they must say the same.
func TestThePlayedScheduleIsTheScheduleOfThePlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawPlan(t)
		p, err := plan.New(in)
		require.NoError(t, err)
		s := p.Schedule()
		open := slices.ContainsFunc(in.Tasks, func(t *implementationv1.Task) bool { return t.GetState() != implementationv1.Task_DONE })
		if !open {
			require.Equal(t, risk.ReasonEmpty, fault.ReasonOf(risk.Forecast(in, &implementationv1.Forecast{})))
			return
		}
		f := forecast(t, in, &implementationv1.Forecast{Iterations: 150})
		plain, err := calendar.New(nil)
		require.NoError(t, err)
		require.Zero(t, plain.Between(s.GetEndTime().AsTime(), f.GetScheduleFinishTime().AsTime()), "%v and %v", s.GetEndTime(), f.GetScheduleFinishTime())
		require.Equal(t, f.GetScheduleFinishTime().AsTime(), f.GetP50Time().AsTime())
		if len(in.Resources) > 0 {
			return // float is counted in gaps of other calendars too
		}
		critical := map[string]bool{}
		for _, c := range f.GetSensitivities() {
			if c.GetCriticality() > 0 {
				critical[c.GetTask()] = true
			}
		}
		for _, one := range s.GetTasks() {
			if one.GetState() != implementationv1.Task_DONE {
				require.Equal(t, one.GetCritical(), critical[one.GetName()], one.GetName())
			}
		}
	})
}

// drawPlan is a plan of certain tasks with all kinds of links, facts and calendars.
func drawPlan(t *rapid.T) plan.Input {
	in := input()
	in.Implementation.TargetDate = nil
	in.Now = monday.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "now")) * time.Minute)
	if rapid.Bool().Draw(t, "people") {
		in.Resources = []*implementationv1.Resource{
			{Name: "workspaces/default/resources/part", Calendar: &implementationv1.Calendar{TimeZone: "Europe/Berlin", Week: []*implementationv1.WorkingHours{
				{Days: []implementationv1.Weekday{2, 3, 4, 6}, Start: "07:30", End: "12:00"},
			}}},
			{Name: "workspaces/default/resources/away", Absences: []*implementationv1.Absence{{StartTime: at(monday.AddDate(0, 0, 1)), EndTime: at(monday.AddDate(0, 0, 6))}}},
		}
	}
	for i := range rapid.IntRange(1, 10).Draw(t, "tasks") {
		minutes := rapid.Int32Range(0, 1500).Draw(t, "minutes")
		one := task(i, minutes, minutes, minutes)
		one.Stage = rapid.SampledFrom(in.Stages).Draw(t, "stage").GetName()
		for j := range i {
			if rapid.IntRange(0, 2).Draw(t, "linked") == 0 {
				one.Dependencies = append(one.Dependencies, &implementationv1.Dependency{
					Predecessor: name(j), Type: implementationv1.Dependency_Type(rapid.Int32Range(1, 4).Draw(t, "type")), LagMinutes: rapid.Int32Range(-600, 600).Draw(t, "lag"),
				})
			}
		}
		if len(in.Resources) > 0 && rapid.Bool().Draw(t, "assigned") {
			one.Assignments = []*implementationv1.Assignment{{Resource: rapid.SampledFrom(in.Resources).Draw(t, "who").GetName()}}
		}
		begun := at(monday.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "begun")) * time.Minute))
		switch rapid.IntRange(0, 5).Draw(t, "state") {
		case 0:
			one.State, one.ActualStartTime = implementationv1.Task_DONE, begun
			one.ActualEndTime = at(begun.AsTime().Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "took")) * time.Minute))
		case 1:
			one.State, one.ActualStartTime, one.ProgressPercent = implementationv1.Task_IN_PROGRESS, begun, rapid.Int32Range(0, 100).Draw(t, "progress")
		}
		in.Tasks = append(in.Tasks, one)
	}
	return in
}

func TestTheSameSeedGivesTheSameForecast(t *testing.T) {
	t.Parallel()
	in := input(task(1, 100, 480, 2000), task(2, 500, 960, 1000, 1), task(3, 480, 960, 4000, 1))
	one := func(seed int64) *implementationv1.Forecast {
		return forecast(t, in, &implementationv1.Forecast{Seed: seed})
	}
	require.True(t, proto.Equal(one(0), one(0)))
	require.True(t, proto.Equal(one(0), one(one(0).GetSeed())), "the seed that was chosen is the one that is stored")
	require.False(t, proto.Equal(one(1), one(2)))
}

func TestWhatAForecastSays(t *testing.T) {
	t.Parallel()
	milestone := task(4, 0, 0, 0, 2, 3)
	milestone.Milestone = true
	in := input(task(1, 100, 480, 2000), task(2, 500, 960, 1000, 1), task(3, 480, 960, 4000, 1), milestone)
	in.Implementation.TargetDate = at(monday.AddDate(0, 0, 5))
	f := forecast(t, in, &implementationv1.Forecast{Distribution: implementationv1.Forecast_TRIANGULAR, Correlation: proto.Float64(0)})
	require.EqualValues(t, 4, f.GetTaskCount())
	require.EqualValues(t, 3, f.GetUncertainTaskCount())
	require.True(t, f.GetP50Time().AsTime().Before(f.GetP80Time().AsTime()) && f.GetP80Time().AsTime().Before(f.GetP90Time().AsTime()))
	require.Equal(t, name(3), f.GetSensitivities()[0].GetTask(), "the longest and widest")
	require.Equal(t, f.GetP80Time().AsTime(), f.GetMilestones()[0].GetP80Time().AsTime(), "it is the end")
	total := int32(0)
	for _, b := range f.GetBins() {
		total += b.GetCount()
	}
	require.EqualValues(t, 10_000, total)
	require.True(t, slices.IsSortedFunc(f.GetPoints(), func(a, b *implementationv1.Forecast_Point) int {
		return a.GetTime().AsTime().Compare(b.GetTime().AsTime())
	}))
	require.Less(t, f.GetTargetProbability(), f.GetClassicalPert().GetTargetProbability(), "the classical one is optimistic")
	require.Equal(t, risk.WarnIndependent, f.GetWarnings()[0].GetReason())
}

func TestWorkThatIsDoneIsNotUncertain(t *testing.T) {
	t.Parallel()
	done, begun := task(1, 1, 480, 100_000), task(2, 480, 960, 9600, 1)
	done.State, done.ActualStartTime, done.ActualEndTime = implementationv1.Task_DONE, at(monday), at(monday.Add(8*time.Hour))
	begun.State, begun.ActualStartTime, begun.RemainingMinutes = implementationv1.Task_IN_PROGRESS, at(monday.AddDate(0, 0, 1)), proto.Int32(96)
	in := input(done, begun)
	in.Now = monday.AddDate(0, 0, 2)
	f := forecast(t, in, &implementationv1.Forecast{})
	require.Len(t, f.GetSensitivities(), 1)
	require.InDelta(t, (48+4*96+960)/6., f.GetSensitivities()[0].GetMeanMinutes(), 3, "a tenth of it is left")
	require.False(t, f.GetPoints()[0].GetTime().AsTime().Before(in.Now))
}

func TestForecastsThatCannotBe(t *testing.T) {
	t.Parallel()
	require.Equal(t, risk.ReasonEmpty, fault.ReasonOf(risk.Forecast(input(), &implementationv1.Forecast{})))
	many := make([]*implementationv1.Task, 2000)
	for i := range many {
		many[i] = task(i, 1, 2, 3)
	}
	require.Equal(t, risk.ReasonTooLarge, fault.ReasonOf(risk.Forecast(input(many...), &implementationv1.Forecast{Iterations: 100_000})))
	circle := []*implementationv1.Task{task(1, 1, 2, 3, 2), task(2, 1, 2, 3, 1)}
	require.Equal(t, "TASK_CYCLE", fault.ReasonOf(risk.Forecast(input(circle...), &implementationv1.Forecast{})))
	require.Equal(t, "ESTIMATE_ORDER", fault.ReasonOf(risk.Forecast(input(task(1, 3, 2, 1)), &implementationv1.Forecast{})))
	endless := make([]*implementationv1.Task, 1200)
	for i := range endless {
		endless[i] = task(i, 1, 1, 5_256_000)
		if i > 0 {
			endless[i].Dependencies = []*implementationv1.Dependency{{Predecessor: name(i - 1)}}
		}
	}
	require.Equal(t, risk.ReasonTooLong, fault.ReasonOf(risk.Forecast(input(endless...), &implementationv1.Forecast{Iterations: 100})))
}
