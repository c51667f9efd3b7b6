package plan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// draw makes any plan: all kinds of links and lags, and people of other calendars where they are asked for.
func draw(t *rapid.T, calendars bool) plan.Input {
	in := plan.Input{Implementation: &implementationv1.Implementation{Name: root, StartTime: timestamppb.New(begin())}}
	if calendars {
		in.Resources = []*implementationv1.Resource{
			{Name: ada, Kind: implementationv1.Resource_PERSON, Absences: []*implementationv1.Absence{{StartTime: at(1, 12), EndTime: at(9, 10)}}},
			{Name: ada + "2", Kind: implementationv1.Resource_PERSON, Calendar: &implementationv1.Calendar{TimeZone: "Asia/Tokyo", Week: []*implementationv1.WorkingHours{
				{Days: []implementationv1.Weekday{2, 6, 7}, Start: "08:00", End: "20:00"},
			}}},
		}
	}
	for i := range rapid.IntRange(1, 12).Draw(t, "tasks") {
		task := &implementationv1.Task{
			Name: taskName(fmt.Sprint(i)), Estimate: &implementationv1.Estimate{LikelyMinutes: rapid.Int32Range(0, 3000).Draw(t, "likely")},
		}
		for from := range i {
			if rapid.IntRange(0, 2).Draw(t, "linked") == 0 {
				task.Dependencies = append(task.Dependencies, &implementationv1.Dependency{
					Predecessor: taskName(fmt.Sprint(from)), Type: implementationv1.Dependency_Type(rapid.Int32Range(0, 4).Draw(t, "type")),
					LagMinutes: rapid.SampledFrom([]int32{0, 0, 480, -480, 77}).Draw(t, "lag"),
				})
			}
		}
		if calendars {
			if who := rapid.IntRange(0, 2).Draw(t, "who"); who < 2 {
				task.Assignments = []*implementationv1.Assignment{{Resource: in.Resources[who].GetName()}}
			}
		}
		in.Tasks = append(in.Tasks, task)
	}
	return in
}

func TestPlanKeepsItsLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, true)
		p, err := plan.New(in)
		require.NoError(t, err)
		s, net := p.Schedule(), p.Network()
		byName := map[string]*implementationv1.TaskSchedule{}
		critical := false
		for _, one := range s.GetTasks() {
			byName[one.GetName()] = one
			critical = critical || one.GetCritical()
			require.GreaterOrEqual(t, one.GetTotalFloatMinutes(), int64(0))
			require.GreaterOrEqual(t, one.GetFreeFloatMinutes(), int64(0))
			require.LessOrEqual(t, one.GetFreeFloatMinutes(), one.GetTotalFloatMinutes())
			require.False(t, one.GetEarlyEndTime().AsTime().After(s.GetEndTime().AsTime()))
		}
		require.True(t, critical, "there is a critical path")
		for i := range net.Tasks {
			to := byName[net.Tasks[i].Name]
			require.Equal(t, to.GetDurationMinutes(), net.Tasks[i].Calendar.Between(to.GetEarlyStartTime().AsTime(), to.GetEarlyEndTime().AsTime()))
			for _, l := range net.Tasks[i].Links {
				from := byName[net.Tasks[l.From].Name]
				bound, is := from.GetEarlyStartTime(), to.GetEarlyStartTime()
				if l.FromFinish() {
					bound = from.GetEarlyEndTime()
				}
				if l.ToFinish() {
					is = to.GetEarlyEndTime()
				}
				require.False(t, is.AsTime().Before(net.Calendar.Add(bound.AsTime(), l.Lag)), "%s after %s", to.GetName(), from.GetName())
			}
		}
	})
}

// A delay of a task by its float does not move the end, and by a minute more does, by a minute: what float means.
func TestFloatIsWhatATaskMayBeDelayed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, false)
		p, err := plan.New(in)
		require.NoError(t, err)
		s := p.Schedule()
		one := s.GetTasks()[rapid.IntRange(0, len(s.GetTasks())-1).Draw(t, "which")]
		if one.GetDurationMinutes() == 0 {
			return // a moment on a Friday evening is one on a Monday morning
		}
		delayed := func(minutes int64) *implementationv1.Schedule {
			changed := in
			changed.Tasks = nil
			for _, task := range in.Tasks {
				task = proto.CloneOf(task)
				if task.GetName() == one.GetName() {
					task.EarliestStartTime = timestamppb.New(p.Network().Calendar.Next(p.Network().Calendar.Add(one.GetEarlyStartTime().AsTime(), minutes)))
				}
				changed.Tasks = append(changed.Tasks, task)
			}
			q, err := plan.New(changed)
			require.NoError(t, err)
			return q.Schedule()
		}
		slip := func(by int64) int64 {
			return p.Network().Calendar.Between(s.GetEndTime().AsTime(), delayed(by).GetEndTime().AsTime())
		}
		require.Zero(t, slip(one.GetTotalFloatMinutes()))
		require.Equal(t, int64(1), slip(one.GetTotalFloatMinutes()+1))

		early := map[string]int64{}
		for _, other := range s.GetTasks() {
			early[other.GetName()] = other.GetEarlyEndTime().GetSeconds()
		}
		for _, other := range delayed(one.GetFreeFloatMinutes()).GetTasks() {
			if other.GetName() != one.GetName() {
				require.Equal(t, early[other.GetName()], other.GetEarlyEndTime().GetSeconds(), "free float delays nobody")
			}
		}
	})
}
