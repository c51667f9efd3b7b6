package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// The reasons of faults about exit criteria.
const (
	ReasonCriteriaNotMet    = "EXIT_CRITERIA_NOT_MET"
	ReasonCriterionNotFound = "CRITERION_NOT_FOUND"
)

// StageEvent is what can happen to a stage. Its value is the past participle that the event log says.
type StageEvent string

// The events of a stage.
//
// A stage is readied once the stages before it have ended and what it waits for of the rollout holds, and
// postponed when that holds no longer. What has begun is never pushed back.
//
//	PENDING ──readied──▶ READY ──started──▶ ACTIVE ──reviewed──▶ GATE_REVIEW ──completed──▶ DONE
//	GATE_REVIEW ──rejected──▶ ACTIVE · READY ──postponed──▶ PENDING · PENDING, READY ──skipped──▶ SKIPPED
//	PENDING, READY, ACTIVE, GATE_REVIEW ──cancelled──▶ CANCELLED
const (
	StageReadied   StageEvent = "readied"   // all that it waits for has come
	StagePostponed StageEvent = "postponed" // it was told to wait for another stage, or what it waits for holds no longer
	StageStarted   StageEvent = "started"
	StageReviewed  StageEvent = "reviewed"
	StageCompleted StageEvent = "completed"
	StageRejected  StageEvent = "rejected"
	StageSkipped   StageEvent = "skipped"
	StageCancelled StageEvent = "cancelled"
)

func stageRules() map[StageEvent]transition[implementationv1.Stage_State] {
	const (
		pending   = implementationv1.Stage_PENDING
		ready     = implementationv1.Stage_READY
		active    = implementationv1.Stage_ACTIVE
		review    = implementationv1.Stage_GATE_REVIEW
		done      = implementationv1.Stage_DONE
		skipped   = implementationv1.Stage_SKIPPED
		cancelled = implementationv1.Stage_CANCELLED
	)
	type states = []implementationv1.Stage_State
	return map[StageEvent]transition[implementationv1.Stage_State]{
		StageReadied:   {states{pending}, ready},
		StagePostponed: {states{ready}, pending},
		StageStarted:   {states{ready}, active},
		StageReviewed:  {states{active}, review},
		StageCompleted: {states{review}, done},
		StageRejected:  {states{review}, active},
		StageSkipped:   {states{pending, ready}, skipped},
		StageCancelled: {states{pending, ready, active, review}, cancelled},
	}
}

// Apply moves the stage, or refuses with STATE_FORBIDS. An empty reason keeps the one before.
func (e StageEvent) Apply(s *implementationv1.Stage, now time.Time, reason string) error {
	rule := stageRules()[e]
	if err := allow(subject{"stage", s.GetName()}, s.GetState(), string(e), rule); err != nil {
		return err
	}
	s.State, s.StateTime = rule.to, timestamppb.New(now)
	if reason != "" {
		s.Reason = reason
	}
	switch e {
	case StageStarted:
		s.ActualStartTime = timestamppb.New(now)
	case StageCompleted:
		s.ActualEndTime = timestamppb.New(now)
	default:
	}
	return nil
}

// Settle gives a stage that has not begun the state that its predecessors say, and whether what it waits for of the
// rollout holds, and answers the event that this was; empty where nothing changed.
func Settle(s *implementationv1.Stage, predecessors []implementationv1.Stage_State, holds bool) StageEvent {
	passed := holds
	for _, state := range predecessors {
		passed = passed && StagePassed(state)
	}
	switch state := s.GetState(); {
	case state == implementationv1.Stage_STATE_UNSPECIFIED, state == implementationv1.Stage_PENDING && passed, state == implementationv1.Stage_READY && !passed:
	default:
		return ""
	}
	s.StateTime = nil // whoever knows the time sets it
	if passed {
		s.State = implementationv1.Stage_READY
		return StageReadied
	}
	s.State = implementationv1.Stage_PENDING
	return StagePostponed
}

// StagePassed says that what waits for a stage in this state waits no longer: it is done, or given up.
func StagePassed(state implementationv1.Stage_State) bool {
	switch state {
	case implementationv1.Stage_DONE, implementationv1.Stage_SKIPPED, implementationv1.Stage_CANCELLED:
		return true
	default:
		return false
	}
}

// ExitFacts are what exit criteria are judged by.
type ExitFacts struct {
	Now       time.Time
	Tasks     int64 // of the stage, but for those cancelled
	TasksDone int64
	// Readiness is the verdict on each cohort plan that a criterion names; one that is missing does not exist.
	Readiness map[string]gatev1.Verdict_State
}

// Judge finds out what holds of the exit criteria of a stage.
func Judge(s *implementationv1.Stage, facts ExitFacts) []*implementationv1.ExitCriterionResult {
	results := make([]*implementationv1.ExitCriterionResult, len(s.GetExitCriteria()))
	for i, c := range s.GetExitCriteria() {
		met, message := judge(s, c, facts)
		results[i] = &implementationv1.ExitCriterionResult{Id: c.GetId(), Met: met, Message: message, AsOf: timestamppb.New(facts.Now)}
	}
	return results
}

func judge(s *implementationv1.Stage, c *implementationv1.ExitCriterion, facts ExitFacts) (met bool, message string) {
	switch kind := c.GetType().(type) {
	case *implementationv1.ExitCriterion_TasksDone:
		return facts.TasksDone == facts.Tasks, fmt.Sprintf("%d of %d tasks are done", facts.TasksDone, facts.Tasks)
	case *implementationv1.ExitCriterion_Confirmation:
		if given := Confirmed(s, c.GetId()); given != nil {
			return true, given.GetPerson() + " confirmed it"
		}
		if owner := kind.Confirmation.GetOwner(); owner != "" {
			return false, "waits for the word of " + owner
		}
		return false, "nobody has confirmed it"
	case *implementationv1.ExitCriterion_Readiness:
		verdict, known := facts.Readiness[kind.Readiness.GetCohortPlan()]
		if !known {
			return false, kind.Readiness.GetCohortPlan() + " does not exist any more"
		}
		passed := verdict == gatev1.Verdict_PASS || verdict == gatev1.Verdict_WAIVED
		return passed, fmt.Sprintf("the readiness of %s is %s", shortName(kind.Readiness.GetCohortPlan()), verdict)
	default:
		return false, "it says nothing that could hold"
	}
}

// Confirmed is the confirmation of an exit criterion; nil where nobody gave one.
func Confirmed(s *implementationv1.Stage, criterion string) *implementationv1.Confirmation {
	for _, c := range s.GetConfirmations() {
		if c.GetCriterion() == criterion {
			return c
		}
	}
	return nil
}

// Confirm records a person's word that an exit criterion holds, or takes it
// back. What has ended cannot be confirmed any more.
func Confirm(s *implementationv1.Stage, now time.Time, person string, req *implementationv1.ConfirmStageRequest) error {
	switch s.GetState() {
	case implementationv1.Stage_DONE, implementationv1.Stage_SKIPPED, implementationv1.Stage_CANCELLED:
		return fault.Precondition(ReasonStateForbids, "stage %s is %s; confirm the criteria of a stage before its end", s.GetName(), s.GetState()).
			Subject("STATE", s.GetName(), "is "+s.GetState().String())
	default:
	}
	if !slices.ContainsFunc(s.GetExitCriteria(), func(c *implementationv1.ExitCriterion) bool {
		return c.GetId() == req.GetCriterion() && c.GetConfirmation() != nil
	}) {
		return fault.NotFound(ReasonCriterionNotFound, "stage %s has no exit criterion %q that a person confirms; describe the stage to see what it has", s.GetName(), req.GetCriterion())
	}
	s.Confirmations = slices.DeleteFunc(s.GetConfirmations(), func(c *implementationv1.Confirmation) bool {
		return c.GetCriterion() == req.GetCriterion()
	})
	if !req.GetWithdraw() {
		s.Confirmations = append(s.Confirmations, &implementationv1.Confirmation{
			Criterion: req.GetCriterion(), Person: person, Time: timestamppb.New(now), Note: req.GetNote(),
		})
	}
	return nil
}

// ExitMet refuses with EXIT_CRITERIA_NOT_MET while a criterion that must hold does not.
func ExitMet(s *implementationv1.Stage, results []*implementationv1.ExitCriterionResult) error {
	var missing []string
	must := make(map[string]bool, len(s.GetExitCriteria()))
	for _, c := range s.GetExitCriteria() {
		must[c.GetId()] = c.Must == nil || c.GetMust()
	}
	for _, r := range results {
		if must[r.GetId()] && !r.GetMet() {
			missing = append(missing, r.GetId()+": "+r.GetMessage())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := fault.Precondition(ReasonCriteriaNotMet, "stage %s cannot end: %s; settle that, or reject the review", s.GetName(), strings.Join(missing, ", and "))
	for _, one := range missing {
		err = err.Subject(ReasonCriteriaNotMet, s.GetName(), one)
	}
	return err
}
