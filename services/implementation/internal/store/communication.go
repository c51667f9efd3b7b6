package store

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

// The reasons of faults about communications.
const (
	ReasonAudienceEmpty = "AUDIENCE_EMPTY"
	ReasonMessageEmpty  = "MESSAGE_EMPTY"
	ReasonCountInvalid  = "COUNT_INVALID"
)

// Communications is the kind of communications.
var Communications = resource.Define(resource.Spec[*implementationv1.Communication]{
	Table: "communications",
	Columns: []resource.Column[*implementationv1.Communication]{
		{Field: "display_name"},
		{Field: "channel"},
		{Field: "must_know"},
		{Field: "owner"},
		{Field: "state"},
		{Field: "send_time"},
		{Field: "sent_time"},
		{Field: "labels"},
	},
	Parent: Implementations.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.Communication]{
		Default: func(_ context.Context, _ *sqldb.Tx, m *implementationv1.Communication) error {
			m.State = implementationv1.Communication_DRAFT
			return nil
		},
		Validate: validateCommunication,
		BeforeDelete: takingComments(func(_ context.Context, _ *sqldb.Tx, old *implementationv1.Communication) error {
			return lifecycle.CommunicationDeletable(old)
		}),
	},
})

func validateCommunication(ctx context.Context, tx *sqldb.Tx, old, m *implementationv1.Communication) error {
	if old != nil {
		if err := lifecycle.CommunicationEditable(old); err != nil {
			return err
		}
	}
	if m.GetState() == implementationv1.Communication_SCHEDULED {
		if err := sendable(m); err != nil {
			return err
		}
	}
	audience := m.GetAudience()
	for i, name := range audience.GetStakeholders() {
		field := fmt.Sprintf("communication.audience.stakeholders[%d]", i)
		if err := reference(ctx, tx, Stakeholders, m.GetName(), field, name); err != nil {
			return err
		}
		if parent(name) != parent(m.GetName()) {
			return fault.Invalid(ReasonReferenceNotFound, "%s names %s, which is of another implementation; name one of %s", field, name, parent(m.GetName())).
				Field(field, "is of another implementation")
		}
	}
	for i, name := range audience.GetCohorts() {
		if err := reference(ctx, tx, Cohorts, m.GetName(), fmt.Sprintf("communication.audience.cohorts[%d]", i), name); err != nil {
			return err
		}
	}
	return known(ctx, tx, m.GetName(), audience.GetPeople(), "communication.audience.people[%d]")
}

// sendable refuses what cannot be sent as it stands.
func sendable(m *implementationv1.Communication) error {
	a := m.GetAudience()
	if len(a.GetCohorts())+len(a.GetStakeholders())+len(a.GetPeople()) == 0 {
		return fault.Invalid(ReasonAudienceEmpty, "communication %s is for nobody; name cohorts, stakeholders or people in its audience", m.GetName()).
			Field("communication.audience", "names nobody")
	}
	if m.GetChannel() == implementationv1.Communication_EMAIL && (mail.Line(m.GetSubject()) == "" || m.GetBody() == "") {
		return fault.Invalid(ReasonMessageEmpty, "communication %s has nothing to send; give it a subject and a body", m.GetName()).
			Field("communication.subject", "and body are required for a message by EMAIL")
	}
	return nil
}

// ScheduleCommunication plans when it is sent.
func (s *Store) ScheduleCommunication(ctx context.Context, req *implementationv1.ScheduleCommunicationRequest) (*implementationv1.Communication, error) {
	if req.GetSendTime() == nil {
		return nil, fault.Invalid(resource.ReasonRequired, "send_time is required; say when it is sent, or send it now").Field("send_time", "is required")
	}
	return move(ctx, s, Communications, req, string(lifecycle.CommunicationScheduled), func(_ context.Context, tx *sqldb.Tx, m *implementationv1.Communication) error {
		m.SendTime = timestamppb.New(req.GetSendTime().AsTime())
		if err := sendable(m); err != nil {
			return err
		}
		tx.AfterCommit(s.mailWaits)
		return lifecycle.CommunicationScheduled.Apply(m, s.Now())
	})
}

// SendCommunication sends it now.
func (s *Store) SendCommunication(ctx context.Context, req *implementationv1.SendCommunicationRequest) (*implementationv1.Communication, error) {
	return move(ctx, s, Communications, req, string(lifecycle.CommunicationReleased), s.release)
}

// CancelCommunication gives it up, and what of it still waits.
func (s *Store) CancelCommunication(ctx context.Context, req *implementationv1.CancelCommunicationRequest) (*implementationv1.Communication, error) {
	if _, err := Communications.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Communication, error) {
		row, err := Communications.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		m := row.Message
		if etag := req.GetEtag(); etag != "" && etag != m.GetEtag() {
			return nil, staleEtag(m.GetName(), m.GetEtag())
		}
		if err := lifecycle.CommunicationCancelled.Apply(m, s.Now()); err != nil {
			return nil, err
		}
		if _, err := s.dropMail(ctx, tx, "about", m.GetName(), mail.Cancelled); err != nil {
			return nil, err
		}
		if err := tally(ctx, tx, m); err != nil {
			return nil, err
		}
		return m, Communications.Save(ctx, tx, s.Store, m, row.Revision,
			resource.Meta{Verb: string(lifecycle.CommunicationCancelled), Cause: req.GetReason()})
	})
}

// SendDue sends what is due. One that can no longer be sent, because its cohorts have
// become empty, is cancelled and says why.
func (s *Store) SendDue(ctx context.Context) error {
	due, err := Communications.Select(ctx, s.DB().Read(), fmt.Sprintf("WHERE state = %d AND send_time <= $1 ORDER BY send_time LIMIT 100",
		implementationv1.Communication_SCHEDULED), s.Now().UnixMicro())
	if err != nil {
		return err
	}
	var all error
	for _, c := range due {
		if err := s.sendDue(ctx, c.GetName()); err != nil && !fault.Is(err, fault.KindNotFound) {
			all = errors.Join(all, fmt.Errorf("send %s: %w", c.GetName(), err))
		}
	}
	return all
}

func (s *Store) sendDue(ctx context.Context, name string) error {
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row, err := Communications.LockRow(ctx, tx, name)
		if err != nil {
			return err
		}
		m := row.Message
		if m.GetState() != implementationv1.Communication_SCHEDULED || moment(m.GetSendTime()).After(s.Now()) {
			return nil // somebody was faster
		}
		meta := resource.Meta{Verb: string(lifecycle.CommunicationReleased), Cause: "its time has come"}
		if err := s.release(ctx, tx, m); fault.ReasonOf(err) == ReasonAudienceEmpty {
			meta = resource.Meta{Verb: string(lifecycle.CommunicationCancelled), Cause: "nobody is left in its audience"}
			if err := lifecycle.CommunicationCancelled.Apply(m, s.Now()); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		return Communications.Save(ctx, tx, s.Store, m, row.Revision, meta)
	})
}
