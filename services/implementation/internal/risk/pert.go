package risk

import "math"

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
func (n *network) pert() pert {
	p := pert{rows: make([]pertRow, len(n.tasks))}
	early, late := make([]float64, len(n.tasks)), make([]float64, len(n.tasks))
	for i, t := range n.tasks {
		p.rows[i].expected, p.rows[i].variance = t.left.Expected(), t.left.Variance()
	}
	last := -1
	along := make([]float64, len(n.tasks)) // the variance of the path that a task ends
	from := make([]int, len(n.tasks))
	for _, i := range n.order {
		early[i], from[i] = float64(n.worked(n.tasks[i].notBefore)), -1
		for _, l := range n.tasks[i].links {
			n.pertEarly(p.rows, i, l, early, along, from)
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
	for at := len(n.order) - 1; at >= 0; at-- {
		i := n.order[at]
		for _, l := range n.tasks[i].links {
			late[l.from] = min(late[l.from], pertBound(l, late[i], p.rows[i].expected, p.rows[l.from].expected, -1))
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

func (n *network) pertEarly(rows []pertRow, i int, l link, early, along []float64, from []int) {
	t := &n.tasks[i]
	if t.fixed {
		return
	}
	bound := pertBound(l, early[l.from], rows[l.from].expected, rows[i].expected, 1)
	higher := from[i] >= 0 && along[l.from] > along[from[i]]
	if bound > early[i]+tiny || bound > early[i]-tiny && (from[i] < 0 || higher) {
		early[i], from[i] = max(early[i], bound), l.from
	}
}

// pertBound is where a link lets one of its ends begin, given where the other begins:
// the later one for way 1, the earlier one for way -1.
func pertBound(l link, begin, mine, other, way float64) float64 {
	bound := begin + way*float64(l.lag)
	near, far := l.ofEnd(), l.toEnd() // which ends the link joins, seen from the given task
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
