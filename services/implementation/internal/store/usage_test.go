package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/cputime"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// counting is a store with usage, over a database for each; now is its clock.
func counting(tb testing.TB, db *sqldb.DB, now func() time.Time) *store.Store {
	tb.Helper()
	metrics := db
	if db.Dialect() == sqldb.SQLite {
		var err error
		metrics, err = sqldb.Open(tb.Context(), sqldb.Config{URL: "sqlite:" + filepath.Join(tb.TempDir(), "metrics.db"), Synchronous: "NORMAL"})
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, metrics.Close()) })
	}
	return beside(tb, db, metrics, now)
}

func beside(tb testing.TB, db, metrics *sqldb.DB, now func() time.Time) *store.Store {
	tb.Helper()
	require.NoError(tb, db.Migrate(tb.Context(), feed.Source(), resource.Source(), store.Source()))
	s := store.New(db, feed.New(db, feed.Config{}), now)
	require.NoError(tb, s.UseMetrics(tb.Context(), metrics))
	return s
}

func feature(tb testing.TB, s *store.Store, id string) {
	tb.Helper()
	_, err := store.Features.Create(tb.Context(), s.Store, &implementationv1.CreateFeatureRequest{
		Parent: ws, FeatureId: id, Feature: &implementationv1.Feature{Kind: implementationv1.Feature_NEW},
	})
	require.NoError(tb, err)
}

func keyOf(user int) string {
	sum := sha256.Sum256(fmt.Append(nil, user))
	return hex.EncodeToString(sum[:])
}

func TestReplicasLoseNothingOfEachOther(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		one := counting(t, db, nil)
		other := one
		if db.Dialect() == sqldb.Postgres {
			other = beside(t, db, db, nil)
		}
		feature(t, one, "quotes")
		const senders, events = 8, 50
		yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
		known := &implementationv1.ReportUsageRequest{Parent: ws} // keys that both know take no lock that keeps the other away
		for i := range 1000 * (senders + 1) {
			if i%1000 < events {
				known.Events = append(known.Events, &implementationv1.UsageEvent{Feature: "quotes", Day: yesterday, Subject: keyOf(i)})
			}
		}
		for _, s := range []*store.Store{one, other} {
			_, err := s.ReportUsage(t.Context(), known)
			require.NoError(t, err)
		}
		group, ctx := errgroup.WithContext(t.Context())
		for sender := range senders {
			group.Go(func() error {
				s := []*store.Store{one, other}[sender%2]
				for i := range events { // keys that others send too, and keys of its own
					_, err := s.ReportUsage(ctx, &implementationv1.ReportUsageRequest{Parent: ws, Events: []*implementationv1.UsageEvent{
						{Feature: "quotes", Subject: keyOf(i)}, {Feature: "quotes", Subject: keyOf(1000*(sender+1) + i)},
					}})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
		require.EqualValues(t, 2*events*(senders+1), one.StoredBits(t.Context(), t))
	})
}

func TestABindingReachesOtherReplicas(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		one := counting(t, db, nil)
		other := one
		if db.Dialect() == sqldb.Postgres {
			other = beside(t, db, db, nil)
		}
		feature(t, one, "quotes")
		_, err := store.People.Create(t.Context(), one.Store, &implementationv1.CreatePersonRequest{Parent: ws, PersonId: "ada", Person: &implementationv1.Person{}})
		require.NoError(t, err)
		send := func(s *store.Store, subject string) {
			answer, err := s.ReportUsage(t.Context(), &implementationv1.ReportUsageRequest{Parent: ws, Events: []*implementationv1.UsageEvent{{Feature: "quotes", Subject: subject}}})
			require.NoError(t, err)
			require.Empty(t, answer.GetErrors())
		}
		send(one, keyOf(1))
		send(other, keyOf(1)) // both remember the key now
		_, err = one.BindSubjects(t.Context(), &implementationv1.BindSubjectsRequest{Parent: ws, Csv: []byte("key,person\n" + keyOf(1) + ",ada\n")})
		require.NoError(t, err)
		send(other, keyOf(1))
		send(one, "people/ada")
		require.EqualValues(t, 1, one.StoredBits(t.Context(), t), "all of it is one person")

		removed, err := one.ForgetSubject(t.Context(), ws+"/people/ada")
		require.NoError(t, err)
		require.EqualValues(t, 1, removed)
		require.Zero(t, one.StoredBits(t.Context(), t))
		send(other, keyOf(1))
		require.EqualValues(t, 1, one.StoredBits(t.Context(), t), "the key is somebody unknown again")
		removed, err = one.ForgetSubject(t.Context(), ws+"/people/ada")
		require.NoError(t, err)
		require.Zero(t, removed)
	})
}

func TestOldUsageBecomesCountsOfMonths(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var mu sync.Mutex
		at := time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
		s := counting(t, db, func() time.Time { mu.Lock(); defer mu.Unlock(); return at })
		feature(t, s, "quotes")
		feature(t, s, "orders")
		send := func(feature, day string, n int) {
			req := &implementationv1.ReportUsageRequest{Parent: ws}
			for i := range n {
				req.Events = append(req.Events, &implementationv1.UsageEvent{Feature: feature, Day: day, Subject: keyOf(i)})
			}
			_, err := s.ReportUsage(t.Context(), req)
			require.NoError(t, err)
		}
		send("quotes", "2026-02-27", 12)
		send("quotes", "2026-02-28", 15)
		send("orders", "2026-02-28", 9)
		send("quotes", "2026-03-01", 7)
		at = time.Date(2027, 3, 31, 23, 0, 0, 0, time.UTC)
		require.NoError(t, s.PurgeUsage(t.Context()))
		require.EqualValues(t, 43, s.StoredBits(t.Context(), t), "February is within thirteen months")
		at = time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)
		require.NoError(t, s.PurgeUsage(t.Context()))
		require.EqualValues(t, 7, s.StoredBits(t.Context(), t), "March is within thirteen months")
		require.Equal(t, map[string]int64{"orders 2026-02": -1, "quotes 2026-02": 15}, s.Months(t.Context(), t), "nine are too few to be told")
		events, err := readPurges(t.Context(), db)
		require.NoError(t, err)
		require.Equal(t, []string{"orders 1 9", "quotes 2 27"}, events, "receipts")
		require.NoError(t, s.PurgeUsage(t.Context()))
	})
}

func readPurges(ctx context.Context, db *sqldb.DB) ([]string, error) {
	rows, err := db.Read().QueryContext(ctx, "SELECT feature, days, bits FROM usage_purges ORDER BY feature")
	return sqldb.Collect(rows, err, func(rows *sql.Rows) (string, error) {
		var feature string
		var days, bits int64
		err := rows.Scan(&feature, &days, &bits)
		return fmt.Sprint(path.Base(feature), " ", days, " ", bits), err
	})
}

// BenchmarkIngest takes batches of 1000 events of 20 000 people over ten features, on two days. Events are durable when a batch is answered. The
// control is the table that one would write first: a row for each person, feature and day, in the same kind of database.
func BenchmarkIngest(b *testing.B) {
	const batch, people, features = 1000, 20_000, 10
	random := rand.New(rand.NewPCG(1, 2))
	keys := make([]string, people)
	for i := range keys {
		keys[i] = keyOf(i)
	}
	now := time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
	next := func() *implementationv1.ReportUsageRequest {
		req := &implementationv1.ReportUsageRequest{Parent: ws, Events: make([]*implementationv1.UsageEvent, batch)}
		for i := range req.GetEvents() {
			req.Events[i] = &implementationv1.UsageEvent{
				Feature: fmt.Sprint("feature-", random.IntN(features)), Subject: keys[random.IntN(people)], Day: now.AddDate(0, 0, -random.IntN(2)).Format(time.DateOnly),
			}
		}
		return req
	}
	requests := make([]*implementationv1.ReportUsageRequest, 200)
	for i := range requests {
		requests[i] = next()
	}
	rate := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("bitmaps", func(b *testing.B) {
		s := counting(b, sqlite(b, "FULL"), func() time.Time { return now })
		for f := range features {
			feature(b, s, fmt.Sprint("feature-", f))
		}
		i := 0
		defer cputime.Measure(b)()
		for b.Loop() {
			answer, err := s.ReportUsage(b.Context(), requests[i%len(requests)])
			require.NoError(b, err)
			require.EqualValues(b, batch, answer.GetAcceptedCount())
			i++
		}
		rate(b)
	})
	b.Run("control/table", func(b *testing.B) {
		db := sqlite(b, "NORMAL")
		_, err := db.Writer().ExecContext(b.Context(), "CREATE TABLE usage_rows (feature TEXT NOT NULL, day TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (feature, day, subject)) WITHOUT ROWID")
		require.NoError(b, err)
		i := 0
		defer cputime.Measure(b)()
		for b.Loop() {
			err := db.Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				args := make([]any, 0, 3*batch)
				for _, e := range requests[i%len(requests)].GetEvents() {
					args = append(args, e.GetFeature(), e.GetDay(), e.GetSubject())
				}
				_, err := tx.ExecContext(ctx, "INSERT INTO usage_rows (feature, day, subject) VALUES "+sqldb.Tuples(batch, 3)+" ON CONFLICT DO NOTHING", args...)
				return err
			})
			require.NoError(b, err)
			i++
		}
		rate(b)
	})
}

func sqlite(tb testing.TB, synchronous string) *sqldb.DB {
	tb.Helper()
	db, err := sqldb.Open(tb.Context(), sqldb.Config{URL: "sqlite:" + filepath.Join(tb.TempDir(), "a.db"), Synchronous: synchronous})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}
