package waits

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// Facts are what stages and tasks are judged by, of all of them at once.
type Facts struct {
	Now time.Time
	// Implementations are those that the stages and tasks belong to, by name.
	Implementations map[string]*implementationv1.Implementation
	// Stages are those that are waited for, by name.
	Stages map[string]*implementationv1.Stage
	// Answers are what the deployment service last said.
	Answers map[Question]Answer
	// Holds are what the answers of the past leave, by stage and condition.
	Holds map[Condition]Hold
	// Tasks counts those of each stage in review, or that is judged.
	Tasks map[string]TaskCount
	// Readiness is the verdict on each cohort plan that an exit criterion names; one that is missing does not exist.
	Readiness map[string]gatev1.Verdict_State
	// Before are the tasks that are waited for, by name.
	Before map[string]Predecessor
}

// Question is what the deployment service is asked: a resource, and over how long its shares are counted.
type Question struct {
	Resource string
	Window   time.Duration
}

// Condition names one condition of a stage.
type Condition struct{ Stage, ID string }

// TaskCount are the tasks of a stage, but for those cancelled.
type TaskCount struct {
	All, Done int64
	Open      string // one that is not done; empty where there is none
}

// QuestionOf is what a condition asks.
func QuestionOf(c *implementationv1.StageCondition) Question {
	return Question{Resource: c.GetResource(), Window: Window(c)}
}

// Statuses are how the conditions of a stage stand, in their order.
func (f *Facts) Statuses(s *implementationv1.Stage) []*implementationv1.StageConditionStatus {
	all := make([]*implementationv1.StageConditionStatus, len(s.GetWaitsFor()))
	for i, c := range s.GetWaitsFor() {
		all[i] = Judge(c, f.Answers[QuestionOf(c)], f.Holds[Condition{s.GetName(), c.GetId()}], s.GetOverrides(), since(s).AsTime(), f.Now)
	}
	return all
}

// Holds says that all conditions are open.
func Holds(all []*implementationv1.StageConditionStatus) bool {
	for _, status := range all {
		if !Open(status.GetVerdict().GetState()) {
			return false
		}
	}
	return true
}

// StageBlockedBy is why a stage waits. It is never empty while a stage is PENDING, READY or in GATE_REVIEW.
func (f *Facts) StageBlockedBy(s *implementationv1.Stage, statuses []*implementationv1.StageConditionStatus) []*gatev1.BlockedBy {
	switch s.GetState() {
	case implementationv1.Stage_PENDING, implementationv1.Stage_STATE_UNSPECIFIED:
		all := append(f.onHold(s.GetName()), f.predecessors(s)...)
		for _, status := range statuses {
			all = append(all, status.GetVerdict().GetReasons()...)
		}
		if len(all) == 0 {
			all = append(all, f.reason(s, gatev1.BlockedBy_ENGINE, "what it waits for holds", "the stage is READY within seconds", "golive why "+s.GetName()))
		}
		return all
	case implementationv1.Stage_READY:
		return append(f.onHold(s.GetName()), f.reason(s, gatev1.BlockedBy_OPERATOR, "it may be started", "somebody starts it", "golive stage start "+s.GetName()))
	case implementationv1.Stage_GATE_REVIEW:
		all := append(f.onHold(s.GetName()), f.exit(s)...)
		if len(all) == 0 {
			all = append(all, f.reason(s, gatev1.BlockedBy_OPERATOR, "its exit criteria are met", "somebody completes or rejects it", "golive stage complete "+s.GetName()))
		}
		return all
	default:
		return nil
	}
}

// predecessors are the stages before that have not passed.
func (f *Facts) predecessors(s *implementationv1.Stage) (all []*gatev1.BlockedBy) {
	for _, name := range s.GetPredecessors() {
		before := f.Stages[name]
		if before != nil && lifecycle.StagePassed(before.GetState()) {
			continue
		}
		command := "golive why " + name
		switch before.GetState() {
		case implementationv1.Stage_READY:
			command = "golive stage start " + name
		case implementationv1.Stage_ACTIVE:
			command = "golive stage review " + name
		case implementationv1.Stage_GATE_REVIEW:
			command = "golive stage complete " + name
		default:
		}
		all = append(all, &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_STAGE, Resource: name, Current: fmt.Sprintf("stage %s is %s", path.Base(name), before.GetState()), Required: "it is DONE or SKIPPED",
			Owner: cmp.Or(before.GetOwner(), f.owner(name)), Since: since(s), Command: command,
		})
	}
	return all
}

// exit are the exit criteria that must be met and are not.
func (f *Facts) exit(s *implementationv1.Stage) (all []*gatev1.BlockedBy) {
	count := f.Tasks[s.GetName()]
	results := lifecycle.Judge(s, lifecycle.ExitFacts{Now: f.Now, Tasks: count.All, TasksDone: count.Done, Readiness: f.Readiness})
	for i, c := range s.GetExitCriteria() {
		if results[i].GetMet() || c.Must != nil && !c.GetMust() {
			continue
		}
		b := f.reason(s, gatev1.BlockedBy_CRITERION, results[i].GetMessage(), cmp.Or(c.GetDisplayName(), "exit criterion "+c.GetId()+" is met"), "golive why "+s.GetName())
		switch kind := c.GetType().(type) {
		case *implementationv1.ExitCriterion_TasksDone:
			b.Kind, b.Required = gatev1.BlockedBy_TASK, "every task of the stage is done"
			if count.Open != "" {
				b.Resource, b.Command = count.Open, "golive task complete "+count.Open
			}
		case *implementationv1.ExitCriterion_Confirmation:
			b.Kind, b.Owner = gatev1.BlockedBy_CONFIRMATION, cmp.Or(kind.Confirmation.GetOwner(), b.GetOwner())
			b.Command = "golive stage confirm " + s.GetName() + " --criterion " + c.GetId()
		case *implementationv1.ExitCriterion_Readiness:
			plan := kind.Readiness.GetCohortPlan()
			b.Kind, b.Resource, b.Required, b.Command = gatev1.BlockedBy_READINESS, plan, "the people are ready", "golive readiness "+plan
		}
		all = append(all, b)
	}
	return all
}

// onHold is the reason of everything of an implementation that is on hold.
func (f *Facts) onHold(name string) []*gatev1.BlockedBy {
	i := f.Implementations[implementation(name)]
	if i.GetState() != implementationv1.Implementation_ON_HOLD {
		return nil
	}
	current := "the implementation is on hold"
	if i.GetStateReason() != "" {
		current += ": " + i.GetStateReason()
	}
	return []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_OPERATOR, Resource: i.GetName(), Current: current, Required: "somebody resumes it", Owner: f.owner(name),
		Since: i.GetStateTime(), Command: "golive implementation resume " + i.GetName(),
	}}
}

// reason is one about the stage itself.
func (f *Facts) reason(s *implementationv1.Stage, kind gatev1.BlockedBy_Kind, current, required, command string) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{
		Kind: kind, Resource: s.GetName(), Current: current, Required: required, Owner: cmp.Or(s.GetOwner(), f.owner(s.GetName())),
		Since: since(s), Command: command,
	}
}

// owner is who leads the implementation that something belongs to.
func (f *Facts) owner(name string) string {
	i := f.Implementations[implementation(name)]
	return cmp.Or(i.GetOwner(), i.GetSponsor(), operators)
}

// since is when a stage came to the state it is in, as far as that is known.
func since(s *implementationv1.Stage) *timestamppb.Timestamp {
	if s.GetStateTime() != nil {
		return s.GetStateTime()
	}
	return s.GetUpdateTime()
}

// implementation is the name of the implementation that something belongs to.
func implementation(name string) string {
	const segments = 4
	parts := strings.SplitN(name, "/", segments+1)
	return strings.Join(parts[:min(segments, len(parts))], "/")
}
