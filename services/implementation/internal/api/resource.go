package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ResourceService answers golive.implementation.v1.ResourceService.
type ResourceService struct {
	implementationv1.UnimplementedResourceServiceServer

	store *store.Store
}

// NewResourceService serves the store.
func NewResourceService(s *store.Store) *ResourceService { return &ResourceService{store: s} }

// CreateResource creates one.
func (a *ResourceService) CreateResource(ctx context.Context, req *implementationv1.CreateResourceRequest) (*implementationv1.Resource, error) {
	return store.Resources.Create(ctx, a.store.Store, req)
}

// GetResource reads one.
func (a *ResourceService) GetResource(ctx context.Context, req *implementationv1.GetResourceRequest) (*implementationv1.Resource, error) {
	return store.Resources.Get(ctx, a.store.Store, req)
}

// ListResources reads a page.
func (a *ResourceService) ListResources(ctx context.Context, req *implementationv1.ListResourcesRequest) (*implementationv1.ListResourcesResponse, error) {
	all, next, err := store.Resources.List(ctx, a.store.Store, req)
	return &implementationv1.ListResourcesResponse{Resources: all, NextPageToken: next}, err
}

// UpdateResource changes one.
func (a *ResourceService) UpdateResource(ctx context.Context, req *implementationv1.UpdateResourceRequest) (*implementationv1.Resource, error) {
	return store.Resources.Update(ctx, a.store.Store, req)
}

// DeleteResource removes one.
func (a *ResourceService) DeleteResource(ctx context.Context, req *implementationv1.DeleteResourceRequest) (*emptypb.Empty, error) {
	return store.Resources.Delete(ctx, a.store.Store, req)
}
