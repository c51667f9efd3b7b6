// Package waiting words why the things of an implementation wait: since when, for
// whom, for what, and with which command they go on. What it does not say itself, because it takes
// more than one thing to know it, other packages say: readiness of cohort plans, the conditions of
// stages, the dependencies of tasks, the evidence of decisions.
package waiting

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Each Since is from when on a thing waits, which may lie ahead; zero where it does not. It depends on
// nothing but the thing itself, so that it can be a column, and what waits is found and ordered by it.

// SinceImplementation is when it came to the state in which somebody has to act; ACTIVE, its parts do.
func SinceImplementation(i *implementationv1.Implementation) time.Time {
	switch i.GetState() {
	case implementationv1.Implementation_DRAFT, implementationv1.Implementation_PLANNED,
		implementationv1.Implementation_ON_HOLD, implementationv1.Implementation_SUSTAINING:
		return or(i.GetStateTime(), i.GetCreateTime())
	default:
		return time.Time{}
	}
}

// SinceStage is when it came to its state. While it is ACTIVE its tasks wait, and since not earlier.
func SinceStage(s *implementationv1.Stage) time.Time {
	switch s.GetState() {
	case implementationv1.Stage_PENDING, implementationv1.Stage_READY, implementationv1.Stage_GATE_REVIEW:
		return or(s.GetStateTime(), s.GetCreateTime())
	case implementationv1.Stage_ACTIVE:
		return or(s.GetStateTime(), s.GetActualStartTime(), s.GetCreateTime())
	default:
		return time.Time{}
	}
}

// SinceTask is when it could have begun by its own dates; for one that is worked on, when it should have been done.
func SinceTask(t *implementationv1.Task) time.Time {
	switch t.GetState() {
	case implementationv1.Task_TODO:
		return latest(t.GetCreateTime(), t.GetEarliestStartTime())
	case implementationv1.Task_IN_PROGRESS:
		return or(t.GetDeadline())
	default:
		return time.Time{}
	}
}

// SinceCohortPlan is when it was made: from then on people have to get ready, until they are live.
func SinceCohortPlan(p *implementationv1.CohortPlan) time.Time {
	if p.GetLiveTime() != nil {
		return time.Time{}
	}
	return or(p.GetCreateTime())
}

// SinceDecision is when it was to be taken, or has to be taken again; or when conditions were set.
func SinceDecision(d *implementationv1.Decision) time.Time {
	switch d.GetState() {
	case implementationv1.Decision_PENDING, implementationv1.Decision_EXPIRED, implementationv1.Decision_CONDITIONAL_GO:
		return or(d.GetStateTime(), d.GetCreateTime())
	default:
		return time.Time{}
	}
}

// SinceChallenge is when it was suggested or raised, if it is critical; when an accepted one is to be looked at again.
func SinceChallenge(c *implementationv1.Challenge) time.Time {
	switch c.GetState() {
	case implementationv1.Challenge_SUGGESTED:
		return or(c.GetCreateTime())
	case implementationv1.Challenge_OPEN, implementationv1.Challenge_MITIGATING:
		if c.GetCritical() {
			return or(c.GetCreateTime())
		}
	case implementationv1.Challenge_ACCEPTED:
		if review, err := time.Parse(time.DateOnly, c.GetReviewDate()); err == nil {
			return review
		}
	default:
	}
	return time.Time{}
}

// SinceOutcome is when its verdict was due.
func SinceOutcome(o *implementationv1.Outcome) time.Time {
	if o.GetVerdict() != implementationv1.Outcome_VERDICT_UNSPECIFIED {
		return time.Time{}
	}
	return or(o.GetDueTime())
}

// or is the first time that is set.
func or(times ...*timestamppb.Timestamp) time.Time {
	for _, t := range times {
		if t != nil {
			return t.AsTime()
		}
	}
	return time.Time{}
}

func latest(a, b *timestamppb.Timestamp) time.Time {
	if one, other := or(a), or(b); other.After(one) {
		return other
	}
	return or(a)
}
