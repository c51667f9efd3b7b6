package store

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// CohortPlans is the kind of cohort plans. Which trainings their criteria name
// is in a table of its own too, so that readiness can be counted in one query.
var CohortPlans = resource.Define(resource.Spec[*implementationv1.CohortPlan]{
	Table:   "cohort_plans",
	Columns: []resource.Column[*implementationv1.CohortPlan]{{Field: "cohort"}, {Field: "go_live_time"}, {Field: "live_time"}},
	Parent:  Implementations.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.CohortPlan]{
		Validate:   validateCohortPlan,
		AfterWrite: writeCriteria,
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.CohortPlan) error {
			return removeCriteria(ctx, tx, old.GetName())
		},
	},
})

// criterion is one row of cohort_plan_trainings.
type criterion struct{ id, training, field string }

// criteria lists every training that a plan names, with the path of the field that does.
func criteria(plan *implementationv1.CohortPlan) (all []criterion) {
	for i, c := range plan.GetReadinessPolicy().GetCriteria() {
		for j, training := range c.GetTrained().GetTrainings() {
			path := fmt.Sprintf("cohort_plan.readiness_policy.criteria[%d].trained.trainings[%d]", i, j)
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
	seen := map[string]bool{}
	for i, c := range plan.GetReadinessPolicy().GetCriteria() {
		if seen[c.GetId()] {
			return fault.Invalid("CRITERION_DUPLICATE", "two criteria have the id %q; give each its own", c.GetId()).
				Field(fmt.Sprintf("cohort_plan.readiness_policy.criteria[%d].id", i), "is there twice")
		}
		seen[c.GetId()] = true
	}
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

func writeCriteria(ctx context.Context, tx *sqldb.Tx, _, plan *implementationv1.CohortPlan) error {
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
	return nil
}

func removeCriteria(ctx context.Context, tx *sqldb.Tx, plan string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM cohort_plan_trainings WHERE plan = $1", plan); err != nil {
		return fmt.Errorf("remove criteria of %s: %w", plan, err)
	}
	return nil
}
