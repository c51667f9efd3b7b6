package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// BaselineService answers golive.implementation.v1.BaselineService.
type BaselineService struct {
	implementationv1.UnimplementedBaselineServiceServer

	store *store.Store
}

// NewBaselineService serves the store.
func NewBaselineService(s *store.Store) *BaselineService { return &BaselineService{store: s} }

// GetBaseline reads one.
func (a *BaselineService) GetBaseline(ctx context.Context, req *implementationv1.GetBaselineRequest) (*implementationv1.Baseline, error) {
	return a.store.Baseline(ctx, req.GetName())
}

// ListBaselines reads a page.
func (a *BaselineService) ListBaselines(ctx context.Context, req *implementationv1.ListBaselinesRequest) (*implementationv1.ListBaselinesResponse, error) {
	all, next, err := store.Baselines.List(ctx, a.store.Store, req)
	return &implementationv1.ListBaselinesResponse{Baselines: all, NextPageToken: next}, err
}

// DeleteBaseline removes one.
func (a *BaselineService) DeleteBaseline(ctx context.Context, req *implementationv1.DeleteBaselineRequest) (*emptypb.Empty, error) {
	return store.Baselines.Delete(ctx, a.store.Store, req)
}

// CaptureBaseline copies a plan.
func (a *BaselineService) CaptureBaseline(ctx context.Context, req *implementationv1.CaptureBaselineRequest) (*implementationv1.Baseline, error) {
	return a.store.CaptureBaseline(ctx, req)
}
