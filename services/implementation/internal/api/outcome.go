package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// OutcomeService answers golive.implementation.v1.OutcomeService.
type OutcomeService struct {
	implementationv1.UnimplementedOutcomeServiceServer

	store *store.Store
}

// NewOutcomeService serves the store.
func NewOutcomeService(s *store.Store) *OutcomeService { return &OutcomeService{store: s} }

// CreateOutcome creates one.
func (a *OutcomeService) CreateOutcome(ctx context.Context, req *implementationv1.CreateOutcomeRequest) (*implementationv1.Outcome, error) {
	return store.Outcomes.Create(ctx, a.store.Store, req)
}

// GetOutcome reads one.
func (a *OutcomeService) GetOutcome(ctx context.Context, req *implementationv1.GetOutcomeRequest) (*implementationv1.Outcome, error) {
	return store.Outcomes.Get(ctx, a.store.Store, req)
}

// ListOutcomes reads a page.
func (a *OutcomeService) ListOutcomes(ctx context.Context, req *implementationv1.ListOutcomesRequest) (*implementationv1.ListOutcomesResponse, error) {
	all, next, err := store.Outcomes.List(ctx, a.store.Store, req)
	return &implementationv1.ListOutcomesResponse{Outcomes: all, NextPageToken: next}, err
}

// UpdateOutcome changes one.
func (a *OutcomeService) UpdateOutcome(ctx context.Context, req *implementationv1.UpdateOutcomeRequest) (*implementationv1.Outcome, error) {
	return store.Outcomes.Update(ctx, a.store.Store, req)
}

// DeleteOutcome removes one.
func (a *OutcomeService) DeleteOutcome(ctx context.Context, req *implementationv1.DeleteOutcomeRequest) (*emptypb.Empty, error) {
	return store.Outcomes.Delete(ctx, a.store.Store, req)
}

// RecordOutcome adds a measurement.
func (a *OutcomeService) RecordOutcome(ctx context.Context, req *implementationv1.RecordOutcomeRequest) (*implementationv1.Outcome, error) {
	return a.store.RecordOutcome(ctx, req)
}

// DecideOutcome records a verdict.
func (a *OutcomeService) DecideOutcome(ctx context.Context, req *implementationv1.DecideOutcomeRequest) (*implementationv1.Outcome, error) {
	return a.store.DecideOutcome(ctx, req)
}
