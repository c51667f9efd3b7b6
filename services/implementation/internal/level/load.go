package level

import (
	"cmp"
	"slices"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// Overallocations are the days on which a resource has more to do than it can, by the
// schedule of the plan and from in.Now on. By day, then by resource.
func Overallocations(in plan.Input) ([]*implementationv1.Proposal_Overallocation, error) {
	p, err := plan.New(in)
	if err != nil {
		return nil, err
	}
	return overallocations(in, p.Network(), p.Schedule())
}

// load is the work of one resource by day.
type load struct {
	capacity capacity
	days     map[int]*implementationv1.Proposal_Overallocation
	milli    map[int]int64 // thousandths of minutes
}

func overallocations(in plan.Input, net *plan.Network, s *implementationv1.Schedule) ([]*implementationv1.Proposal_Overallocation, error) {
	loc, err := zone(in)
	if err != nil {
		return nil, err
	}
	set := &rulerSet{days: daysFrom(max(net.Begin, net.Status), loc), known: map[*calendar.Calendar]*ruler{}}
	loads := make(map[string]*load, len(in.Resources))
	for _, r := range in.Resources {
		c, err := plan.Works(net.Calendar, r)
		if err != nil {
			return nil, err
		}
		loads[r.GetName()] = &load{
			capacity: capacity{ruler: set.of(c), milli: thousandths(r.GetCapacity())},
			days:     map[int]*implementationv1.Proposal_Overallocation{}, milli: map[int]int64{},
		}
	}
	nodes := make(map[string]*plan.Node, len(net.Tasks))
	for i := range net.Tasks {
		nodes[net.Tasks[i].Name] = &net.Tasks[i]
	}
	for _, t := range s.GetTasks() {
		if n := nodes[t.GetName()]; n != nil && !n.Done && n.Left > 0 && len(n.Task.GetAssignments()) > 0 {
			add(loads, n, set.of(n.Calendar), t)
		}
	}
	return exceeded(loads, loc), nil
}

// add puts the work that is left of a task on its days.
func add(loads map[string]*load, n *plan.Node, r *ruler, t *implementationv1.TaskSchedule) {
	from := r.of(calendar.MinuteOf(cmp.Or(t.GetResumeTime(), t.GetEarlyStartTime()).AsTime()))
	until := from + n.Left
	first := r.day(max(0, from), 0)
	for day, last := first, r.day(max(0, until-1), first); day <= last; day++ {
		minutes := min(until, r.before[day+1]) - max(from, r.before[day])
		if minutes <= 0 {
			continue
		}
		for _, a := range n.Task.GetAssignments() {
			l := loads[a.GetResource()]
			if l.days[day] == nil {
				l.days[day] = &implementationv1.Proposal_Overallocation{Resource: a.GetResource()}
			}
			l.milli[day] += minutes * thousandths(a.GetUnits())
			l.days[day].Tasks = append(l.days[day].Tasks, n.Name)
		}
	}
}

func exceeded(loads map[string]*load, loc *time.Location) (all []*implementationv1.Proposal_Overallocation) {
	for _, l := range loads {
		for day, o := range l.days {
			limit := l.capacity.on(day)
			if l.milli[day] <= limit {
				continue
			}
			o.Date = l.capacity.ruler.days.start[day].Time().In(loc).Format(time.DateOnly)
			o.AllocatedMinutes, o.CapacityMinutes = (l.milli[day]+999)/1000, limit/1000
			slices.Sort(o.GetTasks())
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *implementationv1.Proposal_Overallocation) int {
		return cmp.Or(cmp.Compare(a.GetDate(), b.GetDate()), cmp.Compare(a.GetResource(), b.GetResource()))
	})
	return all
}
