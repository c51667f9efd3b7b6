package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Snapshot gives fn a view of what was committed at one moment: several
// statements of it agree with each other. It takes no lock and keeps nobody from writing.
func (db *DB) Snapshot(ctx context.Context, fn func(ctx context.Context, q Queryer) error) (err error) {
	options := &sql.TxOptions{ReadOnly: true}
	if db.dialect == Postgres {
		options.Isolation = sql.LevelRepeatableRead // what a read transaction of SQLite is anyway
	}
	tx, err := db.reader.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin a snapshot: %w", err)
	}
	defer func() {
		if end := tx.Rollback(); end != nil && !errors.Is(end, sql.ErrTxDone) && err == nil {
			err = fmt.Errorf("end a snapshot: %w", end)
		}
	}()
	return fn(ctx, tx)
}
