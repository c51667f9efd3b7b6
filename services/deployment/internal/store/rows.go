package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// insertRows writes many rows with few statements.
func insertRows(ctx context.Context, tx *sqldb.Tx, head, tail string, rows [][]any) error {
	for len(rows) > 0 {
		n := 1
		if len(rows) >= batch {
			n = batch
		}
		args := slices.Concat(rows[:n]...)
		if _, err := tx.ExecContext(ctx, head+sqldb.Tuples(n, len(rows[0]))+tail, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// inChunks runs a statement with an IN list over all names.
func inChunks(names []string, run func(marks string, args []any) error) error {
	const most = 500
	for chunk := range slices.Chunk(names, most) {
		if err := run(sqldb.Marks(1, len(chunk)), sqldb.Texts(chunk)); err != nil {
			return err
		}
	}
	return nil
}

// sortRows orders by the first column, so that two replicas lock rows in one order.
func sortRows(rows [][]any) {
	slices.SortFunc(rows, func(a, b []any) int { return cmp.Compare(fmt.Sprint(a[0]), fmt.Sprint(b[0])) })
}

func collectPairs(rows *sql.Rows, err error, add func(a, b string)) error {
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var a, b string
		err := rows.Scan(&a, &b)
		if err == nil {
			add(a, b)
		}
		return struct{}{}, err
	})
	return err
}
