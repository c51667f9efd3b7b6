package detect

import (
	"cmp"
	"math"
	"slices"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// workday is a day of float: 480 minutes, as everywhere in a plan.
const workday = 480

// usual is the priority of what says none.
const usual = 500

// Plan is a plan with its schedule, as the rules about work look at it.
type Plan struct {
	in        plan.Input
	schedule  map[string]*implementationv1.TaskSchedule
	resources map[string]*implementationv1.Resource
	network   *plan.Network
	risks     map[string]*implementationv1.Forecast_Sensitivity // of the last forecast; empty without one
	calendars map[string]*calendar.Calendar
}

// NewPlan computes the schedule. The forecast is the last one, nil without one. It answers the faults of [plan.New].
func NewPlan(in plan.Input, forecast *implementationv1.Forecast) (*Plan, error) {
	computed, err := plan.New(in)
	if err != nil {
		return nil, err
	}
	p := &Plan{
		in: in, network: computed.Network(), schedule: map[string]*implementationv1.TaskSchedule{}, resources: map[string]*implementationv1.Resource{},
		risks: map[string]*implementationv1.Forecast_Sensitivity{}, calendars: map[string]*calendar.Calendar{},
	}
	for _, t := range computed.Schedule().GetTasks() {
		p.schedule[t.GetName()] = t
	}
	for _, r := range in.Resources {
		p.resources[r.GetName()] = r
		if p.calendars[r.GetName()], err = works(r, p.network.Calendar); err != nil {
			return nil, err
		}
	}
	for _, s := range forecast.GetSensitivities() {
		p.risks[s.GetTask()] = s
	}
	return p, nil
}

// works is when one resource works. A role has no absences: its members stand in for each other.
func works(r *implementationv1.Resource, fallback *calendar.Calendar) (*calendar.Calendar, error) {
	c := fallback
	if r.GetCalendar() != nil {
		var err error
		if c, err = calendar.New(r.GetCalendar()); err != nil {
			return nil, err
		}
	}
	if r.GetKind() == implementationv1.Resource_ROLE || len(r.GetAbsences()) == 0 {
		return c, nil
	}
	spans := make([]calendar.Span, len(r.GetAbsences()))
	for i, a := range r.GetAbsences() {
		spans[i] = calendar.Span{Start: a.GetStartTime().AsTime(), End: a.GetEndTime().AsTime()}
	}
	return c.Without(spans...)
}

// open are the tasks that are not over, in the order of their names.
func (p *Plan) open(yield func(*implementationv1.Task, *implementationv1.TaskSchedule) bool) {
	for _, t := range p.in.Tasks {
		s := p.schedule[t.GetName()]
		if s == nil || t.GetState() == implementationv1.Task_DONE || t.GetState() == implementationv1.Task_CANCELLED {
			continue
		}
		if !yield(t, s) {
			return
		}
	}
}

// Tasks are the facts of L2.
func (p *Plan) Tasks() (all []Task) {
	for t, s := range p.open {
		if t.GetState() != implementationv1.Task_TODO || t.GetMilestone() {
			continue
		}
		task := Task{
			Name: t.GetName(), FloatDays: float64(s.GetTotalFloatMinutes()) / workday, Named: len(t.GetAssignments()) > 0 || t.GetOwner() != "",
		}
		if s.GetEarlyStartTime() != nil {
			task.Start = s.GetEarlyStartTime().AsTime()
		}
		if risk, ok := p.risks[t.GetName()]; ok {
			task.Criticality = new(risk.GetCriticality())
		}
		all = append(all, task)
	}
	return all
}

// Remaining are the facts of L7. Without a forecast the finish depends on the critical tasks, and on no other.
func (p *Plan) Remaining() (all []Work) {
	for t, s := range p.open {
		weight := p.risks[t.GetName()].GetSensitivity()
		if len(p.risks) == 0 && s.GetCritical() {
			weight = 1
		}
		minutes := s.GetRemainingMinutes()
		if weight <= 0 || minutes <= 0 {
			continue
		}
		persons := 0
		for _, a := range t.GetAssignments() {
			if p.resources[a.GetResource()].GetKind() == implementationv1.Resource_PERSON {
				persons++
				all = append(all, Work{Task: t.GetName(), Person: a.GetResource(), Minutes: int64(float64(minutes) * units(a)), Sensitivity: weight})
			}
		}
		if persons == 0 {
			all = append(all, Work{Task: t.GetName(), Minutes: minutes, Sensitivity: weight})
		}
	}
	return all
}

func units(a *implementationv1.Assignment) float64 {
	if a.GetUnits() == 0 {
		return 1
	}
	return a.GetUnits()
}

// Loads are what is allocated of each resource on the days from a moment to another, in the order of their names;
// days on which nothing is are left out.
func (p *Plan) Loads(from, to time.Time) (all []Load) {
	from = from.UTC().Truncate(24 * time.Hour)
	allocated := map[string]map[time.Time]float64{}
	for t, s := range p.open {
		start, end := s.GetEarlyStartTime().AsTime(), s.GetEarlyEndTime().AsTime()
		if t.GetState() == implementationv1.Task_IN_PROGRESS && s.GetResumeTime() != nil {
			start = s.GetResumeTime().AsTime()
		}
		if len(t.GetAssignments()) == 0 || !start.Before(to) || !end.After(from) {
			continue
		}
		worked := p.minutes(t, later(start, from), earlier(end, to))
		for _, a := range t.GetAssignments() {
			if allocated[a.GetResource()] == nil {
				allocated[a.GetResource()] = map[time.Time]float64{}
			}
			for d, minutes := range worked {
				allocated[a.GetResource()][d] += float64(minutes) * units(a)
			}
		}
	}
	for name, byDay := range allocated {
		l := Load{Resource: name}
		for d, minutes := range byDay {
			l.Days = append(l.Days, DayLoad{Day: d, Allocated: int64(math.Round(minutes)), Capacity: p.capacity(name, d)})
		}
		slices.SortFunc(l.Days, func(a, b DayLoad) int { return a.Day.Compare(b.Day) })
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Load) int { return cmp.Compare(a.Resource, b.Resource) })
	return all
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// minutes are those that are worked on a task, by day: while everybody assigned works.
func (p *Plan) minutes(t *implementationv1.Task, from, to time.Time) map[time.Time]int64 {
	all := make([]*calendar.Calendar, len(t.GetAssignments()))
	for i, a := range t.GetAssignments() {
		all[i] = p.calendars[a.GetResource()]
	}
	worked := map[time.Time]int64{}
	c, err := calendar.Intersect(all...)
	if err != nil {
		return worked // [plan.New] has refused it
	}
	for d := from.UTC().Truncate(24 * time.Hour); d.Before(to); d = d.AddDate(0, 0, 1) {
		if minutes := c.Between(later(d, from), earlier(d.AddDate(0, 0, 1), to)); minutes > 0 {
			worked[d] = minutes
		}
	}
	return worked
}

// capacity is how many minutes of a resource there are on a day.
func (p *Plan) capacity(name string, d time.Time) int64 {
	heads := p.resources[name].GetCapacity()
	if heads == 0 {
		heads = 1
	}
	return int64(math.Round(float64(p.calendars[name].Between(d, d.AddDate(0, 0, 1))) * heads))
}

// Stalled are the facts of P4 less what was finished elsewhere: who works on it, and since when it does not move. A task that has
// not begun counts from when all that it waits for was done.
func (p *Plan) Stalled(now time.Time) (all []Stalled) {
	ready := p.ready()
	for t, s := range p.open {
		if !s.GetCritical() && !s.GetNearCritical() {
			continue
		}
		since, ok := ready[t.GetName()]
		if t.GetState() == implementationv1.Task_IN_PROGRESS {
			since, ok = later(t.GetActualStartTime().AsTime(), t.GetProgressTime().AsTime()), true
		}
		if !ok || since.After(now) {
			continue
		}
		v := Stalled{
			Task: t.GetName(), FloatDays: float64(s.GetTotalFloatMinutes()) / workday, IdleDays: days(now.Sub(since)), Since: since,
			Priority: orUsual(t.GetPriority()), Plan: orUsual(p.in.Implementation.GetPriority()),
		}
		for _, a := range t.GetAssignments() {
			if p.resources[a.GetResource()].GetKind() == implementationv1.Resource_PERSON {
				one := v
				one.Person = a.GetResource()
				all = append(all, one)
			}
		}
	}
	return all
}

// ready is since when a task that has not begun could, by name; tasks that wait for something are not in it.
func (p *Plan) ready() map[string]time.Time {
	all := map[string]time.Time{}
	for _, n := range p.network.Tasks {
		if n.Task == nil || n.Started || n.Done {
			continue
		}
		since, free := later(p.network.Begin.Time(), n.Task.GetEarliestStartTime().AsTime()), true
		for _, l := range n.Links {
			before := p.network.Tasks[l.From]
			if free = before.Done; !free {
				break
			}
			since = later(since, before.Finish.Time())
		}
		if free {
			all[n.Name] = since
		}
	}
	return all
}

func orUsual(priority int32) int32 {
	if priority == 0 {
		return usual
	}
	return priority
}

// Lower says that work of another plan comes after a stalled task: its plan does, or where both plans are the same, the task.
func (s Stalled) Lower(otherPlan, otherTask int32) bool {
	if otherPlan = orUsual(otherPlan); otherPlan != s.Plan {
		return otherPlan < s.Plan
	}
	return orUsual(otherTask) < s.Priority
}

// Weeks are loads by week.
func Weeks(loads []Load) map[string]map[Week]int64 {
	all := map[string]map[Week]int64{}
	for _, l := range loads {
		all[l.Resource] = map[Week]int64{}
		for _, d := range l.Days {
			all[l.Resource][WeekOf(d.Day)] += d.Allocated
		}
	}
	return all
}

// Capacity is how many minutes of a resource there are in a week.
func (p *Plan) Capacity(resource string, w Week) (minutes int64) {
	if p.calendars[resource] == nil {
		return 0
	}
	for d := w.Start(); d.Before(w.End()); d = d.AddDate(0, 0, 1) {
		minutes += p.capacity(resource, d)
	}
	return minutes
}

// Persons are the resources of the plan that are human beings.
func (p *Plan) Persons() (names []string) {
	for name, r := range p.resources {
		if r.GetKind() == implementationv1.Resource_PERSON {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
