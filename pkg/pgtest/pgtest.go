//go:build unix

// Package pgtest gives tests real databases: SQLite in a temporary folder, and
// PostgreSQL wherever its binaries are found.
//
// One PostgreSQL server serves a test process. It starts with the first test
// that asks, under an unprivileged user when the tests run as root, listens on
// a Unix socket only, and cannot outlive the process: the kernel stops it when
// its parent dies, however that happens. [Main] stops it in order and removes
// its folder.
//
// The server's collation is deliberately not C, because the product meets
// others. Benchmarks have fsync on, tests do without.
//
// Tests of a package whose tables take long to make copy a [Template].
package pgtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// RequireEnv set to "require" turns absent PostgreSQL binaries into a failure.
const RequireEnv = "GOLIVE_TEST_POSTGRES"

// running is the one server of this test process; it is state of the process as the testing package's own is.
var running = sync.OnceValues(start)

// Named is one kind of database.
type Named struct {
	// Name is "sqlite" or "postgres".
	Name  string
	fresh func(tb testing.TB) string
}

// URL makes a fresh, empty database that lives as long as the test.
func (n Named) URL(tb testing.TB) string {
	tb.Helper()
	return n.fresh(tb)
}

// Open opens a fresh, empty database that lives as long as the test.
func (n Named) Open(tb testing.TB) *sqldb.DB {
	tb.Helper()
	db, err := sqldb.Open(tb.Context(), sqldb.Config{URL: n.URL(tb)})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

// Databases lists the kinds that can be tested here.
func Databases(tb testing.TB) []Named {
	tb.Helper()
	all := []Named{{Name: "sqlite", fresh: sqliteURL}}
	if Available(tb) {
		all = append(all, Named{Name: "postgres", fresh: URL})
	}
	return all
}

// Each runs fn as a subtest on a fresh database of every kind.
func Each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	each(t, Databases(t), fn)
}

func each(t *testing.T, kinds []Named, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind.Name, func(t *testing.T) { fn(t, kind.Open(t)) })
	}
}

// Available says whether PostgreSQL binaries were found.
func Available(tb testing.TB) bool {
	tb.Helper()
	if _, found := binaries(); found {
		return true
	}
	require.NotEqual(tb, "require", os.Getenv(RequireEnv), "%s=require, but no initdb was found", RequireEnv)
	return false
}

// URL makes a fresh PostgreSQL database that lives as long as the test, for tests that start whole programs.
func URL(tb testing.TB) string {
	tb.Helper()
	return database(tb, "")
}

// database makes a database by the options of its statement and drops it after the test.
func database(tb testing.TB, options string) string {
	tb.Helper()
	pg, err := running()
	require.NoError(tb, err)
	name := fmt.Sprintf("test_%d", pg.databases.Add(1))
	require.NoError(tb, pg.admin(tb.Context(), "CREATE DATABASE "+name+options))
	tb.Cleanup(func() {
		ctx := context.WithoutCancel(tb.Context()) // it has ended by now
		require.NoError(tb, pg.admin(ctx, "DROP DATABASE "+name+" WITH (FORCE)"))
	})
	return pg.url(name)
}

// Main runs the tests and stops the server: func TestMain(m *testing.M) { pgtest.Main(m) }.
func Main(m *testing.M) {
	m.Run() // the testing package exits with its result
	stop()
}

func (s *server) admin(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return conn.Close(ctx)
}

func sqliteURL(tb testing.TB) string {
	tb.Helper()
	return "sqlite:" + filepath.Join(tb.TempDir(), "test.db")
}
