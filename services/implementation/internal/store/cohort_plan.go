package store

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
	"github.com/golive-dev/golive/services/implementation/internal/waiting"
)

// CohortPlans is the kind of cohort plans. Which trainings their criteria name
// is in a table of its own too, so that readiness can be counted in one query.
var CohortPlans = resource.Define(resource.Spec[*implementationv1.CohortPlan]{
	Table: "cohort_plans",
	Columns: []resource.Column[*implementationv1.CohortPlan]{
		{Field: "cohort"},
		{Field: "go_live_time"},
		{Field: "live_time"},
		{Field: "live_wave"},
		{Field: "owner"},
		{Name: "waiting_since", Time: waiting.SinceCohortPlan, Internal: true},
	},
	Parent: Implementations.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.CohortPlan]{
		Validate:   validateCohortPlan,
		AfterWrite: writeCriteria,
		BeforeDelete: takingComments(func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.CohortPlan) error {
			if err := removeDates(ctx, tx, old.GetName()); err != nil {
				return err
			}
			return removeCriteria(ctx, tx, old.GetName())
		}),
	},
})

// criterion is one row of cohort_plan_trainings.
type criterion struct{ id, training, field string }

// criteria lists every training that a plan names, with the path of the field that does.
func criteria(plan *implementationv1.CohortPlan) (all []criterion) {
	for i, c := range plan.GetReadinessPolicy().GetCriteria() {
		kind, trainings := "trained", c.GetTrained().GetTrainings()
		if p := c.GetProficient(); p != nil {
			kind, trainings = "proficient", p.GetTrainings()
		}
		for j, training := range trainings {
			path := fmt.Sprintf("cohort_plan.readiness_policy.criteria[%d].%s.trainings[%d]", i, kind, j)
			all = append(all, criterion{id: c.GetId(), training: training, field: path})
		}
	}
	return all
}

func validateCohortPlan(ctx context.Context, tx *sqldb.Tx, old, plan *implementationv1.CohortPlan) error {
	if old == nil {
		if err := reference(ctx, tx, Cohorts, plan.GetName(), "cohort_plan.cohort", plan.GetCohort()); err != nil {
			return err
		}
	}
	if err := readiness.Check(plan); err != nil {
		return err
	}
	for i, c := range plan.GetReadinessPolicy().GetCriteria() {
		if err := sameWorkspace(plan, fmt.Sprintf("cohort_plan.readiness_policy.criteria[%d]", i), c); err != nil {
			return err
		}
	}
	if err := knownTrainings(ctx, tx, plan); err != nil {
		return err
	}
	return validateAdoption(ctx, tx, plan)
}

// sameWorkspace checks names of what is not kept here, or need not be there yet.
func sameWorkspace(plan *implementationv1.CohortPlan, field string, c *implementationv1.Criterion) error {
	for path, name := range map[string]string{
		".access.application": c.GetAccess().GetApplication(), ".pulse.survey": c.GetPulse().GetSurvey(), ".technical.resource": c.GetTechnical().GetResource(),
	} {
		if name != "" && Workspace(name) != Workspace(plan.GetName()) {
			return fault.Invalid(ReasonOtherWorkspace, "%s names %s, which is of another workspace; name one of %s", field+path, quoted(name), Workspace(plan.GetName())).
				Field(field+path, "is of another workspace")
		}
	}
	return nil
}

func knownTrainings(ctx context.Context, tx *sqldb.Tx, plan *implementationv1.CohortPlan) error {
	var names []string
	for _, c := range criteria(plan) {
		if err := shape(Trainings, plan.GetName(), c.field, c.training); err != nil {
			return err
		}
		names = append(names, c.training)
	}
	found, err := existing(ctx, tx, "trainings", names)
	if err != nil {
		return err
	}
	for _, c := range criteria(plan) {
		if !found[c.training] {
			return dangling(c.field, c.training)
		}
	}
	return nil
}

func writeCriteria(ctx context.Context, tx *sqldb.Tx, old, plan *implementationv1.CohortPlan) error {
	if err := noteDate(ctx, tx, old, plan); err != nil {
		return err
	}
	if err := removeCriteria(ctx, tx, plan.GetName()); err != nil {
		return err
	}
	for _, c := range criteria(plan) {
		_, err := tx.ExecContext(ctx, "INSERT INTO cohort_plan_trainings (plan, criterion, training) VALUES ($1, $2, $3)",
			plan.GetName(), c.id, c.training)
		if err != nil {
			return fmt.Errorf("store criteria of %s: %w", plan.GetName(), err)
		}
	}
	for _, c := range plan.GetReadinessPolicy().GetCriteria() {
		if gated := c.GetTechnical().GetResource(); gated != "" {
			_, err := tx.ExecContext(ctx, "INSERT INTO cohort_plan_technical (plan, resource) VALUES ($1, $2) ON CONFLICT DO NOTHING", plan.GetName(), gated)
			if err != nil {
				return fmt.Errorf("store criteria of %s: %w", plan.GetName(), err)
			}
		}
	}
	return writePlanFeatures(ctx, tx, plan)
}

func removeCriteria(ctx context.Context, tx *sqldb.Tx, plan string) error {
	for _, table := range []string{"cohort_plan_trainings", "cohort_plan_technical", "cohort_plan_features"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE plan = $1", plan); err != nil {
			return fmt.Errorf("remove criteria of %s: %w", plan, err)
		}
	}
	return nil
}
