package api

import (
	"context"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// DeploymentService answers golive.deployment.v1.DeploymentService.
type DeploymentService struct {
	deploymentv1.UnimplementedDeploymentServiceServer

	store  *store.Store
	engine *engine.Engine
}

// NewDeploymentService serves the store.
func NewDeploymentService(s *store.Store, e *engine.Engine) *DeploymentService {
	return &DeploymentService{store: s, engine: e}
}

// CreateDeployment takes the snapshots and begins.
func (a *DeploymentService) CreateDeployment(ctx context.Context, req *deploymentv1.CreateDeploymentRequest) (*deploymentv1.Deployment, error) {
	return a.engine.Create(ctx, req)
}

// GetDeployment returns one.
func (a *DeploymentService) GetDeployment(ctx context.Context, req *deploymentv1.GetDeploymentRequest) (*deploymentv1.Deployment, error) {
	d, err := store.Deployments.Get(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return d, store.DescribeDeployments(ctx, a.store.DB.Read(), d)
}

// ListDeployments answers one page, the newest first unless asked otherwise.
func (a *DeploymentService) ListDeployments(ctx context.Context, req *deploymentv1.ListDeploymentsRequest) (*deploymentv1.ListDeploymentsResponse, error) {
	if req.GetOrderBy() == "" {
		req.OrderBy = "create_time desc"
	}
	items, next, err := store.Deployments.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListDeploymentsResponse{Deployments: items, NextPageToken: next}, store.DescribeDeployments(ctx, a.store.DB.Read(), items...)
}

// PauseDeployment stops new work.
func (a *DeploymentService) PauseDeployment(ctx context.Context, req *deploymentv1.PauseDeploymentRequest) (*deploymentv1.Deployment, error) {
	return a.engine.Command(ctx, req, rollout.Pause)
}

// ResumeDeployment goes on.
func (a *DeploymentService) ResumeDeployment(ctx context.Context, req *deploymentv1.ResumeDeploymentRequest) (*deploymentv1.Deployment, error) {
	return a.engine.Command(ctx, req, rollout.Resume)
}

// CancelDeployment ends in order, by a deadline.
func (a *DeploymentService) CancelDeployment(ctx context.Context, req *deploymentv1.CancelDeploymentRequest) (*deploymentv1.Deployment, error) {
	return a.engine.Command(ctx, req, rollout.Cancel)
}

// AbandonDeployment ends at once.
func (a *DeploymentService) AbandonDeployment(ctx context.Context, req *deploymentv1.AbandonDeploymentRequest) (*deploymentv1.Deployment, error) {
	return a.engine.Command(ctx, req, rollout.Abandon)
}

// PromoteRelease takes a release on from where it has stood.
func (a *DeploymentService) PromoteRelease(ctx context.Context, req *deploymentv1.PromoteReleaseRequest) (*deploymentv1.Deployment, error) {
	return a.engine.Promote(ctx, req)
}

// GetReleaseMatrix shows what stands where.
func (a *DeploymentService) GetReleaseMatrix(ctx context.Context, req *deploymentv1.GetReleaseMatrixRequest) (*deploymentv1.ReleaseMatrix, error) {
	return a.store.ReleaseMatrix(ctx, req)
}

// RollbackDeployment creates the linked deployment that goes back.
func (a *DeploymentService) RollbackDeployment(ctx context.Context, req *deploymentv1.RollbackDeploymentRequest) (*deploymentv1.Deployment, error) {
	return a.engine.Rollback(ctx, req)
}
