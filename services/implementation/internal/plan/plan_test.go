package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

const ada = "workspaces/default/resources/ada"

// at is a moment of day n of the plan, counted from 0 over weekends too.
func at(day, hour int) *timestamppb.Timestamp {
	return timestamppb.New(begin().AddDate(0, 0, day).Add(time.Duration(hour-9) * time.Hour))
}

func TestPlanNamesACircle(t *testing.T) {
	_, err := plan.New(build(t, "x 1; a 1 < c; b 1 < a; c 1 < b, x; after 1 < c"))
	require.Equal(t, "TASK_CYCLE", fault.ReasonOf(err))
	require.ErrorContains(t, err, "a → b → c → a")
	_, err = plan.New(build(t, "self 1 < self"))
	require.ErrorContains(t, err, "self → self")
	_, err = plan.New(build(t, "a 1 < b SS; b 1 < a FF"))
	require.ErrorContains(t, err, "a → b → a", "a circle through other kinds of links")
}

func TestPlanRefusesWhatCannotBeComputed(t *testing.T) {
	refused := func(change func(in *plan.Input)) string {
		in := build(t, "a 1; b 1 < a")
		change(&in)
		_, err := plan.New(in)
		require.Equal(t, fault.KindPrecondition, fault.KindOf(err), "%v", err)
		return fault.ReasonOf(err)
	}
	require.Equal(t, "PREDECESSOR_UNKNOWN", refused(func(in *plan.Input) { in.Tasks[1].Dependencies[0].Predecessor = taskName("nobody") }))
	require.Equal(t, "ESTIMATE_ORDER", refused(func(in *plan.Input) {
		in.Tasks[0].Estimate = &implementationv1.Estimate{LikelyMinutes: 5, PessimisticMinutes: new(int32(4))}
	}))
	require.Equal(t, "TASK_TWICE", refused(func(in *plan.Input) { in.Tasks = append(in.Tasks, in.Tasks[0]) }))
	require.Equal(t, "RESOURCE_UNKNOWN", refused(func(in *plan.Input) { in.Tasks[0].Assignments = []*implementationv1.Assignment{{Resource: ada}} }))
	require.Equal(t, "PLAN_TOO_LONG", refused(func(in *plan.Input) {
		for i := range 4000 {
			in.Tasks = append(in.Tasks, &implementationv1.Task{
				Name: taskName(fmt.Sprint(i)), Estimate: &implementationv1.Estimate{LikelyMinutes: 5_256_000},
				Dependencies: []*implementationv1.Dependency{{Predecessor: in.Tasks[len(in.Tasks)-1].GetName()}},
			})
		}
	}))
	require.Equal(t, "CALENDAR_IMPOSSIBLE", refused(func(in *plan.Input) {
		day := func(d implementationv1.Weekday) *implementationv1.Calendar {
			return &implementationv1.Calendar{Week: []*implementationv1.WorkingHours{{Days: []implementationv1.Weekday{d}, Start: "09:00", End: "17:00"}}}
		}
		in.Resources = []*implementationv1.Resource{{Name: ada, Calendar: day(1)}, {Name: ada + "2", Calendar: day(2)}}
		in.Tasks[0].Assignments = []*implementationv1.Assignment{{Resource: ada}, {Resource: ada + "2"}}
	}))
}

func TestPlanFollowsALongChain(t *testing.T) {
	in := build(t, "t0 1")
	for i := 1; i < 10_000; i++ {
		in.Tasks = append(in.Tasks, &implementationv1.Task{
			Name: taskName(fmt.Sprintf("t%d", i)), Estimate: &implementationv1.Estimate{LikelyMinutes: 480},
			Dependencies: []*implementationv1.Dependency{{Predecessor: taskName(fmt.Sprintf("t%d", i-1))}},
		})
	}
	s := schedule(t, in)
	require.Equal(t, int64(10_000*480), s.GetDurationMinutes())
	require.Len(t, s.GetCriticalTasks(), 10_000)
	require.Len(t, s.GetLongestPath(), 10_000)
	in.Tasks[0].Dependencies = []*implementationv1.Dependency{{Predecessor: taskName("t9999")}}
	_, err := plan.New(in)
	require.Equal(t, "TASK_CYCLE", fault.ReasonOf(err))
}

func TestAbsencesMoveTheSchedule(t *testing.T) {
	in := build(t, "a 5; b 1 < a")
	in.Resources = []*implementationv1.Resource{{Name: ada, Kind: implementationv1.Resource_PERSON}}
	in.Tasks[0].Assignments = []*implementationv1.Assignment{{Resource: ada}}
	require.Equal(t, "a* 0-5 0/0; b* 5-6 0/0", table(t, in))
	in.Resources[0].Absences = []*implementationv1.Absence{{StartTime: at(1, 0), EndTime: at(4, 0)}} // Tuesday to Thursday
	require.Equal(t, "a* 0-8 0/0; b* 8-9 0/0", table(t, in))
	require.Equal(t, at(9, 17).AsTime(), find(t, schedule(t, in), "a").GetEarlyEndTime().AsTime(), "Wednesday of the second week, not Friday of the first")
	in.Resources[0].Kind = implementationv1.Resource_ROLE
	require.Equal(t, "a* 0-5 0/0; b* 5-6 0/0", table(t, in), "members of a role stand in for each other")
}

func TestCalendarsOfTasksMayDiffer(t *testing.T) {
	in := build(t, "a 1; b 1 < a; c 1 < b; d 3")
	in.Resources = []*implementationv1.Resource{{Name: ada, Kind: implementationv1.Resource_PERSON, Calendar: &implementationv1.Calendar{
		Week: []*implementationv1.WorkingHours{{Days: []implementationv1.Weekday{implementationv1.Weekday_WEDNESDAY}, Start: "09:00", End: "17:00"}},
	}}}
	in.Tasks[1].Assignments = []*implementationv1.Assignment{{Resource: ada}}
	require.Equal(t, "a 0-1 1/1; b* 2-3 0/0; c* 3-4 0/0; d 0-3 1/1", table(t, in), "a may slip on Tuesday: b works on Wednesdays only")
	require.Equal(t, names("a", "b", "c"), schedule(t, in).GetLongestPath(), "it is on the longest path all the same")
}

func TestTargetsAndDeadlinesMakeFloatNegative(t *testing.T) {
	in := build(t, "a 3; b 2 < a; c 1 < a")
	in.Implementation.TargetDate = at(3, 17) // Thursday evening, a day too early
	require.Equal(t, "a* 0-3 -1/0; b* 3-5 -1/0; c 3-4 0/1", strings.ReplaceAll(table(t, in), "c* ", "c "))
	require.Equal(t, int64(-unit), schedule(t, in).GetTargetFloatMinutes())
	in.Implementation.TargetDate = at(11, 17)
	s := schedule(t, in)
	require.Equal(t, int64(5*unit), s.GetTargetFloatMinutes(), "a week to spare")
	require.Equal(t, names("a", "b"), s.GetCriticalTasks(), "and still a critical path")
	in.Tasks[2].Deadline = at(2, 17)
	require.Equal(t, int64(-unit), find(t, schedule(t, in), "c").GetTotalFloatMinutes())
	require.Equal(t, int64(-unit), find(t, schedule(t, in), "a").GetTotalFloatMinutes(), "what comes before shares it")
}

func TestPlanCountsFromWhatHasHappened(t *testing.T) {
	in := build(t, "a 2; b 4 < a; c 1 < b")
	in.Now = at(3, 9).AsTime() // Thursday morning
	require.Equal(t, "a* 3-5 0/0; b* 5-9 0/0; c* 9-10 0/0", table(t, in), "what was not done cannot be done in the past")

	a, b := in.Tasks[0], in.Tasks[1]
	a.State, a.ActualStartTime, a.ActualEndTime = implementationv1.Task_DONE, at(0, 9), at(1, 17)
	require.Equal(t, "a 0-2 0/0; b* 3-7 0/0; c* 7-8 0/0", table(t, in))

	b.State, b.ActualStartTime, b.ProgressPercent = implementationv1.Task_IN_PROGRESS, at(2, 9), 50
	require.Equal(t, "a 0-2 0/0; b* 2-5 0/0; c* 5-6 0/0", table(t, in), "half of four days is left")
	b.RemainingMinutes = new(int32(3 * unit))
	require.Equal(t, "a 0-2 0/0; b* 2-6 0/0; c* 6-7 0/0", table(t, in), "what was said to be left counts")
	require.Equal(t, in.Now, find(t, schedule(t, in), "b").GetResumeTime().AsTime())

	a.State, a.ActualEndTime, a.ProgressPercent = implementationv1.Task_IN_PROGRESS, nil, 50
	require.Equal(t, "a* 0-4 0/0; b* 2-7 0/0; c* 7-8 0/0", table(t, in), "what is left of b waits for a, though it began too early")
	a.State = implementationv1.Task_CANCELLED
	require.Equal(t, int64(3*unit), find(t, schedule(t, in), "b").GetRemainingMinutes())
	require.Len(t, schedule(t, in).GetTasks(), 2, "a is not there any more, and nothing waits for it")
}

func TestMilestonesAreMoments(t *testing.T) {
	in := build(t, "a 5; m 0 < a; b 1 < m; gate 0")
	in.Tasks[1].Milestone, in.Tasks[3].Milestone = true, true
	in.Tasks[3].EarliestStartTime = at(1, 12)
	s := schedule(t, in)
	require.Equal(t, at(4, 17).AsTime(), find(t, s, "m").GetEarlyStartTime().AsTime(), "on Friday evening, when a is done")
	require.Equal(t, find(t, s, "m").GetEarlyStartTime().AsTime(), find(t, s, "m").GetEarlyEndTime().AsTime())
	require.True(t, find(t, s, "m").GetCritical())
	require.Equal(t, at(1, 12).AsTime(), find(t, s, "gate").GetEarlyEndTime().AsTime())
	require.Equal(t, at(7, 9).AsTime(), find(t, s, "b").GetEarlyStartTime().AsTime())
}

func TestStagesWaitForStages(t *testing.T) {
	in := build(t, "a 2; b 3; c 1; d 1")
	stage := func(id string, before ...string) *implementationv1.Stage {
		s := &implementationv1.Stage{Name: root + "/stages/" + id, State: implementationv1.Stage_PENDING}
		for _, one := range before {
			s.Predecessors = append(s.Predecessors, root+"/stages/"+one)
		}
		return s
	}
	in.Stages = []*implementationv1.Stage{stage("one"), stage("empty", "one"), stage("two", "empty")}
	for i, id := range []string{"one", "one", "two", "none"} {
		in.Tasks[i].Stage = root + "/stages/" + id
	}
	require.Equal(t, "a 0-2 1/1; b* 0-3 0/0; c* 3-4 0/0; d 0-1 3/3", table(t, in))
	p, err := plan.New(in)
	require.NoError(t, err)
	require.Nil(t, p.Network().Tasks[4].Task, "the ends of stages are nodes of their own")
	require.Len(t, p.Schedule().GetTasks(), 4, "and no tasks")
	require.Equal(t, int32(2), p.Schedule().GetStages()[0].GetTaskCount())

	in.Tasks[0].Dependencies = []*implementationv1.Dependency{{Predecessor: taskName("c")}}
	_, err = plan.New(in)
	require.ErrorContains(t, err, "the end of stage one")
	in.Tasks[0].Dependencies = nil
	in.Stages[2].State = implementationv1.Stage_ACTIVE
	require.Equal(t, "a 0-2 1/1; b* 0-3 0/0; c 0-1 2/2; d 0-1 2/2", table(t, in), "a stage that has begun waits for none")
	in.Stages[0].State = implementationv1.Stage_SKIPPED
	require.Len(t, schedule(t, in).GetTasks(), 2, "the tasks of a stage that was left out are")
}

func TestDrivingPredecessorsAndNearCritical(t *testing.T) {
	in := build(t, "a 3; b 2; c 1 < a, b; d 1 < b")
	p, err := plan.New(in)
	require.NoError(t, err)
	p.Near(unit)
	s := p.Schedule()
	require.Equal(t, names("a"), find(t, s, "c").GetDrivingPredecessors())
	require.Equal(t, names("b"), find(t, s, "d").GetDrivingPredecessors())
	require.Equal(t, names("a", "c"), s.GetCriticalTasks())
	require.ElementsMatch(t, names("b", "d"), s.GetNearCriticalTasks())
	require.Equal(t, int64(unit), s.GetNearCriticalMinutes())
}

func TestPlanOfNothing(t *testing.T) {
	s := schedule(t, plan.Input{Implementation: &implementationv1.Implementation{Name: root}})
	require.Nil(t, s.GetEndTime())
	require.Empty(t, s.GetTasks())
	require.Equal(t, int32(1), plan.Lint(plan.Input{}).GetErrorCount())
}
