package store

import (
	"context"
	"fmt"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/comparison"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// ComparisonFacts reads the half of the people: where the plan and its cohorts are, what they wait for and what stands in their way.
func (s *Store) ComparisonFacts(ctx context.Context, name string) (f comparison.Facts, err error) {
	in, err := s.PlanInput(ctx, name)
	if err != nil {
		return f, err
	}
	f.Implementation, f.Stages, f.Now = in.Implementation, in.Stages, s.Now()
	if p, err := plan.New(in); err == nil { // a plan with a circle has no dates; the lint says so
		f.Schedule = p.Schedule()
	}
	q := s.DB().Read()
	if f.Plans, err = CohortPlans.Select(ctx, q, fmt.Sprintf("WHERE parent = $1 ORDER BY name LIMIT %d", MaxPlans), name); err != nil {
		return f, err
	}
	if f.People, err = s.comparisonPeople(ctx, f.Plans); err != nil {
		return f, err
	}
	if f.Decisions, err = Decisions.Select(ctx, q, "WHERE parent = $1 ORDER BY name LIMIT 100", name); err != nil {
		return f, err
	}
	open := fmt.Sprintf("WHERE parent = $1 AND state IN (%d, %d, %d) ORDER BY critical DESC, severity DESC, name LIMIT 100",
		implementationv1.Challenge_OPEN, implementationv1.Challenge_MITIGATING, implementationv1.Challenge_SUGGESTED)
	if f.Challenges, err = Challenges.Select(ctx, q, open, name); err != nil {
		return f, err
	}
	forecasts, err := Forecasts.Select(ctx, q, "WHERE parent = $1 ORDER BY create_time DESC, name LIMIT 1", name)
	if err != nil {
		return f, err
	}
	if len(forecasts) > 0 {
		f.Forecast = forecasts[0]
	}
	if err := s.StageBlockedBy(ctx, f.Stages); err != nil {
		return f, err
	}
	return f, s.DecisionBlockedBy(ctx, f.Decisions)
}

// comparisonPeople is how many people the cohorts of plans have.
func (s *Store) comparisonPeople(ctx context.Context, plans []*implementationv1.CohortPlan) (map[string]int64, error) {
	cohorts := make([]*implementationv1.Cohort, len(plans))
	for i, p := range plans {
		cohorts[i] = &implementationv1.Cohort{Name: p.GetCohort()}
	}
	if err := s.Sizes(ctx, cohorts...); err != nil {
		return nil, err
	}
	sizes := make(map[string]int64, len(cohorts))
	for _, c := range cohorts {
		sizes[c.GetName()] = c.GetSize()
	}
	return sizes, nil
}
