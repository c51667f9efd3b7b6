package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// EnvironmentService answers golive.deployment.v1.EnvironmentService.
type EnvironmentService struct {
	deploymentv1.UnimplementedEnvironmentServiceServer

	store *store.Store
}

// NewEnvironmentService serves the store.
func NewEnvironmentService(s *store.Store) *EnvironmentService {
	return &EnvironmentService{store: s}
}

// CreateEnvironment stores a new one.
func (a *EnvironmentService) CreateEnvironment(ctx context.Context, req *deploymentv1.CreateEnvironmentRequest) (*deploymentv1.Environment, error) {
	return store.Environments.Create(ctx, a.store.Resources, req)
}

// GetEnvironment returns one.
func (a *EnvironmentService) GetEnvironment(ctx context.Context, req *deploymentv1.GetEnvironmentRequest) (*deploymentv1.Environment, error) {
	return store.Environments.Get(ctx, a.store.Resources, req)
}

// ListEnvironments answers one page.
func (a *EnvironmentService) ListEnvironments(ctx context.Context, req *deploymentv1.ListEnvironmentsRequest) (*deploymentv1.ListEnvironmentsResponse, error) {
	items, next, err := store.Environments.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListEnvironmentsResponse{Environments: items, NextPageToken: next}, nil
}

// UpdateEnvironment changes one.
func (a *EnvironmentService) UpdateEnvironment(ctx context.Context, req *deploymentv1.UpdateEnvironmentRequest) (*deploymentv1.Environment, error) {
	return store.Environments.Update(ctx, a.store.Resources, req)
}

// DeleteEnvironment removes one that nothing needs.
func (a *EnvironmentService) DeleteEnvironment(ctx context.Context, req *deploymentv1.DeleteEnvironmentRequest) (*emptypb.Empty, error) {
	return store.Environments.Delete(ctx, a.store.Resources, req)
}
