package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// sized runs write on parts of rows, large ones first. There are three sizes, so that the
// text of each statement stays prepared.
func sized[R any](rows []R, write func(part []R) error) error {
	for _, size := range []int{100, 10, 1} {
		for len(rows) >= size {
			if err := write(rows[:size]); err != nil {
				return err
			}
			rows = rows[size:]
		}
	}
	return nil
}

// typedTuples are the VALUES of a table of the given column types; PostgreSQL takes the types from the first row.
func typedTuples(rows int, types ...string) string {
	var first strings.Builder
	first.WriteByte('(')
	for i, t := range types {
		if i > 0 {
			first.WriteString(", ")
		}
		fmt.Fprintf(&first, "CAST($%d AS %s)", i+1, t)
	}
	first.WriteByte(')')
	for row := 1; row < rows; row++ {
		first.WriteString(", (" + sqldb.Marks(row*len(types)+1, len(types)) + ")")
	}
	return first.String()
}

// Reported is an installation that reports changed, and the revision that it was read with.
type Reported struct {
	*Installation
	Read int64
}

// SaveReported stores what reports changed, where nobody else has changed the rows since they were read.
func SaveReported(ctx context.Context, tx *sqldb.Tx, now time.Time, changed []Reported) error {
	return sized(changed, func(part []Reported) error {
		args := make([]any, 0, len(part)*10)
		for _, i := range part {
			i.UpdateTime = timestamppb.New(now)
			args = append(args, i.GetName(), i.Read, i.GetRevision(), int64(i.GetState()), int64(i.GetHealth()), i.GetCause(), i.GetMessage(),
				flag(i.GetPrestaged()), i.GetRestarts(), int64(i.Action))
		}
		result, err := tx.ExecContext(ctx, `WITH reported (name, was, revision, state, health, cause, message, prestaged, restarts, action) AS (VALUES `+
			typedTuples(len(part), "TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "TEXT", "SMALLINT", "BIGINT", "BIGINT")+`)
			UPDATE installations SET revision = reported.revision, state = reported.state, health = reported.health, cause = reported.cause, message = reported.message,
			prestaged = reported.prestaged, restarts = reported.restarts, action = reported.action, update_time = `+fmt.Sprintf("$%d", len(args)+1)+`
			FROM reported WHERE installations.name = reported.name AND installations.revision = reported.was`, append(args, now.UnixMicro())...)
		if err != nil {
			return fmt.Errorf("save reported installations: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != int64(len(part)) {
			return fmt.Errorf("%d of %d reported installations changed under their locks: %w", int64(len(part))-n, len(part), err)
		}
		return nil
	})
}
