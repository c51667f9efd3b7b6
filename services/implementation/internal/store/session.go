package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// ReasonSeatsTaken is the reason of fewer seats than are given out.
const ReasonSeatsTaken = "SEATS_TAKEN"

// Sessions is the kind of sessions. How many seats are taken is counted when they are read, see [Store.CountSeats].
var Sessions = resource.Define(resource.Spec[*implementationv1.Session]{
	Table: "sessions",
	Columns: []resource.Column[*implementationv1.Session]{
		{Field: "state"}, {Field: "start_time"}, {Field: "end_time"}, {Field: "seats"}, {Field: "trainer"},
	},
	Parent: Trainings.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.Session]{
		Default: func(_ context.Context, _ *sqldb.Tx, m *implementationv1.Session) error {
			m.State = implementationv1.Session_SCHEDULED
			return nil
		},
		Validate: validateSession,
		BeforeDelete: takingComments(func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Session) error {
			if _, err := Trainings.Lock(ctx, tx, parent(old.GetName())); err != nil {
				return err
			}
			return unused(ctx, tx, old.GetName(), "SELECT name FROM enrolments WHERE session = $1 ORDER BY name LIMIT 1", old.GetName())
		}),
	},
})

// validateSession holds the training's row, as those do who give seats out.
func validateSession(ctx context.Context, tx *sqldb.Tx, old, m *implementationv1.Session) error {
	training, err := Trainings.Lock(ctx, tx, parent(m.GetName()))
	if err != nil {
		return err
	}
	if training.GetState() == implementationv1.Training_RETIRED {
		return lifecycle.Open(training)
	}
	if old != nil {
		if err := lifecycle.Changeable(old); err != nil {
			return err
		}
	}
	if begin := moment(m.GetStartTime()); !moment(m.GetEndTime()).After(begin) || begin.UnixMicro() <= 0 {
		return fault.Invalid("DATE_INVALID", "the session ends before it begins; correct end_time").
			Field("session.end_time", "must be after start_time")
	}
	if m.GetSeats() == 0 {
		m.Seats = training.GetSeats()
	}
	if m.GetSeats() == 0 {
		return fault.Invalid(resource.ReasonRequired, "session.seats is required, because the training has none to go by; set it").
			Field("session.seats", "is required")
	}
	if m.GetTrainer() != "" {
		if err := reference(ctx, tx, Resources, m.GetName(), "session.trainer", m.GetTrainer()); err != nil {
			return err
		}
	}
	if old == nil || m.GetSeats() >= old.GetSeats() {
		return nil
	}
	taken, err := seatsTaken(ctx, tx, m.GetName())
	if err != nil {
		return err
	}
	if n := taken[m.GetName()]; n > m.GetSeats() {
		return fault.Precondition(ReasonSeatsTaken, "%d seats of the session are taken; leave at least so many, or free some first", n).
			Field("session.seats", "is below the seats that are taken").Subject("SEATS", m.GetName(), "are taken")
	}
	return nil
}

// seatsTaken counts the seats given out, by session.
func seatsTaken(ctx context.Context, q sqldb.Queryer, sessions ...string) (map[string]int32, error) {
	taken := make(map[string]int32, len(sessions))
	for part := range slices.Chunk(sessions, chunk) {
		rows, err := q.QueryContext(ctx, "SELECT session, COUNT(*) FROM enrolments WHERE session IN ("+sqldb.Marks(1, len(part))+") AND session <> '' GROUP BY session",
			sqldb.Texts(part)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var name string
			var n int32
			err = rows.Scan(&name, &n)
			taken[name] = n
			return none, err
		})
		if err != nil {
			return nil, fmt.Errorf("count seats: %w", err)
		}
	}
	return taken, nil
}

// seated reads the enrolments of all who have a seat in the session, by person.
func seated(ctx context.Context, q sqldb.Queryer, session string) (map[string]enrolment, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+enrolmentColumns+" FROM enrolments WHERE session = $1", session)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (enrolment, error) { return scanEnrolment(rows) })
	if err != nil {
		return nil, fmt.Errorf("read who has a seat in %s: %w", session, err)
	}
	byPerson := make(map[string]enrolment, len(all))
	for _, e := range all {
		byPerson[e.person] = e
	}
	return byPerson, nil
}

// CountSeats fills in how many seats of each session are taken now.
func (s *Store) CountSeats(ctx context.Context, sessions ...*implementationv1.Session) error {
	names := make([]string, len(sessions))
	for i, session := range sessions {
		names[i] = session.GetName()
	}
	taken, err := seatsTaken(ctx, s.DB().Read(), names...)
	for _, session := range sessions {
		session.TakenCount = taken[session.GetName()]
	}
	return err
}

// CancelSession calls a session off; who had a seat is ASSIGNED again.
func (s *Store) CancelSession(ctx context.Context, req *implementationv1.CancelSessionRequest) (*implementationv1.Session, error) {
	return move(ctx, s, Sessions, req, string(lifecycle.SessionCancelled), func(ctx context.Context, tx *sqldb.Tx, m *implementationv1.Session) error {
		if err := lifecycle.SessionCancelled.Apply(m); err != nil {
			return err
		}
		m.CancelReason = req.GetReason()
		return s.vacate(ctx, tx, m.GetName())
	})
}

func (s *Store) vacate(ctx context.Context, tx *sqldb.Tx, session string) error {
	training, err := Trainings.Lock(ctx, tx, parent(session))
	if err != nil {
		return err
	}
	seats, err := seated(ctx, tx, session)
	if err != nil {
		return err
	}
	now := s.Now()
	var changed []enrolment
	for _, e := range seats {
		next, _, err := e.Vacate(now)
		if err != nil {
			return err
		}
		e.Enrolment, e.updated, e.revision = next, now, e.revision+1
		changed = append(changed, e)
	}
	if err := saveEnrolments(ctx, tx, changed); err != nil {
		return err
	}
	freed := &implementationv1.EnrolPeopleResponse{UnchangedCount: count(len(changed))}
	return s.tellBatch(ctx, tx, training, "vacated", len(changed), freed)
}

// hold makes the session HELD, where it is not.
func (s *Store) hold(ctx context.Context, tx *sqldb.Tx, name string) error {
	row, err := Sessions.LockRow(ctx, tx, name)
	if err != nil {
		return err
	}
	was := row.Message.GetState()
	if err := lifecycle.SessionHeld.Apply(row.Message); err != nil {
		return err
	}
	if err := lifecycle.Begun(row.Message, s.Now()); err != nil || was == row.Message.GetState() {
		return err
	}
	return Sessions.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: string(lifecycle.SessionHeld)})
}
