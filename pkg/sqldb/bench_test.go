package sqldb_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func benchEach(b *testing.B, fn func(b *testing.B, db *sqldb.DB)) {
	b.Helper()
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			db := kind.Open(b)
			require.NoError(b, db.Migrate(b.Context(), counters))
			fn(b, db)
		})
	}
}

func BenchmarkPointRead(b *testing.B) {
	benchEach(b, func(b *testing.B, db *sqldb.DB) {
		require.NoError(b, insert(b.Context(), db.Writer(), "a"))
		var n int
		for b.Loop() {
			require.NoError(b, db.Read().QueryRowContext(b.Context(), "SELECT n FROM counters WHERE name = $1", "a").Scan(&n))
		}
	})
}

// BenchmarkCommit is one durable single-row commit, alone and from 16 clients;
// "bare" is the same without this package.
func BenchmarkCommit(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			benchEach(b, func(b *testing.B, db *sqldb.DB) {
				for i := range clients {
					require.NoError(b, insert(b.Context(), db.Writer(), fmt.Sprint(i)))
				}
				const update = "UPDATE counters SET n = n + 1 WHERE name = $1"
				b.Run("bare", func(b *testing.B) {
					parallel(b, clients, func(name string) error {
						_, err := db.Writer().ExecContext(b.Context(), update, name)
						return err
					})
				})
				b.Run("tx", func(b *testing.B) {
					parallel(b, clients, func(name string) error {
						return db.Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
							_, err := tx.ExecContext(ctx, update, name)
							return err
						})
					})
				})
			})
		})
	}
}

// parallel spreads b.N operations over the clients and reports operations a second.
func parallel(b *testing.B, clients int, operation func(name string) error) {
	b.Helper()
	work := make(chan struct{})
	done := make(chan error, clients)
	b.ResetTimer()
	for i := range clients {
		go func() {
			var failed error
			for range work {
				if err := operation(fmt.Sprint(i)); err != nil {
					failed = err
				}
			}
			done <- failed
		}()
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range clients {
		require.NoError(b, <-done)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}
