package waiting

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

// Anybody owns what nobody does: whoever operates the server finds it and gives it to somebody.
const Anybody = "operators"

// Complete gives each reason what it does not say: that of the thing that waits.
func Complete(w *waitingv1.Waiting) {
	for _, b := range w.GetBlockedBy() {
		if b.GetResource() == "" {
			b.Resource = w.GetResource()
		}
		if b.GetOwner() == "" {
			b.Owner = w.GetOwner()
		}
		if b.GetSince() == nil {
			b.Since = w.GetSince()
		}
		if b.GetCommand() == "" {
			b.Command = "golive describe " + b.GetResource()
		}
	}
}

// Eta is when a thing is expected to go on: when the last of its reasons ends, if all of them are known.
func Eta(w *waitingv1.Waiting) (last *timestamppb.Timestamp) {
	for _, b := range w.GetBlockedBy() {
		if b.GetEta() == nil {
			return nil
		}
		if last == nil || b.GetEta().AsTime().After(last.AsTime()) {
			last = b.GetEta()
		}
	}
	return last
}

// Step says that nothing is in the way: a person takes the next step.
func Step(resource, current, required, command string) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{Kind: gatev1.BlockedBy_OPERATOR, Resource: resource, Current: current, Required: required, Command: command}
}

// lacks says that something about the thing itself is missing.
func lacks(resource, current, required, command string) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{Kind: gatev1.BlockedBy_CRITERION, Resource: resource, Current: current, Required: required, Command: command}
}

// Challenge says what has to happen to a challenge.
func Challenge(c *implementationv1.Challenge) []*gatev1.BlockedBy {
	b := &gatev1.BlockedBy{Kind: gatev1.BlockedBy_CHALLENGE, Resource: c.GetName(), Owner: c.GetOwner()}
	switch c.GetState() {
	case implementationv1.Challenge_SUGGESTED:
		b.Current, b.Required = "suggested: "+told(c.GetArithmetic(), c.GetDisplayName()), "somebody who says whether it is real"
		b.Command = "golive challenges open " + c.GetName()
	case implementationv1.Challenge_OPEN:
		b.Current, b.Required = "critical, and nothing is done about it", "something done about it"
		b.Command = "golive challenges mitigate " + c.GetName()
	case implementationv1.Challenge_MITIGATING:
		b.Current, b.Required = "critical: "+told(c.GetMitigation(), "something is being done"), "that it worked"
		b.Command = "golive challenges resolve " + c.GetName() + " --reason 'what worked'"
	case implementationv1.Challenge_ACCEPTED:
		b.Current, b.Required = "accepted until "+c.GetReviewDate(), "somebody who looks at it again"
		b.Command = "golive challenges reopen " + c.GetName() + " --reason 'it is due again'"
	default:
		return nil
	}
	if !c.GetCritical() && (c.GetState() == implementationv1.Challenge_OPEN || c.GetState() == implementationv1.Challenge_MITIGATING) {
		return nil // it is worked on like anything else
	}
	return []*gatev1.BlockedBy{b}
}

// Outcome says that the verdict on an outcome is due; nothing where there is one.
func Outcome(o *implementationv1.Outcome) []*gatev1.BlockedBy {
	if o.GetVerdict() != implementationv1.Outcome_VERDICT_UNSPECIFIED {
		return nil
	}
	current := "no verdict, and nothing was measured"
	if o.Attainment != nil {
		current = fmt.Sprintf("no verdict, at %.0f %% of the way", 100*o.GetAttainment())
	}
	return []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_CRITERION, Resource: o.GetName(), Current: current, Required: "a verdict", Owner: o.GetOwner(), Eta: o.GetDueTime(),
		Command: "golive outcome decide " + o.GetName() + " met|missed|waived",
	}}
}

// CohortPlan says what is missing before a cohort is live: what its people lack, or else its date or its wave.
func CohortPlan(p *implementationv1.CohortPlan, v *gatev1.Verdict) []*gatev1.BlockedBy {
	if p.GetLiveTime() != nil {
		return nil
	}
	if s := v.GetState(); s != gatev1.Verdict_PASS && s != gatev1.Verdict_WAIVED {
		var all []*gatev1.BlockedBy
		for _, b := range v.GetReasons() {
			all = append(all, proto.CloneOf(b))
		}
		if len(all) == 0 { // nobody has judged it yet
			all = append(all, &gatev1.BlockedBy{Kind: gatev1.BlockedBy_ENGINE, Resource: p.GetName(), Current: "not judged yet", Required: "a verdict", Command: "golive readiness " + p.GetName()})
		}
		return all
	}
	b := Step(p.GetName(), "the people are ready", "live, by the seal of a wave or recorded", "golive implementation live "+p.GetName())
	if p.GetGoLiveTime().AsTime().After(v.GetEvaluatedAt().AsTime()) {
		b.Kind, b.Eta = gatev1.BlockedBy_DATE, p.GetGoLiveTime()
		b.Current += ", the go-live is planned"
	}
	return []*gatev1.BlockedBy{b}
}

// Task says that nothing is in the way of a task but that somebody begins or ends it.
func Task(t *implementationv1.Task) []*gatev1.BlockedBy {
	switch t.GetState() {
	case implementationv1.Task_TODO:
		return []*gatev1.BlockedBy{Step(t.GetName(), "can begin", "IN_PROGRESS", "golive task start "+t.GetName())}
	case implementationv1.Task_IN_PROGRESS:
		b := Step(t.GetName(), fmt.Sprintf("%d %% done", t.GetProgressPercent()), "DONE", "golive task complete "+t.GetName())
		b.Eta = t.GetDeadline()
		return []*gatev1.BlockedBy{b}
	default:
		return nil
	}
}

// Stage says that nothing is in the way of a stage but that somebody takes the next step.
func Stage(s *implementationv1.Stage) []*gatev1.BlockedBy {
	var b *gatev1.BlockedBy
	switch s.GetState() {
	case implementationv1.Stage_PENDING: // the next look makes it READY
		b = &gatev1.BlockedBy{Kind: gatev1.BlockedBy_ENGINE, Resource: s.GetName(), Current: "nothing is in its way", Required: "READY", Command: "golive why " + s.GetName()}
	case implementationv1.Stage_READY:
		b = Step(s.GetName(), "can begin", "ACTIVE", "golive stage start "+s.GetName())
	case implementationv1.Stage_ACTIVE:
		b = Step(s.GetName(), "its exit criteria hold", "GATE_REVIEW", "golive stage review "+s.GetName())
	case implementationv1.Stage_GATE_REVIEW:
		b = Step(s.GetName(), "its exit criteria hold", "DONE", "golive stage complete "+s.GetName())
	default:
		return nil
	}
	return []*gatev1.BlockedBy{b}
}

// Decision says that a decision is to be taken, or its conditions to be met.
func Decision(d *implementationv1.Decision) []*gatev1.BlockedBy {
	if SinceDecision(d).IsZero() {
		return nil
	}
	return []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_DECISION, Resource: d.GetName(), Current: d.GetState().String(), Required: "GO", Owner: d.GetOwner(), Eta: d.GetDueTime(),
		Command: "golive decide show " + d.GetName(),
	}}
}

// told is the first line of the first text that says something.
func told(texts ...string) string {
	for _, text := range texts {
		if line, _, _ := strings.Cut(strings.TrimSpace(text), "\n"); line != "" {
			return line
		}
	}
	return ""
}
