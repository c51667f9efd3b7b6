package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// ApplicationService answers golive.deployment.v1.ApplicationService.
type ApplicationService struct {
	deploymentv1.UnimplementedApplicationServiceServer

	store *store.Store
}

// NewApplicationService serves the store.
func NewApplicationService(s *store.Store) *ApplicationService {
	return &ApplicationService{store: s}
}

// CreateApplication stores a new one.
func (a *ApplicationService) CreateApplication(ctx context.Context, req *deploymentv1.CreateApplicationRequest) (*deploymentv1.Application, error) {
	return store.Applications.Create(ctx, a.store.Resources, req)
}

// GetApplication returns one.
func (a *ApplicationService) GetApplication(ctx context.Context, req *deploymentv1.GetApplicationRequest) (*deploymentv1.Application, error) {
	return store.Applications.Get(ctx, a.store.Resources, req)
}

// ListApplications answers one page.
func (a *ApplicationService) ListApplications(ctx context.Context, req *deploymentv1.ListApplicationsRequest) (*deploymentv1.ListApplicationsResponse, error) {
	items, next, err := store.Applications.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListApplicationsResponse{Applications: items, NextPageToken: next}, nil
}

// UpdateApplication changes one.
func (a *ApplicationService) UpdateApplication(ctx context.Context, req *deploymentv1.UpdateApplicationRequest) (*deploymentv1.Application, error) {
	return store.Applications.Update(ctx, a.store.Resources, req)
}

// DeleteApplication removes one that nothing needs.
func (a *ApplicationService) DeleteApplication(ctx context.Context, req *deploymentv1.DeleteApplicationRequest) (*emptypb.Empty, error) {
	return store.Applications.Delete(ctx, a.store.Resources, req)
}
