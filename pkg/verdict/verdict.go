// Package verdict tells whether what the other service answered to a question of golive.gate.v1 can be believed. Both
// services ask the other one, and neither opens anything on an answer that makes no sense: it counts as none.
package verdict

import (
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const (
	// Longest is how long a verdict may claim to be good for. Everything is asked for again long before.
	Longest = time.Hour
	// Drift is how far the clocks of the two services may be apart. It only tells a clock that is wrong from an answer that
	// was kept somewhere and given again: for how long a verdict is good is counted on the clock of who asked.
	Drift = 2 * time.Hour
)

// Doubt says why an answer to a question about a resource, which was asked at a moment, cannot be believed; "" where it can.
func Doubt(v *gatev1.Verdict, resource string, asked time.Time) string {
	evaluated := v.GetEvaluatedAt()
	switch {
	case v.GetResource() != resource:
		return "it answered about something else"
	case !known(v.GetState()):
		return "its answer says neither yes nor no"
	case !evaluated.IsValid() || evaluated.AsTime().Unix() == 0:
		return "its answer does not say when it was found out"
	case evaluated.AsTime().Sub(asked).Abs() > Drift:
		return "its answer is not of now, or its clock is off by hours"
	}
	if ttl := v.GetTtl(); ttl != nil && (!ttl.IsValid() || ttl.AsDuration() <= 0 || ttl.AsDuration() > Longest) {
		return "its answer claims to be good for no time, or for longer than " + Longest.String()
	}
	if until := v.GetValidUntil(); until != nil && (!until.IsValid() || !until.AsTime().After(evaluated.AsTime())) {
		return "its answer was over before it was given"
	}
	return ""
}

// known reports whether a state is one of this version, and was set.
func known(s gatev1.Verdict_State) bool {
	_, named := gatev1.Verdict_State_name[int32(s)]
	return named && s != gatev1.Verdict_STATE_UNSPECIFIED
}
