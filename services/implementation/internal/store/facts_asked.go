package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// judgement is cohort plans on their way to be judged: the facts that their
// criteria ask for are read for all of them at once, and for those that do not ask never.
type judgement struct {
	store *Store
	plans map[string]*implementationv1.CohortPlan
	facts map[string]*readiness.Facts
	names []string
}

// asked reads what the criteria of the plans ask for beyond what everybody is counted by.
func (s *Store) asked(ctx context.Context, q sqldb.Queryer, plans []resource.Row[*implementationv1.CohortPlan], facts map[string]*readiness.Facts) error {
	j := &judgement{store: s, plans: map[string]*implementationv1.CohortPlan{}, facts: facts}
	for _, plan := range plans {
		if facts[plan.Message.GetName()] != nil {
			j.plans[plan.Message.GetName()] = plan.Message
			j.names = append(j.names, plan.Message.GetName())
		}
	}
	for _, step := range []struct {
		asks func(*implementationv1.Criterion) bool
		read func(ctx context.Context, q sqldb.Queryer, plans []string) error
	}{
		{func(c *implementationv1.Criterion) bool { return c.GetAccess() != nil }, j.accounts},
		{func(c *implementationv1.Criterion) bool { return c.GetSupport() != nil }, j.superUsers},
		{func(c *implementationv1.Criterion) bool { return c.GetSponsor() != nil || c.GetStakeholders() != nil }, j.stakeholders},
		{func(c *implementationv1.Criterion) bool { return c.GetMessages() != nil }, j.messages},
		{func(c *implementationv1.Criterion) bool { return c.GetChallenges() != nil }, j.challenges},
		{func(c *implementationv1.Criterion) bool { return c.GetChangeLoad() != nil }, j.changeLoad},
		{func(c *implementationv1.Criterion) bool { return c.GetPulse() != nil }, j.pulses},
		{func(c *implementationv1.Criterion) bool { return c.GetTechnical() != nil }, j.technical},
	} {
		wanted := slices.DeleteFunc(slices.Clone(j.names), func(name string) bool {
			return !slices.ContainsFunc(j.plans[name].GetReadinessPolicy().GetCriteria(), step.asks)
		})
		if len(wanted) == 0 {
			continue
		}
		if err := step.read(ctx, q, wanted); err != nil {
			return err
		}
	}
	return nil
}

// implementations are those of the plans, each once, and the plans of each.
func (j *judgement) implementations(plans []string) (names []string, of map[string][]string) {
	of = map[string][]string{}
	for _, plan := range plans {
		of[parent(plan)] = append(of[parent(plan)], plan)
	}
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, of
}

// members is the head of a query that counts members of cohorts at the go-lives of plans: $1 is now.
const members = `WITH plan AS (
	SELECT name, cohort, CASE WHEN go_live_time = 0 THEN CAST($1 AS BIGINT) ELSE go_live_time END AS at FROM cohort_plans WHERE name IN (%s)
) `

// counts runs a query that answers plan, key and number.
func (j *judgement) counts(ctx context.Context, q sqldb.Queryer, plans []string, query string, put func(f *readiness.Facts, key string, n int64)) error {
	args := append([]any{j.store.Now().UnixMicro()}, sqldb.Texts(plans)...)
	rows, err := q.QueryContext(ctx, fmt.Sprintf(members, sqldb.Marks(2, len(plans)))+query, args...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var plan, key string
		var n int64
		if err := rows.Scan(&plan, &key, &n); err != nil {
			return none, err
		}
		put(j.facts[plan], key, n)
		return none, nil
	})
	if err != nil {
		return fmt.Errorf("count members: %w", err)
	}
	return nil
}

// accounts counts the members with an account, by application.
func (j *judgement) accounts(ctx context.Context, q sqldb.Queryer, plans []string) error {
	names, of := j.implementations(plans)
	all, err := Implementations.LoadMany(ctx, q, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		for _, plan := range of[name] {
			j.facts[plan].Applications = all[name].GetApplications()
		}
	}
	// Nobody is in a cohort twice at one moment, so rows are people.
	query := `SELECT plan.name, p.application, COUNT(*) FROM plan
		JOIN memberships m ON m.parent = plan.cohort AND ` + effective("plan.at") + `
		JOIN provisionings p ON p.person = m.person AND p.revoke_time = 0
		GROUP BY plan.name, p.application`
	return j.counts(ctx, q, plans, query, func(f *readiness.Facts, application string, n int64) {
		if f.Provisioned == nil {
			f.Provisioned = map[string]int64{}
		}
		f.Provisioned[application] = n
	})
}

func (j *judgement) superUsers(ctx context.Context, q sqldb.Queryer, plans []string) error {
	query := fmt.Sprintf(`SELECT plan.name, '', COUNT(*) FROM plan
		JOIN memberships m ON m.parent = plan.cohort AND m.role = %d AND %s GROUP BY plan.name`,
		implementationv1.Membership_SUPER_USER, effective("plan.at"))
	return j.counts(ctx, q, plans, query, func(f *readiness.Facts, _ string, n int64) { f.SuperUsers = n })
}

func (j *judgement) stakeholders(ctx context.Context, q sqldb.Queryer, plans []string) error {
	names, of := j.implementations(plans)
	rows, err := q.QueryContext(ctx, "SELECT name, parent, influence, stance, sponsor, last_action_time FROM stakeholders WHERE parent IN ("+
		sqldb.Marks(1, len(names))+") ORDER BY name", sqldb.Texts(names)...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var s readiness.Stakeholder
		var implementation string
		var stance implementationv1.Stance
		var acted int64
		if err := rows.Scan(&s.Name, &implementation, &s.Influence, &stance, &s.Sponsor, &acted); err != nil {
			return none, err
		}
		s.Supportive, s.Acted = stance >= implementationv1.Stance_SUPPORTIVE, fromMicros(acted)
		for _, plan := range of[implementation] {
			j.facts[plan].Stakeholders = append(j.facts[plan].Stakeholders, s)
		}
		return none, nil
	})
	if err != nil {
		return fmt.Errorf("read stakeholders: %w", err)
	}
	return nil
}

// messages are the communications that a cohort must know: those of its implementation that go to it.
func (j *judgement) messages(ctx context.Context, q sqldb.Queryer, plans []string) error {
	names, of := j.implementations(plans)
	rest := fmt.Sprintf("WHERE parent IN (%s) AND must_know = 1 AND state <> %d ORDER BY name",
		sqldb.Marks(1, len(names)), implementationv1.Communication_CANCELLED)
	all, err := Communications.Select(ctx, q, rest, sqldb.Texts(names)...)
	if err != nil {
		return err
	}
	for _, c := range all {
		for _, plan := range of[parent(c.GetName())] {
			if slices.Contains(c.GetAudience().GetCohorts(), j.plans[plan].GetCohort()) {
				j.facts[plan].Messages = append(j.facts[plan].Messages, delivered(c, j.plans[plan].GetCohort()))
			}
		}
	}
	return nil
}

// delivered is how a communication reached a cohort: by golive's own mail and as somebody counted for it, or else as its whole audience was reached.
func delivered(c *implementationv1.Communication, cohort string) readiness.Message {
	m := readiness.Message{Name: c.GetName(), Display: c.GetDisplayName(), Delivered: c.GetDeliveredCount(), Audience: c.GetAudienceCount()}
	for _, d := range c.GetDeliveries() {
		counted := d.GetRecordTime() != nil || c.GetChannel() == implementationv1.Communication_EMAIL && c.GetHandedOverCount() == 0
		if d.GetCohort() == cohort && counted {
			m.Delivered, m.Audience = min(d.GetAudienceCount(), d.GetMailedCount()+d.GetDeliveredCount()), d.GetAudienceCount()
		}
	}
	return m
}

// challenges are the critical ones that stand open, on the cohort or on everybody.
func (j *judgement) challenges(ctx context.Context, q sqldb.Queryer, plans []string) error {
	names, of := j.implementations(plans)
	query := fmt.Sprintf("SELECT name, parent, cohort FROM challenges WHERE parent IN (%s) AND critical = 1 AND state IN (%d, %d) ORDER BY name",
		sqldb.Marks(1, len(names)), implementationv1.Challenge_OPEN, implementationv1.Challenge_MITIGATING)
	rows, err := q.QueryContext(ctx, query, sqldb.Texts(names)...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var name, implementation, cohort string
		if err := rows.Scan(&name, &implementation, &cohort); err != nil {
			return none, err
		}
		for _, plan := range of[implementation] {
			if cohort == "" || cohort == j.plans[plan].GetCohort() {
				j.facts[plan].Critical = append(j.facts[plan].Critical, name)
			}
		}
		return none, nil
	})
	if err != nil {
		return fmt.Errorf("read critical challenges: %w", err)
	}
	return nil
}
