package plan

import (
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// builder is a network as it comes to be.
type builder struct {
	in     Input
	net    *Network
	stages map[string]*implementationv1.Stage
	nodes  map[string]int // of tasks
	gone   map[string]bool
	people people
	slab   []Link
}

func network(in Input) (*Network, [][]Arrow, error) {
	cal, err := calendar.New(in.Implementation.GetCalendar())
	if err != nil {
		return nil, nil, err
	}
	b := &builder{
		in: in, stages: make(map[string]*implementationv1.Stage, len(in.Stages)),
		nodes: make(map[string]int, len(in.Tasks)), gone: map[string]bool{}, people: newPeople(cal, in.Resources),
		net: &Network{Calendar: cal, Begin: begins(in), Status: noStatus, Target: never, Tasks: make([]Node, 0, len(in.Tasks)+len(in.Stages))},
	}
	if !in.Now.IsZero() {
		b.net.Status = calendar.MinuteAfter(in.Now)
	}
	if target := in.Implementation.GetTargetDate(); target.IsValid() {
		b.net.Target = calendar.MinuteOf(target.AsTime())
	}
	for _, s := range in.Stages {
		b.stages[s.GetName()] = s
	}
	if err := b.tasks(); err != nil {
		return nil, nil, err
	}
	if err := b.links(); err != nil {
		return nil, nil, err
	}
	b.boundaries()
	next := arrows(b.net)
	if b.net.Order = order(b.net, next); len(b.net.Order) < len(b.net.Tasks) {
		return nil, nil, cycleFault(b.net, b.net.Order)
	}
	return b.net, next, nil
}

// tasks makes a node of each task that is to be done, or was.
func (b *builder) tasks() error {
	links := 0
	last, stage := "", implementationv1.Stage_STATE_UNSPECIFIED
	for _, t := range b.in.Tasks {
		if t.GetStage() != last {
			last, stage = t.GetStage(), b.stages[t.GetStage()].GetState()
		}
		if t.GetState() == implementationv1.Task_CANCELLED || t.GetState() != implementationv1.Task_DONE &&
			(stage == implementationv1.Stage_SKIPPED || stage == implementationv1.Stage_CANCELLED) {
			b.gone[t.GetName()] = true
			continue
		}
		if _, twice := b.nodes[t.GetName()]; twice {
			return fault.Precondition("TASK_TWICE", "the task %s is there twice; leave one out", id(t.GetName()))
		}
		n, err := b.node(t)
		if err != nil {
			return err
		}
		b.nodes[t.GetName()] = len(b.net.Tasks)
		b.net.Tasks = append(b.net.Tasks, n)
		links += len(t.GetDependencies())
	}
	b.slab = make([]Link, 0, links)
	return nil
}

func (b *builder) node(t *implementationv1.Task) (Node, error) {
	n := Node{Name: t.GetName(), Stage: t.GetStage(), Task: t, Calendar: b.net.Calendar, Deadline: never}
	o, m, p := ThreePoints(t.GetEstimate())
	switch {
	case o < 0 || o > m || m > p:
		return n, fault.Precondition("ESTIMATE_ORDER", "the estimate of %s is %d, %d and %d minutes; give optimistic ≤ likely ≤ pessimistic", id(n.Name), o, m, p)
	case t.GetMilestone():
		m = 0
	}
	n.Duration, n.Left = m, m
	if t.GetDeadline().IsValid() {
		n.Deadline = calendar.MinuteOf(t.GetDeadline().AsTime())
	}
	if m > 0 {
		var err error
		if n.Calendar, err = b.people.calendar(t); err != nil {
			return n, err
		}
	}
	n.Release = max(b.net.Begin, b.net.Status)
	if t.GetEarliestStartTime().IsValid() {
		n.Release = max(n.Release, calendar.MinuteAfter(t.GetEarliestStartTime().AsTime()))
	}
	actuals(b.net, &n, t)
	return n, nil
}

// actuals takes over what has happened.
func actuals(net *Network, n *Node, t *implementationv1.Task) {
	now := max(net.Status, net.Begin)
	n.Started = t.GetState() == implementationv1.Task_IN_PROGRESS || t.GetState() == implementationv1.Task_DONE
	n.Done = t.GetState() == implementationv1.Task_DONE
	if !n.Started {
		return
	}
	n.Start = now
	if t.GetActualStartTime().IsValid() {
		n.Start = calendar.MinuteOf(t.GetActualStartTime().AsTime())
	}
	if n.Done {
		n.Left, n.Finish = 0, max(n.Start, now)
		if t.GetActualEndTime().IsValid() {
			n.Finish = max(n.Start, calendar.MinuteOf(t.GetActualEndTime().AsTime()))
		}
		return
	}
	n.Left = n.Duration - n.Duration*int64(min(100, t.GetProgressPercent()))/100
	if t.RemainingMinutes != nil {
		n.Left = int64(t.GetRemainingMinutes())
	}
	if n.Release = net.Status; net.Status == noStatus {
		n.Release = n.Calendar.Shift(n.Start, max(0, n.Duration-n.Left))
	}
}

// links resolves the dependencies. One on a task that is gone no longer binds.
func (b *builder) links() error {
	for i := range b.net.Tasks {
		first := len(b.slab)
		for _, d := range b.net.Tasks[i].Task.GetDependencies() {
			from, ok := b.nodes[d.GetPredecessor()]
			switch {
			case ok:
				b.slab = append(b.slab, Link{From: from, Type: d.GetType(), Lag: int64(d.GetLagMinutes())})
			case !b.gone[d.GetPredecessor()]:
				return fault.Precondition("PREDECESSOR_UNKNOWN", "%s depends on %q, which is no task of the plan; remove the dependency",
					id(b.net.Tasks[i].Name), id(d.GetPredecessor()))
			}
		}
		b.net.Tasks[i].Links = b.slab[first:len(b.slab):len(b.slab)]
	}
	return nil
}

// boundaries makes tasks wait for the ends of the stages that theirs waits for. The end of a stage is a
// node of its own, or two stages of a thousand tasks would have a million links.
func (b *builder) boundaries() {
	ends := map[string]int{}
	for _, s := range b.in.Stages {
		if waits(s) {
			for _, before := range s.GetPredecessors() {
				if p := b.stages[before]; p != nil && !over(p) {
					ends[before] = -1
				}
			}
		}
	}
	if len(ends) == 0 {
		return
	}
	tasks := len(b.net.Tasks)
	for _, s := range b.in.Stages { // in their order, so that the network is the same every time
		if _, waited := ends[s.GetName()]; waited {
			ends[s.GetName()] = len(b.net.Tasks)
			b.net.Tasks = append(b.net.Tasks, Node{
				Name: s.GetName(), Stage: s.GetName(), Calendar: b.net.Calendar, Deadline: never, Release: max(b.net.Begin, b.net.Status),
			})
		}
	}
	for i := range b.net.Tasks {
		n := &b.net.Tasks[i]
		stage := b.stages[n.Stage]
		if end, waited := ends[n.Stage]; waited && i < tasks {
			b.net.Tasks[end].Links = append(b.net.Tasks[end].Links, Link{From: i})
		}
		if !waits(stage) || n.Done {
			continue
		}
		for _, before := range stage.GetPredecessors() {
			if end, waited := ends[before]; waited {
				n.Links = append(n.Links, Link{From: end})
			}
		}
	}
}

// waits says that a stage has not begun.
func waits(s *implementationv1.Stage) bool {
	switch s.GetState() {
	case implementationv1.Stage_STATE_UNSPECIFIED, implementationv1.Stage_PENDING, implementationv1.Stage_READY:
		return s != nil
	default:
		return false
	}
}

// over says that nothing waits for a stage any more.
func over(s *implementationv1.Stage) bool {
	switch s.GetState() {
	case implementationv1.Stage_DONE, implementationv1.Stage_SKIPPED, implementationv1.Stage_CANCELLED:
		return true
	default:
		return false
	}
}

// ThreePoints are optimistic, likely and pessimistic, the likely one where the others are not given.
func ThreePoints(e *implementationv1.Estimate) (o, m, p int64) {
	m = int64(e.GetLikelyMinutes())
	o, p = m, m
	if e != nil && e.OptimisticMinutes != nil {
		o = int64(e.GetOptimisticMinutes())
	}
	if e != nil && e.PessimisticMinutes != nil {
		p = int64(e.GetPessimisticMinutes())
	}
	return o, m, p
}

// id is the last segment of a name.
func id(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
