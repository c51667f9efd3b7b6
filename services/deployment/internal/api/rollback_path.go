package api

import (
	"context"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// PreviewRollback says what a rollback would do, before anybody asks for one.
func (a *DeploymentService) PreviewRollback(ctx context.Context, req *deploymentv1.PreviewRollbackRequest) (*deploymentv1.RollbackPath, error) {
	return a.engine.PreviewRollback(ctx, req.GetName())
}
