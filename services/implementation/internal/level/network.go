package level

import (
	"fmt"
	"math"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// rulerSet makes one ruler of each calendar.
type rulerSet struct {
	days  *days
	known map[*calendar.Calendar]*ruler
}

func (s *rulerSet) of(c *calendar.Calendar) *ruler {
	r := s.known[c]
	if r == nil {
		r = &ruler{calendar: c, days: s.days}
		r.upTo(1)
		s.known[c] = r
	}
	return r
}

// zone is where the days of a plan begin.
func zone(in plan.Input) (*time.Location, error) {
	loc, err := time.LoadLocation(in.Implementation.GetCalendar().GetTimeZone())
	if err != nil {
		return nil, fmt.Errorf("zone of %s: %w", in.Implementation.GetName(), err)
	}
	return loc, nil
}

// daysFrom is the grid of days from a moment on. The first is what is left of
// its day, and so is the capacity of it: hours that have passed are nobody's.
func daysFrom(m calendar.Minute, loc *time.Location) *days {
	first := m.Time().In(loc)
	return &days{next: func(day int) calendar.Minute {
		if day == 0 {
			return m
		}
		return calendar.MinuteOf(time.Date(first.Year(), first.Month(), first.Day()+day, 0, 0, 0, 0, loc))
	}}
}

// problemOf makes an activity of every node that is not done. Links to what is done, or has begun, become releases.
func problemOf(in plan.Input, net *plan.Network) (*problem, []*plan.Node, error) {
	loc, err := zone(in)
	if err != nil {
		return nil, nil, err
	}
	first := max(net.Begin, net.Status)
	for i := range net.Tasks {
		if t := &net.Tasks[i]; !t.Done {
			first = min(first, t.Release)
		}
	}
	set := &rulerSet{days: daysFrom(first, loc), known: map[*calendar.Calendar]*ruler{}}
	p := &problem{plan: set.of(net.Calendar)}
	who, err := p.capacities(in, net, set)
	if err != nil {
		return nil, nil, err
	}
	index, nodes := make([]int, len(net.Tasks)), make([]*plan.Node, 0, len(net.Tasks))
	for i := range net.Tasks {
		index[i] = -1
		if t := &net.Tasks[i]; !t.Done {
			index[i] = len(nodes)
			nodes = append(nodes, t)
		}
	}
	p.activities = make([]activity, len(nodes))
	for i, t := range nodes {
		a := &p.activities[i]
		*a = activity{ruler: set.of(t.Calendar), duration: t.Left, begun: t.Started, weight: priority(t.Task), needs: needs(t.Task, who)}
		a.release = a.ruler.of(t.Release)
		for _, l := range t.Links {
			if other := index[l.From]; other >= 0 && (l.FromFinish() || !net.Tasks[l.From].Started) {
				a.links = append(a.links, link{other: other, kind: l.Type, lag: l.Lag})
				continue
			}
			a.release = max(a.release, happened(net, a, l))
		}
	}
	p.prepare()
	return p, nodes, nil
}

// happened is what a link says of the start of an activity whose other end is a fact.
func happened(net *plan.Network, a *activity, l plan.Link) int64 {
	at := net.Tasks[l.From].Start
	if l.FromFinish() {
		at = net.Tasks[l.From].Finish
	}
	bound := a.ruler.of(net.Calendar.Shift(at, l.Lag))
	if l.ToFinish() {
		bound -= a.duration
	}
	return bound
}

// capacities are the resources that are assigned, and their indexes by name.
func (p *problem) capacities(in plan.Input, net *plan.Network, set *rulerSet) (map[string]int, error) {
	who := make(map[string]int, len(in.Resources))
	for _, r := range in.Resources {
		c, err := plan.Works(net.Calendar, r)
		if err != nil {
			return nil, err
		}
		who[r.GetName()] = len(p.resources)
		p.resources = append(p.resources, capacity{ruler: set.of(c), milli: thousandths(r.GetCapacity())})
	}
	return who, nil
}

func needs(t *implementationv1.Task, who map[string]int) []need {
	out := make([]need, 0, len(t.GetAssignments()))
	for _, a := range t.GetAssignments() {
		out = append(out, need{resource: who[a.GetResource()], milli: thousandths(a.GetUnits())})
	}
	return out
}

// thousandths is a share or a number of people as levelling counts it; 1 where it is not set.
func thousandths(units float64) int64 {
	if units == 0 {
		units = 1
	}
	return max(1, int64(math.Round(units*1000)))
}

func priority(t *implementationv1.Task) int64 {
	if t.GetPriority() == 0 {
		return 500
	}
	return int64(t.GetPriority())
}
