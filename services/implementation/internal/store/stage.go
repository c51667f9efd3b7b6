package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// ReasonOtherPlan is the reason of faults about links from one plan to another.
const ReasonOtherPlan = "OTHER_IMPLEMENTATION"

// maxStages bounds a plan, so that whoever waits for whom is read whole.
const maxStages = 500

// stageRows is the kind without its hooks, which could not speak of it otherwise.
var stageRows = resource.Define(resource.Spec[*implementationv1.Stage]{
	Table: "stages",
	Columns: []resource.Column[*implementationv1.Stage]{
		{Field: "display_name"},
		{Field: "position"},
		{Field: "state"},
		{Field: "owner"},
		{Field: "labels"},
		{Field: "predecessors"},
		{Name: "waiting_since", Time: waiting.SinceStage, Internal: true},
	},
	Parent: Implementations.RequiredLater,
})

// Stages is the kind of stages.
var Stages = stageRows.With(resource.Hooks[*implementationv1.Stage]{
	Validate:   validateStage,
	AfterWrite: writeConditions,
	BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Stage) error {
		for _, query := range []string{
			"SELECT name FROM tasks WHERE stage = $1 ORDER BY name LIMIT 1",
			"SELECT name FROM resource_sets WHERE field = 'predecessors' AND value = $1 ORDER BY name LIMIT 1",
		} {
			if err := unused(ctx, tx, old.GetName(), query, old.GetName()); err != nil {
				return err
			}
		}
		if err := removeConditions(ctx, tx, old.GetName()); err != nil {
			return err
		}
		return removeComments(ctx, tx, old.GetName())
	},
})

func validateStage(ctx context.Context, tx *sqldb.Tx, old, stage *implementationv1.Stage) error {
	if err := validateCriteria(ctx, tx, stage); err != nil {
		return err
	}
	if err := validateConditions(stage); err != nil {
		return err
	}
	if err := openPlanOf(ctx, tx, stage.GetName()); err != nil {
		return err
	}
	if old != nil && slices.Equal(old.GetPredecessors(), stage.GetPredecessors()) && sameList(old.GetWaitsFor(), stage.GetWaitsFor()) {
		return nil
	}
	for i, name := range stage.GetPredecessors() {
		if err := samePlan(stageRows, stage.GetName(), fmt.Sprintf("stage.predecessors[%d]", i), name); err != nil {
			return err
		}
	}
	// Whoever links stages of the plan does so one after the other, or two could close a circle together.
	if _, err := Implementations.Lock(ctx, tx, parent(stage.GetName())); err != nil {
		return err
	}
	all, err := stageRows.Select(ctx, tx, "WHERE parent = $1", parent(stage.GetName()))
	if err != nil {
		return err
	}
	if old == nil && len(all) >= maxStages {
		return fault.Exhausted(ReasonPlanTooLarge, "%s has %d stages already, which is the most a plan may have; put tasks into one of them", parent(stage.GetName()), maxStages)
	}
	if err := link(old, stage, all); err != nil || old == nil {
		return err // no task is in a stage that is new
	}
	return stageOrder(ctx, tx, stage)
}

// stageOrder refuses predecessors that tasks of the stages contradict by their links.
func stageOrder(ctx context.Context, tx *sqldb.Tx, stage *implementationv1.Stage) error {
	o, err := orderOf(ctx, tx, parent(stage.GetName()))
	if err != nil {
		return err
	}
	o.stages[stage.GetName()] = stage.GetPredecessors()
	if path := circle(o.edges(), []string{stage.GetName()}); path != nil {
		return circleFault(ReasonTaskCycle, "stage.predecessors", path)
	}
	return nil
}

// link holds the predecessors of a stage against all stages of the plan, and gives it the state that they say. One that is told
// to wait for something else of the rollout is not READY before that was looked at, see [Store.SettleStages].
func link(old, stage *implementationv1.Stage, all []*implementationv1.Stage) error {
	edges := make(map[string][]string, len(all))
	states := make(map[string]implementationv1.Stage_State, len(all))
	for _, s := range all {
		edges[s.GetName()], states[s.GetName()] = s.GetPredecessors(), s.GetState()
	}
	before := make([]implementationv1.Stage_State, len(stage.GetPredecessors()))
	for i, name := range stage.GetPredecessors() {
		state, known := states[name]
		if !known && name != stage.GetName() {
			return dangling(fmt.Sprintf("stage.predecessors[%d]", i), name)
		}
		before[i] = state
	}
	edges[stage.GetName()] = stage.GetPredecessors()
	if path := circle(edges, []string{stage.GetName()}); path != nil {
		return circleFault(ReasonStageCycle, "stage.predecessors", path)
	}
	held := len(stage.GetWaitsFor()) == 0 || stage.GetState() == implementationv1.Stage_READY && sameList(old.GetWaitsFor(), stage.GetWaitsFor())
	lifecycle.Settle(stage, before, held)
	return nil
}

// validateConditions holds what a stage waits for of the rollout against what needs nobody else.
func validateConditions(stage *implementationv1.Stage) error {
	seen := map[string]bool{}
	for i, c := range stage.GetWaitsFor() {
		field := fmt.Sprintf("stage.waits_for[%d]", i)
		if seen[c.GetId()] {
			return fault.Invalid("CONDITION_DUPLICATE", "two conditions have the id %q; give each its own", c.GetId()).
				Field(field+".id", "is there twice")
		}
		seen[c.GetId()] = true
		if Workspace(c.GetResource()) != Workspace(stage.GetName()) {
			return fault.Invalid(ReasonOtherWorkspace, "%s.resource names %s, which is of another workspace; name one of %s", field, quoted(c.GetResource()), Workspace(stage.GetName())).
				Field(field+".resource", "is of another workspace")
		}
	}
	return nil
}

func validateCriteria(ctx context.Context, tx *sqldb.Tx, stage *implementationv1.Stage) error {
	seen := map[string]bool{}
	for i, c := range stage.GetExitCriteria() {
		field := fmt.Sprintf("stage.exit_criteria[%d]", i)
		if seen[c.GetId()] {
			return fault.Invalid("CRITERION_DUPLICATE", "two exit criteria have the id %q; give each its own", c.GetId()).
				Field(field+".id", "is there twice")
		}
		seen[c.GetId()] = true
		plan := c.GetReadiness().GetCohortPlan()
		if plan == "" {
			continue
		}
		field += ".readiness.cohort_plan"
		if err := samePlan(CohortPlans, stage.GetName(), field, plan); err != nil {
			return err
		}
		if err := reference(ctx, tx, CohortPlans, stage.GetName(), field, plan); err != nil {
			return err
		}
	}
	return nil
}
