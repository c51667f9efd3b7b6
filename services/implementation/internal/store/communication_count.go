package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

// release finds out who is told, freezes how many they are, and queues a message to each, where it goes by mail.
func (s *Store) release(ctx context.Context, tx *sqldb.Tx, m *implementationv1.Communication) error {
	if err := sendable(m); err != nil {
		return err
	}
	event := lifecycle.CommunicationTold
	if m.GetChannel() == implementationv1.Communication_EMAIL {
		event = lifecycle.CommunicationReleased
	}
	if err := event.Apply(m, s.Now()); err != nil {
		return err
	}
	people, faceless, err := s.audience(ctx, tx, m)
	if err != nil {
		return err
	}
	m.AudienceCount = int64(len(people))
	if event == lifecycle.CommunicationTold {
		m.AudienceCount += faceless
	}
	if m.GetAudienceCount() == 0 {
		return fault.Invalid(ReasonAudienceEmpty, "nobody is in the audience of %s today; add people to its cohorts, or name others", m.GetName()).
			Field("communication.audience", "has nobody in it today")
	}
	if event == lifecycle.CommunicationTold {
		return nil
	}
	letters := make([]mail.Outgoing, len(people))
	for i, person := range people {
		// The words are the communication's, which does not change any more: ClaimMail looks them up.
		letters[i] = mail.Outgoing{Person: person, Kind: implementationv1.Mail_COMMUNICATION, About: m.GetName()}
	}
	return s.QueueMail(ctx, tx, letters)
}

// audience are the people who are told, each once, and how many stakeholders have no person. The size of each cohort is noted on the way.
func (s *Store) audience(ctx context.Context, tx *sqldb.Tx, m *implementationv1.Communication) (people []string, faceless int64, err error) {
	a, now := m.GetAudience(), s.Now().UnixMicro()
	m.Deliveries = nil
	for _, cohort := range a.GetCohorts() {
		rows, err := tx.QueryContext(ctx, "SELECT DISTINCT m.person FROM memberships m WHERE m.parent = $1 AND "+effective("$2"), cohort, now)
		members, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return nil, 0, fmt.Errorf("members of %s: %w", cohort, err)
		}
		m.Deliveries = append(m.Deliveries, &implementationv1.Delivery{Cohort: cohort, AudienceCount: int64(len(members))})
		people = append(people, members...)
	}
	found, err := existing(ctx, tx, "people", a.GetPeople())
	if err != nil {
		return nil, 0, err
	}
	for _, person := range a.GetPeople() {
		if found[person] { // some may have been erased since they were named
			people = append(people, person)
		}
	}
	stakeholders, err := Stakeholders.LoadMany(ctx, tx, a.GetStakeholders())
	if err != nil {
		return nil, 0, err
	}
	for _, stakeholder := range stakeholders {
		if stakeholder.GetPerson() == "" {
			faceless++
			continue
		}
		people = append(people, stakeholder.GetPerson())
	}
	slices.Sort(people)
	return slices.Compact(people), faceless, nil
}

// tally counts what became of the messages and what people counted.
func tally(ctx context.Context, q sqldb.Queryer, m *implementationv1.Communication) error {
	rows, err := q.QueryContext(ctx, "SELECT state, COUNT(*) FROM outbox WHERE about = $1 GROUP BY state", m.GetName())
	byState := map[implementationv1.Mail_State]int64{}
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var state implementationv1.Mail_State
		var n int64
		err = rows.Scan(&state, &n)
		byState[state] = n
		return none, err
	})
	if err != nil {
		return fmt.Errorf("count the messages of %s: %w", m.GetName(), err)
	}
	if err := mailed(ctx, q, m); err != nil {
		return err
	}
	recorded, read := byHand(m)
	m.DeliveredCount = min(m.GetAudienceCount(), byState[implementationv1.Mail_SENT]+recorded)
	m.ReadCount = read
	m.BouncedCount = byState[implementationv1.Mail_BOUNCED]
	m.SkippedCount = byState[implementationv1.Mail_SKIPPED] + byState[implementationv1.Mail_EXPIRED] + byState[implementationv1.Mail_DROPPED]
	m.HandedOverCount = byState[implementationv1.Mail_HANDED_OVER]
	if m.GetState() == implementationv1.Communication_SENDING && byState[implementationv1.Mail_QUEUED] == 0 {
		return lifecycle.CommunicationSent.Apply(m, moment(m.GetSentTime()))
	}
	return nil
}

// mailed counts the members of each cohort who got the mail.
func mailed(ctx context.Context, q sqldb.Queryer, m *implementationv1.Communication) error {
	cohorts := m.GetAudience().GetCohorts()
	if m.GetChannel() != implementationv1.Communication_EMAIL || m.GetSentTime() == nil || len(cohorts) == 0 {
		return nil
	}
	for _, d := range m.GetDeliveries() {
		d.MailedCount = 0
	}
	query := fmt.Sprintf(`SELECT m.parent, COUNT(DISTINCT m.person) FROM outbox o JOIN memberships m ON m.person = o.person
		WHERE o.about = $1 AND o.state = %d AND m.parent IN (%s) AND %s GROUP BY m.parent`,
		implementationv1.Mail_SENT, sqldb.Marks(3, len(cohorts)), effective("$2"))
	rows, err := q.QueryContext(ctx, query, append([]any{m.GetName(), moment(m.GetSentTime()).UnixMicro()}, sqldb.Texts(cohorts)...)...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var cohort string
		var n int64
		err = rows.Scan(&cohort, &n)
		for _, d := range m.GetDeliveries() {
			if d.GetCohort() == cohort {
				d.MailedCount = n
			}
		}
		return none, err
	})
	if err != nil {
		return fmt.Errorf("count the mail of %s by cohort: %w", m.GetName(), err)
	}
	return nil
}

// byHand is what people counted: the whole audience, or else the sum of its cohorts.
func byHand(m *implementationv1.Communication) (delivered, read int64) {
	for _, d := range m.GetDeliveries() {
		if d.GetCohort() == "" {
			return d.GetDeliveredCount(), d.GetReadCount()
		}
		delivered += d.GetDeliveredCount()
		read += d.GetReadCount()
	}
	return delivered, read
}

// SettleCommunications counts anew for what is on its way, and ends what has arrived.
func (s *Store) SettleCommunications(ctx context.Context) error {
	open, err := Communications.Select(ctx, s.DB().Read(), fmt.Sprintf("WHERE state = %d ORDER BY name LIMIT 1000", implementationv1.Communication_SENDING))
	if err != nil {
		return err
	}
	for _, c := range open {
		if err := s.settle(ctx, c.GetName()); err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
	}
	return nil
}

func (s *Store) settle(ctx context.Context, name string) error {
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row, err := Communications.LockRow(ctx, tx, name)
		if err != nil {
			return err
		}
		return s.recount(ctx, tx, row, proto.CloneOf(row.Message))
	})
}

// recount counts anew and saves the communication where something changed since before.
func (s *Store) recount(ctx context.Context, tx *sqldb.Tx, row resource.Row[*implementationv1.Communication], before *implementationv1.Communication) error {
	if err := tally(ctx, tx, row.Message); err != nil {
		return err
	}
	if proto.Equal(before, row.Message) {
		return nil
	}
	verb := "counted"
	if row.Message.GetState() != before.GetState() {
		verb = string(lifecycle.CommunicationSent)
	}
	return Communications.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: verb})
}

// RecordDelivery notes how many somebody counted.
func (s *Store) RecordDelivery(ctx context.Context, req *implementationv1.RecordDeliveryRequest) (*implementationv1.Communication, error) {
	if _, err := Communications.Parse(req.GetName()); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Communication, error) {
		row, err := Communications.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if err := lifecycle.CommunicationCountable(row.Message); err != nil {
			return nil, err
		}
		before := proto.CloneOf(row.Message)
		if err := s.note(row.Message, req); err != nil {
			return nil, err
		}
		return row.Message, s.recount(ctx, tx, row, before)
	})
}

// note puts a count into the communication, after a look at whether it can be.
func (s *Store) note(m *implementationv1.Communication, req *implementationv1.RecordDeliveryRequest) error {
	at := slices.IndexFunc(m.GetDeliveries(), func(d *implementationv1.Delivery) bool { return d.GetCohort() == req.GetCohort() })
	if at < 0 && req.GetCohort() != "" {
		return fault.Invalid(ReasonReferenceNotFound, "%s is no cohort of the audience of %s; name one of its audience, or none", quoted(req.GetCohort()), m.GetName()).
			Field("cohort", "is not in the audience")
	}
	if at < 0 {
		m.Deliveries = append(m.Deliveries, &implementationv1.Delivery{AudienceCount: m.GetAudienceCount()})
		at = len(m.GetDeliveries()) - 1
	}
	d := m.GetDeliveries()[at]
	most, why := d.GetAudienceCount(), "people there are"
	readers, readWhy := req.GetDeliveredCount(), "who were reached"
	if m.GetChannel() == implementationv1.Communication_EMAIL {
		// What golive sent it counts itself; people count what they were handed.
		most, why = min(most, m.GetHandedOverCount()), "messages were handed over"
		readers, readWhy = d.GetAudienceCount(), "people there are"
	}
	switch {
	case req.GetDeliveredCount() > most:
		return fault.Invalid(ReasonCountInvalid, "delivered_count is %d, more than %d %s; count again", req.GetDeliveredCount(), most, why).
			Field("delivered_count", "is more than can be")
	case req.GetReadCount() > readers:
		return fault.Invalid(ReasonCountInvalid, "read_count is %d, more than the %d %s; count again", req.GetReadCount(), readers, readWhy).
			Field("read_count", "is more than can be")
	}
	d.DeliveredCount, d.ReadCount, d.RecordTime = req.GetDeliveredCount(), req.GetReadCount(), timestamppb.New(s.Now())
	return nil
}
