package waiting

import (
	"fmt"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// few is how many parts of an implementation are named one by one.
const few = 5

// Facts are what an implementation waits for beyond itself. Only those of its state need to be known.
type Facts struct {
	Lint     []*implementationv1.LintPoint  // DRAFT: what is wrong with its plan
	NotLive  []*implementationv1.CohortPlan // ACTIVE
	Stages   []*implementationv1.Stage      // ACTIVE: those that are READY or worked on
	Outcomes []*implementationv1.Outcome    // SUSTAINING: those without a verdict
}

// Implementation says what keeps an implementation from its next state.
func Implementation(i *implementationv1.Implementation, facts Facts) []*gatev1.BlockedBy {
	name := i.GetName()
	switch i.GetState() {
	case implementationv1.Implementation_DRAFT, implementationv1.Implementation_STATE_UNSPECIFIED:
		return draft(i, facts.Lint)
	case implementationv1.Implementation_PLANNED:
		return []*gatev1.BlockedBy{Step(name, "agreed on, not begun", "ACTIVE", "golive implementation start "+name)}
	case implementationv1.Implementation_ON_HOLD:
		b := Step(name, "on hold: "+told(i.GetStateReason(), "nobody said why"), i.GetHeldState().String(), "golive implementation resume "+name)
		b.Since = i.GetStateTime()
		return []*gatev1.BlockedBy{b}
	case implementationv1.Implementation_ACTIVE:
		return active(i, facts)
	case implementationv1.Implementation_SUSTAINING:
		return sustaining(i, facts.Outcomes)
	default:
		return nil
	}
}

// draft is what submitting asks for.
func draft(i *implementationv1.Implementation, lint []*implementationv1.LintPoint) (all []*gatev1.BlockedBy) {
	if i.GetSponsor() == "" {
		all = append(all, lacks(i.GetName(), "nobody stands behind it", "a sponsor", "golive api PATCH /v1/"+i.GetName()+" -d '{\"sponsor\": \"users/NAME\"}'"))
	}
	for _, p := range lint {
		if p.GetVerdict() == implementationv1.LintPoint_ERROR {
			all = append(all, lacks(i.GetName(), p.GetMessage(), p.GetTitle(), "golive plan lint "+i.GetName()))
		}
	}
	if i.GetCurrentBaseline() == "" {
		all = append(all, lacks(i.GetName(), "its plan was never captured", "a baseline", "golive plan baseline "+i.GetName()))
	}
	if len(all) == 0 {
		all = append(all, Step(i.GetName(), "planned, not agreed on", "PLANNED", "golive implementation submit "+i.GetName()))
	}
	return all
}

// active is what sustaining asks for, that every cohort is live; and before that the stages that are worked on.
func active(i *implementationv1.Implementation, facts Facts) (all []*gatev1.BlockedBy) {
	for _, p := range facts.NotLive[:min(few, len(facts.NotLive))] {
		all = append(all, &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_READINESS, Resource: p.GetName(), Current: "not live", Required: "live", Owner: p.GetOwner(), Eta: p.GetGoLiveTime(),
			Command: "golive why " + p.GetName(),
		})
	}
	all = append(all, rest(i, len(facts.NotLive), "cohorts that are not live", "all cohorts live")...)
	for _, s := range facts.Stages[:min(few, len(facts.Stages))] {
		all = append(all, &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_STAGE, Resource: s.GetName(), Current: s.GetState().String(), Required: "DONE", Owner: s.GetOwner(),
			Command: "golive why " + s.GetName(),
		})
	}
	all = append(all, rest(i, len(facts.Stages), "stages that are open", "all stages DONE")...)
	if len(all) == 0 {
		all = append(all, Step(i.GetName(), "every cohort is live", "SUSTAINING", "golive implementation sustain "+i.GetName()))
	}
	return all
}

// sustaining is what the end asks for: a verdict on every outcome.
func sustaining(i *implementationv1.Implementation, open []*implementationv1.Outcome) (all []*gatev1.BlockedBy) {
	for _, o := range open[:min(few, len(open))] {
		all = append(all, Outcome(o)...)
	}
	all = append(all, rest(i, len(open), "outcomes without a verdict", "a verdict on all")...)
	if len(all) == 0 {
		all = append(all, Step(i.GetName(), "every outcome has its verdict", "CLOSED", "golive implementation complete "+i.GetName()))
	}
	return all
}

// rest counts the parts that are not named.
func rest(i *implementationv1.Implementation, n int, what, required string) []*gatev1.BlockedBy {
	if n <= few {
		return nil
	}
	return []*gatev1.BlockedBy{lacks(i.GetName(), fmt.Sprintf("%d more %s", n-few, what), required, "golive plan show "+i.GetName())}
}
