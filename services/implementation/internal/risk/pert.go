package risk

import (
	"math"
	"slices"

	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// pert is the table of classical PERT.
type pert struct {
	expected, variance float64 // of the critical path: its length since the start of the plan
	rows               []pertRow
}

type pertRow struct {
	expected, variance, float float64
	critical                  bool // on the path that was summed along
}

// pert computes the network with te = (o+4m+p)/6 for every duration and adds the
// variances ((p−o)/6)² along a critical path; of several, along the one with the
// greatest variance, which is the careful choice (Moder, Phillips, Davis 1983). Times are working minutes of the
// plan's calendar: the formula of 1959 knows no others.
func (g *game) pert() pert {
	n := g.net
	p := pert{rows: make([]pertRow, len(n.Tasks))}
	early, late := make([]float64, len(n.Tasks)), make([]float64, len(n.Tasks))
	for i, e := range g.left {
		p.rows[i].expected, p.rows[i].variance = e.Expected(), e.Variance()
	}
	last := -1
	along := make([]float64, len(n.Tasks)) // the variance of the path that a task ends
	from := make([]int, len(n.Tasks))
	for _, i := range n.Order {
		early[i], from[i] = g.pertRelease(i, p.rows), -1
		for _, l := range n.Tasks[i].Links {
			g.pertEarly(p.rows, i, l, early, along, from)
		}
		along[i] = p.rows[i].variance
		if from[i] >= 0 {
			along[i] += along[from[i]]
		}
		end := early[i] + p.rows[i].expected
		if last < 0 || end > p.expected+tiny || end > p.expected-tiny && along[i] > p.variance {
			last, p.expected, p.variance = i, end, along[i]
		}
	}
	for i := range late {
		late[i] = p.expected - p.rows[i].expected
	}
	for _, i := range slices.Backward(n.Order) {
		for _, l := range n.Tasks[i].Links {
			late[l.From] = min(late[l.From], pertBound(l, late[i], p.rows[i].expected, p.rows[l.From].expected, -1))
		}
		p.rows[i].float = late[i] - early[i]
		if math.Abs(p.rows[i].float) < tiny {
			p.rows[i].float = 0
		}
	}
	for i := last; i >= 0; i = from[i] {
		p.rows[i].critical = true
	}
	return p
}

// tiny is when two sums of sixths of minutes are the same.
const tiny = 1e-6

// pertRelease is when a row begins at the earliest. What is done takes what it took.
func (g *game) pertRelease(i int, rows []pertRow) float64 {
	t, c := &g.net.Tasks[i], g.net.Calendar
	if t.Done {
		rows[i].expected = float64(c.Count(t.Start, t.Finish))
		return float64(c.Count(g.net.Begin, t.Start))
	}
	return float64(c.Count(g.net.Begin, t.Release))
}

func (g *game) pertEarly(rows []pertRow, i int, l plan.Link, early, along []float64, from []int) {
	if g.net.Tasks[i].Done {
		return
	}
	bound := pertBound(l, early[l.From], rows[l.From].expected, rows[i].expected, 1)
	higher := from[i] >= 0 && along[l.From] > along[from[i]]
	if bound > early[i]+tiny || bound > early[i]-tiny && (from[i] < 0 || higher) {
		early[i], from[i] = max(early[i], bound), l.From
	}
}

// pertBound is where a link lets one of its ends begin, given where the other begins:
// the later one for way 1, the earlier one for way -1.
func pertBound(l plan.Link, begin, mine, other, way float64) float64 {
	bound := begin + way*float64(l.Lag)
	near, far := l.FromFinish(), l.ToFinish() // which ends the link joins, seen from the given task
	if way < 0 {
		near, far = far, near
	}
	if near {
		bound += mine
	}
	if far {
		bound -= other
	}
	return bound
}
