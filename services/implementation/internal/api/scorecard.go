package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ScorecardService answers golive.implementation.v1.ScorecardService.
type ScorecardService struct {
	implementationv1.UnimplementedScorecardServiceServer

	store *store.Store
}

// NewScorecardService serves the store.
func NewScorecardService(s *store.Store) *ScorecardService { return &ScorecardService{store: s} }

// ComputeScorecard computes what an implementation has reached of its targets.
func (a *ScorecardService) ComputeScorecard(ctx context.Context, req *implementationv1.ComputeScorecardRequest) (*implementationv1.Scorecard, error) {
	return a.store.Scorecard(ctx, req.GetParent())
}
