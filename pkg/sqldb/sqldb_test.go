package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// counters is the table that most tests here use.
var counters = sqldb.Source{Name: "counters", FS: fstest.MapFS{
	"sqlite/00001_counters.sql": {Data: []byte(`-- +goose Up
CREATE TABLE counters (name TEXT PRIMARY KEY, label TEXT NOT NULL, n BIGINT NOT NULL, UNIQUE (label));`)},
	"postgres/00001_counters.sql": {Data: []byte(`-- +goose Up
CREATE TABLE counters (name TEXT PRIMARY KEY, label TEXT NOT NULL, n BIGINT NOT NULL, CONSTRAINT counters_label UNIQUE (label));`)},
}}

func each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, db.Migrate(t.Context(), counters))
		fn(t, db)
	})
}

func insert(ctx context.Context, q sqldb.Queryer, name string) error {
	_, err := q.ExecContext(ctx, "INSERT INTO counters (name, label, n) VALUES ($1, $1, $2)", name, 0)
	return err
}

func names(t *testing.T, db *sqldb.DB) []string {
	t.Helper()
	rows, err := db.Read().QueryContext(t.Context(), "SELECT name FROM counters ORDER BY name")
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) })
	require.NoError(t, err)
	return all
}

func TestPlaceholdersMayBeRepeatedAndOutOfOrder(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for range 2 { // the second time SQLite runs the prepared form
			var a, b, c string
			row := db.Read().QueryRowContext(t.Context(),
				"SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT) WHERE CAST($1 AS TEXT) <> CAST($2 AS TEXT)", "one", "two")
			require.NoError(t, row.Scan(&a, &b, &c))
			require.Equal(t, []string{"two", "one", "two"}, []string{a, b, c})
		}
	})
}

func TestTxCommitsAndRunsItsHooksOnce(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		hooks := 0
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			tx.AfterCommit(func() { hooks++ })
			require.Equal(t, db.Dialect(), tx.Dialect())
			return insert(ctx, tx, "a")
		}))
		require.Equal(t, 1, hooks)
		require.Equal(t, []string{"a"}, names(t, db))
	})
}

func TestTxRollsBackOnErrorAndPanic(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		undone := 0
		hook := func() { require.Fail(t, "hook of a transaction that did not commit") }
		refused := errors.New("refused")
		require.Equal(t, refused, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			tx.AfterCommit(hook)
			tx.AfterRollback(func() { undone++ })
			require.NoError(t, insert(ctx, tx, "a"))
			return refused
		}))
		require.PanicsWithValue(t, "bug", func() {
			_ = db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				tx.AfterCommit(hook)
				tx.AfterRollback(func() { undone++ })
				require.NoError(t, insert(ctx, tx, "b"))
				panic("bug")
			})
		})
		require.Equal(t, 2, undone)
		require.Empty(t, names(t, db))
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			tx.AfterRollback(func() { require.Fail(t, "it committed") })
			return insert(ctx, tx, "c")
		}))
	})
}

func TestFailedStatementDoomsItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "a") }))
		err := db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			require.NoError(t, insert(ctx, tx, "b"))
			first := insert(ctx, tx, "a")
			require.Error(t, first)
			require.Equal(t, first, insert(ctx, tx, "c"))
			var n int
			require.Equal(t, first, tx.QueryRowContext(ctx, "SELECT 1").Scan(&n))
			return nil // a swallowed error still does not commit
		})
		require.True(t, sqldb.IsUnique(err), "%v", err)
		require.Equal(t, []string{"a"}, names(t, db))
	})
}

func TestUniqueViolationNamesWhatWasViolated(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		add := func(name, label string) error {
			return db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO counters (name, label, n) VALUES ($1, $2, 0)", name, label)
				return err
			})
		}
		require.NoError(t, add("a", "x"))
		key, label := add("a", "y"), add("b", "x")
		require.True(t, sqldb.IsUnique(key))
		require.True(t, sqldb.IsUnique(fmt.Errorf("insert: %w", label)))
		if db.Dialect() == sqldb.SQLite {
			require.Equal(t, "counters.name", sqldb.UniqueName(key))
			require.Equal(t, "counters.label", sqldb.UniqueName(label))
		} else {
			require.Equal(t, "counters_pkey", sqldb.UniqueName(key))
			require.Equal(t, "counters_label", sqldb.UniqueName(label))
		}
		require.False(t, sqldb.IsUnique(db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO counters (name, label) VALUES ('c', 'c')")
			return err
		})), "NOT NULL is another violation")
	})
}

func TestNestedTxIsRefusedInsteadOfHanging(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		require.ErrorIs(t, db.Tx(t.Context(), func(ctx context.Context, _ *sqldb.Tx) error {
			return db.Tx(ctx, func(context.Context, *sqldb.Tx) error { return nil })
		}), sqldb.ErrNested)
	})
}

func TestTxAfterItsEndRefusesStatements(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var leaked *sqldb.Tx
		for range 2 { // the second time the statement is prepared
			_ = db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				leaked = tx
				return insert(ctx, tx, "a")
			})
		}
		require.Error(t, insert(t.Context(), leaked, "b"))
		require.Equal(t, []string{"a"}, names(t, db))
	})
}

func TestCancelledTxLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			require.NoError(t, insert(ctx, tx, "a"))
			cancel()
			return insert(context.WithoutCancel(ctx), tx, "b")
		})
		require.Error(t, err)
		require.Empty(t, names(t, db))
	})
}

func TestNoUpdateIsLostBetweenWriters(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, insert(t.Context(), db.Writer(), "a"))
		const workers, rounds = 8, 20
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range rounds {
					require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						_, err := tx.ExecContext(ctx, "UPDATE counters SET n = n + 1 WHERE name = $1", "a")
						return err
					}))
				}
			})
		}
		wg.Wait()
		var n int
		require.NoError(t, db.Read().QueryRowContext(t.Context(), "SELECT n FROM counters").Scan(&n))
		require.Equal(t, workers*rounds, n)
	})
}

// TestDeadlockedTransactionRunsAgain locks two rows in opposite order, each
// side waiting for the other's first lock.
func TestDeadlockedTransactionRunsAgain(t *testing.T) {
	if !pgtest.Available(t) {
		return
	}
	db := pgtest.Databases(t)[1].Open(t)
	require.NoError(t, db.Migrate(t.Context(), counters))
	require.NoError(t, errors.Join(insert(t.Context(), db.Writer(), "a"), insert(t.Context(), db.Writer(), "b")))
	var both, wg sync.WaitGroup
	both.Add(2)
	var attempts atomic.Int32
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		wg.Go(func() {
			meet := sync.OnceFunc(func() { both.Done(); both.Wait() })
			require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				attempts.Add(1)
				for _, name := range order {
					if _, err := tx.ExecContext(ctx, "UPDATE counters SET n = n + 1 WHERE name = $1", name); err != nil {
						return fmt.Errorf("wrapped: %w", err)
					}
					meet()
				}
				return nil
			}))
		})
	}
	wg.Wait()
	require.EqualValues(t, 3, attempts.Load(), "one of the two ran twice")
	var sum int
	require.NoError(t, db.Read().QueryRowContext(t.Context(), "SELECT SUM(n) FROM counters").Scan(&sum))
	require.Equal(t, 4, sum)
}

func TestReplicasMayMigrateAtOnce(t *testing.T) {
	if !pgtest.Available(t) {
		return
	}
	url := pgtest.URL(t)
	after := make(chan struct{}, 4)
	source := counters
	source.After = func(context.Context, *sqldb.DB) error { after <- struct{}{}; return nil }
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url, Schema: "Team's schema"})
			if err == nil {
				err = errors.Join(db.Migrate(t.Context(), source), insert(t.Context(), db.Writer(), fmt.Sprint(i)), db.Close())
			}
			errs[i] = err
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Len(t, after, 4)
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url, Schema: "Team's schema"})
	require.NoError(t, err)
	require.Len(t, names(t, db), 4, "all of them in one schema")
	require.NoError(t, db.Close())
}

func TestSQLiteFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder?", "golive.db")
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + path})
	require.NoError(t, err)
	require.NoError(t, db.Migrate(t.Context(), counters))
	for name, mode := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
	var synchronous, keys int
	require.NoError(t, db.Writer().QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&synchronous))
	require.NoError(t, db.Writer().QueryRowContext(t.Context(), "PRAGMA foreign_keys").Scan(&keys))
	require.Equal(t, [2]int{2, 1}, [2]int{synchronous, keys})
	require.Error(t, insert(t.Context(), db.Read(), "a"), "readers do not write")
	require.NoError(t, db.Close())
}

func TestOpenExplainsWhatItWants(t *testing.T) {
	for _, url := range []string{"", "mysql://x", "sqlite:", "sqlite::memory:", "postgres://%"} {
		_, err := sqldb.Open(t.Context(), sqldb.Config{URL: url})
		require.Error(t, err, url)
	}
	_, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "a.db"), Synchronous: "OFF"})
	require.ErrorContains(t, err, "FULL or NORMAL")
}
