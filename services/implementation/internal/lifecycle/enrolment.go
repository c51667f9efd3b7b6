package lifecycle

import (
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Enrolment is where one person is with one training. The zero value is a
// person who was never enrolled. It is small because a table of millions is made of it.
//
//	ASSIGNED ──booked──▶ BOOKED ──attended──▶ ATTENDED ──passed──▶ COMPLETED ──(time)──▶ EXPIRED
//	    ▲                 │  └───missed────▶ NO_SHOW ──┐  └──failed──▶ FAILED ──┐           │
//	    ├──declined, vacated              reassigned ◀─┴────────────────────────┴───────────┤
//	    └──waived──▶ WAIVED ────────────────────────────────────────────────────────────────┘
//
// A completion is a fact: it is recorded whatever the state is.
type Enrolment struct {
	// State is never EXPIRED: that follows from Expires and the time, see [Enrolment.At].
	State     implementationv1.Enrolment_State
	Assigned  time.Time
	Due       time.Time // zero: never
	Completed time.Time
	Expires   time.Time // zero: never
	Score     *float64
	Passed    *bool  // by the pass mark of that time; nil without a score
	Reason    string // of a waiver
	Session   string // of the seat: booked, come to or missed
	// Declined says why the last declined invitation was, and when.
	Declined   implementationv1.Enrolment_DeclineReason
	DeclinedAt time.Time
}

// Terms are what a training says about results.
type Terms struct {
	Validity time.Duration // 0: for ever
	PassMark float64
}

// defaultPassMark is that of a training that names none.
const defaultPassMark = 0.8

// TermsOf reads them from a training.
func TermsOf(t *implementationv1.Training) Terms {
	terms := Terms{Validity: t.GetValidity().AsDuration(), PassMark: defaultPassMark}
	if t.PassMark != nil {
		terms.PassMark = t.GetPassMark()
	}
	return terms
}

// At is the state as it is seen at a moment: a completion whose validity has ended is EXPIRED.
func (e Enrolment) At(now time.Time) implementationv1.Enrolment_State {
	if e.State == completed && !e.Expires.IsZero() && !e.Expires.After(now) {
		return expired
	}
	return e.State
}

// Overdue says that the due time is over and there is neither a valid completion nor a waiver.
func (e Enrolment) Overdue(now time.Time) bool {
	state := e.At(now)
	return !e.Due.IsZero() && !e.Due.After(now) && state != completed && state != waived
}

// The states in short.
const (
	absent    = implementationv1.Enrolment_STATE_UNSPECIFIED
	assigned  = implementationv1.Enrolment_ASSIGNED
	completed = implementationv1.Enrolment_COMPLETED
	expired   = implementationv1.Enrolment_EXPIRED
	waived    = implementationv1.Enrolment_WAIVED
	booked    = implementationv1.Enrolment_BOOKED
	attended  = implementationv1.Enrolment_ATTENDED
	failed    = implementationv1.Enrolment_FAILED
	noShow    = implementationv1.Enrolment_NO_SHOW
)

// event is what can happen to an enrolment.
type event int

const (
	assign event = iota
	complete
	assess
	waive
	book
	attend
	miss
	decline
	reassign
	vacate // the session of the seat is called off
)

// String says it as a refusal does.
func (e event) String() string {
	return [...]string{"enrolled", "completed", "assessed", "let off", "booked", "marked as present", "marked as absent", "declined", "asked again", "vacated"}[e]
}

// outcome is what an event does in a state.
type outcome int

const (
	deny outcome = iota
	move         // to the destination of the event
	keep         // leave everything as it is
)

// enrolmentTable says what each event does in each state; nothing writes to it.
//
// A completion of somebody who has one counts where it is newer, or the same with another score.
// A completion of somebody who was waived counts: a fact weighs more than being let off.
// A score of somebody who has one corrects it. A seat in another session replaces the one before.
// A waiver, a decline or a due time that says the same again changes nothing.
var enrolmentTable = [...][9]outcome{
	//        absent assigned completed expired waived booked attended failed noShow
	assign:   {move, keep, keep, keep, keep, keep, keep, keep, keep},
	complete: {move, move, move, move, move, move, move, move, move},
	assess:   {move, move, move, move, deny, deny, move, move, deny},
	waive:    {deny, move, deny, deny, keep, deny, deny, deny, deny},
	book:     {deny, move, deny, deny, deny, move, deny, deny, deny},
	attend:   {deny, deny, keep, deny, deny, move, keep, keep, move},
	miss:     {deny, deny, keep, deny, deny, move, move, keep, keep},
	decline:  {deny, move, deny, deny, deny, move, deny, deny, deny},
	reassign: {deny, move, deny, move, move, deny, deny, move, move},
	vacate:   {deny, deny, deny, deny, deny, move, deny, deny, deny},
}

// apply looks an event up. It refuses with STATE_FORBIDS, naming the states from which it may come.
func (e Enrolment) apply(now time.Time, ev event) (outcome, error) {
	state := e.At(now)
	if out := enrolmentTable[ev][state]; out != deny {
		return out, nil
	}
	var from []string
	for s, out := range enrolmentTable[ev] {
		if out == move && implementationv1.Enrolment_State(s) != absent {
			from = append(from, implementationv1.Enrolment_State(s).String())
		}
	}
	is := "is " + state.String()
	if state == absent {
		is = "does not exist"
	}
	return deny, fault.Precondition(ReasonStateForbids, "the enrolment %s; a person can be %s only from %s", is, ev, strings.Join(from, " or "))
}

// Assign enrols a person; it says whether that changed anything.
func (e Enrolment) Assign(now, due time.Time) (Enrolment, bool) {
	if enrolmentTable[assign][e.At(now)] != move {
		return e, false
	}
	return Enrolment{State: assigned, Assigned: now, Due: due}, true
}

// Complete records a completion; it says whether that changed anything. A zero
// at is now, and changes nothing for somebody whose completion is still valid.
func (e Enrolment) Complete(now, at time.Time, terms Terms, score *float64) (Enrolment, bool) {
	state := e.At(now)
	if at.IsZero() {
		at = now
		if state == completed {
			at = e.Completed
		}
	}
	if enrolmentTable[complete][state] != move || e.State == completed && !supersedes(e, at, score) {
		return e, false
	}
	return e.result(now, at, terms, score, true), true
}

// supersedes says that a completion is newer than the one known, or the same one with another score.
func supersedes(e Enrolment, at time.Time, score *float64) bool {
	if !at.Equal(e.Completed) {
		return at.After(e.Completed)
	}
	return score != nil && (e.Score == nil || *score != *e.Score)
}

// Assess records a score: at the pass mark or above it is a completion, below
// it FAILED. A zero at is now. One that is older than what is known changes nothing.
func (e Enrolment) Assess(now, at time.Time, terms Terms, score float64) (Enrolment, bool, error) {
	if _, err := e.apply(now, assess); err != nil {
		return e, false, err
	}
	same := e.Score != nil && *e.Score == score
	switch state := e.At(now); {
	case at.IsZero() && same && (state == completed || state == failed):
		return e, false, nil
	case at.IsZero():
		at = now
	case e.State == completed && (at.Before(e.Completed) || at.Equal(e.Completed) && same), state == failed && same:
		return e, false, nil
	}
	return e.result(now, at, terms, &score, score >= terms.PassMark), true, nil
}

// result is the enrolment with a new result, good or not.
func (e Enrolment) result(now, at time.Time, terms Terms, score *float64, good bool) Enrolment {
	if e.Assigned.IsZero() {
		e.Assigned = now
	}
	if e.State == booked {
		e.Session = "" // the seat is free again
	}
	e.State, e.Completed, e.Expires, e.Reason = failed, time.Time{}, time.Time{}, ""
	e.Score, e.Passed = score, nil
	if score != nil {
		e.Passed = new(*score >= terms.PassMark)
	}
	if good {
		e.State, e.Completed = completed, at
		if terms.Validity > 0 {
			e.Expires = at.Add(terms.Validity)
		}
	}
	return e
}

// Waive lets a person off; it says whether that changed anything, or refuses with STATE_FORBIDS.
func (e Enrolment) Waive(now time.Time, reason string) (Enrolment, bool, error) {
	out, err := e.apply(now, waive)
	switch {
	case err != nil:
		return e, false, err
	case out == keep && e.Reason == reason:
		return e, false, nil
	case out == keep:
		return e, false, fault.Precondition(ReasonStateForbids, "the person is let off already, for another reason; ask again first to change it")
	}
	e.State, e.Reason = waived, reason
	return e, true, nil
}
