package implementation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// planOf is an implementation with two tasks of two and three days, the second of which somebody does, and the service that computes it.
func planOf(p *planner) implementationv1.ScheduleServiceClient {
	p.Helper()
	_, err := p.implementations.UpdateImplementation(p.Context(), &implementationv1.UpdateImplementationRequest{
		Implementation: &implementationv1.Implementation{Name: crm, StartTime: timestamppb.New(p.clock.now())},
	})
	require.NoError(p, err)
	p.stage("build")
	ada := p.resource("ada", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON, HourlyRateMinor: 100_00})
	first, second := work("build"), work("build", "first")
	first.Estimate, second.Estimate = days(2), days(3)
	first.Assignments = []*implementationv1.Assignment{{Resource: ada}}
	second.Assignments = []*implementationv1.Assignment{{Resource: ada}}
	p.task("first", first)
	p.task("second", second)
	return implementationv1.NewScheduleServiceClient(p.dial("users/vera", map[string][]auth.Role{"default": {auth.Viewer}}))
}

func TestScheduleIsComputedFromWhatIsStored(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		schedules := planOf(p)
		monday := p.clock.now()
		s, err := schedules.GetSchedule(t.Context(), &implementationv1.GetScheduleRequest{Parent: crm})
		require.NoError(t, err)
		require.Equal(t, monday, s.GetAsOf().AsTime())
		require.Equal(t, monday.AddDate(0, 0, 4).Add(8*time.Hour), s.GetEndTime().AsTime(), "Friday evening")
		require.Equal(t, []string{taskName("first"), taskName("second")}, s.GetCriticalTasks())
		require.Equal(t, int64(2*8*100_00), s.GetTasks()[0].GetCostMinor())

		_, err = p.resources.UpdateResource(t.Context(), &implementationv1.UpdateResourceRequest{Resource: &implementationv1.Resource{
			Name: ws + "/resources/ada", Absences: []*implementationv1.Absence{{
				StartTime: timestamppb.New(monday.AddDate(0, 0, 1)), EndTime: timestamppb.New(monday.AddDate(0, 0, 4)),
			}},
		}})
		require.NoError(t, err)
		s, err = schedules.GetSchedule(t.Context(), &implementationv1.GetScheduleRequest{Parent: crm, NearCriticalMinutes: new(int64(7))})
		require.NoError(t, err)
		require.Equal(t, monday.AddDate(0, 0, 9).Add(8*time.Hour), s.GetEndTime().AsTime(), "three days of absence move it by three working days")
		require.Equal(t, int64(7), s.GetNearCriticalMinutes())

		p.clock.advance(3 * 24 * time.Hour)
		s, err = schedules.GetSchedule(t.Context(), &implementationv1.GetScheduleRequest{Parent: crm})
		require.NoError(t, err)
		require.Equal(t, implementationv1.PlanCondition_LATE, s.GetConditions()[0].GetType(), "nobody began")

		r, err := schedules.LintSchedule(t.Context(), &implementationv1.LintScheduleRequest{Parent: crm})
		require.NoError(t, err)
		require.Len(t, r.GetPoints(), 16)
		require.Zero(t, r.GetErrorCount())

		_, err = schedules.GetSchedule(t.Context(), &implementationv1.GetScheduleRequest{Parent: ws + "/implementations/none"})
		require.Equal(t, fault.KindNotFound, fault.KindOf(err))
	})
}

func TestSimulationSavesNothing(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		schedules := planOf(p)
		bob := p.resource("bob", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON, Calendar: &implementationv1.Calendar{
			Week: []*implementationv1.WorkingHours{{Days: []implementationv1.Weekday{implementationv1.Weekday_FRIDAY}, Start: "09:00", End: "17:00"}},
		}})
		r, err := schedules.SimulateSchedule(t.Context(), &implementationv1.SimulateScheduleRequest{Parent: crm, Tasks: []*implementationv1.TaskChange{
			{
				Task:       &implementationv1.Task{Name: taskName("second"), Assignments: []*implementationv1.Assignment{{Resource: bob}}},
				UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"assignments"}},
			},
		}})
		require.NoError(t, err)
		require.Equal(t, int64(10*480), r.GetEndMinutes(), "three Fridays instead of three days")
		require.Len(t, r.GetDifferences(), 2, "the first has float now")
		require.Equal(t, []string{taskName("first")}, r.GetNoLongerCriticalTasks())

		s, err := schedules.GetSchedule(t.Context(), &implementationv1.GetScheduleRequest{Parent: crm})
		require.NoError(t, err)
		require.Equal(t, r.GetBefore().GetEndTime().AsTime(), s.GetEndTime().AsTime())

		_, err = schedules.SimulateSchedule(t.Context(), &implementationv1.SimulateScheduleRequest{Parent: crm, Tasks: []*implementationv1.TaskChange{
			{Task: &implementationv1.Task{Name: taskName("first"), Dependencies: work("build", "second").GetDependencies()}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"dependencies"}}},
		}})
		require.Equal(t, "TASK_CYCLE", fault.ReasonOf(err))
		require.ErrorContains(t, err, "first → second → first")
	})
}

func TestEarnedValueIsAgainstTheCurrentBaseline(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		schedules := planOf(p)
		_, err := schedules.GetEarnedValue(t.Context(), &implementationv1.GetEarnedValueRequest{Parent: crm})
		require.Equal(t, "BASELINE_MISSING", fault.ReasonOf(err))
		_, err = p.baselines.CaptureBaseline(t.Context(), &implementationv1.CaptureBaselineRequest{Parent: crm})
		require.NoError(t, err)
		_, err = p.tasks.StartTask(t.Context(), &implementationv1.StartTaskRequest{Name: taskName("first")})
		require.NoError(t, err)
		p.clock.advance(32 * time.Hour) // Tuesday evening
		_, err = p.tasks.ReportTask(t.Context(), &implementationv1.ReportTaskRequest{Name: taskName("first"), ProgressPercent: new(int32(50)), ActualEffortMinutes: new(int32(960))})
		require.NoError(t, err)
		v, err := schedules.GetEarnedValue(t.Context(), &implementationv1.GetEarnedValueRequest{Parent: crm})
		require.NoError(t, err)
		require.Equal(t, int64(40*100_00), v.GetBudgetAtCompletion())
		require.Equal(t, int64(16*100_00), v.GetPlannedValue())
		require.Equal(t, int64(8*100_00), v.GetEarnedValue())
		require.Equal(t, int64(16*100_00), v.GetActualCost())
		require.InDelta(t, .5, v.GetCostPerformanceIndex(), 1e-9)
		require.InDelta(t, .5, v.GetTimePerformanceIndex(), 1e-9)
		s, err := schedules.GetSchedule(t.Context(), &implementationv1.GetScheduleRequest{Parent: crm})
		require.NoError(t, err)
		require.Equal(t, int64(480), s.GetEndVarianceMinutes())
	})
}
