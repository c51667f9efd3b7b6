package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// roster is who belongs to cohorts, and when. It is read once, from an index alone, for everything
// that is counted of them: counting in memory costs less than a group by in the database.
type roster struct {
	people map[string]int32       // person → a number, dense from 0
	of     map[string][]belonging // by cohort; there for every cohort that was read
}

// belonging is one membership. Times are unix microseconds; end is 0 where it is open.
type belonging struct {
	person     int32
	superUser  bool
	start, end int64
}

func newRoster() *roster {
	return &roster{people: map[string]int32{}, of: map[string][]belonging{}}
}

// read reads those of the cohorts that were not read yet.
func (r *roster) read(ctx context.Context, q sqldb.Queryer, cohorts []string) error {
	missing := slices.DeleteFunc(slices.Clone(cohorts), func(cohort string) bool { _, there := r.of[cohort]; return there })
	slices.Sort(missing)
	for part := range slices.Chunk(slices.Compact(missing), chunk) {
		for _, cohort := range part {
			r.of[cohort] = nil
		}
		rows, err := q.QueryContext(ctx, "SELECT parent, person, start_date, end_date, role FROM memberships WHERE parent IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var cohort, person string
			var b belonging
			var role implementationv1.Membership_Role
			if err := rows.Scan(&cohort, &person, &b.start, &b.end, &role); err != nil {
				return none, err
			}
			b.person, b.superUser = r.number(person), role == implementationv1.Membership_SUPER_USER
			r.of[cohort] = append(r.of[cohort], b)
			return none, nil
		})
		if err != nil {
			return fmt.Errorf("read who belongs to cohorts: %w", err)
		}
	}
	return nil
}

// elsewhere adds who of some cohorts is in which other ones, to a roster of its own: what
// one cohort asks for does not grow with everybody else's.
func (r *roster) elsewhere(ctx context.Context, q sqldb.Queryer, cohorts, others []string) (*roster, error) {
	if !slices.ContainsFunc(others, func(cohort string) bool { _, there := r.of[cohort]; return !there }) {
		return r, nil
	}
	wider := &roster{people: r.people, of: maps.Clone(r.of)}
	for part := range slices.Chunk(cohorts, chunk) {
		rows, err := q.QueryContext(ctx, "SELECT parent, person, start_date, end_date FROM memberships WHERE person IN (SELECT m.person FROM memberships m WHERE m.parent IN ("+
			sqldb.Marks(1, len(part))+"))", sqldb.Texts(part)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var cohort, person string
			var b belonging
			err = rows.Scan(&cohort, &person, &b.start, &b.end)
			if _, there := r.of[cohort]; !there {
				b.person = r.number(person)
				wider.of[cohort] = append(wider.of[cohort], b)
			}
			return none, err
		})
		if err != nil {
			return nil, fmt.Errorf("read who belongs to other cohorts: %w", err)
		}
	}
	return wider, nil
}

func (r *roster) number(person string) int32 {
	n, there := r.people[person]
	if !there {
		n = int32(len(r.people)) //nolint:gosec // no workspace has two thousand million people
		r.people[person] = n
	}
	return n
}

// at are those who belong to a cohort at a moment. Nobody is in a cohort twice at one moment.
func (r *roster) at(cohort string, moment int64) iter.Seq[belonging] {
	return func(yield func(belonging) bool) {
		for _, b := range r.of[cohort] {
			if b.start <= moment && (b.end == 0 || b.end > moment) && !yield(b) {
				return
			}
		}
	}
}

// pairs are cohorts with what is looked up for each of their members: a training, or an application.
type pairs map[[2]string]struct{}

func (p pairs) add(cohort string, subjects ...string) {
	for _, subject := range subjects {
		p[[2]string{cohort, subject}] = struct{}{}
	}
}

// each runs a query over the pairs, some hundred at a time. The query continues
// "WITH pair(cohort, subject) AS (…)"; its CROSS JOINs keep SQLite from walking everybody with an account where few are asked about.
func (p pairs) each(ctx context.Context, q sqldb.Queryer, query string, scan func(*sql.Rows) error) error {
	all := make([][2]string, 0, len(p))
	for pair := range p {
		all = append(all, pair)
	}
	slices.SortFunc(all, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	for part := range slices.Chunk(all, chunk) {
		args := make([]any, 0, 2*len(part))
		for _, pair := range part {
			args = append(args, pair[0], pair[1])
		}
		rows, err := q.QueryContext(ctx, "WITH pair(cohort, subject) AS (VALUES "+sqldb.Tuples(len(part), 2)+") "+query, args...)
		if _, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) { return none, scan(rows) }); err != nil {
			return err
		}
	}
	return nil
}
