package readiness

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/verdict"
)

// TTL is how long a verdict may be used.
const TTL = 5 * time.Minute

// Verdict is the assessment as a gate answers it. Its revision and the since
// of its reasons are for [Continue] to say, since they need the verdict before.
func (a Assessment) Verdict() *gatev1.Verdict {
	v := &gatev1.Verdict{
		Resource:    a.plan.GetName(),
		State:       a.State(),
		EvaluatedAt: timestamppb.New(a.facts.Now),
		Headcount:   a.facts.Headcount,
	}
	var waiting []string
	ttl := TTL
	for _, j := range a.criteria {
		v.Evidence = append(v.Evidence, evidence(j))
		if !j.endures.IsZero() && j.result.GetMust() {
			ttl = min(ttl, j.endures.Sub(a.facts.Now)) // what an override lets pass, it lets pass no longer
		}
		if j.result.GetMust() && severity(j.state) > 0 {
			v.Reasons = append(v.Reasons, a.reason(j))
			waiting = append(waiting, j.result.GetResources()...)
		}
	}
	if len(a.criteria) == 0 {
		v.Reasons = append(v.Reasons, a.reason(judged{
			current: "the readiness policy has no criteria", required: "at least one criterion",
			command: readinessCommand(a.plan),
		}))
	}
	v.Ttl, v.ValidUntil = durationpb.New(ttl), timestamppb.New(a.facts.Now.Add(ttl))
	slices.Sort(waiting)
	v.WaitingOn = slices.Compact(waiting)
	return v
}

func evidence(j judged) *gatev1.Evidence {
	e := &gatev1.Evidence{
		Criterion:   j.result.GetId(),
		State:       j.state,
		Value:       j.result.GetValue(),
		Numerator:   j.result.GetNumerator(),
		Denominator: j.result.GetDenominator(),
		Threshold:   j.result.GetThreshold(),
		AsOf:        j.result.GetAsOf(),
		Detail:      j.result.GetMessage(),
	}
	if resources := j.result.GetResources(); len(resources) == 1 {
		e.Resource = resources[0]
	}
	return e
}

// reason names one training as what is waited for; where there are more, the
// plan, and waiting_on has them all.
func (a Assessment) reason(j judged) *gatev1.BlockedBy {
	b := &gatev1.BlockedBy{
		Kind:     gatev1.BlockedBy_CRITERION,
		Resource: a.plan.GetName(),
		Current:  j.current,
		Required: j.required,
		Owner:    a.plan.GetOwner(),
		Command:  j.command,
	}
	if resources := j.result.GetResources(); len(resources) == 1 {
		b.Resource = resources[0]
	}
	if b.GetOwner() == "" {
		b.Owner = a.facts.Owner
	}
	return b
}

// Gone is the verdict on a cohort plan that was deleted: nobody can be asked any more.
func Gone(plan string, now time.Time) *gatev1.Verdict {
	a := Assessment{plan: &implementationv1.CohortPlan{Name: plan}, facts: Facts{Now: now}}
	v := a.Verdict()
	v.Reasons[0].Current, v.Reasons[0].Required = "the cohort plan was deleted", "a cohort plan"
	return v
}

// Continue gives next its place after the verdict before it (nil for none): the
// revision rises only with the content, and a reason that holds on keeps its since.
func Continue(before, next *gatev1.Verdict) (changed bool) {
	for _, reason := range next.GetReasons() {
		reason.Since = next.GetEvaluatedAt()
		for _, earlier := range before.GetReasons() {
			if earlier.GetResource() == reason.GetResource() && earlier.GetRequired() == reason.GetRequired() {
				reason.Since = earlier.GetSince()
			}
		}
	}
	return Advance(before, next, verdict.Content)
}

// Advance gives next the revision of the verdict before it (nil for none), or the one after where what matters of them differs.
func Advance(before, next *gatev1.Verdict, matters func(*gatev1.Verdict) *gatev1.Verdict) (changed bool) {
	next.Revision = before.GetRevision()
	if before != nil && proto.Equal(matters(before), matters(next)) {
		return false
	}
	next.Revision++
	return true
}
