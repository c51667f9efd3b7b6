package level

import (
	"container/heap"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// backward places the activities from the end, each as late as what follows and
// what is left of its resources allow. It answers an order of importance and not a plan:
// what would have to begin before it may is put at its release, resources or not.
func (p *problem) backward(order []int, finish calendar.Minute, resources bool, starts schedule) {
	p.clear()
	for i, a := range p.activities {
		if a.placed() {
			starts[i] = a.release
			p.take(i, starts[i])
		}
	}
	for _, i := range order {
		a := &p.activities[i]
		if a.placed() {
			continue
		}
		starts[i] = p.latest(i, finish, starts)
		if resources {
			starts[i] = p.fitBack(i, starts[i])
			p.take(i, starts[i])
		}
	}
}

// latest is when an activity may begin at the latest by its links alone.
func (p *problem) latest(i int, finish calendar.Minute, starts schedule) int64 {
	a := &p.activities[i]
	start := a.ruler.of(finish) - a.duration
	for _, l := range p.after[i] {
		next := &p.activities[l.other]
		n, ended := starts[l.other], false
		if l.kind == implementationv1.Dependency_FINISH_TO_FINISH || l.kind == implementationv1.Dependency_START_TO_FINISH {
			n, ended = n+next.duration, next.duration > 0
		}
		at := p.convert(next.ruler, a.ruler, n, -l.lag, ended)
		if l.kind != implementationv1.Dependency_START_TO_START && l.kind != implementationv1.Dependency_START_TO_FINISH {
			at -= a.duration
		}
		start = min(start, at)
	}
	return start
}

// fitBack is fit from the other side.
func (p *problem) fitBack(i int, s int64) int64 {
	a := &p.activities[i]
	if a.duration == 0 {
		return max(s, a.release)
	}
	for s > a.release {
		day, room := p.fullBack(a, s)
		if day < 0 {
			return s
		}
		s = a.ruler.before[day] + room - a.duration
	}
	return a.release
}

func (p *problem) fullBack(a *activity, s int64) (day int, room int64) {
	first := a.ruler.day(s, 0)
	for day := a.ruler.day(s+a.duration-1, first); day >= first; day-- {
		if room, lacking := p.lacks(a, s, day); lacking {
			return day, room
		}
	}
	return -1, 0
}

// queue gives the activity with the least key first, of equal ones the earlier.
type queue struct {
	keys []float64
	open []int
}

func (q *queue) Len() int { return len(q.open) }
func (q *queue) Less(i, j int) bool {
	a, b := q.open[i], q.open[j]
	if q.keys[a] != q.keys[b] { //nolint:nolintlint // exact on purpose: equal keys fall back to the order of the plan
		return q.keys[a] < q.keys[b]
	}
	return a < b
}
func (q *queue) Swap(i, j int) { q.open[i], q.open[j] = q.open[j], q.open[i] }
func (q *queue) Push(x any)    { q.open = append(q.open, x.(int)) } //nolint:errcheck // heap pushes what order gave it
func (q *queue) Pop() any {
	last := q.open[len(q.open)-1]
	q.open = q.open[:len(q.open)-1]
	return last
}

// order lists the activities by rising keys, predecessors first.
func (p *problem) order(keys []float64) []int {
	waits := make([]int, len(p.activities))
	for i, a := range p.activities {
		waits[i] = len(a.links)
	}
	return drain(keys, waits, func(i int) []link { return p.after[i] })
}

// orderBack lists the activities by rising keys, successors first.
func (p *problem) orderBack(keys []float64) []int {
	waits := make([]int, len(p.activities))
	for i := range p.activities {
		waits[i] = len(p.after[i])
	}
	return drain(keys, waits, func(i int) []link { return p.activities[i].links })
}

func drain(keys []float64, waits []int, opens func(int) []link) []int {
	q := &queue{keys: keys}
	for i, n := range waits {
		if n == 0 {
			q.open = append(q.open, i)
		}
	}
	heap.Init(q)
	order := make([]int, 0, len(waits))
	for q.Len() > 0 {
		i := heap.Pop(q).(int) //nolint:errcheck // it holds nothing else
		order = append(order, i)
		for _, l := range opens(i) {
			if waits[l.other]--; waits[l.other] == 0 {
				heap.Push(q, l.other)
			}
		}
	}
	return order
}
