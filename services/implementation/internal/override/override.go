// Package override holds what is one rule wherever a person lets something pass: a criterion, a condition, a decision.
//
// An override names who and why, ends within 24 hours, and is never changed but to be taken back. What it covers did not
// pass: it is waived, and is shown so.
package override

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
)

const (
	// ReasonExpiry is why an override is refused that has no end, has ended, or would hold for too long.
	ReasonExpiry = "OVERRIDE_EXPIRY"
	// Longest is how long an override may hold. What must go on is renewed, with a reason of its own.
	Longest = 24 * time.Hour
)

// Override is one that was given.
type Override interface {
	GetExpireTime() *timestamppb.Timestamp
	GetRevokeTime() *timestamppb.Timestamp
}

// Holds says that an override lets pass what it covers.
func Holds(o Override, now time.Time) bool {
	return o.GetRevokeTime() == nil && o.GetExpireTime().AsTime().After(now)
}

// Holding is the newest that holds and covers what is asked for; nil for none.
func Holding[O Override](all []O, now time.Time, covers func(O) bool) (none O) {
	for _, o := range slices.Backward(all) {
		if covers(o) && Holds(o, now) {
			return o
		}
	}
	return none
}

// Check refuses one whose end, which field of the request gives, is not within 24 hours.
func Check(end *timestamppb.Timestamp, now time.Time, field string) error {
	const within = "must be within 24 hours from now"
	if end == nil {
		return fault.Invalid(ReasonExpiry, "the override has no end; let it end within 24 hours from now, and renew it if it must go on").Field(field, within)
	}
	if until := end.AsTime(); !until.After(now) || until.After(now.Add(Longest)) {
		return fault.Invalid(ReasonExpiry, "the override would end at %s; let it end within 24 hours from now, and renew it if it must go on", until.Format(time.RFC3339)).
			Field(field, within)
	}
	return nil
}

// Keep is all with one more, without the oldest where that is more than a resource shows: the event log has all.
func Keep[O Override](all []O, one O, most int) []O {
	all = append(all, one)
	return all[max(len(all)-most, 0):]
}
