package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// refill is how soon the sweep looks again when it took all it had room for.
const refill = 5 * time.Millisecond

// sweep hands over what is due and unattended: when it becomes due, where that is
// known here, and once a period in any case.
func (j *Jobs) sweep(ctx context.Context) {
	alarm := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-j.sooner:
			if at.Before(alarm) {
				alarm = at
				timer.Reset(time.Until(alarm))
			}
			continue
		case <-timer.C:
		}
		wait, err := j.handOverDue(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			j.cfg.Logger.Error("due wakes cannot be read; trying again", zap.Error(err))
		}
		if failing = err != nil; failing {
			wait = j.cfg.Sweep
		}
		alarm = time.Now().Add(wait)
		timer.Reset(wait)
	}
}

const (
	// unattended are the rows that are due without a job on its way, and those whose worker died.
	unattended = `held_until <= NOW AND (due_at <= NOW OR holder <> '')`
	untilNext  = `SELECT COALESCE(MIN(due_at), 9223372036854775807) - NOW FROM wakes WHERE due_at > NOW`
	adopt      = `
UPDATE wakes SET held_until = NOW + CAST($1 AS BIGINT), holder = '', due_at = CASE WHEN holder <> '' THEN NOW ELSE due_at END
WHERE ` + unattended + ` AND (kind, name) IN (SELECT kind, name FROM wakes WHERE ` + unattended + ` ORDER BY due_at LIMIT $2)
RETURNING kind, name`
)

// handOverDue hands unattended rows over and says how long until the next look.
func (j *Jobs) handOverDue(ctx context.Context) (wait time.Duration, err error) {
	var waiting bool
	if err := j.db.Read().QueryRowContext(ctx, j.clock("SELECT EXISTS (SELECT 1 FROM wakes WHERE "+unattended+")")).Scan(&waiting); err != nil {
		return 0, fmt.Errorf("look for due wakes: %w", err)
	}
	// A backlog stays in its rows and is taken as workers come free: handing
	// over more would only double it each time a lease ends.
	room := j.direct.free(2 * j.cfg.Workers)
	if waiting && room == 0 {
		return refill, nil
	}
	if waiting {
		var due []subject
		err := j.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			rows, err := tx.QueryContext(ctx, j.clock(adopt), j.cfg.Lease.Microseconds(), room)
			due, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (who subject, err error) {
				return who, rows.Scan(&who.kind, &who.name)
			})
			if err != nil {
				return err
			}
			return j.hand(ctx, tx, 2*j.cfg.Workers, due...)
		})
		if err != nil {
			return 0, fmt.Errorf("hand due wakes over: %w", err)
		}
		if len(due) == room {
			return refill, nil
		}
	}
	var next int64
	if err := j.db.Read().QueryRowContext(ctx, j.clock(untilNext)).Scan(&next); err != nil {
		return 0, fmt.Errorf("look for the next wake: %w", err)
	}
	if next > j.cfg.Sweep.Microseconds() {
		return j.cfg.Sweep, nil
	}
	return max(0, time.Duration(next)*time.Microsecond) + time.Millisecond, nil // SQLite's clock ticks in milliseconds
}
