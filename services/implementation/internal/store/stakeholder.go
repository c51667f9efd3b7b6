package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Stakeholders is the kind of stakeholders. Each stance that was recorded is a row of its own beside them.
var Stakeholders = resource.Define(resource.Spec[*implementationv1.Stakeholder]{
	Table: "stakeholders",
	Columns: []resource.Column[*implementationv1.Stakeholder]{
		{Field: "display_name"},
		{Field: "person"},
		{Field: "influence"},
		{Field: "stance"},
		{Field: "sponsor"},
		{Field: "owner"},
		{Field: "last_contact_time"},
		{Field: "last_action_time"},
		{Field: "labels"},
	},
	Parent: Implementations.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.Stakeholder]{
		Validate: validateStakeholder,
		BeforeDelete: func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Stakeholder) error {
			if _, err := tx.ExecContext(ctx, "DELETE FROM stance_changes WHERE parent = $1", old.GetName()); err != nil {
				return fmt.Errorf("remove stances of %s: %w", old.GetName(), err)
			}
			return nil
		},
	},
})

// stanceKind reads names and lists; the rows are added here, without events, because their notes are not for the log.
var stanceKind = resource.Define(resource.Spec[*implementationv1.StanceChange]{
	Table:   "stance_changes",
	Columns: []resource.Column[*implementationv1.StanceChange]{{Field: "stance"}},
})

func validateStakeholder(ctx context.Context, tx *sqldb.Tx, old, m *implementationv1.Stakeholder) error {
	if m.GetInfluence() == 0 {
		return fault.Invalid(resource.ReasonRequired, "influence is required; say how much they can move, from 1 to 5").Field("stakeholder.influence", "is required")
	}
	if m.GetPerson() == "" || m.GetPerson() == old.GetPerson() {
		return nil
	}
	return reference(ctx, tx, People, m.GetName(), "stakeholder.person", m.GetPerson())
}

// CreateStakeholder creates one, with the first of its stances.
func (s *Store) CreateStakeholder(ctx context.Context, req *implementationv1.CreateStakeholderRequest) (*implementationv1.Stakeholder, error) {
	return Stakeholders.With(resource.Hooks[*implementationv1.Stakeholder]{
		Default: func(_ context.Context, _ *sqldb.Tx, m *implementationv1.Stakeholder) error {
			if m.GetStance() == implementationv1.Stance_STANCE_UNSPECIFIED {
				m.Stance = implementationv1.Stance_NEUTRAL
			}
			m.StanceTime = timestamppb.New(s.Now())
			return nil
		},
		Validate: validateStakeholder,
		AfterWrite: func(ctx context.Context, tx *sqldb.Tx, _, m *implementationv1.Stakeholder) error {
			return s.addStance(ctx, tx, m, implementationv1.Stance_STANCE_UNSPECIFIED, "")
		},
	}).Create(ctx, s.Store, req)
}

// addStance adds to the history that the stakeholder stands so from now on.
func (s *Store) addStance(ctx context.Context, tx *sqldb.Tx, m *implementationv1.Stakeholder, previous implementationv1.Stance, note string) error {
	// Names rise with time, so that the plain list tells the story in order.
	id := fmt.Sprintf("s%016x%s", s.Now().UnixMicro(), strings.ToLower(rand.Text()[:4]))
	_, err := tx.ExecContext(ctx, `INSERT INTO stance_changes (name, parent, stance, previous_stance, note, recorder, create_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		stanceKind.Name(m.GetName(), id), m.GetName(), int64(m.GetStance()), int64(previous), note, actor(ctx), s.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("record the stance of %s: %w", m.GetName(), err)
	}
	return nil
}

// RecordStance notes how a stakeholder stands now, also where it is as before.
func (s *Store) RecordStance(ctx context.Context, req *implementationv1.RecordStanceRequest) (*implementationv1.Stakeholder, error) {
	if err := storable("note", req.GetNote()); err != nil {
		return nil, err
	}
	return move(ctx, s, Stakeholders, req, "stanceRecorded", func(ctx context.Context, tx *sqldb.Tx, m *implementationv1.Stakeholder) error {
		previous := m.GetStance()
		if previous != req.GetStance() {
			m.Stance, m.StanceTime = req.GetStance(), timestamppb.New(s.Now())
		}
		return s.addStance(ctx, tx, m, previous, req.GetNote())
	})
}

// RecordContact notes that somebody was in touch with a stakeholder.
func (s *Store) RecordContact(ctx context.Context, req *implementationv1.RecordContactRequest) (*implementationv1.Stakeholder, error) {
	if _, err := Stakeholders.Parse(req.GetName()); err != nil {
		return nil, err
	}
	at := moment(req.GetContactTime()).Truncate(time.Microsecond)
	if at.IsZero() {
		at = s.Now()
	}
	if at.After(s.Now()) {
		return nil, fault.Invalid(ReasonInFuture, "the contact lies in the future; record it when it has happened").
			Field("contact_time", "lies in the future")
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Stakeholder, error) {
		row, err := Stakeholders.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		m, news := row.Message, false
		if at.After(moment(m.GetLastContactTime())) {
			m.LastContactTime, news = timestamppb.New(at), true
		}
		if req.GetActed() && at.After(moment(m.GetLastActionTime())) {
			m.LastActionTime, news = timestamppb.New(at), true
		}
		if !news {
			return m, nil
		}
		return m, Stakeholders.Save(ctx, tx, s.Store, m, row.Revision, resource.Meta{Verb: "contacted"})
	})
}

// StanceChange reads one stance that was recorded, or answers RESOURCE_NOT_FOUND.
func (s *Store) StanceChange(ctx context.Context, name string) (*implementationv1.StanceChange, error) {
	if _, err := stanceKind.Parse(name); err != nil {
		return nil, err
	}
	rows, err := s.DB().Read().QueryContext(ctx, selectStances+" WHERE name = $1", name)
	found, err := sqldb.Collect(rows, err, scanStance)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	if len(found) == 0 {
		return nil, stanceKind.NotFound(name)
	}
	return found[0], nil
}

// ListStanceChanges pages through the stances of a stakeholder, the first one first.
func (s *Store) ListStanceChanges(ctx context.Context, req *implementationv1.ListStanceChangesRequest) ([]*implementationv1.StanceChange, string, error) {
	return stanceKind.ListRows(ctx, s.Store, req, selectStances, scanStance)
}

const selectStances = "SELECT name, stance, previous_stance, note, recorder, create_time FROM stance_changes"

func scanStance(rows *sql.Rows) (*implementationv1.StanceChange, error) {
	c := &implementationv1.StanceChange{}
	var created int64
	err := rows.Scan(&c.Name, &c.Stance, &c.PreviousStance, &c.Note, &c.Recorder, &created)
	c.CreateTime = stamp(fromMicros(created))
	return c, err
}
