package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// usageMonths is how long it is kept who used what on which day.
const usageMonths = 13

// PurgeUsage makes counts of months out of the usage of months that ended more than 13 months ago, and deletes it: how many people used a
// feature in a month, where they were enough. It tells what is gone in the log. Any number of replicas may do so.
func (s *Store) PurgeUsage(ctx context.Context) error {
	now := s.Now()
	before := adoption.DayOf(now.AddDate(0, -usageMonths, 1-now.Day())) // the first of a month
	for {
		feature, first, err := s.oldestUsage(ctx, before)
		if err != nil || feature == "" {
			return err
		}
		month := first.Time()
		next := adoption.DayOf(month.AddDate(0, 1, 1-month.Day()))
		receipt, err := s.purgeMonth(ctx, feature, month.Format("2006-01"), first, next)
		if err != nil {
			return fmt.Errorf("purge usage of %s before %s: %w", feature, next, err)
		}
		if receipt.GetDayCount() == 0 {
			continue // another replica was faster
		}
		err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO usage_purges (feature, before_day, purge_time, days, bits, digest) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feature, before_day) DO NOTHING",
				feature, int64(next), s.Now().UnixMicro(), receipt.GetDayCount(), receipt.GetBitCount(), receipt.GetDigest())
			if err != nil {
				return err
			}
			return s.tell(ctx, tx, feed.Record{Resource: feature + "/usage", Type: "implementation.usage.purged", After: receipt})
		})
		if err != nil {
			return fmt.Errorf("keep the receipt of a purge: %w", err)
		}
	}
}

// oldestUsage is the oldest day of usage before another, and a feature of it; empty where there is none.
func (s *Store) oldestUsage(ctx context.Context, before adoption.Day) (feature string, day adoption.Day, err error) {
	err = s.metrics.Read().QueryRowContext(ctx, "SELECT feature, day FROM usage_days WHERE day < $1 ORDER BY day LIMIT 1", int64(before)).Scan(&feature, &day)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("look for old usage: %w", err)
	}
	return feature, day, nil
}

// purgeMonth counts and deletes the days of a feature from first until before next.
func (s *Store) purgeMonth(ctx context.Context, feature, month string, first, next adoption.Day) (receipt *implementationv1.UsagePurge, err error) {
	err = s.metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.QueryContext(ctx, "DELETE FROM usage_days WHERE feature = $1 AND day >= $2 AND day < $3 RETURNING feature, day, bits", feature, int64(first), int64(next))
		gone, err := sqldb.Collect(rows, err, scanUsage)
		if err != nil {
			return err
		}
		receipt = &implementationv1.UsagePurge{BeforeDay: next.String(), DayCount: int64(len(gone))}
		if len(gone) == 0 {
			return nil
		}
		slices.SortFunc(gone, func(a, b storedUsage) int { return cmp.Compare(a.day, b.day) })
		people, sum := roaring.New(), sha256.New()
		for _, one := range gone {
			people.Or(one.set)
			receipt.BitCount += adoption.Size(one.set)
			bits, err := one.set.ToBytes()
			if err != nil {
				return err
			}
			sum.Write(bits)
		}
		receipt.Digest = sum.Sum(nil)
		n := adoption.Size(people)
		if n < adoption.SmallestGroup {
			n = -1
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO usage_months (feature, month, people) VALUES ($1, $2, $3) ON CONFLICT (feature, month) DO NOTHING", feature, month, n)
		return err
	})
	return receipt, err
}
