package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// wait adds what something waits for. Its owner answers for it where nobody else does.
func (e *explanation) wait(b *gatev1.BlockedBy, owner string) {
	if b.GetOwner() == "" {
		b.Owner = owner
	}
	e.Reasons = append(e.Reasons, reason{blocked: b})
}

// step says that nothing is in the way: a person takes the next step.
func (e *explanation) step(owner, required, command string) {
	e.wait(&gatev1.BlockedBy{Kind: gatev1.BlockedBy_OPERATOR, Resource: e.Name, Current: e.State, Required: required, Command: command}, owner)
}

// lacks says that something about the thing itself is missing.
func (e *explanation) lacks(owner, current, required, command string) {
	e.wait(&gatev1.BlockedBy{Kind: gatev1.BlockedBy_CRITERION, Resource: e.Name, Current: current, Required: required, Command: command}, owner)
}

// explainImplementation says what keeps an implementation from its next state.
func (c *client) explainImplementation(ctx context.Context, e *explanation, i *implementationv1.Implementation) error {
	short := kind.Short(i.GetName())
	e.Message = i.GetStateReason()
	switch i.GetState() {
	case implementationv1.Implementation_PLANNED:
		e.step(i.GetOwner(), "ACTIVE", "golive implementation start "+short)
	case implementationv1.Implementation_ON_HOLD:
		e.step(i.GetOwner(), i.GetHeldState().String(), "golive implementation resume "+short)
		e.Reasons[0].blocked.Since = i.GetStateTime()
	case implementationv1.Implementation_ACTIVE:
		return c.explainActive(ctx, e, i)
	case implementationv1.Implementation_SUSTAINING:
		return c.explainSustaining(ctx, e, i)
	case implementationv1.Implementation_CLOSED, implementationv1.Implementation_CANCELLED:
	default:
		return c.explainDraft(ctx, e, i)
	}
	return nil
}

// explainDraft is what submitting asks for.
func (c *client) explainDraft(ctx context.Context, e *explanation, i *implementationv1.Implementation) error {
	short := kind.Short(i.GetName())
	lint, err := implementationv1.NewScheduleServiceClient(c.people).LintSchedule(ctx, &implementationv1.LintScheduleRequest{Parent: i.GetName()})
	if err != nil {
		return err
	}
	if i.GetSponsor() == "" {
		e.lacks(i.GetOwner(), "nobody stands behind it", "a sponsor", "golive apply with a file that says sponsor: users/…")
	}
	for _, p := range lint.GetPoints() {
		if p.GetVerdict() == implementationv1.LintPoint_ERROR {
			e.lacks(i.GetOwner(), p.GetMessage(), p.GetTitle(), "golive plan lint "+short)
		}
	}
	if i.GetCurrentBaseline() == "" {
		e.lacks(i.GetOwner(), "its plan was never captured", "a baseline", "golive plan baseline "+short)
	}
	if len(e.Reasons) == 0 {
		e.step(i.GetOwner(), "PLANNED", "golive implementation submit "+short)
	}
	return nil
}

// explainActive is what sustaining asks for: that every cohort is live. Before that the stages are worked on.
func (c *client) explainActive(ctx context.Context, e *explanation, i *implementationv1.Implementation) error {
	found, _, err := c.all(ctx, mustFind("cohortPlan"), query{parent: i.GetName()})
	if err != nil {
		return err
	}
	for _, p := range as[*implementationv1.CohortPlan](found) {
		if p.GetLiveTime() == nil {
			e.wait(&gatev1.BlockedBy{
				Kind: gatev1.BlockedBy_READINESS, Resource: p.GetName(), Current: "not live", Required: "live", Owner: p.GetOwner(), Eta: p.GetGoLiveTime(),
				Command: "golive implementation live " + kind.Short(p.GetName()),
			}, i.GetOwner())
		}
	}
	stages, _, err := c.all(ctx, mustFind("stage"), query{parent: i.GetName(), filter: "state = READY OR state = ACTIVE OR state = GATE_REVIEW"})
	if err != nil {
		return err
	}
	for _, s := range as[*implementationv1.Stage](stages) {
		e.wait(&gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_DEPENDENCY, Resource: s.GetName(), Current: s.GetState().String(), Required: "DONE", Owner: s.GetOwner(), Command: "golive why " + kind.Short(s.GetName()),
		}, i.GetOwner())
	}
	if len(e.Reasons) == 0 {
		e.step(i.GetOwner(), "SUSTAINING", "golive implementation sustain "+kind.Short(i.GetName()))
	}
	return nil
}

// explainSustaining is what the end asks for: a verdict on every outcome.
func (c *client) explainSustaining(ctx context.Context, e *explanation, i *implementationv1.Implementation) error {
	found, _, err := c.all(ctx, mustFind("outcome"), query{parent: i.GetName()})
	if err != nil {
		return err
	}
	for _, o := range as[*implementationv1.Outcome](found) {
		if o.GetVerdict() == implementationv1.Outcome_VERDICT_UNSPECIFIED {
			e.wait(&gatev1.BlockedBy{
				Kind: gatev1.BlockedBy_CRITERION, Resource: o.GetName(), Current: "no verdict", Required: "a verdict", Owner: o.GetOwner(), Eta: o.GetDueTime(),
				Command: "golive outcome decide " + kind.Short(o.GetName()) + " met|missed|waived",
			}, i.GetOwner())
		}
	}
	if len(e.Reasons) == 0 {
		e.step(i.GetOwner(), "CLOSED", "golive implementation complete "+kind.Short(i.GetName()))
	}
	return nil
}

// explainStage says what keeps a stage from its next state.
func (c *client) explainStage(ctx context.Context, e *explanation, s *implementationv1.Stage) error {
	short := kind.Short(s.GetName())
	e.Message = s.GetReason()
	switch s.GetState() {
	case implementationv1.Stage_PENDING:
		return c.waitForStages(ctx, e, s)
	case implementationv1.Stage_READY:
		e.step(s.GetOwner(), "ACTIVE", "golive stage start "+short)
	case implementationv1.Stage_ACTIVE, implementationv1.Stage_GATE_REVIEW:
		if err := c.explainExit(ctx, e, s); err != nil || len(e.Reasons) > 0 {
			return err
		}
		if s.GetState() == implementationv1.Stage_ACTIVE {
			e.step(s.GetOwner(), "GATE_REVIEW", "golive stage review "+short)
		} else {
			e.step(s.GetOwner(), "DONE", "golive stage complete "+short)
		}
	default:
	}
	return nil
}

// waitForStage adds a stage that has to end first, if it has not.
func (c *client) waitForStage(ctx context.Context, e *explanation, name, owner string) error {
	m, err := c.fetch(ctx, mustFind("stage"), name)
	if err != nil {
		return err
	}
	s, _ := m.(*implementationv1.Stage)
	switch s.GetState() {
	case implementationv1.Stage_DONE, implementationv1.Stage_SKIPPED, implementationv1.Stage_CANCELLED:
	default:
		e.wait(&gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_DEPENDENCY, Resource: name, Current: s.GetState().String(), Required: "DONE", Owner: s.GetOwner(), Command: "golive why " + kind.Short(name),
		}, owner)
	}
	return nil
}

// explainExit gives the exit criteria that do not hold.
func (c *client) explainExit(ctx context.Context, e *explanation, s *implementationv1.Stage) error {
	confirmed := map[string]bool{}
	for _, given := range s.GetConfirmations() {
		confirmed[given.GetCriterion()] = true
	}
	for _, criterion := range s.GetExitCriteria() {
		if criterion.Must != nil && !criterion.GetMust() {
			continue
		}
		switch of := criterion.GetType().(type) {
		case *implementationv1.ExitCriterion_TasksDone:
			if err := c.waitForTasks(ctx, e, s); err != nil {
				return err
			}
		case *implementationv1.ExitCriterion_Confirmation:
			if !confirmed[criterion.GetId()] {
				required := criterion.GetId()
				if criterion.GetDisplayName() != "" {
					required += ": " + criterion.GetDisplayName()
				}
				e.wait(&gatev1.BlockedBy{
					Kind: gatev1.BlockedBy_APPROVAL, Resource: e.Name, Current: "nobody has confirmed it", Required: required, Owner: of.Confirmation.GetOwner(),
					Command: "golive stage confirm " + kind.Short(s.GetName()) + " --criterion " + criterion.GetId(),
				}, s.GetOwner())
			}
		case *implementationv1.ExitCriterion_Readiness:
			plan := of.Readiness.GetCohortPlan()
			readiness, err := c.readinessOf(ctx, plan)
			if err != nil {
				return err
			}
			if v := readiness.GetState(); v != gatev1.Verdict_PASS && v != gatev1.Verdict_WAIVED {
				e.wait(&gatev1.BlockedBy{Kind: gatev1.BlockedBy_READINESS, Resource: plan, Current: v.String(), Required: "PASS", Command: "golive why " + kind.Short(plan)}, s.GetOwner())
			}
		}
	}
	return nil
}

// waitForTasks adds the tasks of a stage that are not done: the first ones by name.
func (c *client) waitForTasks(ctx context.Context, e *explanation, s *implementationv1.Stage) error {
	const most = 5
	schedule, err := c.scheduleOf(ctx, mustFind("stage").ParentOf(s.GetName()))
	if err != nil {
		return err
	}
	open := slices.DeleteFunc(schedule.GetTasks(), func(t *implementationv1.TaskSchedule) bool {
		return t.GetStage() != s.GetName() || t.GetState() == implementationv1.Task_DONE
	})
	for _, t := range open[:min(most, len(open))] {
		e.waitForTask(t, s.GetOwner())
	}
	if more := len(open) - most; more > 0 {
		e.lacks(s.GetOwner(), fmt.Sprintf("%d more are not done", more), "all tasks DONE", "golive plan show "+kind.Short(schedule.GetImplementation()))
	}
	return nil
}

func (c *client) scheduleOf(ctx context.Context, implementation string) (*implementationv1.Schedule, error) {
	return implementationv1.NewScheduleServiceClient(c.people).GetSchedule(ctx, &implementationv1.GetScheduleRequest{Parent: implementation})
}

// waitForTask adds a task that has to be done, and by when it is expected to be.
func (e *explanation) waitForTask(t *implementationv1.TaskSchedule, owner string) *gatev1.BlockedBy {
	current := t.GetState().String()
	if t.GetProgressPercent() > 0 {
		current += fmt.Sprintf(", %d %%", t.GetProgressPercent())
	}
	b := &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_DEPENDENCY, Resource: t.GetName(), Current: current, Required: "DONE", Owner: t.GetOwner(), Eta: t.GetEarlyEndTime(),
		Command: "golive task complete " + kind.Short(t.GetName()),
	}
	e.wait(b, owner)
	return b
}

// explainTask says what a task waits for, and when that is expected.
func (c *client) explainTask(ctx context.Context, e *explanation, t *implementationv1.Task) error {
	if t.GetState() == implementationv1.Task_DONE || t.GetState() == implementationv1.Task_CANCELLED {
		return nil
	}
	schedule, err := c.scheduleOf(ctx, mustFind("task").ParentOf(t.GetName()))
	if err != nil {
		return err
	}
	byName := make(map[string]*implementationv1.TaskSchedule, len(schedule.GetTasks()))
	for _, one := range schedule.GetTasks() {
		byName[one.GetName()] = one
	}
	e.Message = conditionWords(byName[t.GetName()].GetConditions())
	for _, d := range t.GetDependencies() {
		e.waitForLink(d, byName[d.GetPredecessor()])
	}
	if t.GetState() != implementationv1.Task_TODO || t.GetStage() == "" {
		return nil
	}
	m, err := c.fetch(ctx, mustFind("stage"), t.GetStage())
	if err != nil {
		return err
	}
	if s, _ := m.(*implementationv1.Stage); s.GetState() == implementationv1.Stage_PENDING {
		return c.waitForStages(ctx, e, s)
	}
	return nil
}

// waitForLink adds the predecessor of a task if its link binds still. Cancelled tasks are not of the schedule.
func (e *explanation) waitForLink(d *implementationv1.Dependency, before *implementationv1.TaskSchedule) {
	fromStart := d.GetType() == implementationv1.Dependency_START_TO_START || d.GetType() == implementationv1.Dependency_START_TO_FINISH
	switch before.GetState() {
	case implementationv1.Task_TODO:
	case implementationv1.Task_IN_PROGRESS:
		if fromStart {
			return
		}
	default:
		return
	}
	b := e.waitForTask(before, "")
	if fromStart {
		b.Required, b.Eta, b.Command = "IN_PROGRESS", before.GetEarlyStartTime(), "golive task start "+kind.Short(before.GetName())
	}
	if d.GetType() > implementationv1.Dependency_FINISH_TO_START { // all but the usual one
		b.Required += " (" + strings.ToLower(strings.ReplaceAll(d.GetType().String(), "_", " ")) + ")"
	}
}

// waitForStages adds the stages that have to end before one.
func (c *client) waitForStages(ctx context.Context, e *explanation, s *implementationv1.Stage) error {
	for _, name := range s.GetPredecessors() {
		if err := c.waitForStage(ctx, e, name, s.GetOwner()); err != nil {
			return err
		}
	}
	return nil
}
