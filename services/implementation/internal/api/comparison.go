package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
)

// ComparisonService answers golive.implementation.v1.ComparisonService.
type ComparisonService struct {
	implementationv1.UnimplementedComparisonServiceServer

	cards *engine.Scorecards
}

// NewComparisonService serves what cards compares.
func NewComparisonService(cards *engine.Scorecards) *ComparisonService {
	return &ComparisonService{cards: cards}
}

// GetComparison sets the two halves of a go-live side by side.
func (a *ComparisonService) GetComparison(ctx context.Context, req *implementationv1.GetComparisonRequest) (*implementationv1.Comparison, error) {
	return a.cards.Compare(ctx, req)
}
