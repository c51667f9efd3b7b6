package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/jobs"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// crashEnv makes this binary the process that is killed; it names the database.
const crashEnv = "JOBS_CRASH_DATABASE"

// lease is short, because on PostgreSQL it is what a survivor waits for.
const lease = 400 * time.Millisecond

// TestKilledProcessLosesNothing kills a process with SIGKILL while four
// handlers run and more wakes wait, some due and some for later.
func TestKilledProcessLosesNothing(t *testing.T) {
	if url := os.Getenv(crashEnv); url != "" {
		crash(t, url)
		return
	}
	for _, kind := range pgtest.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			url := kind.URL(t)
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProcessLosesNothing$")
			cmd.Env = append(os.Environ(), crashEnv+"="+url)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(out)
			for range 4 {
				require.True(t, lines.Scan(), "four handlers run")
			}
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())

			db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			require.Equal(t, 30, count(t, db, "SELECT COUNT(*) FROM wakes"))
			require.Equal(t, 4, count(t, db, "SELECT COUNT(*) FROM wakes WHERE holder <> ''"))
			ran := make(chan string, 100)
			j := newJobs(t, db, jobs.Config{Lease: lease, Sweep: 50 * time.Millisecond, Handlers: map[string]jobs.Handler{
				"a": func(_ context.Context, name string) error { ran <- name; return nil },
			}})
			start := time.Now()
			run(t, j)
			seen := map[string]bool{}
			for range 30 {
				seen[receive(t, ran, "a wake of the killed process")] = true
			}
			require.Len(t, seen, 30)
			require.Less(t, time.Since(start), 10*time.Second)
			noWakesLeft(t, db)
		})
	}
}

// crash wakes 30 names, prints a line for each handler that begins, and hangs until it is killed.
func crash(t *testing.T, url string) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url})
	require.NoError(t, err)
	require.NoError(t, db.Migrate(t.Context(), jobs.Source()))
	j := newJobs(t, db, jobs.Config{Workers: 4, Lease: lease, Handlers: map[string]jobs.Handler{
		"a": func(_ context.Context, name string) error {
			_, _ = fmt.Fprintln(os.Stdout, name)
			select {}
		},
	}})
	for i := range 30 {
		at := time.Now()
		if i%3 == 2 {
			at = at.Add(500 * time.Millisecond)
		}
		wake(t, db, j, "a", fmt.Sprint(i), at)
	}
	require.NoError(t, j.Run(t.Context()))
}
