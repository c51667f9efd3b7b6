package detect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

const (
	stage = crm + "/stages/build"
	day   = int32(480)
)

// monday is the begin of the plan, at nine.
var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func taskOf(id string, days int32, after []string, who ...string) *implementationv1.Task {
	t := &implementationv1.Task{
		Name: crm + "/tasks/" + id, Stage: stage, State: implementationv1.Task_TODO, Estimate: &implementationv1.Estimate{LikelyMinutes: days * day},
	}
	for _, a := range after {
		t.Dependencies = append(t.Dependencies, &implementationv1.Dependency{Predecessor: crm + "/tasks/" + a})
	}
	for _, r := range who {
		t.Assignments = append(t.Assignments, &implementationv1.Assignment{Resource: r})
	}
	return t
}

func planOf(t *testing.T, now time.Time, forecast *implementationv1.Forecast, tasks ...*implementationv1.Task) *detect.Plan {
	t.Helper()
	p, err := detect.NewPlan(plan.Input{
		Implementation: &implementationv1.Implementation{Name: crm, StartTime: timestamppb.New(monday)},
		Stages:         []*implementationv1.Stage{{Name: stage, State: implementationv1.Stage_ACTIVE}},
		Tasks:          tasks, Now: now,
		Resources: []*implementationv1.Resource{
			{Name: ada, Kind: implementationv1.Resource_PERSON},
			{Name: "workspaces/w/resources/bo", Kind: implementationv1.Resource_PERSON, Absences: []*implementationv1.Absence{{
				StartTime: timestamppb.New(monday), EndTime: timestamppb.New(monday.AddDate(0, 0, 1)),
			}}},
			{Name: "workspaces/w/resources/trainers", Kind: implementationv1.Resource_ROLE, Capacity: 2},
		},
	}, forecast)
	require.NoError(t, err)
	return p
}

func TestLoadsAreWhatIsAllocatedByDay(t *testing.T) {
	const bo, trainers = "workspaces/w/resources/bo", "workspaces/w/resources/trainers"
	p := planOf(t, monday, nil, taskOf("a", 2, nil, ada), taskOf("b", 1, nil, ada, trainers), taskOf("c", 1, nil, bo), taskOf("d", 3, []string{"a"}, trainers))
	loads := p.Loads(monday, monday.AddDate(0, 0, 14))
	require.Len(t, loads, 3)
	by := map[string][]detect.DayLoad{}
	for _, l := range loads {
		by[l.Resource] = l.Days
	}
	first := monday.Truncate(24 * time.Hour)
	require.Equal(t, []detect.DayLoad{{Day: first, Allocated: 960, Capacity: 480}, {Day: first.AddDate(0, 0, 1), Allocated: 480, Capacity: 480}}, by[ada])
	require.Equal(t, []detect.DayLoad{{Day: first.AddDate(0, 0, 1), Allocated: 480, Capacity: 480}}, by[bo], "nobody works while away")
	require.Equal(t, int64(960), by[trainers][0].Capacity, "two of them")
	require.Len(t, by[trainers], 4)
	weeks := detect.Weeks(loads)
	require.Equal(t, map[detect.Week]int64{detect.WeekOf(monday): 1440}, weeks[ada])
	require.Equal(t, int64(5*480), p.Capacity(ada, detect.WeekOf(monday)))
	require.Equal(t, int64(4*480), p.Capacity(bo, detect.WeekOf(monday)))
	require.Equal(t, []string{ada, bo}, p.Persons())
}

func TestWhatIsLeftCountsBySensitivity(t *testing.T) {
	tasks := []*implementationv1.Task{taskOf("a", 5, nil, ada), taskOf("b", 1, nil, ada), taskOf("c", 2, []string{"a"})}
	without := planOf(t, monday, nil, tasks...).Remaining()
	require.Equal(t, []detect.Work{{Task: crm + "/tasks/a", Person: ada, Minutes: 2400, Sensitivity: 1}, {Task: crm + "/tasks/c", Minutes: 960, Sensitivity: 1}}, without, "the critical ones")
	with := planOf(t, monday, &implementationv1.Forecast{Sensitivities: []*implementationv1.Forecast_Sensitivity{
		{Task: crm + "/tasks/b", Sensitivity: 0.7, Criticality: 0.4}, {Task: crm + "/tasks/c", Sensitivity: 0},
	}}, tasks...)
	require.Equal(t, []detect.Work{{Task: crm + "/tasks/b", Person: ada, Minutes: 480, Sensitivity: 0.7}}, with.Remaining())
	require.InDelta(t, 0.4, *with.Tasks()[1].Criticality, 0)
	require.Nil(t, with.Tasks()[0].Criticality)
	require.False(t, with.Tasks()[2].Named)
	require.InDelta(t, 6, with.Tasks()[1].FloatDays, 1e-9)
}

func TestWhatStandsStill(t *testing.T) {
	now := monday.AddDate(0, 0, 9)
	done := taskOf("done", 1, nil, ada)
	done.State, done.ActualStartTime, done.ActualEndTime = implementationv1.Task_DONE, timestamppb.New(monday), timestamppb.New(monday.AddDate(0, 0, 2))
	running := taskOf("running", 9, nil, ada)
	running.State, running.ActualStartTime, running.ProgressTime = implementationv1.Task_IN_PROGRESS, timestamppb.New(monday), timestamppb.New(monday.AddDate(0, 0, 1))
	free, later, waits := taskOf("free", 9, []string{"done"}, ada), taskOf("later", 9, nil, ada), taskOf("waits", 1, []string{"free"}, ada)
	later.EarliestStartTime = timestamppb.New(now.AddDate(0, 0, 1))
	idle := map[string]float64{}
	for _, s := range planOf(t, now, nil, done, running, free, later, waits).Stalled(now) {
		idle[s.Task[len(crm+"/tasks/"):]] = s.IdleDays
		require.Equal(t, ada, s.Person)
	}
	require.Equal(t, map[string]float64{"running": 8, "free": 7}, idle, "what waits, or is not due, does not stand still")
}

func TestWhichWorkComesAfter(t *testing.T) {
	s := detect.Stalled{Priority: 500, Plan: 500}
	require.True(t, s.Lower(499, 1000), "the plan counts first")
	require.False(t, s.Lower(501, 0))
	require.True(t, s.Lower(0, 499), "500 where nobody says")
	require.False(t, s.Lower(500, 0))
}
