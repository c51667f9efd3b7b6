package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// constraint says that one start is at least so many minutes after another: what all four links are, once durations are known.
type constraint struct{ from, to, least int64 }

// dayAndNight is a calendar on which working time is time.
func dayAndNight() *implementationv1.Calendar {
	return &implementationv1.Calendar{Week: []*implementationv1.WorkingHours{{Days: []implementationv1.Weekday{1, 2, 3, 4, 5, 6, 7}, Start: "00:00", End: "24:00"}}}
}

// The critical path is the least solution of a system of differences, and the late dates are the greatest one that ends no later:
// found here by going round until nothing moves (Bellman and Ford), which knows no order, no passes and no calendars.
func TestPlanIsTheSolutionOfItsInequalities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t, false)
		in.Implementation.Calendar = dayAndNight()
		p, err := plan.New(in)
		require.NoError(t, err)
		duration := make([]int64, len(in.Tasks))
		index := map[string]int64{}
		var all []constraint
		for i, task := range in.Tasks {
			index[task.GetName()], duration[i] = int64(i), int64(task.GetEstimate().GetLikelyMinutes())
			for _, d := range task.GetDependencies() {
				from := index[d.GetPredecessor()]
				least := int64(d.GetLagMinutes())
				switch d.GetType() {
				case implementationv1.Dependency_START_TO_START:
				case implementationv1.Dependency_FINISH_TO_FINISH:
					least += duration[from] - duration[i]
				case implementationv1.Dependency_START_TO_FINISH:
					least -= duration[i]
				default:
					least += duration[from]
				}
				all = append(all, constraint{from, int64(i), least})
			}
		}
		early, end := leastStarts(all, duration)
		late := greatestStarts(all, duration, end)

		s := p.Schedule()
		minute := func(at *timestamppb.Timestamp) int64 { return int64(at.AsTime().Sub(begin()) / time.Minute) }
		require.Equal(t, end, minute(s.GetEndTime()))
		for _, one := range s.GetTasks() {
			i := index[one.GetName()]
			require.Equal(t, []int64{early[i], early[i] + duration[i], late[i], late[i] + duration[i], late[i] - early[i]},
				[]int64{minute(one.GetEarlyStartTime()), minute(one.GetEarlyEndTime()), minute(one.GetLateStartTime()), minute(one.GetLateEndTime()), one.GetTotalFloatMinutes()},
				one.GetName())
			free := end - early[i] - duration[i]
			for _, c := range all {
				if c.from == i {
					free = min(free, early[c.to]-early[i]-c.least)
				}
			}
			require.Equal(t, free, one.GetFreeFloatMinutes(), one.GetName())
			require.Equal(t, late[i] == early[i], one.GetCritical(), one.GetName())
		}
	})
}

func leastStarts(all []constraint, duration []int64) (starts []int64, end int64) {
	starts = make([]int64, len(duration))
	for moved := true; moved; {
		moved = false
		for _, c := range all {
			if least := starts[c.from] + c.least; least > starts[c.to] {
				starts[c.to], moved = least, true
			}
		}
	}
	for i, d := range duration {
		end = max(end, starts[i]+d)
	}
	return starts, end
}

func greatestStarts(all []constraint, duration []int64, end int64) []int64 {
	starts := make([]int64, len(duration))
	for i, d := range duration {
		starts[i] = end - d
	}
	for moved := true; moved; {
		moved = false
		for _, c := range all {
			if most := starts[c.to] - c.least; most < starts[c.from] {
				starts[c.from], moved = most, true
			}
		}
	}
	return starts
}

// A week in which a clock is put forward has the same working time as any other where nobody works at night, and an
// hour less where somebody does.
func TestAWeekOfSummerTime(t *testing.T) {
	night := &implementationv1.Calendar{TimeZone: "Europe/Berlin", Week: []*implementationv1.WorkingHours{
		{Days: []implementationv1.Weekday{7}, Start: "00:00", End: "06:00"}, {Days: []implementationv1.Weekday{6}, Start: "22:00", End: "24:00"},
	}}
	day := &implementationv1.Calendar{TimeZone: "Europe/Berlin", Exceptions: []*implementationv1.CalendarException{{StartDate: "2027-03-26", EndDate: "2027-03-29"}}}
	for _, tt := range []struct {
		calendar           *implementationv1.Calendar
		begin, work, ended string
	}{
		{day, "2027-03-25T08:00:00Z", "16h", "2027-03-30T15:00:00Z"},   // Thursday in winter time, Easter, Tuesday in summer time
		{night, "2027-03-27T21:00:00Z", "8h", "2027-04-03T21:00:00Z"},  // of the 8 hours of the night one does not exist: it is made up a week later
		{night, "2027-03-20T21:00:00Z", "8h", "2027-03-21T05:00:00Z"},  // a week before it is there
		{night, "2026-10-24T20:00:00Z", "9h", "2026-10-25T05:00:00Z"},  // and in autumn it comes twice
		{nil, "2027-03-26T09:00:00Z", "16h", "2027-03-29T17:00:00Z"},   // in UTC nothing happens
		{night, "2026-10-24T20:00:00Z", "10h", "2026-10-31T22:00:00Z"}, // from 22:00 in winter time
	} {
		begin, err := time.Parse(time.RFC3339, tt.begin)
		require.NoError(t, err)
		work, err := time.ParseDuration(tt.work)
		require.NoError(t, err)
		p, err := plan.New(plan.Input{
			Implementation: &implementationv1.Implementation{Name: root, StartTime: timestamppb.New(begin), Calendar: tt.calendar},
			Tasks:          []*implementationv1.Task{{Name: taskName("a"), Estimate: &implementationv1.Estimate{LikelyMinutes: int32(work.Minutes())}}},
		})
		require.NoError(t, err)
		require.Equal(t, tt.ended, p.Schedule().GetEndTime().AsTime().Format(time.RFC3339), fmt.Sprint(tt.begin, tt.work))
	}
}
