package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// TargetService answers golive.deployment.v1.TargetService.
type TargetService struct {
	deploymentv1.UnimplementedTargetServiceServer

	store   *store.Store
	changed func(ctx context.Context, targets []string, connected bool)
}

// NewTargetService serves the store; changed hears of targets that may have become available for work.
func NewTargetService(s *store.Store, changed func(ctx context.Context, targets []string, connected bool)) *TargetService {
	return &TargetService{store: s, changed: changed}
}

// CreateTarget stores a new one.
func (a *TargetService) CreateTarget(ctx context.Context, req *deploymentv1.CreateTargetRequest) (*deploymentv1.Target, error) {
	return store.Targets.Create(ctx, a.store.Resources, req)
}

// GetTarget returns one with what runs on it.
func (a *TargetService) GetTarget(ctx context.Context, req *deploymentv1.GetTargetRequest) (*deploymentv1.Target, error) {
	t, err := store.Targets.Get(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return t, a.store.DescribeTargets(ctx, t)
}

// ListDrift answers one page of what runs otherwise than it should.
func (a *TargetService) ListDrift(ctx context.Context, req *deploymentv1.ListDriftRequest) (*deploymentv1.ListDriftResponse, error) {
	return a.store.ListDrift(ctx, req)
}

// ListTargets answers one page, each with what runs on it.
func (a *TargetService) ListTargets(ctx context.Context, req *deploymentv1.ListTargetsRequest) (*deploymentv1.ListTargetsResponse, error) {
	items, next, err := store.Targets.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListTargetsResponse{Targets: items, NextPageToken: next}, a.store.DescribeTargets(ctx, items...)
}

// UpdateTarget changes one; a wave that waits for it looks again.
func (a *TargetService) UpdateTarget(ctx context.Context, req *deploymentv1.UpdateTargetRequest) (*deploymentv1.Target, error) {
	t, err := store.Targets.Update(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	if !req.GetValidateOnly() {
		a.changed(ctx, []string{t.GetName()}, true)
	}
	return t, a.store.DescribeTargets(ctx, t)
}

// DeleteTarget removes one that no active deployment holds.
func (a *TargetService) DeleteTarget(ctx context.Context, req *deploymentv1.DeleteTargetRequest) (*emptypb.Empty, error) {
	return store.Targets.Delete(ctx, a.store.Resources, req)
}
