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
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// optOut is one row of usage_opt_outs: somebody is out from start on, until end where that is not 0.
type optOut struct{ start, end adoption.Day }

// OptOut takes a person out of all counting of usage from a day on.
func (s *Store) OptOut(ctx context.Context, req *implementationv1.OptOutRequest) (*implementationv1.UsageConsent, error) {
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.UsageConsent, error) {
		person, day, last, err := s.lockConsent(ctx, tx, req.GetPerson(), req.GetDay())
		if err != nil {
			return nil, err
		}
		consent := &implementationv1.UsageConsent{Person: req.GetPerson(), OptedOut: true, SinceDay: day.String()}
		if last != nil && last.end == 0 && last.start <= day {
			consent.SinceDay = last.start.String() // so already
			return consent, nil
		}
		// What lies within the new time is part of it.
		if _, err := tx.ExecContext(ctx, "DELETE FROM usage_opt_outs WHERE person = $1 AND start_day >= $2", person.GetName(), int64(day)); err != nil {
			return nil, fmt.Errorf("replace opt-outs of %s: %w", person.GetName(), err)
		}
		_, err = tx.ExecContext(ctx, "UPDATE usage_opt_outs SET end_day = $1 WHERE person = $2 AND end_day > $1", int64(day), person.GetName())
		if err != nil {
			return nil, fmt.Errorf("shorten opt-outs of %s: %w", person.GetName(), err)
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO usage_opt_outs (person, workspace, ordinal, start_day, end_day) VALUES ($1, $2, $3, $4, 0)",
			person.GetName(), Workspace(person.GetName()), person.GetOrdinal(), int64(day))
		if err != nil {
			return nil, fmt.Errorf("opt %s out: %w", person.GetName(), err)
		}
		return consent, s.tellConsent(ctx, tx, consent, "implementation.usage.optedOut")
	})
}

// OptIn counts a person again from a day on.
func (s *Store) OptIn(ctx context.Context, req *implementationv1.OptInRequest) (*implementationv1.UsageConsent, error) {
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.UsageConsent, error) {
		person, day, last, err := s.lockConsent(ctx, tx, req.GetPerson(), req.GetDay())
		switch {
		case err != nil:
			return nil, err
		case last == nil || last.end != 0:
			return nil, fault.Precondition("NOT_OPTED_OUT", "%s has not opted out; there is nothing to take back", person.GetName()).
				Subject("CONSENT", person.GetName(), "has not opted out")
		case day < last.start:
			return nil, fault.Invalid(ReasonDateInvalid, "%s opted out on %s and cannot be back on %s; give that day or a later one", person.GetName(), last.start, day).
				Field("day", "is before the opt-out")
		}
		query, args := "UPDATE usage_opt_outs SET end_day = $1 WHERE person = $2 AND end_day = 0", []any{int64(day), person.GetName()}
		if day == last.start { // never out
			query, args = "DELETE FROM usage_opt_outs WHERE person = $1 AND end_day = 0", args[1:]
		}
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return nil, fmt.Errorf("opt %s in: %w", person.GetName(), err)
		}
		consent := &implementationv1.UsageConsent{Person: person.GetName(), SinceDay: day.String()}
		return consent, s.tellConsent(ctx, tx, consent, "implementation.usage.optedIn")
	})
}

// lockConsent reads a person, the day of a request and the person's last opt-out; nil where there is none. What it read
// stays until the commit.
func (s *Store) lockConsent(ctx context.Context, tx *sqldb.Tx, name, given string) (person *implementationv1.Person, day adoption.Day, last *optOut, err error) {
	today := adoption.DayOf(s.Now())
	if day = today; given != "" {
		if day, err = adoption.ParseDay(given); err != nil || day > today {
			return nil, 0, nil, fault.Invalid(ReasonDateInvalid, "%s is no day up to today, %s; write it as 2026-03-02", quoted(given), today).
				Field("day", "is no day up to today")
		}
	}
	if person, err = People.Lock(ctx, tx, name); err != nil {
		return nil, 0, nil, err
	}
	if err := raiseUsageVersion(ctx, tx, Workspace(name)); err != nil {
		return nil, 0, nil, err
	}
	var found optOut
	err = tx.QueryRowContext(ctx, "SELECT start_day, end_day FROM usage_opt_outs WHERE person = $1 ORDER BY start_day DESC LIMIT 1", name).Scan(&found.start, &found.end)
	if errors.Is(err, sql.ErrNoRows) {
		return person, day, nil, nil
	}
	if err != nil {
		return nil, 0, nil, fmt.Errorf("opt-outs of %s: %w", name, err)
	}
	return person, day, &found, nil
}

// raiseUsageVersion makes replicas read opt-outs again, and lets one transaction of the workspace after the other decide about groups.
func raiseUsageVersion(ctx context.Context, tx *sqldb.Tx, workspace string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO usage_locks (workspace, version) VALUES ($1, 1)
		ON CONFLICT (workspace) DO UPDATE SET version = usage_locks.version + 1`, workspace)
	if err != nil {
		return fmt.Errorf("lock usage of %s: %w", workspace, err)
	}
	return nil
}

// tellConsent tells that somebody's consent changed, and not whose: the log is read by more people than may know.
func (s *Store) tellConsent(ctx context.Context, tx *sqldb.Tx, consent *implementationv1.UsageConsent, what string) error {
	return s.tell(ctx, tx, feed.Record{
		Resource: Workspace(consent.GetPerson()) + "/usage", Type: what,
		After: &implementationv1.UsageConsent{OptedOut: consent.GetOptedOut(), SinceDay: consent.GetSinceDay()},
	})
}
