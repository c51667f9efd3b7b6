package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// enrolment is one row: where a person is with a training, and what the row itself keeps.
type enrolment struct {
	lifecycle.Enrolment

	training, person string
	updated          time.Time
	revision         int64
}

// enrolmentKind reads names and lists; the rows are written here, without a message.
var enrolmentKind = resource.Define(resource.Spec[*implementationv1.Enrolment]{
	Table: "enrolments",
	Columns: []resource.Column[*implementationv1.Enrolment]{
		{Field: "state"}, {Field: "person"}, {Field: "session"}, {Field: "due_time"}, {Field: "decline_reason"},
	},
})

const enrolmentColumns = "parent, person, state, assign_time, complete_time, expire_time, score, waive_reason, update_time, revision, " +
	"session, due_time, passed, decline_reason, decline_time"

func scanEnrolment(rows interface{ Scan(dest ...any) error }) (e enrolment, err error) {
	var assigned, completed, expires, updated, due, declined int64
	var passed sql.NullInt64
	err = rows.Scan(&e.training, &e.person, &e.State, &assigned, &completed, &expires, &e.Score, &e.Reason, &updated, &e.revision,
		&e.Session, &due, &passed, &e.Declined, &declined)
	e.Assigned, e.Completed, e.Expires, e.updated = fromMicros(assigned), fromMicros(completed), fromMicros(expires), fromMicros(updated)
	e.Due, e.DeclinedAt = fromMicros(due), fromMicros(declined)
	if passed.Valid {
		e.Passed = new(passed.Int64 == 1)
	}
	return e, err
}

// message is the row as the API shows it, EXPIRED by the given time.
func (e enrolment) message(now time.Time) *implementationv1.Enrolment {
	return &implementationv1.Enrolment{
		Name:          EnrolmentName(e.training, personID(e.person)),
		Person:        e.person,
		State:         e.At(now),
		AssignTime:    stamp(e.Assigned),
		CompleteTime:  stamp(e.Completed),
		ExpireTime:    stamp(e.Expires),
		Score:         e.Score,
		WaiveReason:   e.Reason,
		UpdateTime:    stamp(e.updated),
		Revision:      e.revision,
		Session:       e.Session,
		DueTime:       stamp(e.Due),
		Overdue:       e.Overdue(now),
		Passed:        e.Passed,
		DeclineReason: e.Declined,
		DeclineTime:   stamp(e.DeclinedAt),
	}
}

// EnrolmentName is the name of a person's enrolment in a training.
func EnrolmentName(training, person string) string { return training + "/enrolments/" + person }

// parseEnrolment takes a name apart.
func parseEnrolment(name string) (training, person string, err error) {
	ids, err := enrolmentKind.Parse(name)
	if err != nil {
		return "", "", err
	}
	return parent(name), People.Name("workspaces/"+ids[0], ids[2]), nil
}

// Enrolment reads one, or answers RESOURCE_NOT_FOUND.
func (s *Store) Enrolment(ctx context.Context, name string) (*implementationv1.Enrolment, error) {
	training, person, err := parseEnrolment(name)
	if err != nil {
		return nil, err
	}
	e, err := loadEnrolment(ctx, s.DB().Read(), training, person)
	if err != nil {
		return nil, err
	}
	return e.message(s.Now()), nil
}

// ListEnrolments pages through them; the state is that of now.
func (s *Store) ListEnrolments(ctx context.Context, req proto.Message) ([]*implementationv1.Enrolment, string, error) {
	now := s.Now()
	selection := "SELECT " + enrolmentColumns + " FROM (SELECT name, " + strings.Replace(enrolmentColumns, "state", seen("$$")+" AS state", 1) + " FROM enrolments) AS enrolments"
	selection = strings.ReplaceAll(selection, "$$", strconv.FormatInt(now.UnixMicro(), 10))
	return enrolmentKind.ListRows(ctx, s.Store, req, selection, func(rows *sql.Rows) (*implementationv1.Enrolment, error) {
		e, err := scanEnrolment(rows)
		return e.message(now), err
	})
}

// seen is the state of an enrolment at a moment: EXPIRED where the validity has ended.
func seen(at string) string {
	return fmt.Sprintf("CASE WHEN state = %d AND expire_time <> 0 AND expire_time <= %s THEN %d ELSE state END",
		implementationv1.Enrolment_COMPLETED, at, implementationv1.Enrolment_EXPIRED)
}

func loadEnrolment(ctx context.Context, q sqldb.Queryer, training, person string) (enrolment, error) {
	e, err := scanEnrolment(q.QueryRowContext(ctx,
		"SELECT "+enrolmentColumns+" FROM enrolments WHERE parent = $1 AND person = $2", training, person))
	name := EnrolmentName(training, personID(person))
	if errors.Is(err, sql.ErrNoRows) {
		return e, enrolmentKind.NotFound(name)
	}
	if err != nil {
		return e, fmt.Errorf("load %s: %w", name, err)
	}
	return e, nil
}

// enrolments reads those of the people who are enrolled, by person.
func enrolments(ctx context.Context, q sqldb.Queryer, training string, people []string) (map[string]enrolment, error) {
	found := make(map[string]enrolment, len(people))
	for part := range slices.Chunk(people, chunk) {
		rows, err := q.QueryContext(ctx, "SELECT "+enrolmentColumns+" FROM enrolments WHERE parent = $1 AND person IN ("+sqldb.Marks(2, len(part))+")",
			append([]any{training}, sqldb.Texts(part)...)...)
		some, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (enrolment, error) { return scanEnrolment(rows) })
		if err != nil {
			return nil, fmt.Errorf("read enrolments of %s: %w", training, err)
		}
		for _, e := range some {
			found[e.person] = e
		}
	}
	return found, nil
}

// saveEnrolments writes rows, new or not, many in a statement. The caller
// holds the training's row, so that nobody else writes any of them.
func saveEnrolments(ctx context.Context, tx *sqldb.Tx, all []enrolment) error {
	const columns = 16
	for _, size := range []int{20, 1} { // few texts, so that each stays a prepared statement; small, since SQLite seeks each $n among all
		text := "INSERT INTO enrolments (name, " + enrolmentColumns + ") VALUES " + sqldb.Tuples(size, columns) +
			` ON CONFLICT (parent, person) DO UPDATE SET state = excluded.state, assign_time = excluded.assign_time,
			complete_time = excluded.complete_time, expire_time = excluded.expire_time, score = excluded.score,
			waive_reason = excluded.waive_reason, update_time = excluded.update_time, revision = excluded.revision, session = excluded.session,
			due_time = excluded.due_time, passed = excluded.passed, decline_reason = excluded.decline_reason, decline_time = excluded.decline_time`
		for ; len(all) >= size; all = all[size:] {
			args := make([]any, 0, size*columns)
			for _, e := range all[:size] {
				args = append(args, EnrolmentName(e.training, personID(e.person)), e.training, e.person, int64(e.State), micros(e.Assigned), micros(e.Completed),
					micros(e.Expires), e.Score, e.Reason, micros(e.updated), e.revision,
					e.Session, micros(e.Due), passed(e.Passed), int64(e.Declined), micros(e.DeclinedAt))
			}
			if _, err := tx.ExecContext(ctx, text, args...); err != nil {
				return fmt.Errorf("store enrolments: %w", err)
			}
		}
	}
	return nil
}

// passed is an optional truth as it is stored.
func passed(p *bool) any {
	switch {
	case p == nil:
		return nil
	case *p:
		return int64(1)
	default:
		return int64(0)
	}
}
