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
