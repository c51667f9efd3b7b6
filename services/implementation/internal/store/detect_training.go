package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// headcounts are the members of cohorts that are effective at a moment.
func headcounts(ctx context.Context, q sqldb.Queryer, cohorts []string, at time.Time) (map[string]int64, error) {
	counts := make(map[string]int64, len(cohorts))
	for part := range slices.Chunk(cohorts, chunk) {
		rows, err := q.QueryContext(ctx, "SELECT m.parent, COUNT(DISTINCT m.person) FROM memberships m WHERE m.parent IN ("+sqldb.Marks(2, len(part))+
			") AND "+effective("$1")+" GROUP BY m.parent", append([]any{at.UnixMicro()}, sqldb.Texts(part)...)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var cohort string
			var n int64
			err = rows.Scan(&cohort, &n)
			counts[cohort] = n
			return none, err
		})
		if err != nil {
			return nil, fmt.Errorf("count members: %w", err)
		}
	}
	return counts, nil
}

// avoiding counts, by cohort plan, who was to take the trainings that it names. A row of person is one member: whether
// they did not come, and whether it is overdue; invitations are counted one by one. $1 is the end of the week.
const avoiding = `WITH named AS (
	SELECT DISTINCT p.name, p.cohort, ct.training FROM cohort_plans p JOIN cohort_plan_trainings ct ON ct.plan = p.name WHERE p.parent = $2
), person AS (
	SELECT named.name, m.person, COUNT(*) AS invitations,
		COUNT(*) FILTER (WHERE e.decline_reason = %[1]d AND e.decline_time <= $1) AS conflicts,
		COUNT(*) FILTER (WHERE e.state = %[2]d) AS missed,
		COUNT(*) FILTER (WHERE e.state IN (%[3]d, %[4]d) AND e.due_time <> 0 AND e.due_time <= $1) AS overdue
	FROM named JOIN memberships m ON m.parent = named.cohort AND %[5]s
	JOIN enrolments e ON e.parent = named.training AND e.person = m.person AND e.assign_time <= $1
	GROUP BY named.name, m.person
)
SELECT name, COUNT(*), COUNT(*) FILTER (WHERE missed > 0), COUNT(*) FILTER (WHERE missed = 0 AND overdue > 0),
	CAST(SUM(invitations) AS BIGINT), CAST(SUM(conflicts) AS BIGINT)
FROM person GROUP BY name`

// trainings are the facts of R7 and P7.
func (g *gathering) trainings(ctx context.Context, q sqldb.Queryer) error {
	query := fmt.Sprintf(avoiding, implementationv1.Enrolment_CONFLICT, implementationv1.Enrolment_NO_SHOW, implementationv1.Enrolment_ASSIGNED,
		implementationv1.Enrolment_BOOKED, effective("CAST($1 AS BIGINT)"))
	type row struct {
		name                                            string
		people, missed, overdue, invitations, conflicts int64
	}
	rows, err := q.QueryContext(ctx, query, g.f.Now.UnixMicro(), g.f.Implementation)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (r row, err error) {
		return r, rows.Scan(&r.name, &r.people, &r.missed, &r.overdue, &r.invitations, &r.conflicts)
	})
	if err != nil {
		return fmt.Errorf("count who avoids trainings: %w", err)
	}
	var total detect.Share
	byPlan := make(map[string]row, len(all))
	for _, r := range all {
		byPlan[r.name] = r
		total.X, total.N = total.X+r.missed+r.overdue, total.N+r.people
	}
	for _, plan := range g.plans {
		r, ok := byPlan[plan.GetName()]
		if !ok {
			continue
		}
		others := detect.Share{X: total.X - r.missed - r.overdue, N: total.N - r.people}
		g.f.Avoidance = append(g.f.Avoidance, detect.Avoidance{Group: peopleOf(plan), Invited: r.people, NoShow: r.missed, Overdue: r.overdue, Others: others})
		g.f.Declines = append(g.f.Declines, detect.Declines{Group: peopleOf(plan), Invited: r.invitations, Conflict: r.conflicts})
	}
	return nil
}

// toTrain counts, by cohort plan and training, the members at the go-live, and those of them who still need a
// seat: not completed for that date, not waived, and not booked into a session before it.
const toTrain = `SELECT p.name, ct.training, COUNT(DISTINCT m.person), COUNT(DISTINCT m.person) FILTER (WHERE
		e.person IS NULL OR NOT (e.state = %[1]d AND (e.expire_time = 0 OR e.expire_time > p.go_live_time)
			OR e.state IN (%[2]d, %[3]d) OR e.state = %[4]d AND s.end_time <= p.go_live_time))
	FROM cohort_plans p JOIN (SELECT DISTINCT plan, training FROM cohort_plan_trainings) ct ON ct.plan = p.name
	LEFT JOIN memberships m ON m.parent = p.cohort AND %[5]s
	LEFT JOIN enrolments e ON e.parent = ct.training AND e.person = m.person
	LEFT JOIN sessions s ON s.name = e.session
	WHERE p.parent = $1 AND p.go_live_time > $2 GROUP BY p.name, ct.training ORDER BY p.name, ct.training`

// freeSeats counts, by cohort plan and training, the sessions that are held before the go-live and the seats in them that nobody has.
const freeSeats = `SELECT p.name, s.parent, COUNT(*), CAST(SUM(s.seats - (SELECT COUNT(*) FROM enrolments e WHERE e.session = s.name AND e.state = %[1]d)) AS BIGINT)
	FROM cohort_plans p JOIN (SELECT DISTINCT plan, training FROM cohort_plan_trainings) ct ON ct.plan = p.name
	JOIN sessions s ON s.parent = ct.training AND s.state = %[2]d AND s.start_time >= $2 AND s.end_time <= p.go_live_time
	WHERE p.parent = $1 AND p.go_live_time > $2 GROUP BY p.name, s.parent`

// seats are the facts of L6. A training that is given without sessions has no seats to be short of.
func (g *gathering) seats(ctx context.Context, q sqldb.Queryer) error {
	rows, err := q.QueryContext(ctx, fmt.Sprintf(toTrain, implementationv1.Enrolment_COMPLETED, implementationv1.Enrolment_ATTENDED,
		implementationv1.Enrolment_WAIVED, implementationv1.Enrolment_BOOKED, effective("p.go_live_time")), g.f.Implementation, g.f.Now.UnixMicro())
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (s detect.Seats, err error) {
		return s, rows.Scan(&s.Plan, &s.Training, &s.Members, &s.Still)
	})
	if err != nil {
		return fmt.Errorf("count who is to be trained: %w", err)
	}
	free := map[[2]string][2]int64{}
	rows, err = q.QueryContext(ctx, fmt.Sprintf(freeSeats, implementationv1.Enrolment_BOOKED, implementationv1.Session_SCHEDULED), g.f.Implementation, g.f.Now.UnixMicro())
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var plan, training string
		var sessions, seats int64
		err = rows.Scan(&plan, &training, &sessions, &seats)
		free[[2]string{plan, training}] = [2]int64{sessions, seats}
		return none, err
	})
	if err != nil {
		return fmt.Errorf("count free seats: %w", err)
	}
	inClass, err := g.inClass(ctx, q, all)
	if err != nil {
		return err
	}
	for _, plan := range g.plans {
		for _, s := range all {
			if s.Plan != plan.GetName() || !inClass[s.Training] {
				continue
			}
			found := free[[2]string{s.Plan, s.Training}]
			s.Cohort, s.GoLive, s.SessionsBefore, s.Free = plan.GetCohort(), moment(plan.GetGoLiveTime()), int(found[0]), max(found[1], 0)
			g.f.Seats = append(g.f.Seats, s)
		}
	}
	return nil
}

// inClass are the trainings that are given in sessions: those that have had one, or say how many seats one has.
func (g *gathering) inClass(ctx context.Context, q sqldb.Queryer, all []detect.Seats) (map[string]bool, error) {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Training
	}
	slices.Sort(names)
	names = slices.Compact(names)
	known, err := Trainings.LoadMany(ctx, q, names)
	if err != nil {
		return nil, err
	}
	found := make(map[string]bool, len(names))
	for name, training := range known {
		found[name] = training.GetSeats() > 0
	}
	for part := range slices.Chunk(names, chunk) {
		rows, err := q.QueryContext(ctx, "SELECT DISTINCT parent FROM sessions WHERE parent IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		with, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return nil, fmt.Errorf("which trainings have sessions: %w", err)
		}
		for _, name := range with {
			found[name] = true
		}
	}
	return found, nil
}
