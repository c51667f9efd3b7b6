package sqldb_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func TestASnapshotDoesNotSeeWhatIsWrittenMeanwhile(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		write := func(statement string) {
			require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			}))
		}
		count := func(q sqldb.Queryer) (n int) {
			require.NoError(t, q.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM notes").Scan(&n))
			return n
		}
		write("CREATE TABLE notes (id BIGINT PRIMARY KEY)")
		write("INSERT INTO notes (id) VALUES (1)")
		require.NoError(t, db.Snapshot(t.Context(), func(ctx context.Context, q sqldb.Queryer) error {
			require.Equal(t, 1, count(q))
			write("INSERT INTO notes (id) VALUES (2)")
			require.Equal(t, 1, count(q), "it is of one moment")
			require.Equal(t, 2, count(db.Read()))
			_, err := q.ExecContext(ctx, "INSERT INTO notes (id) VALUES (3)")
			require.Error(t, err, "it only reads")
			return nil
		}))
		require.Equal(t, 2, count(db.Read()))
	})
}
