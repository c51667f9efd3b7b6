package store

import (
	"maps"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
)

// The reasons of faults about what depends on itself.
const (
	ReasonTaskCycle  = "TASK_CYCLE"
	ReasonStageCycle = "STAGE_CYCLE"
)

// circle is a path along edges that comes back to where it begins, which is its
// first and last element; nil where there is none. It looks at what can be
// reached from the starts, in their order, and needs no stack of calls, so that a chain may be long.
func circle(edges map[string][]string, starts []string) []string {
	const open, closed = 1, 2
	state := make(map[string]int, len(edges))
	for _, start := range starts {
		if state[start] != 0 {
			continue
		}
		path, next := []string{start}, []int{0}
		state[start] = open
		for len(path) > 0 {
			top := len(path) - 1
			follow := edges[path[top]]
			if next[top] == len(follow) {
				state[path[top]] = closed
				path, next = path[:top], next[:top]
				continue
			}
			to := follow[next[top]]
			next[top]++
			switch state[to] {
			case open:
				return append(path[slices.Index(path, to):], to)
			case closed:
			default:
				state[to] = open
				path, next = append(path, to), append(next, 0)
			}
		}
	}
	return nil
}

// anyCircle is [circle] over everything.
func anyCircle(edges map[string][]string) []string {
	return circle(edges, slices.Sorted(maps.Keys(edges)))
}

// circleFault names a circle of what waits for what. The path follows the work: what comes first stands first.
func circleFault(reason, field string, path []string) error {
	steps := make([]string, len(path))
	for i, name := range path {
		steps[len(path)-1-i] = label(name, path)
	}
	text := shortened(steps)
	return fault.Invalid(reason, "%s would wait for itself: %s; remove one of these dependencies", steps[0], text).
		Field(field, "closes the circle "+text).Meta("path", text)
}

// label is the id of a step of a circle. A stage between tasks is named as one.
func label(name string, path []string) string {
	isStage := func(name string) bool { return strings.Contains(name, "/stages/") }
	if isStage(name) && slices.ContainsFunc(path, func(other string) bool { return !isStage(other) }) {
		return "stage " + personID(name)
	}
	return personID(name)
}

// shortened joins the steps of a circle; the middle of a long one is left out.
func shortened(steps []string) string {
	const most = 20
	if len(steps) > most {
		steps = slices.Concat(steps[:most-1], []string{"…"}, steps[len(steps)-1:])
	}
	return strings.Join(steps, " → ")
}
