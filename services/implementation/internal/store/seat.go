package store

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// ReasonSeatsFull is the reason of a booking that finds no seat.
const ReasonSeatsFull = "SEATS_FULL"

// enrolmentCommand is a request for a verb on one enrolment.
type enrolmentCommand interface {
	proto.Message
	GetName() string
}

// moveEnrolment carries a verb on one enrolment out. It holds the training's
// row, as everybody does who writes enrolments or gives seats out, so that the
// step may count them.
func (s *Store) moveEnrolment(ctx context.Context, req enrolmentCommand, verb, cause string,
	step func(ctx context.Context, tx *sqldb.Tx, t *implementationv1.Training, e enrolment) (lifecycle.Enrolment, bool, error),
) (*implementationv1.Enrolment, error) {
	training, person, err := parseEnrolment(req.GetName())
	if err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Enrolment, error) {
		t, err := Trainings.Lock(ctx, tx, training)
		if err != nil {
			return nil, err
		}
		e, err := loadEnrolment(ctx, tx, training, person)
		if err != nil {
			return nil, err
		}
		next, moved, err := step(ctx, tx, t, e)
		now := s.Now()
		if f := fault.From(err); err != nil && f.Reason() == lifecycle.ReasonStateForbids {
			return nil, fault.Precondition(f.Reason(), "%s: %s", personID(person), f.Message()) // one of many, for who books a whole list
		}
		if err != nil || !moved {
			return e.message(now), err
		}
		e.Enrolment, e.updated, e.revision = next, now, e.revision+1
		if err := saveEnrolments(ctx, tx, []enrolment{e}); err != nil {
			return nil, err
		}
		m := e.message(now)
		return m, s.tell(ctx, tx, feed.Record{
			Resource: m.GetName(), Type: "implementation.enrolment." + verb, Revision: m.GetRevision(), Cause: cause, After: m,
		})
	})
}

// Waive lets a person off.
func (s *Store) Waive(ctx context.Context, req *implementationv1.WaiveEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return s.moveEnrolment(ctx, req, "waived", req.GetReason(),
		func(_ context.Context, _ *sqldb.Tx, _ *implementationv1.Training, e enrolment) (lifecycle.Enrolment, bool, error) {
			return e.Waive(s.Now(), req.GetReason())
		})
}

// Book gives a person a seat. However many ask at the same time, no more seats are given out than there are.
func (s *Store) Book(ctx context.Context, req *implementationv1.BookEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return s.moveEnrolment(ctx, req, "booked", req.GetSession(),
		func(ctx context.Context, tx *sqldb.Tx, t *implementationv1.Training, e enrolment) (lifecycle.Enrolment, bool, error) {
			if err := lifecycle.Open(t); err != nil {
				return e.Enrolment, false, err
			}
			next, moved, err := e.Book(s.Now(), req.GetSession())
			if err != nil || !moved {
				return next, false, err
			}
			return next, true, s.seat(ctx, tx, t.GetName(), req.GetSession())
		})
}

// seat refuses unless the session of the training can be booked and has a seat left.
func (s *Store) seat(ctx context.Context, tx *sqldb.Tx, training, name string) error {
	if err := shape(Sessions, training, "session", name); err != nil {
		return err
	}
	if parent(name) != training {
		return fault.Invalid("OTHER_TRAINING", "session names %s, which is of another training; name one of %s", quoted(name), training).
			Field("session", "is of another training")
	}
	session, err := Sessions.Load(ctx, tx, name)
	if fault.Is(err, fault.KindNotFound) {
		return dangling("session", name)
	}
	if err != nil {
		return err
	}
	if err := lifecycle.Bookable(session, s.Now()); err != nil {
		return err
	}
	taken, err := seatsTaken(ctx, tx, name)
	if err != nil {
		return err
	}
	if taken[name] >= session.GetSeats() {
		return fault.Precondition(ReasonSeatsFull, "all %d seats of session %s are taken; book another one, or give it more seats", session.GetSeats(), name).
			Subject("SEATS", name, "are all taken")
	}
	return nil
}

// Decline records that a person declined, and frees the seat.
func (s *Store) Decline(ctx context.Context, req *implementationv1.DeclineEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return s.moveEnrolment(ctx, req, "declined", req.GetReason().String(),
		func(_ context.Context, _ *sqldb.Tx, _ *implementationv1.Training, e enrolment) (lifecycle.Enrolment, bool, error) {
			return e.Decline(s.Now(), req.GetReason())
		})
}

// Reassign asks a person again.
func (s *Store) Reassign(ctx context.Context, req *implementationv1.ReassignEnrolmentRequest) (*implementationv1.Enrolment, error) {
	return s.moveEnrolment(ctx, req, "reassigned", "",
		func(_ context.Context, _ *sqldb.Tx, t *implementationv1.Training, e enrolment) (lifecycle.Enrolment, bool, error) {
			if err := lifecycle.Open(t); err != nil {
				return e.Enrolment, false, err
			}
			return e.Reassign(s.Now(), moment(req.GetDueTime()))
		})
}

// RecordAttendance says who came to a session; who was booked and is not named did not.
func (s *Store) RecordAttendance(ctx context.Context, req *implementationv1.RecordAttendanceRequest) (*implementationv1.RecordAttendanceResponse, error) {
	if _, err := Sessions.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.RecordAttendanceResponse, error) {
		training, err := Trainings.Lock(ctx, tx, parent(req.GetName()))
		if err != nil {
			return nil, err
		}
		if err := known(ctx, tx, req.GetName(), req.GetPresent(), "present[%d]"); err != nil {
			return nil, err
		}
		if err := s.hold(ctx, tx, req.GetName()); err != nil {
			return nil, err
		}
		answer, err := s.attendance(ctx, tx, req)
		if err != nil {
			return nil, err
		}
		return answer, s.tellBatch(ctx, tx, training, "attended", int(answer.GetChangedCount()), answer)
	})
}

// attendance goes through all who are named and all who had a seat.
func (s *Store) attendance(ctx context.Context, tx *sqldb.Tx, req *implementationv1.RecordAttendanceRequest) (*implementationv1.RecordAttendanceResponse, error) {
	seats, err := seated(ctx, tx, req.GetName())
	if err != nil {
		return nil, err
	}
	here := make(map[string]bool, len(req.GetPresent()))
	for i, person := range req.GetPresent() {
		here[person] = true
		if _, ok := seats[person]; !ok {
			return nil, fault.Precondition(lifecycle.ReasonNotBooked, "present[%d], %s, has no seat in the session; book one first", i, person).
				Field(fmt.Sprintf("present[%d]", i), "has no seat in the session").Subject("SEAT", person, "has none")
		}
	}
	answer, now := &implementationv1.RecordAttendanceResponse{}, s.Now()
	var changed []enrolment
	for person, e := range seats {
		step := e.Miss
		if here[person] {
			step = e.Attend
		}
		next, moved, err := step(now, req.GetName())
		if fault.ReasonOf(err) == lifecycle.ReasonStateForbids { // has a result whose validity is over: it stays
			continue
		}
		if err != nil {
			return nil, err
		}
		switch next.State {
		case implementationv1.Enrolment_ATTENDED:
			answer.AttendedCount++
		case implementationv1.Enrolment_NO_SHOW:
			answer.NoShowCount++
		default: // has a result
		}
		if moved {
			e.Enrolment, e.updated, e.revision = next, now, e.revision+1
			changed = append(changed, e)
		}
	}
	answer.ChangedCount = count(len(changed))
	return answer, saveEnrolments(ctx, tx, changed)
}
