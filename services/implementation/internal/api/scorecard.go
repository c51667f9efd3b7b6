package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ScorecardService answers golive.implementation.v1.ScorecardService.
type ScorecardService struct {
	implementationv1.UnimplementedScorecardServiceServer

	cards *engine.Scorecards
}

// NewScorecardService serves what cards computes.
func NewScorecardService(cards *engine.Scorecards) *ScorecardService {
	return &ScorecardService{cards: cards}
}

// ComputeScorecard computes what an implementation has reached of its targets.
func (a *ScorecardService) ComputeScorecard(ctx context.Context, req *implementationv1.ComputeScorecardRequest) (*implementationv1.Scorecard, error) {
	if _, err := store.Implementations.Parse(req.GetParent()); err != nil {
		return nil, err
	}
	cards, err := a.cards.Compute(ctx, store.Workspace(req.GetParent()), []string{req.GetParent()})
	if err != nil {
		return nil, err
	}
	return cards[0], nil
}

// BatchComputeScorecards computes several at once.
func (a *ScorecardService) BatchComputeScorecards(ctx context.Context, req *implementationv1.BatchComputeScorecardsRequest) (*implementationv1.BatchComputeScorecardsResponse, error) {
	cards, err := a.cards.Compute(ctx, req.GetParent(), req.GetNames())
	if err != nil {
		return nil, err
	}
	return &implementationv1.BatchComputeScorecardsResponse{Scorecards: cards}, nil
}

// ComputeScorecardReport writes one for people.
func (a *ScorecardService) ComputeScorecardReport(ctx context.Context, req *implementationv1.ComputeScorecardReportRequest) (*implementationv1.ScorecardReport, error) {
	return a.cards.Report(ctx, req.GetParent())
}
