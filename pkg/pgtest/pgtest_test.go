package pgtest_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
)

const childEnv = "PGTEST_CHILD"

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestEveryTestGetsAnEmptyDatabase(t *testing.T) {
	for range 2 {
		pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
			_, err := db.Writer().ExecContext(t.Context(), "CREATE TABLE t (a BIGINT)")
			require.NoError(t, err)
		})
	}
}

func TestEveryTestGetsACopyOfTheTemplate(t *testing.T) {
	prepared := pgtest.NewTemplate(func(ctx context.Context, db *sqldb.DB) error {
		_, err := db.Writer().ExecContext(ctx, "CREATE TABLE t (a BIGINT PRIMARY KEY)")
		return err
	})
	for range 2 {
		prepared.Each(t, func(t *testing.T, db *sqldb.DB) {
			_, err := db.Writer().ExecContext(t.Context(), "INSERT INTO t (a) VALUES (1)")
			require.NoError(t, err, "it has the table, and nothing of the test before")
		})
	}
}

// TestServerDiesWithItsProcess starts this binary again, kills it while it
// uses a server, and looks for the server's process.
func TestServerDiesWithItsProcess(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		child(t)
		return
	}
	if !pgtest.Available(t) {
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerDiesWithItsProcess$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	server := 0
	for lines := bufio.NewScanner(out); server == 0 && lines.Scan(); {
		if _, pid, ok := strings.Cut(lines.Text(), "postmaster "); ok {
			server, err = strconv.Atoi(pid)
			require.NoError(t, err)
		}
	}
	require.NoError(t, syscall.Kill(server, 0), "the server runs")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.Eventually(t, func() bool { return syscall.Kill(server, 0) != nil }, 10*time.Second, 5*time.Millisecond)
}

func child(t *testing.T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	require.NoError(t, err)
	var file string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT pg_read_file('postmaster.pid')").Scan(&file))
	pid, _, _ := strings.Cut(file, "\n")
	t.Logf("postmaster %s", pid)
	<-t.Context().Done() // until killed
}
