package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// DeploymentPlanService answers golive.deployment.v1.DeploymentPlanService.
type DeploymentPlanService struct {
	deploymentv1.UnimplementedDeploymentPlanServiceServer

	store *store.Store
}

// NewDeploymentPlanService serves the store.
func NewDeploymentPlanService(s *store.Store) *DeploymentPlanService {
	return &DeploymentPlanService{store: s}
}

// CreateDeploymentPlan stores a new one.
func (a *DeploymentPlanService) CreateDeploymentPlan(ctx context.Context, req *deploymentv1.CreateDeploymentPlanRequest) (*deploymentv1.DeploymentPlan, error) {
	return store.DeploymentPlans.Create(ctx, a.store.Resources, req)
}

// GetDeploymentPlan returns one.
func (a *DeploymentPlanService) GetDeploymentPlan(ctx context.Context, req *deploymentv1.GetDeploymentPlanRequest) (*deploymentv1.DeploymentPlan, error) {
	return store.DeploymentPlans.Get(ctx, a.store.Resources, req)
}

// ListDeploymentPlans answers one page.
func (a *DeploymentPlanService) ListDeploymentPlans(ctx context.Context, req *deploymentv1.ListDeploymentPlansRequest) (*deploymentv1.ListDeploymentPlansResponse, error) {
	items, next, err := store.DeploymentPlans.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListDeploymentPlansResponse{DeploymentPlans: items, NextPageToken: next}, nil
}

// UpdateDeploymentPlan changes one.
func (a *DeploymentPlanService) UpdateDeploymentPlan(ctx context.Context, req *deploymentv1.UpdateDeploymentPlanRequest) (*deploymentv1.DeploymentPlan, error) {
	return store.DeploymentPlans.Update(ctx, a.store.Resources, req)
}

// DeleteDeploymentPlan removes one that nothing needs.
func (a *DeploymentPlanService) DeleteDeploymentPlan(ctx context.Context, req *deploymentv1.DeleteDeploymentPlanRequest) (*emptypb.Empty, error) {
	return store.DeploymentPlans.Delete(ctx, a.store.Resources, req)
}
