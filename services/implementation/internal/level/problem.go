package level

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// problem is what is to be put in order: activities that take minutes of their
// rulers, links between them, and resources with so much capacity a day. It is the
// resource-constrained project scheduling problem with days as its periods: where
// every ruler has one minute a day, it is the one of the literature.
type problem struct {
	plan       *ruler // lags and the price are counted on it
	activities []activity
	after      [][]link // by activity, the links to its successors; link.other is the successor
	resources  []capacity
	used       [][]int64
}

// activity is one task that is not done.
type activity struct {
	ruler    *ruler
	duration int64
	links    []link // to predecessors
	needs    []need
	release  int64 // not before this minute of its ruler
	begun    bool  // waits for its links, and for no resource
	weight   int64 // its priority: the higher is served first among equals
}

// placed says that nothing moves an activity: it has begun and waits for nothing.
func (a *activity) placed() bool { return a.begun && len(a.links) == 0 }

// link is a dependency seen from one of its ends.
type link struct {
	other int
	kind  implementationv1.Dependency_Type
	lag   int64
}

// need is how much of a resource an activity takes while it goes on, in thousandths of one.
type need struct {
	resource int
	milli    int64
}

// capacity is how much of a resource there is, in thousandths of one, on the minutes that it works.
type capacity struct {
	ruler *ruler
	milli int64
	each  []int64 // by day, in thousandths of minutes
}

// on is the capacity of a day.
func (c *capacity) on(day int) int64 {
	if len(c.each) <= day {
		c.ruler.upTo(day + 65)
		for i := len(c.each); i < day+64; i++ {
			c.each = append(c.each, c.milli*(c.ruler.before[i+1]-c.ruler.before[i]))
		}
	}
	return c.each[day]
}

// usage is what is taken of a resource by day, and grows with the days.
func (p *problem) usage(resource, day int) []int64 {
	u := p.used[resource]
	if len(u) <= day {
		u = append(u, make([]int64, day+64-len(u))...)
		p.used[resource] = u
	}
	return u
}

func (p *problem) clear() {
	for _, u := range p.used {
		clear(u)
	}
}

// prepare reverses the links, and makes room for what is used.
func (p *problem) prepare() {
	p.after = make([][]link, len(p.activities))
	for i, a := range p.activities {
		for _, l := range a.links {
			p.after[l.other] = append(p.after[l.other], link{other: i, kind: l.kind, lag: l.lag})
		}
	}
	p.used = make([][]int64, len(p.resources))
}
