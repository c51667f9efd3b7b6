package decision

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// Event is what happens to a decision. Its value is the past participle that the event log says.
type Event string

// The events of a decision.
const (
	Decided    Event = "decided"
	Confirmed  Event = "confirmed"
	Overridden Event = "overridden"
	Withdrawn  Event = "withdrawn"
	Reopened   Event = "reopened"
	Expired    Event = "expired"
)

// The states in short.
const (
	pending     = implementationv1.Decision_PENDING
	goes        = implementationv1.Decision_GO
	conditional = implementationv1.Decision_CONDITIONAL_GO
	stays       = implementationv1.Decision_NO_GO
	expired     = implementationv1.Decision_EXPIRED
	withdrawn   = implementationv1.Decision_WITHDRAWN
)

// Events are all of them.
func Events() []Event { return []Event{Decided, Confirmed, Overridden, Withdrawn, Reopened, Expired} }

// from is where an event may come from.
func (e Event) from() []implementationv1.Decision_State {
	from := func(states ...implementationv1.Decision_State) []implementationv1.Decision_State { return states }
	return map[Event][]implementationv1.Decision_State{
		Decided:    from(pending),
		Confirmed:  from(conditional),
		Overridden: from(pending, stays, expired),
		Withdrawn:  from(pending, goes, conditional, stays, expired),
		Reopened:   from(stays, expired),
		Expired:    from(goes, conditional),
	}[e]
}

// Allow refuses with STATE_FORBIDS unless the event may come from the state of the decision.
func (e Event) Allow(d *implementationv1.Decision) error {
	if slices.Contains(e.from(), d.GetState()) {
		return nil
	}
	if e == Decided && slices.Contains(Reopened.from(), d.GetState()) {
		return fault.Precondition(lifecycle.ReasonStateForbids, "decision %s is %s; open it again with golive decide reopen %s --reason REASON, and decide on the evidence of now",
			d.GetName(), d.GetState(), d.GetName()).Subject("STATE", d.GetName(), "is "+d.GetState().String())
	}
	wanted := make([]string, 0, len(e.from()))
	for _, state := range e.from() {
		wanted = append(wanted, state.String())
	}
	return fault.Precondition(lifecycle.ReasonStateForbids, "decision %s is %s; it can be %s only from %s",
		d.GetName(), d.GetState(), e, strings.Join(wanted, " or ")).Subject("STATE", d.GetName(), "is "+d.GetState().String())
}

// outcomeState is where a word leads.
func outcomeState(outcome implementationv1.Decision_Outcome) implementationv1.Decision_State {
	switch outcome {
	case implementationv1.Decision_OUTCOME_GO:
		return goes
	case implementationv1.Decision_OUTCOME_CONDITIONAL_GO:
		return conditional
	default:
		return stays
	}
}

// move enters a state.
func move(d *implementationv1.Decision, to implementationv1.Decision_State, why string, now time.Time) {
	d.State, d.StateReason, d.StateTime = to, why, timestamppb.New(now)
	d.Revision++
}

// Ended says that nothing changes the decision any more.
func Ended(state implementationv1.Decision_State) bool { return state == withdrawn }

// Open says that a decision is to be taken, or lets something go that its evidence may yet stop.
func Open(state implementationv1.Decision_State) bool {
	return state == pending || state == goes || state == conditional
}

// OpenStates are those of [Open], for a query.
func OpenStates() []implementationv1.Decision_State {
	return []implementationv1.Decision_State{pending, goes, conditional}
}

// lets says that the decision was that it goes.
func lets(d *implementationv1.Decision) bool {
	return d.GetState() == goes || d.GetState() == conditional
}

// Record is the newest word; nil where none was said.
func Record(d *implementationv1.Decision) *implementationv1.DecisionRecord {
	if n := len(d.GetRecords()); n > 0 {
		return d.GetRecords()[n-1]
	}
	return nil
}

// end says that the newest word ceased to count.
func end(d *implementationv1.Decision, why string, now time.Time) {
	if r := Record(d); r != nil && r.GetEndTime() == nil {
		r.EndTime, r.EndReason = timestamppb.New(now), why
	}
}
