package level

import (
	"math"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// schedule is when each activity begins, in minutes of its ruler.
type schedule []int64

// serial places the activities one after the other, each as early as its links and
// what is left of its resources allow (the serial schedule generation scheme of Kelley, 1963).
// What has begun is placed before: it goes on when its links let it, whoever else wants the same people.
func (p *problem) serial(order []int, starts schedule) {
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
		starts[i] = p.earliest(i, starts)
		if !a.begun {
			starts[i] = p.fit(i, starts[i])
		}
		p.take(i, starts[i])
	}
}

// earliest is when an activity may begin by its links alone.
func (p *problem) earliest(i int, starts schedule) int64 {
	a := &p.activities[i]
	start := a.release
	for _, l := range a.links {
		start = max(start, p.bound(a, l, starts[l.other]))
	}
	return start
}

// bound is what one link to a predecessor says about the start of a.
func (p *problem) bound(a *activity, l link, start int64) int64 {
	from := &p.activities[l.other]
	ended := l.kind != implementationv1.Dependency_START_TO_START && l.kind != implementationv1.Dependency_START_TO_FINISH
	if ended {
		start += from.duration
	}
	at := p.convert(from.ruler, a.ruler, start, l.lag, ended && from.duration > 0)
	if l.kind == implementationv1.Dependency_FINISH_TO_FINISH || l.kind == implementationv1.Dependency_START_TO_FINISH {
		at -= a.duration
	}
	return at
}

// convert takes a minute of one ruler to another, a lag later on the ruler of the plan.
func (p *problem) convert(from, to *ruler, n, lag int64, ended bool) int64 {
	if from == to && (lag == 0 || to == p.plan) {
		return n + lag
	}
	m := from.moment(n)
	if ended {
		m = from.ended(n)
	}
	return to.of(p.plan.calendar.Shift(m, lag))
}

// fit is the first start from s on at which every day of the activity has room for it.
// A day that is too full is left at once for the latest share of it that has room: any start
// between would take more of that day, so nothing is passed over.
func (p *problem) fit(i int, s int64) int64 {
	a := &p.activities[i]
	if a.duration == 0 {
		return s
	}
	first := 0
	for {
		first = a.ruler.day(s, first)
		day, room := p.full(a, s, first)
		if day < 0 {
			return s
		}
		s = a.ruler.before[day+1] - room
	}
}

// full is the first day that has too little room for an activity that begins at s,
// and how many minutes of it there are room for; -1 where there is none.
func (p *problem) full(a *activity, s int64, first int) (day int, room int64) {
	last := a.ruler.day(s+a.duration-1, first)
	for day := first; day <= last; day++ {
		if room, lacking := p.lacks(a, s, day); lacking {
			return day, room
		}
	}
	return -1, 0
}

// lacks says whether a day has too little room for its part of an activity that begins at s, and how much there is.
func (p *problem) lacks(a *activity, s int64, day int) (room int64, lacking bool) {
	minutes := min(s+a.duration, a.ruler.before[day+1]) - max(s, a.ruler.before[day])
	if minutes == 0 {
		return 0, false
	}
	room = math.MaxInt64
	for _, n := range a.needs {
		room = min(room, p.room(n, day))
	}
	return room, minutes > room
}

// room is for how many minutes of a day there is so much of a resource. A day that
// nobody uses has room whatever there is: who needs more of something than exists
// gets it alone, and the day is reported as over-allocated.
func (p *problem) room(n need, day int) int64 {
	used := p.usage(n.resource, day)[day]
	if used == 0 {
		return math.MaxInt64
	}
	return max(0, p.resources[n.resource].on(day)-used) / n.milli
}

// take notes what an activity that begins at s uses.
func (p *problem) take(i int, s int64) {
	a := &p.activities[i]
	if a.duration == 0 || len(a.needs) == 0 {
		return
	}
	first := a.ruler.day(s, 0)
	last := a.ruler.day(s+a.duration-1, first)
	for day := first; day <= last; day++ {
		minutes := min(s+a.duration, a.ruler.before[day+1]) - max(s, a.ruler.before[day])
		for _, n := range a.needs {
			p.usage(n.resource, day)[day] += minutes * n.milli
		}
	}
}
