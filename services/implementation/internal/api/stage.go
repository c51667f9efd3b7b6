package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// StageService answers golive.implementation.v1.StageService.
type StageService struct {
	implementationv1.UnimplementedStageServiceServer

	store *store.Store
}

// NewStageService serves the store.
func NewStageService(s *store.Store) *StageService { return &StageService{store: s} }

// CreateStage creates one.
func (a *StageService) CreateStage(ctx context.Context, req *implementationv1.CreateStageRequest) (*implementationv1.Stage, error) {
	return store.Stages.Create(ctx, a.store.Store, req)
}

// GetStage reads one.
func (a *StageService) GetStage(ctx context.Context, req *implementationv1.GetStageRequest) (*implementationv1.Stage, error) {
	return store.Stages.Get(ctx, a.store.Store, req)
}

// ListStages reads a page.
func (a *StageService) ListStages(ctx context.Context, req *implementationv1.ListStagesRequest) (*implementationv1.ListStagesResponse, error) {
	all, next, err := store.Stages.List(ctx, a.store.Store, req)
	return &implementationv1.ListStagesResponse{Stages: all, NextPageToken: next}, err
}

// UpdateStage changes one.
func (a *StageService) UpdateStage(ctx context.Context, req *implementationv1.UpdateStageRequest) (*implementationv1.Stage, error) {
	return store.Stages.Update(ctx, a.store.Store, req)
}

// DeleteStage removes one.
func (a *StageService) DeleteStage(ctx context.Context, req *implementationv1.DeleteStageRequest) (*emptypb.Empty, error) {
	return store.Stages.Delete(ctx, a.store.Store, req)
}

// StartStage takes one into work.
func (a *StageService) StartStage(ctx context.Context, req *implementationv1.StartStageRequest) (*implementationv1.Stage, error) {
	return a.store.MoveStage(ctx, req, lifecycle.StageStarted, "")
}

// ReviewStage looks at its exit criteria.
func (a *StageService) ReviewStage(ctx context.Context, req *implementationv1.ReviewStageRequest) (*implementationv1.Stage, error) {
	return a.store.MoveStage(ctx, req, lifecycle.StageReviewed, "")
}

// CompleteStage ends one.
func (a *StageService) CompleteStage(ctx context.Context, req *implementationv1.CompleteStageRequest) (*implementationv1.Stage, error) {
	return a.store.MoveStage(ctx, req, lifecycle.StageCompleted, "")
}

// RejectStage sends one back into work.
func (a *StageService) RejectStage(ctx context.Context, req *implementationv1.RejectStageRequest) (*implementationv1.Stage, error) {
	return a.store.MoveStage(ctx, req, lifecycle.StageRejected, req.GetReason())
}

// SkipStage leaves one out.
func (a *StageService) SkipStage(ctx context.Context, req *implementationv1.SkipStageRequest) (*implementationv1.Stage, error) {
	return a.store.MoveStage(ctx, req, lifecycle.StageSkipped, req.GetReason())
}

// CancelStage gives one up.
func (a *StageService) CancelStage(ctx context.Context, req *implementationv1.CancelStageRequest) (*implementationv1.Stage, error) {
	return a.store.MoveStage(ctx, req, lifecycle.StageCancelled, req.GetReason())
}

// ConfirmStage records a word on an exit criterion.
func (a *StageService) ConfirmStage(ctx context.Context, req *implementationv1.ConfirmStageRequest) (*implementationv1.Stage, error) {
	return a.store.ConfirmStage(ctx, req)
}
