package plan

import (
	"fmt"
	"strings"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// conditions says what is to be seen about tasks.
type conditions struct {
	plan           *Plan
	now            calendar.Minute
	planned        []span // when each should be worked on
	promised       []bool // that is what the baseline says
	unfinished     []bool // ends of stages of which something is not done
	ended          bool   // nothing is expected of a plan that has ended
	withoutPromise bool   // nobody has said when the plan begins
}

// span is when a node was to begin and end.
type span struct{ start, end calendar.Minute }

func (p *Plan) conditions() conditions {
	c := conditions{
		plan: p, now: p.net.Status, planned: p.planned(), promised: make([]bool, len(p.net.Tasks)), unfinished: make([]bool, len(p.net.Tasks)),
		ended:          p.ended(),
		withoutPromise: p.in.Baseline == nil && !p.in.Implementation.GetStartTime().IsValid(),
	}
	was := p.variances()
	for _, i := range p.net.Order {
		n := &p.net.Tasks[i]
		if b, ok := was.tasks[n.Name]; ok && b.GetStartTime().IsValid() && b.GetEndTime().IsValid() {
			c.planned[i], c.promised[i] = span{calendar.MinuteOf(b.GetStartTime().AsTime()), calendar.MinuteOf(b.GetEndTime().AsTime())}, true
		}
		for _, l := range n.Links {
			from := &p.net.Tasks[l.From]
			c.unfinished[i] = c.unfinished[i] || n.Task == nil && (c.unfinished[l.From] || from.Task != nil && !from.Done)
		}
	}
	return c
}

// ended says that nothing is expected of a plan: it is over, or there is no date to judge it by.
func (p *Plan) ended() bool {
	state := p.in.Implementation.GetState()
	return p.net.Status == noStatus || state == implementationv1.Implementation_CLOSED || state == implementationv1.Implementation_CANCELLED
}

// planned is when each node would be worked on if nothing had been done or missed.
func (p *Plan) planned() []span {
	out := make([]span, len(p.net.Tasks))
	fresh := *p
	net := *p.net
	net.Tasks = make([]Node, len(p.net.Tasks))
	fresh.net = &net
	copy(net.Tasks, p.net.Tasks)
	for i := range net.Tasks {
		n := &net.Tasks[i]
		n.Started, n.Done, n.Left, n.Release = false, false, n.Duration, net.Begin
		if early := n.Task.GetEarliestStartTime(); early.IsValid() {
			n.Release = max(n.Release, calendar.MinuteAfter(early.AsTime()))
		}
	}
	d := &dates{start: make([]calendar.Minute, len(out)), end: make([]calendar.Minute, len(out)), resume: make([]calendar.Minute, len(out))}
	for _, i := range net.Order {
		fresh.forward(d, i)
		out[i] = span{d.start[i], d.end[i]}
	}
	return out
}

// of are the conditions of a task that hold, or cannot be known.
func (c conditions) of(i int) []*implementationv1.PlanCondition {
	n := &c.plan.net.Tasks[i]
	if c.ended || n.Done && len(n.Links) == 0 {
		return nil
	}
	var out []*implementationv1.PlanCondition
	out = add(out, c.late(i, n))
	out = add(out, c.blocked(i, n))
	out = add(out, c.atRisk(i, n))
	return add(out, c.outOfSequence(n))
}

func add(list []*implementationv1.PlanCondition, one *implementationv1.PlanCondition) []*implementationv1.PlanCondition {
	if one == nil {
		return list
	}
	return append(list, one)
}

func (c conditions) late(i int, n *Node) *implementationv1.PlanCondition {
	should := c.planned[i]
	switch {
	case n.Done:
		return nil
	case n.Deadline < c.now:
		return holds(implementationv1.PlanCondition_LATE, "DEADLINE_PASSED", n.Deadline, "its deadline was %s", day(n.Deadline))
	case c.withoutPromise:
		return nil
	case n.Calendar.Count(should.end, c.now) > 0:
		return holds(implementationv1.PlanCondition_LATE, "NOT_FINISHED", should.end, "it should have been done on %s", day(should.end))
	case !n.Started && n.Duration > 0 && n.Calendar.Count(should.start, c.now) > 0:
		return holds(implementationv1.PlanCondition_LATE, "NOT_STARTED", should.start, "it should have begun on %s", day(should.start))
	default:
		return nil
	}
}

func (c conditions) blocked(i int, n *Node) *implementationv1.PlanCondition {
	should := c.planned[i].start
	if n.Done || !n.Started && (c.withoutPromise || should > c.now) {
		return nil
	}
	open, stage := c.open(n)
	if len(open) == 0 {
		return nil
	}
	since := should
	if n.Started {
		since = n.Start
	}
	reason := "PREDECESSOR_OPEN"
	if stage {
		reason = "STAGE_PENDING"
	}
	return holds(implementationv1.PlanCondition_BLOCKED, reason, since, "it waits for %s", some(open))
}

// open are what a node needs before it begins and that has not happened; stage says that it is the end of a stage.
func (c conditions) open(n *Node) (names []string, stage bool) {
	for _, l := range n.Links {
		from := &c.plan.net.Tasks[l.From]
		switch {
		case l.ToFinish(), from.Done, from.Started && !l.FromFinish():
		case from.Task == nil:
			if c.unfinished[l.From] {
				names, stage = append(names, "stage "+id(from.Name)), true
			}
		default:
			names = append(names, id(from.Name))
		}
	}
	return names, stage && len(names) == 1
}

func (c conditions) atRisk(i int, n *Node) *implementationv1.PlanCondition {
	end, late := c.plan.dates.end[i], c.plan.dates.lateEnd[i]
	switch {
	case n.Done:
		return nil
	case n.Deadline < end:
		return holds(implementationv1.PlanCondition_AT_RISK, "DEADLINE_MISSED", noStatus, "it will end on %s, after its deadline of %s", day(end), day(n.Deadline))
	case n.Calendar.Count(end, late) < 0:
		return holds(implementationv1.PlanCondition_AT_RISK, "TARGET_MISSED", noStatus,
			"it has to end on %s for the target or a deadline after it, and will on %s", day(late), day(end))
	case c.promised[i] && n.Calendar.Count(c.planned[i].end, end) > 0:
		return holds(implementationv1.PlanCondition_AT_RISK, "BASELINE_MISSED", noStatus, "it will end on %s, in the baseline on %s", day(end), day(c.planned[i].end))
	case n.Duration == 0 && !n.Task.GetMilestone():
		unknown := holds(implementationv1.PlanCondition_AT_RISK, "NO_ESTIMATE", noStatus, "it has no estimate")
		unknown.Status = implementationv1.PlanCondition_UNKNOWN
		return unknown
	default:
		return nil
	}
}

func (c conditions) outOfSequence(n *Node) *implementationv1.PlanCondition {
	if !n.Started {
		return nil
	}
	open, _ := c.open(n)
	if len(open) == 0 {
		return nil
	}
	return holds(implementationv1.PlanCondition_OUT_OF_SEQUENCE, "PREDECESSOR_OPEN", n.Start, "it began before what it depends on was done: %s", some(open))
}

// holds makes a condition that is TRUE.
func holds(kind implementationv1.PlanCondition_Type, reason string, since calendar.Minute, format string, args ...any) *implementationv1.PlanCondition {
	c := &implementationv1.PlanCondition{Type: kind, Status: implementationv1.PlanCondition_TRUE, Reason: reason, Message: fmt.Sprintf(format, args...)}
	if since != noStatus {
		c.Since = stamp(since)
	}
	return c
}

func day(m calendar.Minute) string { return m.Time().Format("2 January 2006 15:04 UTC") }

// some names a few.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
