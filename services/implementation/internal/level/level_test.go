package level_test

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
	"github.com/golive-dev/golive/services/implementation/internal/level"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

const (
	crm = "workspaces/default/implementations/crm"
	ada = "workspaces/default/resources/ada"
	day = 480
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

func name(i int) string { return fmt.Sprintf("%s/tasks/t%02d", crm, i) }

func task(i int, minutes int32, who string, before ...int) *implementationv1.Task {
	t := &implementationv1.Task{Name: name(i), Stage: crm + "/stages/a", Estimate: &implementationv1.Estimate{LikelyMinutes: minutes}}
	if who != "" {
		t.Assignments = []*implementationv1.Assignment{{Resource: who}}
	}
	for _, b := range before {
		t.Dependencies = append(t.Dependencies, &implementationv1.Dependency{Predecessor: name(b)})
	}
	return t
}

func input(tasks ...*implementationv1.Task) plan.Input {
	return plan.Input{
		Implementation: &implementationv1.Implementation{Name: crm, StartTime: at(monday)},
		Stages:         []*implementationv1.Stage{{Name: crm + "/stages/a"}},
		Resources:      []*implementationv1.Resource{{Name: ada, Kind: implementationv1.Resource_PERSON}},
		Tasks:          tasks, Now: monday,
	}
}

func propose(t require.TestingT, in plan.Input) *implementationv1.Proposal {
	p := &implementationv1.Proposal{Seed: 1, Restarts: 30}
	require.NoError(t, level.Propose(in, p))
	return p
}

func TestOnePersonForTwoTasksCostsTheLengthOfOne(t *testing.T) {
	t.Parallel()
	p := propose(t, input(task(1, 3*day, ada), task(2, 2*day, ada), task(3, day, "", 2)))
	require.Equal(t, monday.AddDate(0, 0, 2).Add(8*time.Hour), p.GetFinishTimeBefore().AsTime())
	require.Equal(t, monday.AddDate(0, 0, 4).Add(8*time.Hour), p.GetFinishTimeAfter().AsTime(), "the shorter one first, so that what follows it goes on beside the longer one")
	require.EqualValues(t, 2*day, p.GetPriceMinutes())
	require.InDelta(t, 2, p.GetPriceDays(), 1e-9)
	require.Len(t, p.GetOverallocationsBefore(), 2)
	require.Equal(t, "2026-03-02", p.GetOverallocationsBefore()[0].GetDate())
	require.EqualValues(t, 2*day, p.GetOverallocationsBefore()[0].GetAllocatedMinutes())
	require.EqualValues(t, day, p.GetOverallocationsBefore()[0].GetCapacityMinutes())
	require.Equal(t, []string{name(1), name(2)}, p.GetOverallocationsBefore()[0].GetTasks())
	require.Empty(t, p.GetOverallocationsAfter())
	require.Len(t, p.GetMoves(), 1)
	require.True(t, p.GetMoves()[0].GetConstrained())
	require.Equal(t, monday.AddDate(0, 0, 2), p.GetMoves()[0].GetStartTimeAfter().AsTime())
}

func TestAPlanWithoutConflictsIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := propose(t, input(task(1, day, ada), task(2, day, ada, 1), task(3, 5*day, "")))
	require.Empty(t, p.GetMoves())
	require.Zero(t, p.GetPriceMinutes())
	require.Empty(t, p.GetOverallocationsBefore())
}

func TestWhatFollowsMovesWithoutAConstraint(t *testing.T) {
	t.Parallel()
	p := propose(t, input(task(1, day, ada), task(2, day, ada), task(3, day, "", 1, 2)))
	require.Len(t, p.GetMoves(), 2)
	require.True(t, p.GetMoves()[0].GetConstrained())
	require.Equal(t, name(3), p.GetMoves()[1].GetTask())
	require.False(t, p.GetMoves()[1].GetConstrained())
}

func TestPriorityDecidesBetweenEquals(t *testing.T) {
	t.Parallel()
	in := input(task(1, day, ada), task(2, day, ada))
	in.Tasks[1].Priority = 900
	p := propose(t, in)
	require.Equal(t, name(1), p.GetMoves()[0].GetTask())
}

func TestWorkThatHasBegunIsNotMoved(t *testing.T) {
	t.Parallel()
	in := input(task(1, day, ada), task(2, 2*day, ada))
	in.Tasks[1].State, in.Tasks[1].ActualStartTime = implementationv1.Task_IN_PROGRESS, at(monday)
	p := propose(t, in)
	require.Len(t, p.GetMoves(), 1)
	require.Equal(t, name(1), p.GetMoves()[0].GetTask())
	require.Equal(t, monday.AddDate(0, 0, 2), p.GetMoves()[0].GetStartTimeAfter().AsTime())
}

func TestWhatIsLeftOfTodayIsAllThatTodayHas(t *testing.T) {
	t.Parallel()
	in := input(task(1, day/2, ada), task(2, day/2, ada))
	in.Now = monday.Add(4 * time.Hour)
	p := propose(t, in)
	require.Len(t, p.GetOverallocationsBefore(), 1)
	require.EqualValues(t, day/2, p.GetOverallocationsBefore()[0].GetCapacityMinutes())
	require.Len(t, p.GetMoves(), 1)
	require.Equal(t, monday.AddDate(0, 0, 1), p.GetMoves()[0].GetStartTimeAfter().AsTime())
}

func TestARoleOfTwoDoesTwoThingsAtOnce(t *testing.T) {
	t.Parallel()
	in := input(task(1, day, ada), task(2, day, ada), task(3, day, ada))
	in.Resources[0].Kind, in.Resources[0].Capacity = implementationv1.Resource_ROLE, 2
	p := propose(t, in)
	require.Len(t, p.GetMoves(), 1)
	require.InDelta(t, 1, p.GetPriceDays(), 1e-9)
}

func TestWhoNeedsMoreThanThereIsStaysOnTheList(t *testing.T) {
	t.Parallel()
	in := input(task(1, day, ada), task(2, day, ada))
	in.Tasks[0].Assignments[0].Units = 3
	p := propose(t, in)
	require.Len(t, p.GetOverallocationsAfter(), 1)
	require.Equal(t, []string{name(1)}, p.GetOverallocationsAfter()[0].GetTasks())
}

func TestLimits(t *testing.T) {
	t.Parallel()
	require.Equal(t, level.ReasonEmpty, fault.ReasonOf(level.Propose(input(), &implementationv1.Proposal{})))
	many := make([]*implementationv1.Task, 300)
	for i := range many {
		many[i] = task(i, day, ada)
	}
	require.Equal(t, level.ReasonTooLarge, fault.ReasonOf(level.Propose(input(many...), &implementationv1.Proposal{Restarts: 10_000})))
}

// apply writes a proposal into the plan, as the store does.
func apply(in plan.Input, p *implementationv1.Proposal) plan.Input {
	in.Tasks = slices.Clone(in.Tasks)
	for i, t := range in.Tasks {
		for _, m := range p.GetMoves() {
			if m.GetTask() == t.GetName() && m.GetConstrained() {
				in.Tasks[i] = proto.CloneOf(t)
				in.Tasks[i].EarliestStartTime = m.GetStartTimeAfter()
			}
		}
	}
	return in
}

func TestAnAppliedProposalIsWhatItSaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawPlan(t)
		p := propose(t, in)
		again := &implementationv1.Proposal{Seed: 1, Restarts: 30}
		require.NoError(t, level.Propose(in, again))
		require.True(t, proto.Equal(p, again), "the same seed")
		applied := apply(in, p)
		built, err := plan.New(applied)
		require.NoError(t, err)
		require.Equal(t, p.GetFinishTimeAfter().AsTime(), built.Schedule().GetEndTime().AsTime())
		require.GreaterOrEqual(t, p.GetPriceMinutes(), int64(0))
		left, err := level.Overallocations(applied)
		require.NoError(t, err)
		require.Len(t, left, len(p.GetOverallocationsAfter()))
		for _, o := range left {
			require.Len(t, o.GetTasks(), 1, "%s on %s: only who needs more than there is", o.GetResource(), o.GetDate())
		}
	})
}

// drawPlan is a plan that has not begun, with people of several calendars.
func drawPlan(t *rapid.T) plan.Input {
	in := input()
	in.Resources = []*implementationv1.Resource{
		{Name: ada, Kind: implementationv1.Resource_PERSON},
		{Name: "workspaces/default/resources/bob", Absences: []*implementationv1.Absence{{StartTime: at(monday.AddDate(0, 0, 1)), EndTime: at(monday.AddDate(0, 0, 4))}}},
		{Name: "workspaces/default/resources/role", Kind: implementationv1.Resource_ROLE, Capacity: 2, Calendar: &implementationv1.Calendar{TimeZone: "America/New_York"}},
		{Name: "workspaces/default/resources/half", Capacity: .5},
	}
	for i := range rapid.IntRange(1, 12).Draw(t, "tasks") {
		one := task(i, rapid.Int32Range(0, 1500).Draw(t, "minutes"), "")
		for j := range i {
			if rapid.IntRange(0, 3).Draw(t, "linked") == 0 {
				one.Dependencies = append(one.Dependencies, &implementationv1.Dependency{
					Predecessor: name(j), Type: implementationv1.Dependency_Type(rapid.Int32Range(1, 2).Draw(t, "type")), LagMinutes: rapid.Int32Range(-100, 600).Draw(t, "lag"),
				})
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "assigned") > 0 {
			one.Assignments = []*implementationv1.Assignment{{
				Resource: rapid.SampledFrom(in.Resources).Draw(t, "who").GetName(), Units: rapid.SampledFrom([]float64{0, .25, .5, 1}).Draw(t, "units"),
			}}
		}
		in.Tasks = append(in.Tasks, one)
	}
	return in
}

// A plan of 500 tasks and 20 people, beside the schedule without any search.
func BenchmarkLevel(b *testing.B) {
	in := input()
	in.Resources = nil
	for r := range 20 {
		in.Resources = append(in.Resources, &implementationv1.Resource{Name: fmt.Sprintf("workspaces/default/resources/r%02d", r)})
	}
	for i := range 500 {
		one := task(i, int32(day*(1+i%5)), in.Resources[i%20].GetName())
		for l := 1; l <= 2 && i-20*l*l >= 0; l++ {
			one.Dependencies = append(one.Dependencies, &implementationv1.Dependency{Predecessor: name(i - 20*l*l + 3*l)})
		}
		in.Tasks = append(in.Tasks, one)
	}
	for _, restarts := range []int32{0, 1} {
		title := "search"
		if restarts == 1 {
			title = "control=one-schedule"
		}
		b.Run(title+"/tasks=500", func(b *testing.B) {
			for b.Loop() {
				p := &implementationv1.Proposal{Seed: 1, Restarts: restarts}
				require.NoError(b, level.Propose(in, p))
				b.ReportMetric(p.GetPriceDays(), "price-days")
			}
		})
	}
}
