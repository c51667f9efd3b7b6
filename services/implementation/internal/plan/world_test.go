package plan_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

const (
	root = "workspaces/default/implementations/crm"
	unit = 480 // minutes of a day of the default calendar
)

// begin is a Monday morning.
func begin() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) }

func taskName(id string) string { return root + "/tasks/" + id }

// link is `B`, `BSS+3`, `B FF-1.5`.
var link = regexp.MustCompile(`^(\w+?) ?(FS|SS|FF|SF)?([+-][0-9.]+)?$`)

// build reads a plan as textbooks write it: `A 6; B 2 < A; C 8 < A FS+2, B SS`. Durations and lags are
// days; three of them, `A 1/2/9`, are an estimate of three points.
func build(tb testing.TB, text string) plan.Input {
	tb.Helper()
	in := plan.Input{
		Implementation: &implementationv1.Implementation{Name: root, StartTime: timestamppb.New(begin())},
		Stages:         []*implementationv1.Stage{{Name: root + "/stages/s"}},
	}
	for one := range strings.SplitSeq(text, ";") {
		left, right, _ := strings.Cut(one, "<")
		words := strings.Fields(left)
		require.Len(tb, words, 2, one)
		task := &implementationv1.Task{Name: taskName(words[0]), Stage: root + "/stages/s", State: implementationv1.Task_TODO, Estimate: estimate(tb, words[1])}
		for word := range strings.SplitSeq(right, ",") {
			if word = strings.TrimSpace(word); word != "" {
				task.Dependencies = append(task.Dependencies, dependency(tb, word))
			}
		}
		in.Tasks = append(in.Tasks, task)
	}
	return in
}

func estimate(tb testing.TB, text string) *implementationv1.Estimate {
	tb.Helper()
	points := strings.Split(text, "/")
	if len(points) == 1 {
		return &implementationv1.Estimate{LikelyMinutes: days(tb, text)}
	}
	return &implementationv1.Estimate{
		OptimisticMinutes: new(days(tb, points[0])), LikelyMinutes: days(tb, points[1]), PessimisticMinutes: new(days(tb, points[2])),
	}
}

func dependency(tb testing.TB, text string) *implementationv1.Dependency {
	tb.Helper()
	parts := link.FindStringSubmatch(text)
	require.NotNil(tb, parts, text)
	d := &implementationv1.Dependency{Predecessor: taskName(parts[1]), Type: map[string]implementationv1.Dependency_Type{
		"": 0, "FS": 1, "SS": 2, "FF": 3, "SF": 4,
	}[parts[2]]}
	if parts[3] != "" {
		d.LagMinutes = days(tb, parts[3])
	}
	return d
}

func days(tb testing.TB, text string) int32 {
	tb.Helper()
	f, err := strconv.ParseFloat(text, 64)
	require.NoError(tb, err)
	return int32(f * unit)
}

func schedule(tb testing.TB, in plan.Input) *implementationv1.Schedule {
	tb.Helper()
	p, err := plan.New(in)
	require.NoError(tb, err)
	return p.Schedule()
}

// table is id, early start and end, total and free float of each task, in days of the plan; critical ones have a star.
func table(tb testing.TB, in plan.Input) string {
	tb.Helper()
	p, err := plan.New(in)
	require.NoError(tb, err)
	byName := map[string]*implementationv1.TaskSchedule{}
	for _, s := range p.Schedule().GetTasks() {
		byName[s.GetName()] = s
	}
	offset := func(at *timestamppb.Timestamp) float64 {
		return float64(p.Network().Calendar.Between(begin(), at.AsTime())) / unit
	}
	var lines []string
	for _, task := range in.Tasks {
		s := byName[task.GetName()]
		star := ""
		if s.GetCritical() {
			star = "*"
		}
		lines = append(lines, fmt.Sprintf("%s%s %g-%g %g/%g", task.GetName()[len(root)+len("/tasks/"):], star,
			offset(s.GetEarlyStartTime()), offset(s.GetEarlyEndTime()), float64(s.GetTotalFloatMinutes())/unit, float64(s.GetFreeFloatMinutes())/unit))
	}
	return strings.Join(lines, "; ")
}

func find(tb testing.TB, s *implementationv1.Schedule, id string) *implementationv1.TaskSchedule {
	tb.Helper()
	for _, one := range s.GetTasks() {
		if one.GetName() == taskName(id) {
			return one
		}
	}
	require.Fail(tb, "no task "+id)
	return nil
}

func names(ids ...string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = taskName(id)
	}
	return out
}
