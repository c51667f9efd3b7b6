package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// CohortPlanService answers golive.implementation.v1.CohortPlanService.
type CohortPlanService struct {
	implementationv1.UnimplementedCohortPlanServiceServer

	store   *store.Store
	circles *engine.Circles
}

// NewCohortPlanService serves the store, and refuses plans that would wait for themselves.
func NewCohortPlanService(s *store.Store, c *engine.Circles) *CohortPlanService {
	return &CohortPlanService{store: s, circles: c}
}

// CreateCohortPlan creates one.
func (a *CohortPlanService) CreateCohortPlan(ctx context.Context, req *implementationv1.CreateCohortPlanRequest) (*implementationv1.CohortPlan, error) {
	if err := a.circles.CohortPlan(ctx, nameOfNew(req.GetParent(), "cohortPlans", req.GetCohortPlanId()), req.GetCohortPlan()); err != nil {
		return nil, err
	}
	return store.CohortPlans.Create(ctx, a.store.Store, req)
}

// GetCohortPlan reads one.
func (a *CohortPlanService) GetCohortPlan(ctx context.Context, req *implementationv1.GetCohortPlanRequest) (*implementationv1.CohortPlan, error) {
	return store.CohortPlans.Get(ctx, a.store.Store, req)
}

// ListCohortPlans reads a page.
func (a *CohortPlanService) ListCohortPlans(ctx context.Context, req *implementationv1.ListCohortPlansRequest) (*implementationv1.ListCohortPlansResponse, error) {
	all, next, err := store.CohortPlans.List(ctx, a.store.Store, req)
	return &implementationv1.ListCohortPlansResponse{CohortPlans: all, NextPageToken: next}, err
}

// UpdateCohortPlan changes one.
func (a *CohortPlanService) UpdateCohortPlan(ctx context.Context, req *implementationv1.UpdateCohortPlanRequest) (*implementationv1.CohortPlan, error) {
	if err := a.circles.CohortPlan(ctx, req.GetCohortPlan().GetName(), req.GetCohortPlan()); err != nil {
		return nil, err
	}
	return store.CohortPlans.Update(ctx, a.store.Store, req)
}

// DeleteCohortPlan removes one.
func (a *CohortPlanService) DeleteCohortPlan(ctx context.Context, req *implementationv1.DeleteCohortPlanRequest) (*emptypb.Empty, error) {
	return store.CohortPlans.Delete(ctx, a.store.Store, req)
}

// EvaluateReadiness judges one now.
func (a *CohortPlanService) EvaluateReadiness(ctx context.Context, req *implementationv1.EvaluateReadinessRequest) (*implementationv1.Readiness, error) {
	if _, err := store.CohortPlans.Get(ctx, a.store.Store, req); err != nil {
		return nil, err
	}
	assessed, err := a.store.Assess(ctx, []string{req.GetName()})
	return assessed[req.GetName()].Readiness(), err
}

// BatchEvaluateReadiness judges all of an implementation now.
func (a *CohortPlanService) BatchEvaluateReadiness(ctx context.Context, req *implementationv1.BatchEvaluateReadinessRequest) (*implementationv1.BatchEvaluateReadinessResponse, error) {
	all, err := a.store.ReadinessOf(ctx, req.GetParent())
	return &implementationv1.BatchEvaluateReadinessResponse{Readinesses: all}, err
}

// OverrideReadiness lets one criterion pass for a time.
func (a *CohortPlanService) OverrideReadiness(ctx context.Context, req *implementationv1.OverrideReadinessRequest) (*implementationv1.CohortPlan, error) {
	return a.store.OverrideReadiness(ctx, req)
}

// WithdrawReadiness takes that back.
func (a *CohortPlanService) WithdrawReadiness(ctx context.Context, req *implementationv1.WithdrawReadinessRequest) (*implementationv1.CohortPlan, error) {
	return a.store.WithdrawReadiness(ctx, req)
}

// RecordGoLive records when a cohort went live.
func (a *CohortPlanService) RecordGoLive(ctx context.Context, req *implementationv1.RecordGoLiveRequest) (*implementationv1.CohortPlan, error) {
	return a.store.RecordGoLive(ctx, req)
}
