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
// The server's collation is deliberately not C, and fsync is on, because the
// product meets both.
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
	fresh func(t testing.TB) string
}

// URL makes a fresh, empty database that lives as long as the test.
func (n Named) URL(t testing.TB) string {
	t.Helper()
	return n.fresh(t)
}

// Open opens a fresh, empty database that lives as long as the test.
func (n Named) Open(t testing.TB) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: n.URL(t)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Databases lists the kinds that can be tested here.
func Databases(t testing.TB) []Named {
	t.Helper()
	all := []Named{{Name: "sqlite", fresh: sqliteURL}}
	if Available(t) {
		all = append(all, Named{Name: "postgres", fresh: URL})
	}
	return all
}

// Each runs fn as a subtest on a fresh database of every kind.
func Each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, kind := range Databases(t) {
		t.Run(kind.Name, func(t *testing.T) { fn(t, kind.Open(t)) })
	}
}

// Available says whether PostgreSQL binaries were found.
func Available(t testing.TB) bool {
	t.Helper()
	if _, found := binaries(); found {
		return true
	}
	require.NotEqual(t, "require", os.Getenv(RequireEnv), "%s=require, but no initdb was found", RequireEnv)
	return false
}

// URL makes a fresh PostgreSQL database that lives as long as the test, for tests that start whole programs.
func URL(t testing.TB) string {
	t.Helper()
	pg, err := running()
	require.NoError(t, err)
	name := fmt.Sprintf("test_%d", pg.databases.Add(1))
	pg.admin(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { pg.admin(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return pg.url(name)
}

// Main runs the tests and stops the server: func TestMain(m *testing.M) { pgtest.Main(m) }.
func Main(m *testing.M) {
	m.Run() // the testing package exits with its result
	stop()
}

func (s *server) admin(t testing.TB, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // clean-ups run after the test's context ended
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	require.NoError(t, err)
	_, err = conn.Exec(ctx, statement)
	require.NoError(t, err)
	require.NoError(t, conn.Close(ctx))
}

func sqliteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}
