package lifecycle

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// The reasons why an implementation does not move although its state would let it.
const (
	ReasonSponsorMissing  = "SPONSOR_MISSING"
	ReasonBaselineMissing = "BASELINE_MISSING"
	ReasonLintErrors      = "LINT_ERRORS"
	ReasonNotLive         = "NOT_LIVE"
	ReasonOutcomeOpen     = "OUTCOME_OPEN"
	ReasonOwnerMissing    = "OWNER_MISSING"
)

// ImplementationEvent is what can happen to an implementation. Its value is the
// past participle that the event log says.
type ImplementationEvent string

// The events of an implementation.
//
//	DRAFT ──submitted──▶ PLANNED ──started──▶ ACTIVE ──sustained──▶ SUSTAINING ──completed──▶ CLOSED
//	ACTIVE, SUSTAINING ──held──▶ ON_HOLD ──resumed──▶ where it was
//	DRAFT, PLANNED, ACTIVE, SUSTAINING, ON_HOLD ──cancelled──▶ CANCELLED
const (
	ImplementationSubmitted ImplementationEvent = "submitted"
	ImplementationStarted   ImplementationEvent = "started"
	ImplementationHeld      ImplementationEvent = "held"
	ImplementationResumed   ImplementationEvent = "resumed"
	ImplementationSustained ImplementationEvent = "sustained"
	ImplementationCompleted ImplementationEvent = "completed"
	ImplementationCancelled ImplementationEvent = "cancelled"
)

// ImplementationFacts are what the guards look at. Only those of the event need to be known.
type ImplementationFacts struct {
	LintErrors   []string // submitted: what is wrong with the plan
	NotLive      []string // sustained: the cohort plans that have not gone live
	OpenOutcomes []string // completed: the outcomes without a verdict
}

type implementationRule struct {
	transition[implementationv1.Implementation_State]
	guard func(*implementationv1.Implementation, ImplementationFacts) error
}

func implementationRules() map[ImplementationEvent]implementationRule {
	const (
		draft      = implementationv1.Implementation_DRAFT
		planned    = implementationv1.Implementation_PLANNED
		active     = implementationv1.Implementation_ACTIVE
		sustaining = implementationv1.Implementation_SUSTAINING
		closed     = implementationv1.Implementation_CLOSED
		onHold     = implementationv1.Implementation_ON_HOLD
		cancelled  = implementationv1.Implementation_CANCELLED
	)
	type states = []implementationv1.Implementation_State
	type move = transition[implementationv1.Implementation_State]
	return map[ImplementationEvent]implementationRule{
		ImplementationSubmitted: {move{states{draft}, planned}, isPlanned},
		ImplementationStarted:   {move{states{planned}, active}, nil},
		ImplementationHeld:      {move{states{active, sustaining}, onHold}, nil},
		ImplementationResumed:   {move{states{onHold}, active}, nil}, // or where it was held from
		ImplementationSustained: {move{states{active}, sustaining}, isLive},
		ImplementationCompleted: {move{states{sustaining}, closed}, isSettled},
		ImplementationCancelled: {move{states{draft, planned, active, sustaining, onHold}, cancelled}, nil},
	}
}

// ImplementationState is the state of an implementation; those made before there were states are drafts.
func ImplementationState(i *implementationv1.Implementation) implementationv1.Implementation_State {
	if i.GetState() == implementationv1.Implementation_STATE_UNSPECIFIED {
		return implementationv1.Implementation_DRAFT
	}
	return i.GetState()
}

// ImplementationEnded says that nothing happens to an implementation any more.
func ImplementationEnded(i *implementationv1.Implementation) bool {
	return i.GetState() == implementationv1.Implementation_CLOSED || i.GetState() == implementationv1.Implementation_CANCELLED
}

// Apply moves the implementation, or refuses. The reason is kept while it is on hold or cancelled.
func (e ImplementationEvent) Apply(i *implementationv1.Implementation, facts ImplementationFacts, now time.Time, reason string) error {
	rule, state := implementationRules()[e], ImplementationState(i)
	if err := allow(subject{"implementation", i.GetName()}, state, string(e), rule.transition); err != nil {
		return err
	}
	if rule.guard != nil {
		if err := rule.guard(i, facts); err != nil {
			return err
		}
	}
	i.State, i.StateReason, i.StateTime = rule.to, reason, timestamppb.New(now)
	switch e {
	case ImplementationHeld:
		i.HeldState = state
	case ImplementationResumed:
		i.State = i.GetHeldState()
	default:
	}
	if i.GetState() != implementationv1.Implementation_ON_HOLD {
		i.HeldState = implementationv1.Implementation_STATE_UNSPECIFIED
	}
	if e == ImplementationStarted {
		i.ActualStartTime = timestamppb.New(now)
	}
	if ImplementationEnded(i) {
		i.ActualEndTime = timestamppb.New(now)
	}
	return nil
}

func isPlanned(i *implementationv1.Implementation, facts ImplementationFacts) error {
	switch {
	case i.GetSponsor() == "":
		return guarded(i, ReasonSponsorMissing, "nobody stands behind it; set its sponsor first", "has no sponsor")
	case i.GetCurrentBaseline() == "":
		return guarded(i, ReasonBaselineMissing, "its plan was never captured; capture a baseline first: golive plan baseline "+shortName(i.GetName()), "has no current baseline")
	case len(facts.LintErrors) > 0:
		return guarded(i, ReasonLintErrors, "its plan has errors; golive plan lint "+shortName(i.GetName())+" shows where", facts.LintErrors...)
	default:
		return nil
	}
}

func isLive(i *implementationv1.Implementation, facts ImplementationFacts) error {
	if len(facts.NotLive) == 0 {
		return nil
	}
	return guarded(i, ReasonNotLive, "not every cohort has gone live: "+few(facts.NotLive)+"; record it when they have (golive implementation live COHORT_PLAN), or delete their plans", facts.NotLive...)
}

func isSettled(i *implementationv1.Implementation, facts ImplementationFacts) error {
	switch {
	case len(facts.OpenOutcomes) > 0:
		return guarded(i, ReasonOutcomeOpen, "not every outcome has a verdict: "+few(facts.OpenOutcomes)+"; give each one", facts.OpenOutcomes...)
	case i.GetOwner() == "":
		return guarded(i, ReasonOwnerMissing, "nobody owns what remains; set its owner first", "has no owner")
	default:
		return nil
	}
}

// guarded is a refusal with what is missing, at most ten of it.
func guarded(i *implementationv1.Implementation, reason, what string, missing ...string) error {
	err := fault.Precondition(reason, "implementation %s stays %s: %s", i.GetName(), ImplementationState(i), what)
	for _, one := range missing[:min(10, len(missing))] {
		err = err.Subject(reason, i.GetName(), one)
	}
	return err
}

// few names the first three of many.
func few(all []string) string {
	const most = 3
	text := strings.Join(all[:min(most, len(all))], ", ")
	if len(all) > most {
		text += ", …"
	}
	return text
}

func shortName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
