package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// DeploymentPlans are reusable plans of rollout. One that no deployment could follow is refused.
var DeploymentPlans = resource.Define(resource.Spec[*deploymentv1.DeploymentPlan]{
	Table:   "deployment_plans",
	Columns: []resource.Column[*deploymentv1.DeploymentPlan]{{Field: "display_name"}},
	Hooks: resource.Hooks[*deploymentv1.DeploymentPlan]{
		Validate: func(_ context.Context, _ *sqldb.Tx, _, p *deploymentv1.DeploymentPlan) error {
			expanded, err := rollout.Expand(p.GetRollout())
			if err != nil {
				return err
			}
			return CheckGates(p.GetName(), expanded)
		},
	},
})

// CheckGates refuses an expanded rollout that asks about people of another
// workspace: the service that asks may read them, who deploys may not.
func CheckGates(owner string, expanded *deploymentv1.Rollout) error {
	for _, wave := range expanded.GetWaves() {
		for _, gate := range wave.GetGates() {
			plan := gate.GetReadiness().GetCohortPlan()
			if plan == "" {
				continue
			}
			if err := SameWorkspace("rollout.waves.gates.readiness.cohort_plan", owner, plan); err != nil {
				return err
			}
		}
	}
	return nil
}
