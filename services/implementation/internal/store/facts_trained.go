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

// attempt is how far one person is in one training, as far as readiness asks.
type attempt struct {
	state   implementationv1.Enrolment_State
	passed  bool
	expires int64 // unix microseconds; 0 for never
}

// courses are the trainings that criteria name, and how far each person is in each.
type courses struct {
	retired  map[string]bool
	attempts map[string]map[int32]attempt // by training, by number of the roster
}

// asks says that a criterion counts completions.
func asks(c *implementationv1.Criterion) bool {
	return c.GetTrained() != nil || c.GetProficient() != nil
}

// trainingsOf are the trainings that a criterion names, each once.
func trainingsOf(c *implementationv1.Criterion) []string {
	names := c.GetTrained().GetTrainings()
	if p := c.GetProficient(); p != nil {
		names = p.GetTrainings()
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// trained counts members by what they have completed, for each criterion that asks.
func (j *judgement) trained(ctx context.Context, q sqldb.Queryer, plans []string) error {
	wanted, trainings := pairs{}, map[string]bool{}
	for _, name := range plans {
		for _, c := range j.plans[name].GetReadinessPolicy().GetCriteria() {
			wanted.add(j.plans[name].GetCohort(), trainingsOf(c)...)
			for _, training := range trainingsOf(c) {
				trainings[training] = true
			}
		}
	}
	read, err := readCourses(ctx, q, j.roster, wanted, trainings)
	if err != nil {
		return err
	}
	for _, name := range plans {
		plan, f := j.plans[name], j.facts[name]
		f.Trained, f.Proficient = map[string]readiness.Trained{}, map[string]readiness.Trained{}
		var members []int32
		for b := range j.roster.at(plan.GetCohort(), j.goLive(plan)) {
			members = append(members, b.person)
		}
		// A go-live that is over judges completions by now, because that is when people would go live at the earliest.
		valid := max(j.goLive(plan), f.Now.UnixMicro())
		for _, c := range plan.GetReadinessPolicy().GetCriteria() {
			if asks(c) {
				f.Trained[c.GetId()], f.Proficient[c.GetId()] = read.count(members, trainingsOf(c), valid)
			}
		}
	}
	return nil
}

func readCourses(ctx context.Context, q sqldb.Queryer, r *roster, wanted pairs, trainings map[string]bool) (*courses, error) {
	read := &courses{retired: map[string]bool{}, attempts: map[string]map[int32]attempt{}}
	names := make([]string, 0, len(trainings))
	for name := range trainings {
		names = append(names, name)
		read.attempts[name] = map[int32]attempt{}
	}
	slices.Sort(names)
	for part := range slices.Chunk(names, chunk) {
		rows, err := q.QueryContext(ctx, fmt.Sprintf("SELECT name FROM trainings WHERE state = %d AND name IN (%s)",
			implementationv1.Training_RETIRED, sqldb.Marks(1, len(part))), sqldb.Texts(part)...)
		retired, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return nil, fmt.Errorf("read which trainings are retired: %w", err)
		}
		for _, name := range retired {
			read.retired[name] = true
		}
	}
	err := wanted.each(ctx, q, `SELECT e.parent, e.person, e.state, COALESCE(e.passed, 0), e.expire_time FROM pair
		CROSS JOIN memberships m CROSS JOIN enrolments e WHERE m.parent = pair.cohort AND e.parent = pair.subject AND e.person = m.person`,
		func(rows *sql.Rows) error {
			var training, person string
			var a attempt
			err := rows.Scan(&training, &person, &a.state, &a.passed, &a.expires)
			read.attempts[training][r.number(person)] = a
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("count who is trained: %w", err)
	}
	return read, nil
}

// count counts members by the trainings that are due, at a moment; in the second answer Done are those who passed. What
// is due is what was not waived.
func (c *courses) count(members []int32, due []string, at int64) (trained, proficient readiness.Trained) {
	trained.Members = int64(len(members))
	passed := int64(0)
	for _, person := range members {
		p := c.progress(person, due, at)
		left := len(due) - p.waived
		switch {
		case left == 0 && p.waived > 0:
			trained.Waived++
		case left > 0:
			trained.Done += one(p.done == left)
			passed += one(p.passed == left)
		}
		trained.Expired += one(p.expired > 0)
		trained.Lost += one(p.lost > 0)
	}
	proficient = trained
	proficient.Done = passed
	return trained, proficient
}

// progress is how many of some trainings one person was waived from, has validly completed, has passed, had
// completed until that expired, and can no longer complete.
type progress struct{ waived, done, passed, expired, lost int }

func (c *courses) progress(person int32, due []string, at int64) (p progress) {
	for _, training := range due {
		a := c.attempts[training][person]
		completed := a.state == implementationv1.Enrolment_COMPLETED
		over := completed && a.expires != 0 && a.expires <= at
		switch {
		case a.state == implementationv1.Enrolment_WAIVED:
			p.waived++
			continue
		case over:
			p.expired++
		case completed:
			p.done++
			if a.passed {
				p.passed++
			}
			continue
		}
		if c.retired[training] {
			p.lost++
		}
	}
	return p
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
