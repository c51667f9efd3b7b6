package plan_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/cputime"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// many is a plan of n tasks, each linked to up to three of the hundred before it, of several people.
func many(n int) plan.Input {
	r := rand.New(rand.NewPCG(1, 2))
	in := plan.Input{Implementation: &implementationv1.Implementation{Name: root}}
	for i := range 20 {
		in.Resources = append(in.Resources, &implementationv1.Resource{
			Name: fmt.Sprintf("workspaces/default/resources/r%d", i), Kind: implementationv1.Resource_PERSON,
			Calendar: &implementationv1.Calendar{TimeZone: "Europe/Berlin"},
		})
	}
	for i := range n {
		t := &implementationv1.Task{
			Name: taskName(fmt.Sprintf("t%05d", i)), Stage: root + "/stages/s", Estimate: &implementationv1.Estimate{LikelyMinutes: 60 * (1 + r.Int32N(40))},
		}
		if i%2 == 0 {
			t.Assignments = []*implementationv1.Assignment{{Resource: in.Resources[r.IntN(20)].GetName()}}
		}
		for k := range min(i, 1+r.IntN(3)) {
			from := i - 1 - r.IntN(min(i, 100))
			if k == 0 || from != i-1 {
				t.Dependencies = append(t.Dependencies, &implementationv1.Dependency{Predecessor: taskName(fmt.Sprintf("t%05d", from))})
			}
		}
		in.Tasks = append(in.Tasks, t)
	}
	return in
}

// BenchmarkSchedule10000 computes the schedule of 10 000 tasks on calendars, from its input to its message; the network
// alone; and as a control what one would write first: the longest path alone, on maps, in plain minutes without
// calendars, floats or messages.
func BenchmarkSchedule10000(b *testing.B) {
	in := many(10_000)
	b.Run("dates and floats", func(b *testing.B) {
		defer cputime.Measure(b)()
		for b.Loop() {
			_, err := plan.New(in)
			require.NoError(b, err)
		}
	})
	b.Run("whole schedule", func(b *testing.B) {
		defer cputime.Measure(b)()
		for b.Loop() {
			p, err := plan.New(in)
			require.NoError(b, err)
			p.Schedule()
		}
	})
	b.Run("control, longest path on maps", func(b *testing.B) {
		defer cputime.Measure(b)()
		for b.Loop() {
			naive(in.Tasks)
		}
	})
}

// naive is the longest path by depth first search over maps.
func naive(tasks []*implementationv1.Task) int64 {
	byName, next := map[string]*implementationv1.Task{}, map[string][]string{}
	for _, t := range tasks {
		byName[t.GetName()] = t
		for _, d := range t.GetDependencies() {
			next[d.GetPredecessor()] = append(next[d.GetPredecessor()], t.GetName())
		}
	}
	start, end := map[string]int64{}, map[string]int64{}
	var early func(name string) int64
	early = func(name string) int64 {
		if e, ok := end[name]; ok {
			return e
		}
		for _, d := range byName[name].GetDependencies() {
			start[name] = max(start[name], early(d.GetPredecessor()))
		}
		end[name] = start[name] + int64(byName[name].GetEstimate().GetLikelyMinutes())
		return end[name]
	}
	finish := int64(0)
	for name := range byName {
		finish = max(finish, early(name))
	}
	late := map[string]int64{}
	var latest func(name string) int64
	latest = func(name string) int64 {
		if l, ok := late[name]; ok {
			return l
		}
		l := finish
		for _, after := range next[name] {
			l = min(l, latest(after)-int64(byName[after].GetEstimate().GetLikelyMinutes()))
		}
		late[name] = l
		return l
	}
	float := int64(0)
	for name := range byName {
		float += latest(name) - end[name]
	}
	return finish + float
}
