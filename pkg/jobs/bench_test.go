package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/jobs"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func benchEach(b *testing.B, fn func(b *testing.B, db *sqldb.DB)) {
	b.Helper()
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			db := kind.Open(b)
			require.NoError(b, db.Migrate(b.Context(), jobs.Source()))
			fn(b, db)
		})
	}
}

// BenchmarkWakeToWork measures one wake at a time, from before its transaction until its handler runs.
func BenchmarkWakeToWork(b *testing.B) {
	benchEach(b, func(b *testing.B, db *sqldb.DB) {
		b.Helper()
		ran := make(chan time.Time, 1)
		j := newJobs(b, db, jobs.Config{Handlers: map[string]jobs.Handler{
			"a": func(context.Context, string) error { ran <- time.Now(); return nil },
		}})
		run(b, j)
		wake(b, db, j, "a", "warm", time.Now())
		<-ran
		var took []time.Duration
		i := 0
		for b.Loop() {
			i++
			start := time.Now()
			wake(b, db, j, "a", fmt.Sprint(i), time.Now())
			took = append(took, (<-ran).Sub(start))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	})
}

// BenchmarkThroughput wakes names that differ and waits until all have been handled.
func BenchmarkThroughput(b *testing.B) {
	benchEach(b, func(b *testing.B, db *sqldb.DB) {
		b.Helper()
		ran := make(chan struct{}, 1024)
		j := newJobs(b, db, jobs.Config{Workers: 32, Handlers: map[string]jobs.Handler{
			"a": func(context.Context, string) error { ran <- struct{}{}; return nil },
		}})
		run(b, j)
		b.ResetTimer()
		for i := range b.N {
			wake(b, db, j, "a", fmt.Sprint(i), time.Now())
			for len(ran) > 0 {
				<-ran
			}
		}
		require.Eventually(b, func() bool {
			for len(ran) > 0 {
				<-ran
			}
			var left int
			require.NoError(b, db.Read().QueryRowContext(b.Context(), "SELECT COUNT(*) FROM wakes").Scan(&left))
			return left == 0
		}, time.Minute, time.Millisecond)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	})
}
