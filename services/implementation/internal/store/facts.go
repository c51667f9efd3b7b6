package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// MaxPlans is how many cohort plans one call may judge.
const MaxPlans = 500

// Assess judges those of the cohort plans that exist, by name. However many
// plans, cohorts and people there are, it runs three queries, and one or two for
// each kind of criterion that is asked for; people are counted in memory.
func (s *Store) Assess(ctx context.Context, names []string) (map[string]readiness.Assessment, error) {
	assessed := make(map[string]readiness.Assessment, len(names))
	if len(names) == 0 {
		return assessed, nil
	}
	q := s.DB().Read()
	plans, err := CohortPlans.LoadMany(ctx, q, names)
	if err != nil {
		return nil, err
	}
	j := &judgement{store: s, plans: plans, facts: make(map[string]*readiness.Facts, len(plans)), roster: newRoster()}
	cohorts := make([]string, 0, len(plans))
	for name, plan := range plans {
		j.names = append(j.names, name)
		cohorts = append(cohorts, plan.GetCohort())
	}
	slices.Sort(j.names)
	if j.cohorts, err = Cohorts.LoadMany(ctx, q, cohorts); err != nil {
		return nil, err
	}
	if err := j.roster.read(ctx, q, cohorts); err != nil {
		return nil, err
	}
	if err := j.read(ctx, q); err != nil {
		return nil, err
	}
	for name, plan := range plans {
		assessed[name] = readiness.Assess(plan, *j.facts[name])
	}
	return assessed, nil
}

// ReadinessOf judges every cohort plan of an implementation, in the order of their names.
func (s *Store) ReadinessOf(ctx context.Context, implementation string) ([]*implementationv1.Readiness, error) {
	if err := Implementations.Required(ctx, s.DB().Read(), implementation); err != nil {
		return nil, err
	}
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT name FROM cohort_plans WHERE parent = $1 ORDER BY name LIMIT $2", implementation, MaxPlans)
	names, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return nil, fmt.Errorf("list cohort plans: %w", err)
	}
	assessed, err := s.Assess(ctx, names)
	if err != nil {
		return nil, err
	}
	all := make([]*implementationv1.Readiness, 0, len(names))
	for _, name := range names {
		if a, ok := assessed[name]; ok {
			all = append(all, a.Readiness())
		}
	}
	return all, nil
}
