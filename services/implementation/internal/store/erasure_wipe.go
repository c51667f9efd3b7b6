package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/disclosure"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

// wipe removes what is known of a person, or takes the person out of it. What a count of the past needs stays without the person.
func (s *Store) wipe(ctx context.Context, tx *sqldb.Tx, person string) ([]*implementationv1.ErasedData, error) {
	const (
		removed  = implementationv1.ErasedData_REMOVED
		unlinked = implementationv1.ErasedData_UNLINKED
	)
	var items []*implementationv1.ErasedData
	for _, step := range []struct {
		data   string
		action implementationv1.ErasedData_Action
		why    string
		do     func(ctx context.Context, tx *sqldb.Tx, person string) (int64, error)
	}{
		{"memberships", removed, "", s.wipeMemberships},
		{"enrolments", removed, "", s.wipeEnrolments},
		{"completed trainings", unlinked, "How many took a training is counted on. Each row has a name of its own now, which leads to nobody.", s.unlinkEnrolments},
		{"accounts", removed, "", statements("DELETE FROM provisionings WHERE person = $1")},
		{"survey invitations", unlinked, "How many were asked and how many answered is counted on. The link is void, and each row has a name of its own, which leads to nobody.", unlinkInvitations},
		{"survey answers under a name", unlinked, "They are anonymous now, as those of anonymous surveys always were.", disclosure.Forget},
		{"audiences of communications", unlinked, "Who else they are for stays.", s.leaveAudiences},
		{"stakeholders", removed, "", s.wipeStakeholders},
		{"messages that waited", removed, "", func(ctx context.Context, tx *sqldb.Tx, person string) (int64, error) {
			return s.dropMail(ctx, tx, "person", person, mail.Erased)
		}},
		{
			"messages that were sent", unlinked, "How many people a message reached is counted on. Its words were removed when it left.",
			statements("UPDATE outbox SET person = '' WHERE person = $1"),
		},
	} {
		n, err := step.do(ctx, tx, person)
		if err != nil {
			return nil, fmt.Errorf("erase %s: %w", step.data, err)
		}
		items = append(items, &implementationv1.ErasedData{Data: step.data, Action: step.action, Count: n, Why: step.why})
	}
	return items, nil
}

// statements runs statements on a person and counts what the last one changed.
func statements(texts ...string) func(ctx context.Context, tx *sqldb.Tx, person string) (int64, error) {
	return func(ctx context.Context, tx *sqldb.Tx, person string) (n int64, err error) {
		for _, text := range texts {
			result, err := tx.ExecContext(ctx, text, person)
			if err != nil {
				return 0, err
			}
			if n, err = result.RowsAffected(); err != nil {
				return 0, err
			}
		}
		return n, nil
	}
}

func (s *Store) wipeMemberships(ctx context.Context, tx *sqldb.Tx, person string) (int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT DISTINCT parent FROM memberships WHERE person = $1 ORDER BY parent", person)
	cohorts, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return 0, err
	}
	n, err := statements("DELETE FROM resource_sets WHERE name IN (SELECT name FROM memberships WHERE person = $1)",
		"DELETE FROM memberships WHERE person = $1")(ctx, tx, person)
	if err != nil {
		return 0, err
	}
	return n, s.tellErased(ctx, tx, cohorts, "/memberships", "implementation.membership.erased")
}

// wipeEnrolments removes what was still to come.
func (s *Store) wipeEnrolments(ctx context.Context, tx *sqldb.Tx, person string) (int64, error) {
	open := fmt.Sprintf("person = $1 AND state IN (%d, %d)", implementationv1.Enrolment_ASSIGNED, implementationv1.Enrolment_BOOKED)
	rows, err := tx.QueryContext(ctx, "SELECT parent FROM enrolments WHERE "+open+" ORDER BY parent", person)
	trainings, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return 0, err
	}
	n, err := statements("DELETE FROM enrolments WHERE "+open)(ctx, tx, person)
	if err != nil {
		return 0, err
	}
	return n, s.tellErased(ctx, tx, trainings, "/enrolments", "implementation.enrolment.erased")
}

// unlinkEnrolments gives each enrolment that is left to a nobody of its own, so that not even two of them lead to one person.
func (s *Store) unlinkEnrolments(ctx context.Context, tx *sqldb.Tx, person string) (int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT parent FROM enrolments WHERE person = $1 ORDER BY parent", person)
	trainings, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return 0, err
	}
	for _, training := range trainings {
		nobody := nobody()
		_, err := tx.ExecContext(ctx, "UPDATE enrolments SET person = $1, name = $2, waive_reason = '' WHERE parent = $3 AND person = $4",
			People.Name(Workspace(person), nobody), EnrolmentName(training, nobody), training, person)
		if err != nil {
			return 0, err
		}
	}
	return int64(len(trainings)), s.tellErased(ctx, tx, trainings, "/enrolments", "implementation.enrolment.unlinked")
}

// nobody is the id of somebody who does not exist.
func nobody() string { return "erased-" + strings.ToLower(rand.Text()[:16]) }

func unlinkInvitations(ctx context.Context, tx *sqldb.Tx, person string) (int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT wave FROM survey_invitations WHERE person = $1 ORDER BY wave", person)
	waves, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return 0, err
	}
	for _, wave := range waves {
		_, err := tx.ExecContext(ctx, "UPDATE survey_invitations SET person = $1, token = NULL WHERE wave = $2 AND person = $3",
			People.Name(Workspace(person), nobody()), wave, person)
		if err != nil {
			return 0, err
		}
	}
	return int64(len(waves)), nil
}

// leaveAudiences takes the person, and who stands for it among stakeholders, off the lists of those whom communications are for.
func (s *Store) leaveAudiences(ctx context.Context, tx *sqldb.Tx, person string) (n int64, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT name FROM stakeholders WHERE person = $1", person)
	gone, err := sqldb.Collect(rows, err, scanText)
	if err != nil {
		return 0, err
	}
	gone = append(gone, person)
	all, err := Communications.Select(ctx, tx,
		"WHERE parent IN (SELECT name FROM implementations WHERE parent = $1) ORDER BY name", Workspace(person))
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		row, err := Communications.LockRow(ctx, tx, m.GetName())
		if err != nil {
			return 0, err
		}
		m, a := row.Message, row.Message.GetAudience()
		before := len(a.GetPeople()) + len(a.GetStakeholders())
		in := func(name string) bool { return slices.Contains(gone, name) }
		if a != nil {
			a.People, a.Stakeholders = slices.DeleteFunc(a.GetPeople(), in), slices.DeleteFunc(a.GetStakeholders(), in)
		}
		if len(a.GetPeople())+len(a.GetStakeholders()) == before {
			continue
		}
		n++
		if err := Communications.Save(ctx, tx, s.Store, m, row.Revision, resource.Meta{Verb: "updated"}); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func (s *Store) wipeStakeholders(ctx context.Context, tx *sqldb.Tx, person string) (int64, error) {
	all, err := Stakeholders.Select(ctx, tx, "WHERE person = $1 ORDER BY name", person)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if _, err := statements("DELETE FROM stance_changes WHERE parent = $1")(ctx, tx, m.GetName()); err != nil {
			return 0, err
		}
		if err := Stakeholders.Remove(ctx, tx, s.Store, m.GetName(), resource.Meta{Verb: "erased"}); err != nil {
			return 0, err
		}
	}
	return int64(len(all)), nil
}

// tellErased says that something below the owners changed, and not of whom.
func (s *Store) tellErased(ctx context.Context, tx *sqldb.Tx, owners []string, collection, kind string) error {
	for _, owner := range owners {
		err := s.tell(ctx, tx, feed.Record{Resource: owner + collection, Type: kind, After: &implementationv1.ErasedData{
			Data: strings.TrimPrefix(collection, "/"), Action: implementationv1.ErasedData_REMOVED, Count: 1,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}
