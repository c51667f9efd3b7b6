package store

import (
	"context"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

const (
	day24 = 24 * time.Hour
	// baselineWeeks is how many weeks before a go-live the help desk's usual load is taken from.
	baselineWeeks = 8
	// turning is how far back a stance that went down is news.
	turning = 28 * day24
)

// tickets are the facts of R8: the last week, and the weeks before the go-live.
func (g *gathering) tickets(ctx context.Context, q sqldb.Queryer) error {
	counts, err := tickets(ctx, q, g.f.Implementation, "")
	if err != nil || len(counts) == 0 {
		return err
	}
	for _, plan := range g.plans {
		at := g.live(plan)
		if at.IsZero() {
			continue
		}
		first := detect.WeekOf(at)
		v := detect.Support{Group: peopleOf(plan), Week: int(g.f.Week.Start().Sub(first.Start())/(7*day24)) + 1, Users: g.members[plan.GetCohort()]}
		for _, c := range counts {
			week, err := detect.ParseWeek(c.GetWeek())
			if err != nil || c.GetCohort() != plan.GetCohort() {
				continue
			}
			users := c.GetActiveUsers()
			if users == 0 {
				users = g.members[plan.GetCohort()]
			}
			switch {
			case week == g.f.Week:
				v.Tickets, v.Exposure, v.Users = c.GetTickets(), float64(users), users
			case week.Start().Before(first.Start()) && !week.Start().Before(first.Add(-baselineWeeks).Start()):
				v.BaselineTickets += c.GetTickets()
				v.BaselineExposed += float64(users)
			}
		}
		g.f.Support = append(g.f.Support, v)
	}
	return nil
}

// stakeholders are the facts of R9, as counts.
func (g *gathering) stakeholders(ctx context.Context, q sqldb.Queryer) error {
	s := &detect.Stakeholders{}
	var sponsors, acted, since int64
	const influential = 4
	err := q.QueryRowContext(ctx, fmt.Sprintf(`SELECT
		COUNT(*) FILTER (WHERE influence >= %[1]d), COUNT(*) FILTER (WHERE influence >= %[1]d AND stance BETWEEN 1 AND %[2]d),
		COUNT(*) FILTER (WHERE influence >= %[1]d AND EXISTS (SELECT 1 FROM stance_changes c WHERE c.parent = s.name AND c.create_time > $2 AND c.create_time <= $3
			AND c.previous_stance <> 0 AND c.stance < c.previous_stance AND s.stance < c.previous_stance)),
		COUNT(*) FILTER (WHERE sponsor = 1), COALESCE(MAX(CASE WHEN sponsor = 1 THEN last_action_time END), 0), COALESCE(MAX(CASE WHEN sponsor = 1 THEN create_time END), 0)
		FROM stakeholders s WHERE parent = $1`, influential, implementationv1.Stance_NEUTRAL),
		g.f.Implementation, g.f.Now.Add(-turning).UnixMicro(), g.f.Now.UnixMicro()).Scan(&s.Influential, &s.Reluctant, &s.Turned, &sponsors, &acted, &since)
	if err != nil {
		return fmt.Errorf("count stakeholders of %s: %w", g.f.Implementation, err)
	}
	if sponsors > 0 {
		s.SponsorSilent = new(int(max(g.f.Now.Sub(fromMicros(max(acted, since))), 0) / day24))
	}
	for _, plan := range g.plans {
		if at := moment(plan.GetGoLiveTime()); !at.Before(g.f.Now) && moment(plan.GetLiveTime()).IsZero() {
			if left := int(at.Sub(g.f.Now) / day24); s.DaysToGoLive == nil || left < *s.DaysToGoLive {
				s.DaysToGoLive = &left
			}
		}
	}
	g.f.Stakeholders = s
	return nil
}
