package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// use are the facts of R1, R2 and R3, of cohorts that have gone live. They are counts that package adoption
// makes over groups that may be told about.
func (g *gathering) use(ctx context.Context) error {
	var live []*implementationv1.CohortPlan
	for _, plan := range g.plans {
		if !g.live(plan).IsZero() {
			live = append(live, plan)
		}
	}
	if len(live) == 0 {
		return nil
	}
	last := adoption.DayOf(g.f.Now) - 1
	facts, err := g.AdoptionFacts(ctx, g.f.Implementation, "", last, last)
	if err != nil {
		return err
	}
	report, outlook := adoption.Report(facts), adoption.Outlook(facts, 0)
	days := adoption.Day(g.settings("R2").Thresholds["days"])
	trained, err := g.trained(ctx, time.Duration(days)*day24)
	if err != nil {
		return err
	}
	if trained, err = g.toldTrained(ctx, facts, trained); err != nil {
		return err
	}
	for i, cohort := range facts.Cohorts {
		at := g.live(cohort.Plan)
		if at.IsZero() || len(cohort.New) == 0 {
			continue
		}
		seen := report.GetCohorts()[i]
		g.f.Adoption = append(g.f.Adoption, adopted(cohort, seen, outlook.GetCohorts()[i]))
		since := int(g.f.Now.Sub(at) / day24)
		habits := adoption.HabitsOf(facts, cohort, trained[cohort.Plan.GetName()], days)
		if since >= int(days) && trained[cohort.Plan.GetName()] != nil {
			g.f.Unused = append(g.f.Unused, detect.Unused{Group: peopleOf(cohort.Plan), Trained: habits.Trained, Idle: habits.Idle})
		}
		if len(cohort.Legacy) > 0 {
			g.f.OldWay = append(g.f.OldWay, detect.OldWay{
				Group: peopleOf(cohort.Plan), Days: since, Eligible: seen.GetLegacy().GetEligible(), Old: seen.GetLegacy().GetActive(),
				Adopted: habits.Adopted, Reverted: habits.Reverted,
			})
		}
	}
	return nil
}

func adopted(cohort adoption.Cohort, seen *implementationv1.CohortAdoption, ahead *implementationv1.CohortForecast) detect.Adoption {
	v := detect.Adoption{Group: peopleOf(cohort.Plan)}
	if points := seen.GetPoints(); len(points) > 0 {
		now := points[len(points)-1]
		v.Eligible, v.Active, v.Planned = now.GetEligible(), now.GetActive(), now.Planned
	}
	plan := cohort.Plan.GetAdoption()
	if live, ok := cohort.GoLive(); ok && plan.GetTarget() > 0 && plan.GetTargetDay() > 0 {
		v.Target = dayTime(live + adoption.Day(plan.GetTargetDay()))
	}
	if ahead.GetBasis() == implementationv1.CohortForecast_BASS {
		v.Forecast.Known = true
		if d, err := adoption.ParseDay(ahead.GetTargetDayP80()); err == nil {
			v.Forecast.P80 = dayTime(d)
		}
	}
	return v
}

// toldTrained are the groups of trained people that numbers may be told about, by plan. Who is trained is what
// somebody recorded: a completion more would otherwise tell whether that one person uses anything.
func (g *gathering) toldTrained(ctx context.Context, facts adoption.Facts, trained map[string]*adoption.Set) (map[string]*adoption.Set, error) {
	told := make(map[string]*adoption.Set, len(trained))
	err := g.publish(ctx, Workspace(g.f.Implementation), func(family *adoption.Family) map[string][]*adoption.Set {
		released := map[string][]*adoption.Set{}
		for _, cohort := range facts.Cohorts {
			plan := cohort.Plan.GetName()
			shown := adoption.At(cohort.Shown, facts.Last).People
			if trained[plan] == nil || shown == nil {
				continue
			}
			subject := plan + "/trained"
			groups, some := family.Publish(subject, []adoption.Composition{{From: facts.Last, People: roaring.And(trained[plan], shown)}})
			told[plan] = adoption.At(groups, facts.Last).People
			if len(some) > 0 {
				released[subject] = some
			}
		}
		return released
	})
	return told, err
}

// dayTime is the first moment of a day.
func dayTime(d adoption.Day) time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

// trained are the members who had completed every training that a plan names a while before the end of the week, by plan and as ordinals.
func (g *gathering) trained(ctx context.Context, before time.Duration) (map[string]*adoption.Set, error) {
	rows, err := g.DB().Read().QueryContext(ctx, fmt.Sprintf(`WITH named AS (
			SELECT DISTINCT p.name, p.cohort, ct.training FROM cohort_plans p JOIN cohort_plan_trainings ct ON ct.plan = p.name WHERE p.parent = $1
		), wanted AS (SELECT name, COUNT(*) AS trainings FROM named GROUP BY name)
		SELECT named.name, people.ordinal FROM named
		JOIN wanted ON wanted.name = named.name
		JOIN memberships m ON m.parent = named.cohort AND %s
		JOIN enrolments e ON e.parent = named.training AND e.person = m.person AND e.state = %d AND e.complete_time <= $3
		JOIN people ON people.name = m.person
		GROUP BY named.name, people.ordinal, wanted.trainings HAVING COUNT(DISTINCT named.training) = wanted.trainings`,
		effective("CAST($2 AS BIGINT)"), implementationv1.Enrolment_COMPLETED), g.f.Implementation, g.f.Now.UnixMicro(), g.f.Now.Add(-before).UnixMicro())
	all := map[string]*adoption.Set{}
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var plan string
		var ordinal uint32
		if err := rows.Scan(&plan, &ordinal); err != nil {
			return none, err
		}
		if all[plan] == nil {
			all[plan] = roaring.New()
		}
		all[plan].Add(ordinal)
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("who was trained: %w", err)
	}
	return all, nil
}
