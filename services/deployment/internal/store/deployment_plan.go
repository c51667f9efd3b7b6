package store

import (
	"github.com/golive-dev/golive/pkg/resource"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// DeploymentPlans are reusable plans of rollout.
var DeploymentPlans = resource.Define(resource.Spec[*deploymentv1.DeploymentPlan]{
	Table:   "deployment_plans",
	Columns: []resource.Column[*deploymentv1.DeploymentPlan]{{Field: "display_name"}},
})
