package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// MaxPlans is how many cohort plans one call may judge.
const MaxPlans = 500

// Assess judges those of the cohort plans that exist, by name. However many
// plans, cohorts and people there are, it runs three queries, and one or two for each kind of criterion
// that is asked for. A policy that is edited between two of them is noticed, and everything is read again.
func (s *Store) Assess(ctx context.Context, names []string) (map[string]readiness.Assessment, error) {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		assessed, steady, err := s.assess(ctx, names)
		if err != nil || steady || attempt == attempts {
			return assessed, err
		}
	}
}

func (s *Store) assess(ctx context.Context, names []string) (assessed map[string]readiness.Assessment, steady bool, err error) {
	assessed, steady = make(map[string]readiness.Assessment, len(names)), true
	if len(names) == 0 {
		return assessed, true, nil
	}
	q := s.DB().Read()
	plans, err := CohortPlans.SelectRows(ctx, q, "WHERE name IN ("+sqldb.Marks(1, len(names))+")", sqldb.Texts(names)...)
	if err != nil {
		return nil, false, err
	}
	cohorts := make([]string, len(plans))
	for i, plan := range plans {
		cohorts[i] = plan.Message.GetCohort()
	}
	owners, err := Cohorts.LoadMany(ctx, q, cohorts)
	if err != nil {
		return nil, false, err
	}
	counted, err := s.count(ctx, q, plans)
	if err != nil {
		return nil, false, err
	}
	facts := make(map[string]*readiness.Facts, len(counted))
	for name, c := range counted {
		facts[name] = &c.facts
	}
	if err := s.asked(ctx, q, plans, facts); err != nil {
		return nil, false, err
	}
	for _, plan := range plans {
		c := counted[plan.Message.GetName()]
		if c == nil || c.revision != plan.Revision {
			steady = false
		}
		if c == nil {
			continue
		}
		c.facts.Owner = owners[plan.Message.GetCohort()].GetOwner()
		assessed[plan.Message.GetName()] = readiness.Assess(plan.Message, c.facts)
	}
	return assessed, steady, nil
}

// counted are the facts of one plan, and the revision that they were counted for.
type counted struct {
	facts    readiness.Facts
	revision int64
}

// countTrained counts members by what they have completed. A row of person is
// one member with one criterion: how many trainings are named, and how many of
// them were waived, are validly completed, passed, have expired, and can no longer be completed. What
// is due is what was not waived. $1 is now. A go-live that is over judges
// completions by now, because that is when people would go live at the earliest.
const countTrained = `WITH plan AS (
	SELECT name, revision, cohort,
		CASE WHEN go_live_time = 0 THEN CAST($1 AS BIGINT) ELSE go_live_time END AS at,
		CASE WHEN go_live_time < CAST($1 AS BIGINT) THEN CAST($1 AS BIGINT) ELSE go_live_time END AS valid_at
	FROM cohort_plans WHERE name IN (%[1]s)
), person AS (
	SELECT plan.name, plan.revision, ct.criterion, m.person,
		COUNT(ct.training) AS named,
		COUNT(*) FILTER (WHERE e.state = %[3]d) AS waived,
		COUNT(*) FILTER (WHERE e.state = %[2]d AND (e.expire_time = 0 OR e.expire_time > plan.valid_at)) AS done,
		COUNT(*) FILTER (WHERE e.state = %[2]d AND e.passed = 1 AND (e.expire_time = 0 OR e.expire_time > plan.valid_at)) AS passed,
		COUNT(*) FILTER (WHERE e.state = %[2]d AND e.expire_time <> 0 AND e.expire_time <= plan.valid_at) AS expired,
		COUNT(*) FILTER (WHERE t.state = %[4]d AND (e.state IS NULL OR e.state NOT IN (%[2]d, %[3]d)
			OR e.state = %[2]d AND e.expire_time <> 0 AND e.expire_time <= plan.valid_at)) AS lost
	FROM plan
	LEFT JOIN cohort_plan_trainings ct ON ct.plan = plan.name
	LEFT JOIN trainings t ON t.name = ct.training
	LEFT JOIN memberships m ON m.parent = plan.cohort AND %[5]s
	LEFT JOIN enrolments e ON e.parent = ct.training AND e.person = m.person
	GROUP BY plan.name, plan.revision, ct.criterion, m.person
)
SELECT name, revision, COALESCE(criterion, ''),
	COUNT(person),
	COUNT(*) FILTER (WHERE person IS NOT NULL AND named > 0 AND waived = named),
	COUNT(*) FILTER (WHERE waived < named AND done = named - waived),
	COUNT(*) FILTER (WHERE waived < named AND passed = named - waived),
	COUNT(*) FILTER (WHERE expired > 0),
	COUNT(*) FILTER (WHERE person IS NOT NULL AND lost > 0)
FROM person GROUP BY name, revision, criterion`

func (s *Store) count(ctx context.Context, q sqldb.Queryer, plans []resource.Row[*implementationv1.CohortPlan]) (map[string]*counted, error) {
	all := make(map[string]*counted, len(plans))
	if len(plans) == 0 {
		return all, nil
	}
	now := s.Now()
	args := []any{now.UnixMicro()}
	for _, plan := range plans {
		args = append(args, plan.Message.GetName())
	}
	query := fmt.Sprintf(countTrained, sqldb.Marks(2, len(plans)), implementationv1.Enrolment_COMPLETED,
		implementationv1.Enrolment_WAIVED, implementationv1.Training_RETIRED, effective("plan.at"))
	rows, err := q.QueryContext(ctx, query, args...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var name, criterion string
		var revision int64
		var passed int64
		var t readiness.Trained
		if err := rows.Scan(&name, &revision, &criterion, &t.Members, &t.Waived, &t.Done, &passed, &t.Expired, &t.Lost); err != nil {
			return none, err
		}
		c, ok := all[name]
		if !ok {
			c = &counted{revision: revision, facts: readiness.Facts{
				Now: now, Headcount: t.Members, Trained: map[string]readiness.Trained{}, Proficient: map[string]readiness.Trained{},
			}}
			all[name] = c
		}
		c.facts.Trained[criterion] = t
		t.Done = passed
		c.facts.Proficient[criterion] = t
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("count who is trained: %w", err)
	}
	return all, nil
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
