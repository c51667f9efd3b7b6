package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/jobs"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const patience = 20 * time.Second

func each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		require.NoError(t, db.Migrate(t.Context(), jobs.Source()))
		fn(t, db)
	})
}

func newJobs(tb testing.TB, db *sqldb.DB, cfg jobs.Config) *jobs.Jobs {
	tb.Helper()
	j, err := jobs.New(db, cfg)
	require.NoError(tb, err)
	return j
}

// run works until the test ends or stop is called.
func run(tb testing.TB, j *jobs.Jobs) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(tb, err)
		case <-time.After(patience):
			require.Fail(tb, "Run did not return")
		}
	})
	tb.Cleanup(stop)
	return stop
}

func wake(tb testing.TB, db *sqldb.DB, j *jobs.Jobs, kind, name string, at time.Time) {
	tb.Helper()
	require.NoError(tb, db.Tx(context.WithoutCancel(tb.Context()), func(ctx context.Context, tx *sqldb.Tx) error {
		return j.Wake(ctx, tx, kind, name, at)
	}))
}

func receive[T any](tb testing.TB, from <-chan T, what string) T {
	tb.Helper()
	select {
	case one := <-from:
		return one
	case <-time.After(patience):
		require.Fail(tb, "nothing came: "+what)
		panic("unreachable")
	}
}

func noWakesLeft(t *testing.T, db *sqldb.DB) {
	t.Helper()
	require.Eventually(t, func() bool { return count(t, db, "SELECT COUNT(*) FROM wakes") == 0 }, patience, 2*time.Millisecond)
}

func count(t *testing.T, db *sqldb.DB, query string) (n int) {
	t.Helper()
	require.NoError(t, db.Read().QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

func TestWakeRunsItsHandlerOnce(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		ran := make(chan string, 10)
		j := newJobs(t, db, jobs.Config{Handlers: map[string]jobs.Handler{
			"a": func(_ context.Context, name string) error { ran <- "a " + name; return nil },
			"b": func(_ context.Context, name string) error { ran <- "b " + name; return nil },
		}})
		run(t, j)
		wake(t, db, j, "b", "x", time.Now())
		require.Equal(t, "b x", receive(t, ran, "the handler"))
		noWakesLeft(t, db)
		require.Empty(t, ran)
	})
}

// TestAnotherProcessIsToldByRiver wakes where nobody works: long before the
// lease ends and the sweep would look, River brings it to who does.
func TestAnotherProcessIsToldByRiver(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		ran := make(chan string, 10)
		handlers := map[string]jobs.Handler{"a": func(_ context.Context, name string) error { ran <- name; return nil }}
		run(t, newJobs(t, db, jobs.Config{Handlers: handlers, Lease: time.Hour}))
		wakesOnly := newJobs(t, db, jobs.Config{Lease: time.Hour})
		for _, name := range []string{"x", "y"} {
			wake(t, db, wakesOnly, "a", name, time.Now())
			require.Equal(t, name, receive(t, ran, "the handler in the other process"))
		}
		noWakesLeft(t, db)
	})
}

func TestRolledBackWakeNeverRuns(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		j := newJobs(t, db, jobs.Config{})
		refused := errors.New("refused")
		require.ErrorIs(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			require.NoError(t, j.Wake(ctx, tx, "a", "x", time.Now()))
			return refused
		}), refused)
		require.Zero(t, count(t, db, "SELECT COUNT(*) FROM wakes"))
		require.Zero(t, count(t, db, "SELECT COUNT(*) FROM river_job"), "River's row was in the same transaction")
		wake(t, db, j, "a", "x", time.Now())
		require.Equal(t, 1, count(t, db, "SELECT COUNT(*) FROM river_job"))
	})
}

func TestWakesCoalesce(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		ran := make(chan string, 100)
		j := newJobs(t, db, jobs.Config{Handlers: map[string]jobs.Handler{
			"a": func(_ context.Context, name string) error { ran <- name; return nil },
		}})
		for range 50 {
			wake(t, db, j, "a", "x", time.Now())
		}
		require.Equal(t, 1, count(t, db, "SELECT COUNT(*) FROM river_job"))
		run(t, j)
		receive(t, ran, "the handler")
		noWakesLeft(t, db)
		require.Empty(t, ran)
	})
}

func TestWokenWhileItRunsItRunsAgain(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		started, proceed := make(chan int, 10), make(chan struct{})
		runs := 0
		j := newJobs(t, db, jobs.Config{Handlers: map[string]jobs.Handler{
			"a": func(context.Context, string) error {
				runs++ // only ever one at a time: the race detector watches
				started <- runs
				<-proceed
				return nil
			},
		}})
		run(t, j)
		wake(t, db, j, "a", "x", time.Now())
		require.Equal(t, 1, receive(t, started, "first run"))
		wake(t, db, j, "a", "x", time.Now())
		wake(t, db, j, "a", "x", time.Now().Add(time.Hour))
		require.Empty(t, started, "not beside the first")
		proceed <- struct{}{}
		require.Equal(t, 2, receive(t, started, "second run"))
		close(proceed)
		noWakesLeft(t, db)
		require.Empty(t, started)
	})
}

func TestHandlerMayWakeItselfForLater(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		ran := make(chan time.Time, 10)
		var j *jobs.Jobs
		j = newJobs(t, db, jobs.Config{Sweep: time.Hour, Handlers: map[string]jobs.Handler{
			"a": func(ctx context.Context, name string) error {
				ran <- time.Now()
				if len(ran) > 1 {
					return nil
				}
				return db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
					return j.Wake(ctx, tx, "a", name, time.Now().Add(150*time.Millisecond))
				})
			},
		}})
		run(t, j)
		wake(t, db, j, "a", "x", time.Now())
		require.Eventually(t, func() bool { return len(ran) == 2 }, patience, time.Millisecond)
		first, second := <-ran, <-ran
		require.GreaterOrEqual(t, second.Sub(first), 145*time.Millisecond)
		require.Less(t, second.Sub(first), 10*time.Second, "the timer is a hint, but it is used")
		noWakesLeft(t, db)
	})
}

func TestTheEarlierTimeWins(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		ran := make(chan time.Time, 10)
		j := newJobs(t, db, jobs.Config{Sweep: time.Hour, Handlers: map[string]jobs.Handler{
			"a": func(context.Context, string) error { ran <- time.Now(); return nil },
		}})
		run(t, j)
		start := time.Now()
		for _, wait := range []time.Duration{time.Hour, 100 * time.Millisecond, 2 * time.Hour} {
			wake(t, db, j, "a", "x", start.Add(wait))
		}
		took := receive(t, ran, "the handler").Sub(start)
		require.GreaterOrEqual(t, took, 95*time.Millisecond)
		require.Less(t, took, 10*time.Second)
		noWakesLeft(t, db)
	})
}

func TestFailingHandlerIsRetriedAndStopsNobody(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		good, healed := make(chan string, 100), make(chan int, 1)
		registry := prometheus.NewRegistry()
		failures := 0
		j := newJobs(t, db, jobs.Config{
			Metrics: registry,
			Workers: 2,
			Backoff: func(int) time.Duration { return 5 * time.Millisecond },
			Handlers: map[string]jobs.Handler{
				"good":   func(_ context.Context, name string) error { good <- name; return nil },
				"poison": func(context.Context, string) error { return errors.New("always") },
				"panics": func(context.Context, string) error { panic("always") },
				"heals": func(context.Context, string) error {
					if failures++; failures < 4 {
						return errors.New("not yet")
					}
					healed <- failures
					return nil
				},
			},
		})
		run(t, j)
		for _, kind := range []string{"poison", "panics", "heals"} {
			wake(t, db, j, kind, "x", time.Now())
		}
		require.Equal(t, 4, receive(t, healed, "the fourth try"))
		for i := range 20 {
			wake(t, db, j, "good", fmt.Sprint(i), time.Now())
		}
		for range 20 {
			receive(t, good, "a good handler beside the bad")
		}
		series, err := testutil.GatherAndCount(registry, "golive_job_run_seconds")
		require.NoError(t, err)
		require.Equal(t, 5, series, "poison, panics and heals failed; heals and good were well")
		require.Eventually(t, func() bool { return count(t, db, "SELECT COUNT(*) FROM wakes") == 2 }, patience, 5*time.Millisecond,
			"what fails stays")
	})
}

func TestSweepFindsRowsWithoutAJob(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		ran := make(chan string, 1000)
		j := newJobs(t, db, jobs.Config{Sweep: 10 * time.Millisecond, Lease: 200 * time.Millisecond, Handlers: map[string]jobs.Handler{
			"a": func(_ context.Context, name string) error { ran <- name; return nil },
		}})
		const total = 300 // more than the workers have room for
		for i := range total {
			wake(t, db, j, "a", fmt.Sprint(i), time.Now())
		}
		_, err := db.Writer().ExecContext(t.Context(), "DELETE FROM river_job")
		require.NoError(t, err)
		run(t, j)
		seen := map[string]bool{}
		for len(seen) < total { // on a slow machine so short a lease may end, and a name come twice
			seen[receive(t, ran, "a swept wake")] = true
		}
		noWakesLeft(t, db)
	})
}

// TestInstancesShareWork wakes on one instance more than it has workers: its
// handlers do not end before the other instance has taken some.
func TestInstancesShareWork(t *testing.T) {
	if !pgtest.Available(t) {
		return
	}
	db := pgtest.Databases(t)[1].Open(t)
	require.NoError(t, db.Migrate(t.Context(), jobs.Source()))
	shared := make(chan struct{})
	var instances [2]*jobs.Jobs
	for i := range instances {
		took := sync.OnceFunc(func() {
			if i == 1 {
				close(shared)
			}
		})
		instances[i] = newJobs(t, db, jobs.Config{Workers: 4, Handlers: map[string]jobs.Handler{
			"a": func(ctx context.Context, _ string) error {
				took()
				select {
				case <-shared:
				case <-ctx.Done():
				}
				return ctx.Err()
			},
		}})
		run(t, instances[i])
	}
	require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for i := range 40 {
			if err := instances[0].Wake(ctx, tx, "a", fmt.Sprint(i), time.Now()); err != nil {
				return err
			}
		}
		return nil
	}))
	receive(t, shared, "work for the other instance")
	noWakesLeft(t, db)
}

// TestNeverTwiceAtATime has two Jobs on one database wake
// and work the same names; the gauge of each name never exceeds one.
func TestNeverTwiceAtATime(t *testing.T) {
	if !pgtest.Available(t) {
		return
	}
	db := pgtest.Databases(t)[1].Open(t)
	require.NoError(t, db.Migrate(t.Context(), jobs.Source()))
	const names, rounds = 10, 40
	var mu sync.Mutex
	busy := map[string]int{}
	var instances [2]*jobs.Jobs
	for i := range instances {
		instances[i] = newJobs(t, db, jobs.Config{Workers: 4, Handlers: map[string]jobs.Handler{
			"a": func(ctx context.Context, name string) error {
				mu.Lock()
				busy[name]++
				alone := busy[name] == 1
				mu.Unlock()
				_, err := db.Read().ExecContext(ctx, "SELECT pg_sleep(0.005)")
				mu.Lock()
				defer mu.Unlock()
				busy[name]--
				if !alone {
					return errors.New("beside another")
				}
				return err
			},
		}})
	}
	for _, j := range instances {
		run(t, j)
	}
	var wg sync.WaitGroup
	for waker := range 4 {
		wg.Go(func() {
			for round := range rounds {
				wake(t, db, instances[waker%2], "a", fmt.Sprint((round+waker)%names), time.Now())
				// As if jobs were lost: the next wake or sweep hands the row over again, beside the job that exists.
				require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					_, err := tx.ExecContext(ctx, "UPDATE wakes SET held_until = 0 WHERE holder = ''")
					return err
				}))
			}
		})
	}
	wg.Wait()
	noWakesLeft(t, db) // a handler that was beside another would have failed and stayed a while
	mu.Lock()
	defer mu.Unlock()
	for name, n := range busy {
		require.Zero(t, n, name)
	}
}

func TestStoppingLeavesWakesDue(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		before := runtime.NumGoroutine()
		started := make(chan string, 1)
		stubborn := newJobs(t, db, jobs.Config{Handlers: map[string]jobs.Handler{
			"a": func(ctx context.Context, name string) error { started <- name; <-ctx.Done(); return ctx.Err() },
		}})
		stop := run(t, stubborn)
		wake(t, db, stubborn, "a", "x", time.Now())
		receive(t, started, "the handler")
		start := time.Now()
		stop()
		require.Less(t, time.Since(start), 9*time.Second, "before River gives up waiting")
		require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 /* this one */ }, patience, 5*time.Millisecond, "goroutines are left")
		var holder string
		require.NoError(t, db.Read().QueryRowContext(t.Context(), "SELECT holder FROM wakes WHERE attempts = 0").Scan(&holder))
		require.Empty(t, holder, "nobody must wait for the lease")

		ran := make(chan string, 1)
		next := newJobs(t, db, jobs.Config{Handlers: map[string]jobs.Handler{
			"a": func(_ context.Context, name string) error { ran <- name; return nil },
		}})
		run(t, next)
		require.Equal(t, "x", receive(t, ran, "the next process"))
		noWakesLeft(t, db)
	})
}

// TestRiverJoinsTheTransaction pins how River is handed a database/sql
// transaction on PostgreSQL: what it writes is seen inside it, and by nobody outside before the commit.
func TestRiverJoinsTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		j := newJobs(t, db, jobs.Config{})
		const query = "SELECT COUNT(*) FROM river_job"
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			require.NoError(t, j.Wake(ctx, tx, "a", "x", time.Now()))
			var inside int
			require.NoError(t, tx.QueryRowContext(ctx, query).Scan(&inside))
			require.Equal(t, 1, inside)
			require.Zero(t, count(t, db, query))
			return j.Wake(ctx, tx, "a", "y", time.Now())
		}))
		require.Equal(t, 2, count(t, db, query))
	})
}

func TestEachSchemaHasItsOwnRiver(t *testing.T) {
	if !pgtest.Available(t) {
		return
	}
	url := pgtest.URL(t)
	ran := make(chan string, 10)
	for _, schema := range []string{"deployment", "implementation"} {
		db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url, Schema: schema})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		require.NoError(t, db.Migrate(t.Context(), jobs.Source()))
		require.NoError(t, db.Migrate(t.Context(), jobs.Source()), "again at the next start")
		j := newJobs(t, db, jobs.Config{Handlers: map[string]jobs.Handler{
			"a": func(_ context.Context, name string) error { ran <- schema + " " + name; return nil },
		}})
		run(t, j)
		wake(t, db, j, "a", "x", time.Now())
		require.Equal(t, schema+" x", receive(t, ran, schema))
	}
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url})
	require.NoError(t, err)
	rows, err := db.Read().QueryContext(t.Context(), "SELECT schemaname FROM pg_tables WHERE tablename = 'river_job' ORDER BY 1")
	schemas, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) })
	require.NoError(t, err)
	require.Equal(t, []string{"deployment", "implementation"}, schemas)
	require.NoError(t, db.Close())
}
