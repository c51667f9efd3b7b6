package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// judgement is cohort plans on their way to be judged: the facts that their
// criteria ask for are read for all of them at once, and for those that do not ask never.
type judgement struct {
	store   *Store
	names   []string
	plans   map[string]*implementationv1.CohortPlan
	cohorts map[string]*implementationv1.Cohort
	facts   map[string]*readiness.Facts
	roster  *roster
}

// read reads the facts.
func (j *judgement) read(ctx context.Context, q sqldb.Queryer) error {
	now := j.store.Now()
	for _, name := range j.names {
		plan, f := j.plans[name], &readiness.Facts{Now: now}
		f.Owner = j.cohorts[plan.GetCohort()].GetOwner()
		j.facts[name] = f
		for b := range j.roster.at(plan.GetCohort(), j.goLive(plan)) {
			f.Headcount++
			f.SuperUsers += one(b.superUser)
		}
	}
	for _, step := range []struct {
		asks func(*implementationv1.Criterion) bool
		read func(ctx context.Context, q sqldb.Queryer, plans []string) error
	}{
		{asks, j.trained},
		{func(c *implementationv1.Criterion) bool { return c.GetAccess() != nil }, j.accounts},
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

// goLive is when a plan's members are looked at, in unix microseconds: at its go-live, or now where it has none.
func (j *judgement) goLive(plan *implementationv1.CohortPlan) int64 {
	if plan.GetGoLiveTime() == nil {
		return j.store.Now().UnixMicro()
	}
	return micros(plan.GetGoLiveTime().AsTime())
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

// accounts counts the members with an account, by application.
func (j *judgement) accounts(ctx context.Context, q sqldb.Queryer, plans []string) error {
	names, of := j.implementations(plans)
	all, err := Implementations.LoadMany(ctx, q, names)
	if err != nil {
		return err
	}
	wanted := pairs{}
	for _, name := range names {
		for _, plan := range of[name] {
			j.facts[plan].Applications = all[name].GetApplications()
			wanted.add(j.plans[plan].GetCohort(), all[name].GetApplications()...)
			for _, c := range j.plans[plan].GetReadinessPolicy().GetCriteria() {
				if application := c.GetAccess().GetApplication(); application != "" {
					wanted.add(j.plans[plan].GetCohort(), application)
				}
			}
		}
	}
	having := map[string]map[int32]bool{} // by application
	// What was revoked is left out here: PostgreSQL, before it has statistics, takes that condition for a rare one and joins the wrong way around.
	err = wanted.each(ctx, q, `SELECT p.application, p.person, p.revoke_time FROM pair CROSS JOIN memberships m CROSS JOIN provisionings p
		WHERE m.parent = pair.cohort AND p.application = pair.subject AND p.person = m.person`,
		func(rows *sql.Rows) error {
			var application, person string
			var revoked int64
			err := rows.Scan(&application, &person, &revoked)
			if having[application] == nil {
				having[application] = map[int32]bool{}
			}
			having[application][j.roster.number(person)] = revoked == 0
			return err
		})
	if err != nil {
		return fmt.Errorf("count who has an account: %w", err)
	}
	for _, plan := range plans {
		f, cohort := j.facts[plan], j.plans[plan].GetCohort()
		f.Provisioned = map[string]int64{}
		for application, people := range having {
			if _, asked := wanted[[2]string{cohort, application}]; !asked {
				continue
			}
			for b := range j.roster.at(cohort, j.goLive(j.plans[plan])) {
				f.Provisioned[application] += one(people[b.person])
			}
		}
	}
	return nil
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
