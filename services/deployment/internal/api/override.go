package api

import (
	"context"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// OverrideService answers golive.deployment.v1.OverrideService.
type OverrideService struct {
	deploymentv1.UnimplementedOverrideServiceServer

	store  *store.Store
	engine *engine.Engine
}

// NewOverrideService serves the store; the engine carries an override into what is under way.
func NewOverrideService(s *store.Store, e *engine.Engine) *OverrideService {
	return &OverrideService{store: s, engine: e}
}

// CreateOverride opens something for a time.
func (a *OverrideService) CreateOverride(ctx context.Context, req *deploymentv1.CreateOverrideRequest) (*deploymentv1.Override, error) {
	return a.engine.CreateOverride(ctx, req)
}

// GetOverride returns one.
func (a *OverrideService) GetOverride(ctx context.Context, req *deploymentv1.GetOverrideRequest) (*deploymentv1.Override, error) {
	return store.Overrides.Get(ctx, a.store.Resources, req)
}

// ListOverrides answers one page.
func (a *OverrideService) ListOverrides(ctx context.Context, req *deploymentv1.ListOverridesRequest) (*deploymentv1.ListOverridesResponse, error) {
	items, next, err := store.Overrides.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListOverridesResponse{Overrides: items, NextPageToken: next}, nil
}

// RevokeOverride ends one now.
func (a *OverrideService) RevokeOverride(ctx context.Context, req *deploymentv1.RevokeOverrideRequest) (*deploymentv1.Override, error) {
	return a.engine.RevokeOverride(ctx, req)
}
