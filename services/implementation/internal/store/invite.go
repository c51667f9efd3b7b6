package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

// ReasonAboutInvalid is the reason of an invitation to something that nobody can be invited to.
const ReasonAboutInvalid = "ABOUT_INVALID"

// again is how long nobody is written to about the same thing again.
const again = 24 * time.Hour

// call is what an invitation and a reminder have in common.
type call interface {
	GetParent() string
	GetAbout() string
	GetPeople() []string
	GetCohort() string
	GetNote() string
	GetLink() string
}

// Invite writes to people who are to take a training.
func (s *Store) Invite(ctx context.Context, req *implementationv1.InvitePeopleRequest) (*implementationv1.InvitePeopleResponse, error) {
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.InvitePeopleResponse, error) {
		queued, skipped, err := s.call(ctx, tx, req, implementationv1.Mail_INVITATION)
		return &implementationv1.InvitePeopleResponse{QueuedCount: count(queued), SkippedCount: count(skipped)}, err
	})
}

// Remind writes again to people who are to take a training.
func (s *Store) Remind(ctx context.Context, req *implementationv1.RemindPeopleRequest) (*implementationv1.RemindPeopleResponse, error) {
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.RemindPeopleResponse, error) {
		queued, skipped, err := s.call(ctx, tx, req, implementationv1.Mail_REMINDER)
		return &implementationv1.RemindPeopleResponse{QueuedCount: count(queued), SkippedCount: count(skipped)}, err
	})
}

func (s *Store) call(ctx context.Context, tx *sqldb.Tx, req call, kind implementationv1.Mail_Kind) (queued, skipped int, err error) {
	if err := storable("note", req.GetNote()); err != nil {
		return 0, 0, err
	}
	training, course, err := s.course(ctx, tx, req)
	if err != nil {
		return 0, 0, err
	}
	if err := known(ctx, tx, req.GetParent(), req.GetPeople(), "people[%d]"); err != nil {
		return 0, 0, err
	}
	if req.GetCohort() != "" {
		if err := reference(ctx, tx, Cohorts, req.GetParent()+"/mails/-", "cohort", req.GetCohort()); err != nil {
			return 0, 0, err
		}
	}
	todo, err := s.outstanding(ctx, tx, req, training, kind)
	if err != nil {
		return 0, 0, err
	}
	named := make(map[string]bool, len(req.GetPeople()))
	for _, person := range req.GetPeople() {
		named[person] = true
	}
	var letters []mail.Outgoing
	for _, p := range todo {
		if len(named) > 0 && !named[p.person] {
			continue
		}
		if p.told {
			skipped++
			continue
		}
		course.Due = p.due
		subject, text := course.Words(kind)
		letters = append(letters, mail.Outgoing{Person: p.person, Kind: kind, Subject: subject, Text: text, About: req.GetAbout()})
	}
	if n := len(named); n > len(letters)+skipped {
		skipped = n - len(letters)
	}
	return len(letters), skipped, s.QueueMail(ctx, tx, letters)
}

// course is the training that a call is about, as people read of it.
func (s *Store) course(ctx context.Context, tx *sqldb.Tx, req call) (training string, c mail.Course, err error) {
	c = mail.Course{Note: req.GetNote(), Link: req.GetLink()}
	training = req.GetAbout()
	if _, err := Sessions.Parse(req.GetAbout()); err == nil {
		session, err := Sessions.Load(ctx, tx, req.GetAbout())
		if err != nil {
			return "", c, err
		}
		if session.GetState() != implementationv1.Session_SCHEDULED {
			return "", c, fault.Precondition(ReasonAboutInvalid, "session %s is %s; invite to one that is to come", req.GetAbout(), session.GetState()).
				Subject("STATE", req.GetAbout(), "is "+session.GetState().String())
		}
		training = parent(req.GetAbout())
		c.Start, c.End, c.Place = moment(session.GetStartTime()), moment(session.GetEndTime()), session.GetPlace()
	}
	if _, err := Trainings.Parse(training); err != nil || Workspace(training) != req.GetParent() {
		return "", c, fault.Invalid(ReasonAboutInvalid, "%s is no training or session of %s; name one", quoted(req.GetAbout()), req.GetParent()).
			Field("about", "is no training or session of the workspace")
	}
	t, err := lockOpen(ctx, tx, training)
	if err != nil {
		return "", c, err
	}
	if c.Title = t.GetDisplayName(); c.Title == "" {
		c.Title = personID(training)
	}
	return training, c, nil
}

// outstander is somebody who still has to take a training.
type outstander struct {
	person string
	due    time.Time
	told   bool // was written to about it a short while ago
}

// outstanding are those enrolled in a training who have to take it. Those with a seat need no invitation; of a session, only they are reminded.
func (s *Store) outstanding(ctx context.Context, tx *sqldb.Tx, req call, training string, kind implementationv1.Mail_Kind) ([]outstander, error) {
	const (
		completed = implementationv1.Enrolment_COMPLETED
		booked    = implementationv1.Enrolment_BOOKED
	)
	now := s.Now()
	args := []any{training, now.UnixMicro(), req.GetAbout(), now.Add(-again).UnixMicro()}
	query := fmt.Sprintf(`SELECT e.person, e.due_time, EXISTS (SELECT 1 FROM outbox o
			WHERE o.person = e.person AND o.about = $3 AND o.kind = %d AND o.create_time > $4 AND o.state <> %d)
		FROM enrolments e WHERE e.parent = $1 AND (e.state NOT IN (%d, %d, %d) OR e.state = %d AND e.expire_time <> 0 AND e.expire_time <= $2)`,
		kind, implementationv1.Mail_DROPPED, completed, implementationv1.Enrolment_WAIVED, implementationv1.Enrolment_ATTENDED, completed)
	switch {
	case kind == implementationv1.Mail_INVITATION:
		query += fmt.Sprintf(" AND e.state <> %d", booked)
	case training != req.GetAbout():
		query += fmt.Sprintf(" AND e.state = %d AND e.session = $3", booked)
	}
	if req.GetCohort() != "" {
		query += " AND e.person IN (SELECT m.person FROM memberships m WHERE m.parent = $5 AND " + effective("$2") + ")"
		args = append(args, req.GetCohort())
	}
	rows, err := tx.QueryContext(ctx, query+" ORDER BY e.person", args...)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (o outstander, err error) {
		var due int64
		err = rows.Scan(&o.person, &due, &o.told)
		o.due = fromMicros(due)
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("who still has to take %s: %w", training, err)
	}
	return all, nil
}
