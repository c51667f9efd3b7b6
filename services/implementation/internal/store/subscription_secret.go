package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/delivery"
)

// rotationOverlap is how long a signing secret is used beside the next one where nothing else is said.
const rotationOverlap = 24 * time.Hour

// writeReceiver stores what is secret of a subscription.
func writeReceiver(ctx context.Context, tx *sqldb.Tx, name, address, secret string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO subscription_secrets (subscription, address, secret, previous, previous_expire_time)
		VALUES ($1, $2, $3, '', 0) ON CONFLICT (subscription) DO UPDATE SET address = excluded.address`, name, address, secret)
	if err != nil {
		return fmt.Errorf("store the receiver of %s: %w", name, err)
	}
	return nil
}

// secrets is what is secret of a subscription.
type secrets struct {
	address, current, previous string
	previousUntil              time.Time
}

func readSecrets(ctx context.Context, q sqldb.Queryer, name string) (kept secrets, err error) {
	var until int64
	err = q.QueryRowContext(ctx, "SELECT address, secret, previous, previous_expire_time FROM subscription_secrets WHERE subscription = $1", name).
		Scan(&kept.address, &kept.current, &kept.previous, &until)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return kept, fmt.Errorf("read the receiver of %s: %w", name, err)
	}
	kept.previousUntil = fromMicros(until)
	return kept, nil
}

// good are the signing secrets that are used at a time, the newest first.
func (k secrets) good(now time.Time) (all []string) {
	if k.current != "" {
		all = append(all, k.current)
	}
	if k.previous != "" && now.Before(k.previousUntil) {
		all = append(all, k.previous)
	}
	return all
}

// RotateSubscription makes a new signing secret and answers it. It is in no event and is kept for no request id.
func (s *Store) RotateSubscription(ctx context.Context, req *implementationv1.RotateSubscriptionRequest) (*implementationv1.RotateSubscriptionResponse, error) {
	if _, err := Subscriptions.Parse(req.GetName()); err != nil {
		return nil, err
	}
	answer := &implementationv1.RotateSubscriptionResponse{}
	err := s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row, err := Subscriptions.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return err
		}
		sub := row.Message
		if sub.GetWebhook() == nil {
			return fault.Precondition(ReasonNoSecret, "%s goes to a %s, and such messages are not signed; only webhooks have a signing secret", sub.GetName(), kindOfReceiver(sub))
		}
		beside := rotationOverlap
		if req.GetOverlap() != nil {
			beside = req.GetOverlap().AsDuration()
		}
		answer.Secret = delivery.NewSecret()
		until := s.Now().Add(beside)
		answer.PreviousExpireTime = timestamppb.New(until)
		_, err = tx.ExecContext(ctx, `UPDATE subscription_secrets SET previous = secret, previous_expire_time = $2, secret = $3 WHERE subscription = $1`,
			sub.GetName(), until.UnixMicro(), answer.GetSecret())
		if err != nil {
			return fmt.Errorf("rotate the secret of %s: %w", sub.GetName(), err)
		}
		return Subscriptions.Save(ctx, tx, s.Store, sub, row.Revision, resource.Meta{Verb: "rotated"})
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// dropSubscription removes what goes with a subscription.
func dropSubscription(ctx context.Context, tx *sqldb.Tx, name string) error {
	for _, query := range []string{"DELETE FROM subscription_secrets WHERE subscription = $1", "DELETE FROM event_deliveries WHERE parent = $1"} {
		if _, err := tx.ExecContext(ctx, query, name); err != nil {
			return fmt.Errorf("remove what goes with %s: %w", name, err)
		}
	}
	return unfollow(ctx, tx, Subscriber, "subscriptions", name)
}
