package lifecycle

import (
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ReasonNotBooked is the reason of an attendance without a seat.
const ReasonNotBooked = "NOT_BOOKED"

// Book gives a person a seat in a session; it says whether that changed anything, or refuses.
func (e Enrolment) Book(now time.Time, session string) (Enrolment, bool, error) {
	if _, err := e.apply(now, book); err != nil {
		return e, false, err
	}
	if e.State == booked && e.Session == session {
		return e, false, nil
	}
	e.State, e.Session = booked, session
	return e, true, nil
}

// Attend records that the person came to the session. Who has a result of it already keeps that.
func (e Enrolment) Attend(now time.Time, session string) (Enrolment, bool, error) {
	return e.came(now, session, attend, attended)
}

// Miss records that the person had a seat in the session and did not come.
func (e Enrolment) Miss(now time.Time, session string) (Enrolment, bool, error) {
	return e.came(now, session, miss, noShow)
}

func (e Enrolment) came(now time.Time, session string, ev event, to implementationv1.Enrolment_State) (Enrolment, bool, error) {
	if e.Session != session {
		return e, false, fault.Precondition(ReasonNotBooked, "the person has no seat in the session; book one first")
	}
	out, err := e.apply(now, ev)
	if err != nil || out == keep {
		return e, false, err
	}
	e.State = to
	return e, true, nil
}

// Decline records that the person declined the invitation, and gives the seat back.
func (e Enrolment) Decline(now time.Time, reason implementationv1.Enrolment_DeclineReason) (Enrolment, bool, error) {
	if _, err := e.apply(now, decline); err != nil {
		return e, false, err
	}
	if e.State == assigned && e.Declined == reason {
		return e, false, nil
	}
	e.State, e.Session, e.Declined, e.DeclinedAt = assigned, "", reason, now
	return e, true, nil
}

// Reassign asks a person again, or gives an ASSIGNED one another due time; a zero due is the one before.
func (e Enrolment) Reassign(now, due time.Time) (Enrolment, bool, error) {
	if _, err := e.apply(now, reassign); err != nil {
		return e, false, err
	}
	if due.IsZero() {
		due = e.Due
	}
	if e.State == assigned {
		changed := !e.Due.Equal(due)
		e.Due = due
		return e, changed, nil
	}
	return Enrolment{State: assigned, Assigned: now, Due: due, Declined: e.Declined, DeclinedAt: e.DeclinedAt}, true, nil
}

// Vacate takes the seat away because the session is called off.
func (e Enrolment) Vacate(now time.Time) (Enrolment, bool, error) {
	if _, err := e.apply(now, vacate); err != nil {
		return e, false, err
	}
	e.State, e.Session = assigned, ""
	return e, true, nil
}
