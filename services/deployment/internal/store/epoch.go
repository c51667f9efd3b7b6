package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Place is one application on one target.
type Place struct{ Target, Application string }

// Epochs returns the newest epoch of every place on these targets that the server has ever given out, as far as it knows.
func Epochs(ctx context.Context, q sqldb.Queryer, targets []string) (map[Place]int64, error) {
	known := map[Place]int64{}
	err := inChunks(targets, func(marks string, args []any) error {
		rows, err := q.QueryContext(ctx, `SELECT target, application, MAX(epoch) FROM installations WHERE target IN (`+marks+`) GROUP BY target, application
			UNION ALL SELECT target, application, epoch FROM epoch_floors WHERE target IN (`+marks+`)`, args...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var p Place
			var epoch int64
			err := rows.Scan(&p.Target, &p.Application, &epoch)
			known[p] = max(known[p], epoch)
			return struct{}{}, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look up epochs: %w", err)
	}
	return known, nil
}

// RaiseEpoch makes every epoch that is given out for a place from now on higher than one that its agent has
// accepted, and gives what is to be done there a higher one at once. What runs there is not what the server believes: its slot is unsettled.
func RaiseEpoch(ctx context.Context, tx *sqldb.Tx, p Place, accepted int64) error {
	for _, statement := range []string{
		`INSERT INTO epoch_floors (target, application, epoch) VALUES ($1, $2, $3)
			ON CONFLICT (target, application) DO UPDATE SET epoch = excluded.epoch WHERE epoch_floors.epoch < excluded.epoch`,
		`UPDATE installations SET epoch = $3 + 1, revision = revision + 1 WHERE target = $1 AND application = $2 AND action <> 0 AND epoch <= $3`,
	} {
		if _, err := tx.ExecContext(ctx, statement, p.Target, p.Application, accepted); err != nil {
			return fmt.Errorf("raise the epoch on %s: %w", p.Target, err)
		}
	}
	return Unsettle(ctx, tx, p)
}

// Unsettle says that what runs at a place is not known for sure, so that nothing there is skipped as done already.
func Unsettle(ctx context.Context, tx *sqldb.Tx, p Place) error {
	if _, err := tx.ExecContext(ctx, `UPDATE slots SET settled = 0 WHERE target = $1 AND application = $2 AND settled = 1`, p.Target, p.Application); err != nil {
		return fmt.Errorf("unsettle %s: %w", p.Target, err)
	}
	return nil
}
