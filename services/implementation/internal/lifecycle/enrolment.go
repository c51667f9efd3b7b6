package lifecycle

import (
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Enrolment is where one person is with one training. The zero value is a
// person who was never enrolled. It is small because a table of millions is made of it.
type Enrolment struct {
	// State is never EXPIRED: that follows from Expires and the time, see [Enrolment.At].
	State     implementationv1.Enrolment_State
	Assigned  time.Time
	Completed time.Time
	Expires   time.Time // zero: never
	Score     *float64
	Reason    string // of a waiver
}

// At is the state as it is seen at a moment: a completion whose validity has ended is EXPIRED.
func (e Enrolment) At(now time.Time) implementationv1.Enrolment_State {
	if e.State == implementationv1.Enrolment_COMPLETED && !e.Expires.IsZero() && !e.Expires.After(now) {
		return implementationv1.Enrolment_EXPIRED
	}
	return e.State
}

// The states in short.
const (
	absent    = implementationv1.Enrolment_STATE_UNSPECIFIED
	assigned  = implementationv1.Enrolment_ASSIGNED
	completed = implementationv1.Enrolment_COMPLETED
	expired   = implementationv1.Enrolment_EXPIRED
	waived    = implementationv1.Enrolment_WAIVED
)

// outcome is what an event does in a state.
type outcome int

const (
	refuse outcome = iota
	move           // to the destination of the event
	keep           // leave everything as it is
)

// rule is one row of the table: what each event does in a state.
type rule struct{ assign, complete, waive outcome }

// rules is the table; nothing writes to it.
//
// A completion of somebody who has one counts where it is newer, or the same with another score.
// A completion of somebody who was waived counts: a fact weighs more than being let off.
// A waiver again with the same reason changes nothing; with another one it is refused.
var rules = [...]rule{
	absent:    {assign: move, complete: move, waive: refuse},
	assigned:  {assign: keep, complete: move, waive: move},
	completed: {assign: keep, complete: move, waive: refuse},
	expired:   {assign: keep, complete: move, waive: refuse},
	waived:    {assign: keep, complete: move, waive: keep},
}

// Assign enrols a person; it says whether that changed anything.
func (e Enrolment) Assign(now time.Time) (Enrolment, bool) {
	if rules[e.At(now)].assign != move {
		return e, false
	}
	return Enrolment{State: assigned, Assigned: now}, true
}

// Complete records a completion, valid for the given time (0: for ever); it
// says whether that changed anything. A zero at is now, and changes nothing for
// somebody whose completion is still valid.
func (e Enrolment) Complete(now, at time.Time, validity time.Duration, score *float64) (Enrolment, bool) {
	state := e.At(now)
	if at.IsZero() {
		at = now
		if state == completed {
			at = e.Completed
		}
	}
	if rules[state].complete != move || e.State == completed && !supersedes(e, at, score) {
		return e, false
	}
	next := Enrolment{State: completed, Assigned: e.Assigned, Completed: at, Score: score}
	if next.Assigned.IsZero() {
		next.Assigned = now
	}
	if validity > 0 {
		next.Expires = at.Add(validity)
	}
	return next, true
}

// supersedes says that a completion is newer than the one known, or the same one with another score.
func supersedes(e Enrolment, at time.Time, score *float64) bool {
	if !at.Equal(e.Completed) {
		return at.After(e.Completed)
	}
	return score != nil && (e.Score == nil || *score != *e.Score)
}

// Waive lets a person off; it says whether that changed anything, or refuses with STATE_FORBIDS.
func (e Enrolment) Waive(now time.Time, reason string) (Enrolment, bool, error) {
	state := e.At(now)
	switch out := rules[state].waive; {
	case out == move:
		e.State, e.Reason = waived, reason
		return e, true, nil
	case out == keep && e.Reason == reason:
		return e, false, nil
	default:
		return e, false, fault.Precondition(ReasonStateForbids,
			"the enrolment is %s; only an ASSIGNED person can be let off", state)
	}
}
