package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// crowd lets many write a row each at once, and holds what each was told against what is there. Who
// succeeded is returned in order of the names.
func crowd(t *testing.T, db *sqldb.DB, fn func(ctx context.Context, tx *sqldb.Tx, i int) error) (succeeded []string, failed []error) {
	t.Helper()
	const writers, rounds = 16, 25
	var mu sync.Mutex
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for round := range rounds {
				i := round*writers + writer
				err := db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					if err := insert(ctx, tx, name(i)); err != nil {
						return err
					}
					return fn(ctx, tx, i)
				})
				seen := 0
				if db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM counters WHERE name = $1", name(i)).Scan(&seen) != nil || (seen == 1) != (err == nil) {
					t.Errorf("%s: %d rows though it was told %v", name(i), seen, err)
				}
				mu.Lock()
				if err != nil {
					failed = append(failed, err)
				} else {
					succeeded = append(succeeded, name(i))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(succeeded)
	return succeeded, failed
}

func name(i int) string { return fmt.Sprintf("n%04d", i) }

func TestWritersAtOnceFailAndSucceedEachForItself(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		mine := errors.New("mine")
		succeeded, failed := crowd(t, db, func(ctx context.Context, tx *sqldb.Tx, i int) error {
			switch i % 4 {
			case 1:
				return mine
			case 2:
				return insert(ctx, tx, name(i)) // is there already
			default:
				return nil
			}
		})
		require.Len(t, succeeded, 200)
		require.Equal(t, names(t, db), succeeded)
		for _, err := range failed {
			require.True(t, errors.Is(err, mine) || sqldb.IsUnique(err), "%v", err)
		}
	})
}

// TestWhatSQLiteUndoesForAnotherRunsAgain ends the transaction below its
// owners, as SQLite does when the disk is full.
func TestWhatSQLiteUndoesForAnotherRunsAgain(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		if db.Dialect() != sqldb.SQLite {
			return
		}
		full := errors.New("full")
		succeeded, failed := crowd(t, db, func(_ context.Context, tx *sqldb.Tx, i int) error {
			if i%16 == 3 {
				_, err := tx.Std().Exec("ROLLBACK")
				return errors.Join(full, err)
			}
			return nil
		})
		require.Len(t, succeeded, 15*25)
		require.Equal(t, names(t, db), succeeded)
		for _, err := range failed {
			require.True(t, errors.Is(err, full) || strings.Contains(err.Error(), "undone"), "%v", err)
		}
	})
}

func TestWhoGivesUpInTheQueueHoldsNobodyUp(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%3 == 0 {
					go cancel()
				}
				err := db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, name(i)) })
				if i%3 != 0 && err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.GreaterOrEqual(t, len(names(t, db)), 200)
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "last") }))
	})
}

func TestQueuedStatementsRunInOrderAndExplainTheirFailure(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		const text = "INSERT INTO counters (name, label, n) VALUES ($1, $1, $2)"
		taken := errors.New("taken")
		explain := func(err error) error { return fmt.Errorf("%w: %w", taken, err) }
		add := func(ctx context.Context, tx *sqldb.Tx, name string) error {
			return tx.Queue(ctx, explain, text, name, 1)
		}

		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return errors.Join(add(ctx, tx, "a"), add(ctx, tx, "b"),
				tx.Queue(ctx, explain, "UPDATE counters SET n = (n + $2) * 2 WHERE name = $1", "b", 1),
				tx.Queue(ctx, explain, "UPDATE counters SET n = n - $2 WHERE name = $1", "b", 1))
		}), "nothing but queued")
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			require.NoError(t, add(ctx, tx, "c"))
			var sum int
			require.NoError(t, tx.QueryRowContext(ctx, "SELECT SUM(n) FROM counters WHERE name >= $1", "a").Scan(&sum))
			require.Equal(t, 5, sum, "a query sees what was queued before it, in order")
			require.NoError(t, add(ctx, tx, "d"))
			result, err := tx.ExecContext(ctx, "UPDATE counters SET n = n + 1 WHERE name <> $1", "a")
			require.NoError(t, err)
			changed, err := result.RowsAffected()
			require.EqualValues(t, 3, changed)
			require.NoError(t, add(ctx, tx, "e"))
			return err
		}))
		require.Equal(t, []string{"a", "b", "c", "d", "e"}, names(t, db))

		for at, after := range map[string]func(ctx context.Context, tx *sqldb.Tx) error{
			"commit": func(context.Context, *sqldb.Tx) error { return nil },
			"flush":  func(ctx context.Context, tx *sqldb.Tx) error { return tx.Flush(ctx) },
			"exec":   func(ctx context.Context, tx *sqldb.Tx) error { return insert(ctx, tx, "g") },
			"query": func(ctx context.Context, tx *sqldb.Tx) error {
				var n int
				return tx.QueryRowContext(ctx, "SELECT n FROM counters WHERE name = $1", "a").Scan(&n)
			},
			"plain text": func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.ExecContext(ctx, "UPDATE counters SET n = 0")
				return err
			},
		} {
			err := db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				require.NoError(t, add(ctx, tx, "f"))
				_ = add(ctx, tx, "a") // SQLite knows at once
				if err := after(ctx, tx); err != nil {
					return errors.New("something else") // who met it cannot know
				}
				return nil
			})
			require.ErrorIs(t, err, taken, at)
			require.True(t, sqldb.IsUnique(err), "%s: %v", at, err)
		}
		require.Len(t, names(t, db), 5)
	})
}

func TestQueriesAnswerTheSameWhereverTheyStand(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		type answer struct {
			text  string
			small int
			sum   int64
			data  []byte
			null  *string
			yes   bool
		}
		const text = "SELECT name, CAST(7 AS SMALLINT), SUM(n), CAST($2 AS %s), NULL, n = 0 FROM counters WHERE name = $1 GROUP BY name, n"
		query := fmt.Sprintf(text, map[sqldb.Dialect]string{sqldb.SQLite: "BLOB", sqldb.Postgres: "BYTEA"}[db.Dialect()])
		ask := func(ctx context.Context, q sqldb.Queryer) (a answer) {
			row := q.QueryRowContext(ctx, query, "a", []byte{0, 1})
			require.NoError(t, row.Scan(&a.text, &a.small, &a.sum, &a.data, &a.null, &a.yes))
			return a
		}
		require.NoError(t, insert(t.Context(), db.Writer(), "a"))
		want := answer{text: "a", small: 7, data: []byte{0, 1}, yes: true}
		require.Equal(t, want, ask(t.Context(), db.Read()))
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			require.Equal(t, want, ask(ctx, tx), "with BEGIN")
			require.Equal(t, want, ask(ctx, tx), "alone")
			return nil
		}))
	})
}
