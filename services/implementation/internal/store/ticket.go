package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// mostTickets is how many counts one answer has.
const mostTickets = 10_000

// RecordTickets sets counts of the help desk, all or none. It is one event.
func (s *Store) RecordTickets(ctx context.Context, req *implementationv1.RecordTicketsRequest) (*implementationv1.RecordTicketsResponse, error) {
	if _, err := Implementations.Parse(req.GetName()); err != nil {
		return nil, err
	}
	if err := s.checkTickets(req); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.RecordTicketsResponse, error) {
		if err := Implementations.Required(ctx, tx, req.GetName()); err != nil {
			return nil, err
		}
		names := make([]string, len(req.GetCounts()))
		for i, c := range req.GetCounts() {
			names[i] = c.GetCohort()
		}
		known, err := existing(ctx, tx, "cohorts", names)
		if err != nil {
			return nil, err
		}
		answer := &implementationv1.RecordTicketsResponse{}
		for i, c := range req.GetCounts() {
			if !known[c.GetCohort()] {
				return nil, dangling(fmt.Sprintf("counts[%d].cohort", i), c.GetCohort())
			}
			if err := setTickets(ctx, tx, req.GetName(), c, answer); err != nil {
				return nil, err
			}
		}
		if answer.GetCreatedCount()+answer.GetUpdatedCount() == 0 {
			return answer, nil
		}
		return answer, s.tell(ctx, tx, feed.Record{Resource: req.GetName() + "/tickets", Type: "implementation.tickets.recorded", After: answer})
	})
}

func (s *Store) checkTickets(req *implementationv1.RecordTicketsRequest) error {
	now := detect.WeekOf(s.Now())
	seen := map[[2]string]bool{}
	for i, c := range req.GetCounts() {
		field := fmt.Sprintf("counts[%d]", i)
		week, err := detect.ParseWeek(c.GetWeek())
		if err != nil {
			return fault.From(err).Field(field+".week", "is no week")
		}
		if week.Start().After(now.Start()) {
			return fault.Invalid(detect.ReasonWeekInvalid, "the week %s has not begun; count what was", c.GetWeek()).Field(field+".week", "must not be in the future")
		}
		key := [2]string{c.GetCohort(), c.GetWeek()}
		if seen[key] {
			return fault.Invalid("DUPLICATE", "%s has two counts of %s; leave one out", c.GetCohort(), c.GetWeek()).Field(field, "is there twice")
		}
		seen[key] = true
		if err := shape(Cohorts, req.GetName(), field+".cohort", c.GetCohort()); err != nil {
			return err
		}
	}
	return nil
}

func setTickets(ctx context.Context, tx *sqldb.Tx, implementation string, c *implementationv1.TicketCount, answer *implementationv1.RecordTicketsResponse) error {
	key := []any{implementation, c.GetCohort(), c.GetWeek()}
	was := &implementationv1.TicketCount{}
	err := tx.QueryRowContext(ctx, "SELECT tickets, active_users FROM ticket_counts WHERE implementation = $1 AND cohort = $2 AND week = $3", key...).
		Scan(&was.Tickets, &was.ActiveUsers)
	switch {
	case err == nil && was.GetTickets() == c.GetTickets() && was.GetActiveUsers() == c.GetActiveUsers():
		return nil
	case err == nil:
		answer.UpdatedCount++
	case errors.Is(err, sql.ErrNoRows):
		answer.CreatedCount++
	default:
		return fmt.Errorf("read tickets of %s: %w", implementation, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO ticket_counts (implementation, cohort, week, tickets, active_users) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (implementation, cohort, week) DO UPDATE SET tickets = excluded.tickets, active_users = excluded.active_users`,
		append(key, c.GetTickets(), c.GetActiveUsers())...)
	if err != nil {
		return fmt.Errorf("store tickets of %s: %w", implementation, err)
	}
	return nil
}

// QueryTickets reads the newest counts of an implementation, in the order of weeks and cohorts.
func (s *Store) QueryTickets(ctx context.Context, req *implementationv1.QueryTicketsRequest) (*implementationv1.QueryTicketsResponse, error) {
	if _, err := Implementations.Parse(req.GetName()); err != nil {
		return nil, err
	}
	q := s.DB().Read()
	if err := Implementations.Required(ctx, q, req.GetName()); err != nil {
		return nil, err
	}
	counts, err := tickets(ctx, q, req.GetName(), req.GetCohort())
	return &implementationv1.QueryTicketsResponse{Counts: counts}, err
}

func tickets(ctx context.Context, q sqldb.Queryer, implementation, cohort string) ([]*implementationv1.TicketCount, error) {
	rows, err := q.QueryContext(ctx, `SELECT cohort, week, tickets, active_users FROM (
		SELECT cohort, week, tickets, active_users FROM ticket_counts
		WHERE implementation = $1 AND (cohort = $2 OR $2 = '') ORDER BY week DESC, cohort LIMIT $3) AS newest ORDER BY week, cohort`,
		implementation, cohort, mostTickets)
	counts, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (*implementationv1.TicketCount, error) {
		c := &implementationv1.TicketCount{}
		return c, rows.Scan(&c.Cohort, &c.Week, &c.Tickets, &c.ActiveUsers)
	})
	if err != nil {
		return nil, fmt.Errorf("read tickets of %s: %w", implementation, err)
	}
	return counts, nil
}
