package waits

import (
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// longest is what no answer is good for longer than, whatever it says.
const longest = time.Hour

// Answer is what the deployment service said, and when it was asked by the clock of this side. The zero value was never given.
type Answer struct {
	Verdict *gatev1.Verdict
	Asked   time.Time
}

// FreshUntil is until when the answer is good. One that says no time is good for none.
func (a Answer) FreshUntil() time.Time {
	ttl := a.Verdict.GetTtl().AsDuration()
	if a.Verdict == nil || ttl <= 0 {
		return a.Asked
	}
	return a.Asked.Add(min(ttl, longest))
}

// Fresh says that the answer is good at a moment.
func (a Answer) Fresh(now time.Time) bool { return a.Verdict != nil && now.Before(a.FreshUntil()) }

// Aged is the answer as it is now: UNKNOWN once it is too old.
func (a Answer) Aged(now time.Time) *gatev1.Verdict {
	if a.Verdict == nil || a.Fresh(now) {
		return a.Verdict
	}
	v := silent(a.Verdict.GetResource(), a, now)
	v.Revision = a.Verdict.GetRevision()
	return v
}

// Hold is what the answers of the past leave of one condition: what followed from the last, and since when.
type Hold struct {
	State      gatev1.Verdict_State // what followed from the last answer, apart from how long it must hold
	Since      time.Time            // since when that was so
	Held       time.Time            // since when all of it has held without a break; zero while it does not
	Asked      time.Time            // when the last answer was asked for
	FreshUntil time.Time            // until when that is good
}

// Next is the hold after one more answer. One that was asked for earlier than the last changes nothing. A silence that
// was longer than the answer before was good for breaks what held.
func (h Hold) Next(c *implementationv1.StageCondition, a Answer) Hold {
	if a.Asked.Before(h.Asked) {
		return h
	}
	unbroken := !h.Asked.IsZero() && !a.Asked.After(h.FreshUntil)
	next := Hold{State: find(c, a.Verdict).state, Since: a.Asked, Asked: a.Asked, FreshUntil: a.FreshUntil()}
	if unbroken && next.State == h.State {
		next.Since = h.Since
	}
	if next.State != gatev1.Verdict_PASS {
		return next
	}
	if next.Held = a.Asked; unbroken && !h.Held.IsZero() {
		next.Held = h.Held
	}
	return next
}
