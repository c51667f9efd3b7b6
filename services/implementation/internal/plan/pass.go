package plan

import (
	"slices"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// dates are the answers of the two passes, by node.
type dates struct {
	resume     []calendar.Minute // when it begins at the earliest; for a task in work, when what is left goes on
	start, end []calendar.Minute // its early dates: start is when it began where it has
	lateStart  []calendar.Minute // when it, or what is left of it, must begin
	lateEnd    []calendar.Minute
	lateBound  []calendar.Minute // until when it may be said to end: lateEnd, or later where nobody works between
	finish     calendar.Minute   // of the plan
	float      []int64           // total
	free       []int64
}

// lastDate is the last moment that a date can name.
const lastDate = calendar.Minute(4_220_000_000)

// schedule makes both passes.
func (p *Plan) schedule() (*dates, error) {
	n := len(p.net.Tasks)
	slab := make([]calendar.Minute, 6*n)
	d := &dates{
		resume: slab[:n], start: slab[n : 2*n], end: slab[2*n : 3*n], lateStart: slab[3*n : 4*n], lateEnd: slab[4*n : 5*n], lateBound: slab[5*n:],
		finish: max(p.net.Begin, p.net.Status),
	}
	if n > 0 {
		d.finish = noStatus
	}
	for _, i := range p.net.Order {
		p.forward(d, i)
		if d.end[i] > lastDate {
			return nil, fault.Precondition("PLAN_TOO_LONG", "%s would end after the year 9990; shorten what comes before it", id(p.net.Tasks[i].Name))
		}
		d.finish = max(d.finish, d.end[i])
	}
	for _, i := range slices.Backward(p.net.Order) {
		p.backward(d, i)
	}
	floats := make([]int64, 2*n)
	d.float, d.free = floats[:n], floats[n:]
	for i := range n {
		d.float[i], d.free[i] = p.totalFloat(d, i), p.freeFloat(d, i)
	}
	return d, nil
}

// forward sets the early dates of a node, those of what it depends on being set.
func (p *Plan) forward(d *dates, i int) {
	t := &p.net.Tasks[i]
	if t.Done {
		d.resume[i], d.start[i], d.end[i] = t.Start, t.Start, t.Finish
		return
	}
	start, end := t.Release, noStatus
	for _, l := range t.Links {
		from := d.start[l.From]
		if l.FromFinish() {
			from = d.end[l.From]
		}
		if l.Lag != 0 {
			from = p.net.Calendar.Shift(from, l.Lag)
		}
		if l.ToFinish() {
			end = max(end, from)
		} else {
			start = max(start, from)
		}
	}
	if t.Left == 0 { // a moment: it is where it is bound to, worked or not
		start = max(start, end)
		d.resume[i], d.end[i] = start, start
	} else {
		d.resume[i], d.end[i] = fit(t.Calendar, start, end, t.Left)
	}
	d.start[i] = d.resume[i]
	if t.Started {
		d.start[i] = t.Start
	}
}

// fit is when work of some minutes begins and ends that begins and ends no earlier than bound.
func fit(c *calendar.Calendar, start, end calendar.Minute, minutes int64) (begin, finish calendar.Minute) {
	begin = c.Begin(start)
	finish = c.Shift(begin, minutes)
	if finish < end {
		begin = c.Shift(end, -minutes)
		finish = max(c.Shift(begin, minutes), end) // where nobody works at that end, it is there that nothing is left
	}
	return begin, finish
}

// backward sets the late dates of a node, those of what depends on it being set.
func (p *Plan) backward(d *dates, i int) {
	t := &p.net.Tasks[i]
	if t.Done {
		d.lateStart[i], d.lateEnd[i], d.lateBound[i] = t.Start, t.Finish, t.Finish
		return
	}
	start, end := never, min(d.finish, p.net.Target, t.Deadline)
	for _, a := range p.links[i] {
		to := &p.net.Tasks[a.To]
		l := to.Links[a.Link]
		if to.Done || t.Started && !l.FromFinish() {
			continue // it has happened
		}
		bound := d.lateStart[a.To]
		if l.ToFinish() {
			bound = d.lateBound[a.To]
		}
		bound = before(p.net.Calendar, bound, l.Lag)
		if l.FromFinish() {
			end = min(end, bound)
		} else {
			start = min(start, bound)
		}
	}
	if t.Left == 0 {
		d.lateEnd[i] = min(start, end)
		d.lateStart[i], d.lateBound[i] = d.lateEnd[i], d.lateEnd[i]
		return
	}
	d.lateEnd[i] = t.Calendar.End(end)
	d.lateStart[i] = t.Calendar.Shift(d.lateEnd[i], -t.Left)
	if start < d.lateStart[i] {
		d.lateEnd[i] = t.Calendar.Shift(start, t.Left)
		d.lateStart[i] = min(t.Calendar.Begin(start), start)
	}
	d.lateBound[i] = min(end, t.Calendar.Begin(d.lateEnd[i]))
	if d.lateEnd[i] < d.end[i] && t.Calendar.Count(d.end[i], d.lateEnd[i]) == 0 {
		d.lateEnd[i] = d.end[i]
	}
}

// before is the last moment from which a lag leads to a bound or before it.
func before(c *calendar.Calendar, bound calendar.Minute, lag int64) calendar.Minute {
	switch {
	case lag > 0:
		return c.Shift(bound, -lag)
	case lag < 0:
		if c.Begin(bound) > bound { // a lead ends where work begins, which is after the bound
			bound = c.Shift(bound, -1)
		}
		return c.Begin(c.Shift(bound, -lag))
	default:
		return bound
	}
}

// totalFloat is how much a node may be delayed without delaying the plan, its target or a deadline.
func (p *Plan) totalFloat(d *dates, i int) int64 {
	if t := &p.net.Tasks[i]; !t.Done {
		return t.Calendar.Count(d.end[i], d.lateEnd[i])
	}
	return 0
}

// freeFloat is how much a node may be delayed without delaying the early dates of what depends on it.
func (p *Plan) freeFloat(d *dates, i int) int64 {
	t := &p.net.Tasks[i]
	if t.Done {
		return 0
	}
	least := t.Calendar.Count(d.end[i], d.finish)
	for _, a := range p.links[i] {
		if slack, binds := p.slack(d, a.To, p.net.Tasks[a.To].Links[a.Link]); binds {
			least = min(least, slack)
		}
	}
	return max(0, least)
}

// slack is how much the predecessor of a link may be delayed before it delays the early dates of what depends
// on it. A link between what has happened binds no more.
func (p *Plan) slack(d *dates, to int, l Link) (minutes int64, binds bool) {
	from, t := &p.net.Tasks[l.From], &p.net.Tasks[to]
	if t.Done || from.Started && !l.FromFinish() {
		return 0, false
	}
	bound, at := d.resume[to], d.start[l.From]
	if l.ToFinish() {
		bound = d.end[to]
	}
	if l.FromFinish() {
		at = d.end[l.From]
	}
	bound = before(p.net.Calendar, bound, l.Lag)
	return from.Calendar.Count(at, bound), true
}
