package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// StageService answers golive.implementation.v1.StageService.
type StageService struct {
	implementationv1.UnimplementedStageServiceServer

	store   *store.Store
	circles *engine.Circles
}

// NewStageService serves the store, and refuses stages that would wait for themselves.
func NewStageService(s *store.Store, c *engine.Circles) *StageService {
	return &StageService{store: s, circles: c}
}

// shown is a stage with what it waits for, as it is now.
func (a *StageService) shown(ctx context.Context, stage *implementationv1.Stage, err error) (*implementationv1.Stage, error) {
	if err != nil {
		return nil, err
	}
	return stage, a.store.StageBlockedBy(ctx, []*implementationv1.Stage{stage})
}

// settled is a stage that was just written, in the state that the last answers of the deployment service give it.
func (a *StageService) settled(ctx context.Context, stage *implementationv1.Stage, err error) (*implementationv1.Stage, error) {
	if err != nil || len(stage.GetWaitsFor()) == 0 {
		return a.shown(ctx, stage, err)
	}
	if err := a.store.SettleStages(ctx, stage.GetName()); err != nil {
		return nil, err
	}
	now, err := store.Stages.Load(ctx, a.store.DB().Read(), stage.GetName())
	if fault.Is(err, fault.KindNotFound) {
		return a.shown(ctx, stage, nil) // it was only validated
	}
	if now.GetEtag() == stage.GetEtag() {
		stage = now
	}
	return a.shown(ctx, stage, err)
}

// CreateStage creates one.
func (a *StageService) CreateStage(ctx context.Context, req *implementationv1.CreateStageRequest) (*implementationv1.Stage, error) {
	if err := a.circles.Stage(ctx, nameOfNew(req.GetParent(), "stages", req.GetStageId()), req.GetStage()); err != nil {
		return nil, err
	}
	stage, err := store.Stages.Create(ctx, a.store.Store, req)
	return a.settled(ctx, stage, err)
}

// GetStage reads one.
func (a *StageService) GetStage(ctx context.Context, req *implementationv1.GetStageRequest) (*implementationv1.Stage, error) {
	stage, err := store.Stages.Get(ctx, a.store.Store, req)
	return a.shown(ctx, stage, err)
}

// ListStages reads a page.
func (a *StageService) ListStages(ctx context.Context, req *implementationv1.ListStagesRequest) (*implementationv1.ListStagesResponse, error) {
	all, next, err := store.Stages.List(ctx, a.store.Store, req)
	if err != nil {
		return nil, err
	}
	return &implementationv1.ListStagesResponse{Stages: all, NextPageToken: next}, a.store.StageBlockedBy(ctx, all)
}

// UpdateStage changes one.
func (a *StageService) UpdateStage(ctx context.Context, req *implementationv1.UpdateStageRequest) (*implementationv1.Stage, error) {
	if err := a.circles.Stage(ctx, req.GetStage().GetName(), req.GetStage()); err != nil {
		return nil, err
	}
	stage, err := store.Stages.Update(ctx, a.store.Store, req)
	return a.settled(ctx, stage, err)
}

// DeleteStage removes one.
func (a *StageService) DeleteStage(ctx context.Context, req *implementationv1.DeleteStageRequest) (*emptypb.Empty, error) {
	return store.Stages.Delete(ctx, a.store.Store, req)
}

// StartStage takes one into work.
func (a *StageService) StartStage(ctx context.Context, req *implementationv1.StartStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.MoveStage(ctx, req, lifecycle.StageStarted, "")
	return a.shown(ctx, stage, err)
}

// ReviewStage looks at its exit criteria.
func (a *StageService) ReviewStage(ctx context.Context, req *implementationv1.ReviewStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.MoveStage(ctx, req, lifecycle.StageReviewed, "")
	return a.shown(ctx, stage, err)
}

// CompleteStage ends one.
func (a *StageService) CompleteStage(ctx context.Context, req *implementationv1.CompleteStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.MoveStage(ctx, req, lifecycle.StageCompleted, "")
	return a.shown(ctx, stage, err)
}

// RejectStage sends one back into work.
func (a *StageService) RejectStage(ctx context.Context, req *implementationv1.RejectStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.MoveStage(ctx, req, lifecycle.StageRejected, req.GetReason())
	return a.shown(ctx, stage, err)
}

// SkipStage leaves one out.
func (a *StageService) SkipStage(ctx context.Context, req *implementationv1.SkipStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.MoveStage(ctx, req, lifecycle.StageSkipped, req.GetReason())
	return a.shown(ctx, stage, err)
}

// CancelStage gives one up.
func (a *StageService) CancelStage(ctx context.Context, req *implementationv1.CancelStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.MoveStage(ctx, req, lifecycle.StageCancelled, req.GetReason())
	return a.shown(ctx, stage, err)
}

// ConfirmStage records a word on an exit criterion.
func (a *StageService) ConfirmStage(ctx context.Context, req *implementationv1.ConfirmStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.ConfirmStage(ctx, req)
	return a.shown(ctx, stage, err)
}

// OverrideStage lets one thing that it waits for pass for a time.
func (a *StageService) OverrideStage(ctx context.Context, req *implementationv1.OverrideStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.OverrideStage(ctx, req)
	return a.shown(ctx, stage, err)
}

// WithdrawStage takes that back.
func (a *StageService) WithdrawStage(ctx context.Context, req *implementationv1.WithdrawStageRequest) (*implementationv1.Stage, error) {
	stage, err := a.store.WithdrawStage(ctx, req)
	return a.shown(ctx, stage, err)
}
