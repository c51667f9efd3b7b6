// Package level finds an order of the work of a plan in which nobody has more to do on a day than they can.
//
//	plan.Input ──▶ problem ──solve──▶ starts ──▶ Proposal: what begins later, what it costs
//
// Over-allocated means: on a day, the minutes allocated of a resource exceed its capacity
// times the minutes that it works. Hours within a day are not looked at, as a plan is not made of them.
//
// The problem is the resource-constrained one of the literature, with days as periods (problem.go); it
// is NP-hard, so the answer is a good schedule and its price an upper bound. Activities are placed one
// after the other (serial.go), in many orders (search.go), and each schedule is improved by justification
// (justify.go). The proposal is checked by the plan itself: its dates are those that the schedule has with the new starts.
package level

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// Version names the computation. It changes whenever the same seed gives another proposal.
const Version = "golive-level/1"

// The reasons of faults.
const (
	ReasonEmpty    = "PLAN_EMPTY"
	ReasonTooLarge = "LEVEL_TOO_LARGE"
)

// The size of a search is restarts times activities: a fraction of a second where
// nobody says how many restarts, some seconds at most.
const (
	usualSize = 150_000
	mostSize  = 2_000_000
)

// Propose levels the plan as of in.Now with the seed and the restarts of p, completes those, and fills
// the results in. It answers PLAN_EMPTY, LEVEL_TOO_LARGE, and what package plan refuses.
func Propose(in plan.Input, p *implementationv1.Proposal) error {
	before, err := plan.New(in)
	if err != nil {
		return err
	}
	problem, nodes, err := problemOf(in, before.Network())
	if err != nil {
		return err
	}
	if err := size(p, len(problem.activities)); err != nil {
		return err
	}
	best, _ := problem.solve(p.GetSeed(), int(p.GetRestarts()))
	constrained := problem.constraints(best.starts, nodes)
	after, err := plan.New(with(in, constrained))
	if err != nil {
		return err
	}
	p.EngineVersion = Version
	return describe(in, before, after, constrained, p)
}

func size(p *implementationv1.Proposal, n int) error {
	if n == 0 {
		return fault.Precondition(ReasonEmpty, "the plan has no task that is not done; there is nothing to level")
	}
	if p.GetRestarts() == 0 {
		p.Restarts = int32(max(5, min(1000, usualSize/n)))
	}
	if int(p.GetRestarts())*n > mostSize {
		return fault.Precondition(ReasonTooLarge, "%d restarts over %d tasks are too many; ask for %d at most", p.GetRestarts(), n, mostSize/n).
			Subject("LEVEL_SIZE", "restarts", "is too much for the size of the plan")
	}
	return nil
}

// constraints are the tasks that begin later than what they depend on lets them, with when they
// begin: what has to be written down, so that the rest follows from the links.
func (p *problem) constraints(starts schedule, nodes []*plan.Node) map[string]calendar.Minute {
	out := map[string]calendar.Minute{}
	for i, a := range p.activities {
		if !a.begun && starts[i] > p.earliest(i, starts) {
			out[nodes[i].Name] = a.ruler.moment(starts[i])
		}
	}
	return out
}

// with is the input with later starts.
func with(in plan.Input, starts map[string]calendar.Minute) plan.Input {
	in.Tasks = slices.Clone(in.Tasks)
	for i, t := range in.Tasks {
		if start, ok := starts[t.GetName()]; ok {
			in.Tasks[i] = proto.CloneOf(t)
			in.Tasks[i].EarliestStartTime = timestamppb.New(start.Time())
		}
	}
	return in
}

// describe fills in what the two plans differ by.
func describe(in plan.Input, before, after *plan.Plan, constrained map[string]calendar.Minute, p *implementationv1.Proposal) error {
	was, is := before.Schedule(), after.Schedule()
	cal := before.Network().Calendar
	p.FinishTimeBefore, p.FinishTimeAfter = was.GetEndTime(), is.GetEndTime()
	p.PriceMinutes = cal.Between(was.GetEndTime().AsTime(), is.GetEndTime().AsTime())
	p.PriceDays = float64(p.GetPriceMinutes()) / workday(before.Network())
	starts := make(map[string]*implementationv1.TaskSchedule, len(was.GetTasks()))
	for _, t := range was.GetTasks() {
		starts[t.GetName()] = t
	}
	for _, t := range is.GetTasks() {
		old := starts[t.GetName()].GetEarlyStartTime()
		if _, set := constrained[t.GetName()]; !set && !t.GetEarlyStartTime().AsTime().After(old.AsTime()) {
			continue
		}
		_, set := constrained[t.GetName()]
		p.Moves = append(p.Moves, &implementationv1.Proposal_Move{
			Task: t.GetName(), StartTimeBefore: old, StartTimeAfter: t.GetEarlyStartTime(), EndTimeAfter: t.GetEarlyEndTime(),
			ShiftMinutes: cal.Between(old.AsTime(), t.GetEarlyStartTime().AsTime()), Constrained: set,
		})
	}
	slices.SortStableFunc(p.GetMoves(), func(a, b *implementationv1.Proposal_Move) int {
		return cmp.Or(a.GetStartTimeAfter().AsTime().Compare(b.GetStartTimeAfter().AsTime()), cmp.Compare(a.GetTask(), b.GetTask()))
	})
	var err error
	if p.OverallocationsBefore, err = overallocations(in, before.Network(), was); err != nil {
		return err
	}
	p.OverallocationsAfter, err = overallocations(in, after.Network(), is)
	return err
}

// workday is how many minutes a day has on which the plan's calendar works: the mean of a year.
func workday(net *plan.Network) float64 {
	const day = 24 * 60
	var minutes, count int64
	for d := range calendar.Minute(364) {
		if n := net.Calendar.Count(net.Begin+d*day, net.Begin+(d+1)*day); n > 0 {
			minutes, count = minutes+n, count+1
		}
	}
	return float64(minutes) / float64(max(1, count))
}
