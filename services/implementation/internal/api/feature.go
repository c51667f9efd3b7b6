package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// FeatureService answers golive.implementation.v1.FeatureService.
type FeatureService struct {
	implementationv1.UnimplementedFeatureServiceServer

	store *store.Store
}

// NewFeatureService serves the store.
func NewFeatureService(s *store.Store) *FeatureService { return &FeatureService{store: s} }

// CreateFeature creates one.
func (a *FeatureService) CreateFeature(ctx context.Context, req *implementationv1.CreateFeatureRequest) (*implementationv1.Feature, error) {
	return store.Features.Create(ctx, a.store.Store, req)
}

// GetFeature reads one.
func (a *FeatureService) GetFeature(ctx context.Context, req *implementationv1.GetFeatureRequest) (*implementationv1.Feature, error) {
	return store.Features.Get(ctx, a.store.Store, req)
}

// ListFeatures reads a page.
func (a *FeatureService) ListFeatures(ctx context.Context, req *implementationv1.ListFeaturesRequest) (*implementationv1.ListFeaturesResponse, error) {
	all, next, err := store.Features.List(ctx, a.store.Store, req)
	return &implementationv1.ListFeaturesResponse{Features: all, NextPageToken: next}, err
}

// UpdateFeature changes one.
func (a *FeatureService) UpdateFeature(ctx context.Context, req *implementationv1.UpdateFeatureRequest) (*implementationv1.Feature, error) {
	return store.Features.Update(ctx, a.store.Store, req)
}

// DeleteFeature removes one.
func (a *FeatureService) DeleteFeature(ctx context.Context, req *implementationv1.DeleteFeatureRequest) (*emptypb.Empty, error) {
	return store.Features.Delete(ctx, a.store.Store, req)
}
