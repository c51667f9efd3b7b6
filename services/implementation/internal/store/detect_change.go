package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

const (
	// goLiveSpan is how long a go-live is looked at: what falls into its first week collides with it.
	goLiveSpan = 7 * day24
	// aheadWeeks is how many weeks of change are summed up.
	aheadWeeks = 8
)

// dates are the facts of P6: every date that each plan has had until the end of the week.
func (g *gathering) dates(ctx context.Context, q sqldb.Queryer) error {
	type date struct {
		plan string
		at   int64
	}
	rows, err := q.QueryContext(ctx, `SELECT d.plan, d.go_live_time FROM cohort_plan_dates d JOIN cohort_plans p ON p.name = d.plan
		WHERE p.parent = $1 AND d.change_time <= $2 AND d.go_live_time <> 0 ORDER BY d.plan, d.change_time`, g.f.Implementation, g.f.Now.UnixMicro())
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (d date, err error) { return d, rows.Scan(&d.plan, &d.at) })
	if err != nil {
		return fmt.Errorf("read the dates of %s: %w", g.f.Implementation, err)
	}
	begin := moment(g.i.GetStartTime())
	if begin.IsZero() {
		begin = moment(g.i.GetCreateTime())
	}
	had := map[string][]time.Time{}
	for _, d := range all {
		had[d.plan] = append(had[d.plan], fromMicros(d.at))
	}
	for _, plan := range g.plans {
		if at := moment(plan.GetGoLiveTime()); len(had[plan.GetName()]) == 0 && !at.IsZero() {
			had[plan.GetName()] = []time.Time{at} // from before dates were kept
		}
		g.f.Postponement = append(g.f.Postponement, detect.Postponement{Group: peopleOf(plan), Begin: begin, Dates: had[plan.GetName()]})
	}
	return nil
}

// coming says that a plan still goes live, and when.
func (g *gathering) coming(plan *implementationv1.CohortPlan) (time.Time, bool) {
	at := moment(plan.GetGoLiveTime())
	return at, plan.GetLiveTime() == nil && at.Add(goLiveSpan).After(g.f.Now)
}

// collisions are the facts of P5: blackouts of the cohort, and other waves on it; frozen adds what else is closed then.
func (g *gathering) collisions(ctx context.Context, q sqldb.Queryer) error {
	var names []string
	for _, plan := range g.plans {
		if _, ok := g.coming(plan); ok {
			names = append(names, plan.GetCohort())
		}
	}
	if len(names) == 0 {
		return nil
	}
	others, err := CohortPlans.Select(ctx, q, fmt.Sprintf("WHERE cohort IN (%s) AND go_live_time > $1 AND parent IN (SELECT name FROM implementations WHERE state NOT IN (%d, %d)) ORDER BY name",
		sqldb.Marks(2, len(names)), implementationv1.Implementation_CANCELLED, implementationv1.Implementation_CLOSED), append([]any{g.f.Now.Add(-goLiveSpan).UnixMicro()}, sqldb.Texts(names)...)...)
	if err != nil {
		return err
	}
	for _, plan := range g.plans {
		at, ok := g.coming(plan)
		if !ok {
			continue
		}
		v := detect.GoLive{Group: peopleOf(plan), Start: at, End: at.Add(goLiveSpan)}
		for _, b := range g.cohorts[plan.GetCohort()].GetBlackouts() {
			if span, ok := blackout(b, g.cohorts[plan.GetCohort()].GetTimeZone()); ok {
				v.Others = append(v.Others, span)
			}
		}
		for _, other := range others {
			if other.GetCohort() == plan.GetCohort() && other.GetName() != plan.GetName() {
				start := moment(other.GetGoLiveTime())
				v.Others = append(v.Others, detect.Span{What: "another wave", Name: other.GetName(), Start: start, End: start.Add(goLiveSpan)})
			}
		}
		g.f.GoLives = append(g.f.GoLives, v)
	}
	return nil
}

// blackout is a blackout as the time it takes; false where its dates were never checked.
func blackout(b *implementationv1.Blackout, zone string) (detect.Span, bool) {
	where, err := time.LoadLocation(zone)
	if err != nil {
		where = time.UTC
	}
	start, err := time.ParseInLocation(time.DateOnly, b.GetStartDate(), where)
	if err != nil {
		return detect.Span{}, false
	}
	end, err := time.ParseInLocation(time.DateOnly, b.GetEndDate(), where)
	return detect.Span{What: "blackout", Name: b.GetReason(), Start: start, End: end.AddDate(0, 0, 1)}, err == nil
}

// saturation are the facts of P1: for each week ahead, every plan of the workspace whose
// go-live touches it, and which share of the cohort it touches.
func (g *gathering) saturation(ctx context.Context, q sqldb.Queryer) error {
	if len(g.plans) == 0 {
		return nil
	}
	others, err := CohortPlans.Select(ctx, q, fmt.Sprintf(`WHERE go_live_time BETWEEN $1 AND $2 AND parent IN
		(SELECT name FROM implementations WHERE parent = $3 AND state NOT IN (%d, %d)) ORDER BY name`, implementationv1.Implementation_CANCELLED, implementationv1.Implementation_CLOSED),
		g.f.Now.Add(-touched).UnixMicro(), g.f.Now.Add(aheadWeeks*week).UnixMicro(), Workspace(g.f.Implementation))
	if err != nil {
		return err
	}
	var cohorts []string
	for cohort := range g.cohorts {
		cohorts = append(cohorts, cohort)
	}
	shares, err := overlap(ctx, q, newRoster(), cohorts, others, g.f.Now)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, plan := range g.plans {
		cohort := plan.GetCohort()
		if seen[cohort] {
			continue
		}
		seen[cohort] = true
		v := detect.Saturation{Group: peopleOf(plan), Members: g.members[cohort], Capacity: g.cohorts[cohort].GetChangeCapacity()}
		for n := range aheadWeeks {
			w := detect.ChangeWeek{Week: g.f.Week.Add(n + 1)}
			for _, other := range others {
				begins := monday(moment(other.GetGoLiveTime()))
				share := shares[[2]string{cohort, other.GetCohort()}]
				if share > 0 && impact(other) > 0 && !w.Week.Start().Before(begins) && w.Week.Start().Before(begins.Add(touched)) {
					w.Touches = append(w.Touches, detect.Touch{Plan: other.GetName(), Impact: float64(impact(other)), Share: share})
				}
			}
			v.Weeks = append(v.Weeks, w)
		}
		g.f.Saturation = append(g.f.Saturation, v)
	}
	return nil
}
