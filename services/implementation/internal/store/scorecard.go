package store

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
	"github.com/golive-dev/golive/services/implementation/internal/scorecard"
)

// Scorecard computes what an implementation has reached of what it was to reach. It reads adoption and what was told of surveys
// as everybody does, and the log says so.
func (s *Store) Scorecard(ctx context.Context, name string) (*implementationv1.Scorecard, error) {
	q := s.DB().Read()
	i, err := Implementations.Load(ctx, q, name)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	facts := scorecard.Facts{Targets: i.GetScorecardTargets(), Now: now}
	last := adoption.DayOf(now) - 1
	facts.Adoption, err = s.Adoption(ctx, &implementationv1.GetAdoptionRequest{
		Parent: name, StartDay: adoption.DayOf(now.Add(-scorecard.Back)).Add(-1).String(), EndDay: last.String(),
	})
	if err != nil {
		return nil, err
	}
	if facts.Books, err = books(ctx, q, i); err != nil {
		return nil, err
	}
	if survey := i.GetScorecardTargets().GetSatisfactionSurvey(); survey != "" {
		if facts.Waves, err = s.lastResults(ctx, survey); err != nil {
			return nil, err
		}
	}
	return &implementationv1.Scorecard{Implementation: name, AsOf: timestamppb.New(now), Measures: scorecard.Compute(facts)}, nil
}
