package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/delivery"
)

const (
	// testLease is how long a test may take before somebody else sends its event.
	testLease = 2 * time.Minute
	// loggedAttempts are how many attempts are kept.
	loggedAttempts = 10
	// endedFor is how long a delivery is kept after its end, and purgeDeliveries how many go at once.
	endedFor        = 30 * 24 * time.Hour
	purgeDeliveries = 1000
)

// EventReceiver is where the events of a subscription go, with what nobody may read.
type EventReceiver struct {
	Subscription *implementationv1.Subscription
	// Address is the web address; empty for e-mail.
	Address string
	// Secrets are what to sign with, the newest first.
	Secrets []string
}

// EventClaim is a delivery that somebody has claimed to attempt.
type EventClaim struct {
	Name, Subscription string
	Event              *eventv1.Event
	// Try counts the attempts since it was queued, this one included.
	Try int
	// Queued is when it was queued.
	Queued time.Time

	claim int64
	log   []byte
}

// EventReceiver reads where the events of a subscription go; nil where it is disabled or gone.
func (s *Store) EventReceiver(ctx context.Context, name string) (*EventReceiver, error) {
	found, err := Subscriptions.LoadMany(ctx, s.DB().Read(), []string{name})
	sub := found[name]
	if err != nil || sub == nil || sub.GetState() != implementationv1.Subscription_ENABLED {
		return nil, err
	}
	kept, err := readSecrets(ctx, s.DB().Read(), name)
	if err != nil {
		return nil, err
	}
	r := &EventReceiver{Subscription: sub, Address: sub.GetWebhook().GetUrl(), Secrets: kept.good(s.Now())}
	if sub.GetSlack() != nil {
		r.Address = kept.address
	}
	return r, nil
}

// DueSubscriptions are those that are enabled and have something to send.
func (s *Store) DueSubscriptions(ctx context.Context) ([]string, error) {
	return workspacesOf(ctx, s.DB().Read(), fmt.Sprintf(`SELECT name FROM subscriptions s WHERE s.state = %d
		AND EXISTS (SELECT 1 FROM event_deliveries d WHERE d.parent = s.name AND d.state = %d AND d.due_time <= %d)`,
		implementationv1.Subscription_ENABLED, implementationv1.EventDelivery_PENDING, s.Now().UnixMicro()))
}

// ClaimEvents takes up to n deliveries of a subscription that are due, and returns them in the order in which they were queued. Nobody else gets them before the lease has ended.
func (s *Store) ClaimEvents(ctx context.Context, subscription string, n int, lease time.Duration) ([]EventClaim, error) {
	return s.claimEvents(ctx, lease, "name IN (SELECT name FROM event_deliveries WHERE parent = $3 AND state = $4 AND due_time <= $5 ORDER BY due_time, name LIMIT $6%s)",
		subscription, int64(implementationv1.EventDelivery_PENDING), s.Now().UnixMicro(), n)
}

// ClaimTest takes the delivery of a test.
func (s *Store) ClaimTest(ctx context.Context, name string) ([]EventClaim, error) {
	return s.claimEvents(ctx, testLease, "name = $3 AND state = $4%.0s", name, int64(implementationv1.EventDelivery_PENDING))
}

func (s *Store) claimEvents(ctx context.Context, lease time.Duration, which string, args ...any) (claims []EventClaim, err error) {
	lock := ""
	if s.DB().Dialect() == sqldb.Postgres {
		lock = " FOR UPDATE SKIP LOCKED"
	}
	query := "UPDATE event_deliveries SET claims = claims + 1, due_time = $1, update_time = $2 WHERE " + fmt.Sprintf(which, lock) +
		" RETURNING name, parent, tries + 1, claims, create_time, event, log"
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.Now()
		rows, err := tx.QueryContext(ctx, query, append([]any{now.Add(lease).UnixMicro(), now.UnixMicro()}, args...)...)
		claims, err = sqldb.Collect(rows, err, scanClaim)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim events: %w", err)
	}
	slices.SortFunc(claims, func(a, b EventClaim) int { return strings.Compare(a.Name, b.Name) }) // RETURNING keeps no order; ids do
	return claims, nil
}

func scanClaim(rows *sql.Rows) (c EventClaim, err error) {
	var queued int64
	var event []byte
	if err := rows.Scan(&c.Name, &c.Subscription, &c.Try, &c.claim, &queued, &event, &c.log); err != nil {
		return c, err
	}
	c.Queued, c.Event = fromMicros(queued), &eventv1.Event{}
	return c, proto.Unmarshal(event, c.Event)
}

// EventEnd is what became of an attempt.
type EventEnd struct {
	EventClaim

	// At is when the attempt began.
	At      time.Time
	Outcome delivery.Outcome
	Verdict delivery.Verdict
	// Wait is how long it waits where it is tried again. Without an attempt, with a zero Verdict, the claim is given back.
	Wait time.Duration
}

// FinishEvents stores what became of attempts, all in one transaction. What somebody else has claimed since is left as it is.
func (s *Store) FinishEvents(ctx context.Context, ends []EventEnd) error {
	if len(ends) == 0 {
		return nil
	}
	explain := func(err error) error { return fmt.Errorf("store what became of events: %w", err) }
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.Now()
		for _, e := range ends {
			if e.Verdict == 0 {
				err := tx.Queue(ctx, explain, fmt.Sprintf("UPDATE event_deliveries SET due_time = $1 WHERE name = $2 AND claims = $3 AND state = %d",
					implementationv1.EventDelivery_PENDING), now.UnixMicro(), e.Name, e.claim)
				if err != nil {
					return err
				}
				continue
			}
			state, end := implementationv1.EventDelivery_PENDING, int64(0)
			switch e.Verdict {
			case delivery.Delivered:
				state, end = implementationv1.EventDelivery_DELIVERED, now.UnixMicro()
			case delivery.Failed:
				state, end = implementationv1.EventDelivery_FAILED, now.UnixMicro()
			case delivery.Again:
			}
			log, err := logged(e)
			if err != nil {
				return explain(err)
			}
			err = tx.Queue(ctx, explain, fmt.Sprintf(`UPDATE event_deliveries SET state = $1, attempts = attempts + 1, tries = tries + 1, due_time = $2, update_time = $3, end_time = $4, log = $5
				WHERE name = $6 AND claims = $7 AND state = %d`, implementationv1.EventDelivery_PENDING),
				int64(state), now.Add(e.Wait).UnixMicro(), now.UnixMicro(), end, log, e.Name, e.claim)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// logged is the log of a delivery with one attempt more.
func logged(e EventEnd) ([]byte, error) {
	d := &implementationv1.EventDelivery{}
	if err := proto.Unmarshal(e.log, d); err != nil {
		return nil, err
	}
	d.Attempts = append(d.GetAttempts(), &implementationv1.EventDeliveryAttempt{
		Time: timestamppb.New(e.At), Code: int32(e.Outcome.Code), Error: e.Outcome.Error, DurationMillis: e.Outcome.Took.Milliseconds(), //nolint:gosec // a status
	})
	d.Attempts = d.GetAttempts()[max(0, len(d.GetAttempts())-loggedAttempts):]
	return proto.Marshal(d)
}

// PurgeEvents removes deliveries that ended long ago, gives up those that waited too long, for a subscription that is disabled or a
// receiver that takes less than comes, and forgets secrets that are used no more.
func (s *Store) PurgeEvents(ctx context.Context) error {
	now := s.Now()
	for more := true; more; {
		err := s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			result, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM event_deliveries WHERE name IN (SELECT name FROM event_deliveries WHERE state <> %d AND end_time < $1 LIMIT %d)`,
				implementationv1.EventDelivery_PENDING, purgeDeliveries), now.Add(-endedFor).UnixMicro())
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			more = n == purgeDeliveries
			return err
		})
		if err != nil {
			return fmt.Errorf("purge deliveries: %w", err)
		}
	}
	err := s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE event_deliveries SET state = %d, update_time = $1, end_time = $1 WHERE state = %d AND update_time < $2`,
			implementationv1.EventDelivery_FAILED, implementationv1.EventDelivery_PENDING), now.UnixMicro(), now.Add(-keptWaiting).UnixMicro())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE subscription_secrets SET previous = '', previous_expire_time = 0 WHERE previous <> '' AND previous_expire_time < $1", now.UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("purge what waited too long: %w", err)
	}
	return nil
}

// OldestEvent is since when the oldest delivery waits that could be made; zero where none does.
func (s *Store) OldestEvent(ctx context.Context) (time.Time, error) {
	var oldest sql.NullInt64
	err := s.DB().Read().QueryRowContext(ctx, fmt.Sprintf(`SELECT MIN(d.create_time) FROM event_deliveries d JOIN subscriptions s ON s.name = d.parent
		WHERE d.state = %d AND s.state = %d`, implementationv1.EventDelivery_PENDING, implementationv1.Subscription_ENABLED)).Scan(&oldest)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the oldest event that waits: %w", err)
	}
	return fromMicros(oldest.Int64), nil
}
