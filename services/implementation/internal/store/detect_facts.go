package store

import (
	"context"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// gathering is the facts of one implementation on their way together. What has
// dates is read as of the end of the week, what has none as it is now.
type gathering struct {
	*Store

	f       *detect.Facts
	i       *implementationv1.Implementation
	plans   []*implementationv1.CohortPlan
	cohorts map[string]*implementationv1.Cohort
	members map[string]int64 // effective at the end of the week, by cohort
	policy  detect.Policy
}

// DetectorFacts gathers what the rules look at, for one implementation and as of the end of a week.
func (s *Store) DetectorFacts(ctx context.Context, implementation string, week detect.Week) (*detect.Facts, error) {
	g := &gathering{Store: s, f: &detect.Facts{Implementation: implementation, Now: week.End(), Week: week, Missing: map[detect.ID]string{}}}
	err := s.DB().Snapshot(ctx, func(ctx context.Context, q sqldb.Queryer) error {
		for _, read := range []func(context.Context, sqldb.Queryer) error{
			g.base, g.trainings, g.seats, g.tickets, g.stakeholders, g.dates, g.collisions, g.frozen, g.saturation,
		} {
			if err := read(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context) error{g.use, g.surveys, g.work} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return g.f, nil
}

// base reads what the others need.
func (g *gathering) base(ctx context.Context, q sqldb.Queryer) (err error) {
	if g.i, err = Implementations.Load(ctx, q, g.f.Implementation); err != nil {
		return err
	}
	if g.policy, err = g.DetectorPolicy(ctx, q, g.f.Implementation); err != nil {
		return err
	}
	if g.plans, err = CohortPlans.Select(ctx, q, "WHERE parent = $1 ORDER BY name", g.f.Implementation); err != nil {
		return err
	}
	names := make([]string, len(g.plans))
	for i, plan := range g.plans {
		names[i] = plan.GetCohort()
	}
	if g.cohorts, err = Cohorts.LoadMany(ctx, q, names); err != nil {
		return err
	}
	g.members, err = headcounts(ctx, q, names, g.f.Now)
	return err
}

func peopleOf(plan *implementationv1.CohortPlan) detect.Group {
	return detect.Group{Plan: plan.GetName(), Cohort: plan.GetCohort()}
}

// live is when the cohort went live, or was to where nobody said; zero while that is to come.
func (g *gathering) live(plan *implementationv1.CohortPlan) time.Time {
	at := moment(plan.GetLiveTime())
	if at.IsZero() {
		at = moment(plan.GetGoLiveTime())
	}
	if at.After(g.f.Now) {
		return time.Time{}
	}
	return at
}

// settings are what a rule works with here.
func (g *gathering) settings(id detect.ID) detect.Settings {
	rule, _ := detect.Find(id)
	return g.policy.Settings(rule)
}
