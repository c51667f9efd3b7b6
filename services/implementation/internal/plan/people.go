package plan

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// people knows when those who are assigned work.
type people struct {
	plan      *calendar.Calendar
	resources map[string]*implementationv1.Resource
	single    map[string]*calendar.Calendar
	together  map[string]*calendar.Calendar // by the names of all
	alike     map[string]*calendar.Calendar // by the message: many people keep the same hours
}

func newPeople(cal *calendar.Calendar, resources []*implementationv1.Resource) people {
	p := people{
		plan: cal, resources: make(map[string]*implementationv1.Resource, len(resources)),
		single: map[string]*calendar.Calendar{}, together: map[string]*calendar.Calendar{}, alike: map[string]*calendar.Calendar{},
	}
	for _, r := range resources {
		p.resources[r.GetName()] = r
	}
	return p
}

// calendar is when everybody who is assigned to a task works.
func (p people) calendar(t *implementationv1.Task) (*calendar.Calendar, error) {
	assigned := t.GetAssignments()
	switch len(assigned) {
	case 0:
		return p.plan, nil
	case 1:
		return p.of(t, assigned[0].GetResource())
	}
	names := make([]string, len(assigned))
	for i, a := range assigned {
		names[i] = a.GetResource()
	}
	slices.Sort(names)
	key := fmt.Sprint(names)
	if c, ok := p.together[key]; ok {
		return c, nil
	}
	all := make([]*calendar.Calendar, len(names))
	for i, name := range names {
		var err error
		if all[i], err = p.of(t, name); err != nil {
			return nil, err
		}
	}
	c, err := calendar.Intersect(all...)
	if err != nil {
		return nil, impossible(t, err)
	}
	p.together[key] = c
	return c, nil
}

// of is [Works] of a resource that is assigned to a task.
func (p people) of(t *implementationv1.Task, name string) (*calendar.Calendar, error) {
	if c, ok := p.single[name]; ok {
		return c, nil
	}
	r, ok := p.resources[name]
	if !ok {
		return nil, fault.Precondition("RESOURCE_UNKNOWN", "%s is assigned to %q, which is no resource; take the assignment away", id(t.GetName()), id(name))
	}
	c := p.plan
	if r.GetCalendar() != nil {
		var err error
		if c, err = p.hours(r.GetCalendar()); err != nil {
			return nil, impossible(t, err)
		}
	}
	c, err := present(c, r)
	if err != nil {
		return nil, impossible(t, err)
	}
	p.single[name] = c
	return c, nil
}

// Works is when a resource works: in hours of its own or else in those given, less its absences.
func Works(hours *calendar.Calendar, r *implementationv1.Resource) (*calendar.Calendar, error) {
	if r.GetCalendar() != nil {
		var err error
		if hours, err = calendar.New(r.GetCalendar()); err != nil {
			return nil, err
		}
	}
	return present(hours, r)
}

// present takes the absences of a resource out of its hours. A role has none: its members stand in for each other.
func present(hours *calendar.Calendar, r *implementationv1.Resource) (*calendar.Calendar, error) {
	if r.GetKind() == implementationv1.Resource_ROLE || len(r.GetAbsences()) == 0 {
		return hours, nil
	}
	spans := make([]calendar.Span, len(r.GetAbsences()))
	for i, a := range r.GetAbsences() {
		spans[i] = calendar.Span{Start: a.GetStartTime().AsTime(), End: a.GetEndTime().AsTime()}
	}
	return hours.Without(spans...)
}

// hours is the calendar of a message.
func (p people) hours(m *implementationv1.Calendar) (*calendar.Calendar, error) {
	key, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode a calendar: %w", err)
	}
	if c, ok := p.alike[string(key)]; ok {
		return c, nil
	}
	c, err := calendar.New(m)
	if err == nil {
		p.alike[string(key)] = c
	}
	return c, err
}

// impossible says which task has the calendar.
func impossible(t *implementationv1.Task, err error) error {
	return fault.Precondition(fault.ReasonOf(err), "%s cannot be worked on by those who are assigned to it: %s; correct their calendars and absences, or who is assigned", id(t.GetName()), fault.Tell(err).What).Cause(err)
}
