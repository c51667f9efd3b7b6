package store

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// validateAdoption holds how a cohort plan is counted against itself and the features there are.
func validateAdoption(ctx context.Context, tx *sqldb.Tx, plan *implementationv1.CohortPlan) error {
	const field = "cohort_plan.adoption"
	if err := adoption.Check(plan.GetAdoption(), field); err != nil {
		return err
	}
	var names []string
	fields := map[string]string{}
	for path, features := range planFeatures(plan) {
		for i, name := range features {
			at := fmt.Sprintf("%s.%s[%d]", field, path, i)
			if err := shape(Features, plan.GetName(), at, name); err != nil {
				return err
			}
			names, fields[name] = append(names, name), at
		}
	}
	found, err := existing(ctx, tx, "features", names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !found[name] {
			return dangling(fields[name], name)
		}
	}
	return nil
}

// planFeatures are the features that a plan names, by the field that does.
func planFeatures(plan *implementationv1.CohortPlan) map[string][]string {
	a := plan.GetAdoption()
	return map[string][]string{"features": a.GetFeatures(), "legacy_features": a.GetLegacyFeatures(), "task_standard.features": a.GetTaskStandard().GetFeatures()}
}

// writePlanFeatures keeps which features a plan names, so that none of them is deleted. Those it named before are removed.
func writePlanFeatures(ctx context.Context, tx *sqldb.Tx, plan *implementationv1.CohortPlan) error {
	for _, features := range planFeatures(plan) {
		for _, feature := range features {
			_, err := tx.ExecContext(ctx, "INSERT INTO cohort_plan_features (plan, feature) VALUES ($1, $2) ON CONFLICT (plan, feature) DO NOTHING", plan.GetName(), feature)
			if err != nil {
				return fmt.Errorf("store features of %s: %w", plan.GetName(), err)
			}
		}
	}
	return nil
}
