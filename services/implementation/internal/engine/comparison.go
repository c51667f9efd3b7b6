package engine

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/comparison"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// Compare sets the two halves of a go-live side by side.
func (s *Scorecards) Compare(ctx context.Context, req *implementationv1.GetComparisonRequest) (*implementationv1.Comparison, error) {
	facts, err := s.store.ComparisonFacts(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	cards, err := s.compute(ctx, store.Workspace(req.GetParent()), []string{req.GetParent()}, facts.Now)
	if err != nil {
		return nil, err
	}
	facts.Card, facts.Machines, facts.Silent = cards[0].card, cards[0].machines.Now, cards[0].machines.Silent
	if len(facts.Implementation.GetApplications()) == 0 {
		facts.Silent = "The implementation names no application."
	}
	c := comparison.Compute(facts)
	if req.GetReport() {
		c.Markdown, c.Html, err = comparison.Report(c)
	}
	return c, err
}
