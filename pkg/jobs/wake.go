package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// never is the due time of a row that a worker has and nobody asked for again.
const never int64 = math.MaxInt64

// clock puts the database's time, in unix microseconds, in place of NOW: leases
// and due times of several servers are measured by one clock.
func (j *Jobs) clock(query string) string {
	now := "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
	if j.db.Dialect() == sqldb.Postgres {
		now = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
	}
	return strings.ReplaceAll(query, "NOW", now)
}

// Wake makes the handler of kind run for name at the given time, or earlier if
// an earlier wake is pending. It takes effect when tx commits. A wake that
// comes while the handler runs makes it run again.
func (j *Jobs) Wake(ctx context.Context, tx *sqldb.Tx, kind, name string, at time.Time) error {
	wait := max(0, time.Until(at))
	// The row is handed over from here if it is due, and nobody has it or brings it.
	var ours bool
	err := tx.QueryRowContext(ctx, j.sql.wake, kind, name, wait.Microseconds(), j.cfg.Lease.Microseconds()).Scan(&ours)
	if err != nil {
		return fmt.Errorf("wake %s %s: %w", kind, name, err)
	}
	if ours {
		if err := j.hand(ctx, tx, j.cfg.Workers, subject{kind, name}); err != nil {
			return fmt.Errorf("wake %s %s: %w", kind, name, err)
		}
	}
	if wait > 0 {
		tx.AfterCommit(func() { j.expect(wait) })
	}
	return nil
}

// expect makes the sweep look after that time; when it is busy its period stands behind it.
func (j *Jobs) expect(wait time.Duration) {
	select {
	case j.sooner <- time.Now().Add(wait):
	default:
	}
}

// queries are the statements on wakes. In each, $1 is the kind and $2 the name, $3 and so on as noted.
type queries struct {
	wake    string // $3 microseconds from now, $4 lease
	claim   string // $3 lease, $4 holder, $5 never
	consume string // $3 holder, $4 generation
	again   string // $3 lease, $4 holder, $5 never
	release string // $3 holder
	putOff  string // $3 holder, $4 microseconds from now, $5 failures
}

func (j *Jobs) queries() queries {
	return queries{
		wake: j.clock(`
INSERT INTO wakes (kind, name, due_at, generation, attempts, holder, held_until)
VALUES ($1, $2, NOW + CAST($3 AS BIGINT), 1, 0, '', CASE WHEN CAST($3 AS BIGINT) = 0 THEN NOW + CAST($4 AS BIGINT) ELSE 0 END)
ON CONFLICT (kind, name) DO UPDATE SET
    generation = wakes.generation + 1,
    due_at = CASE WHEN excluded.due_at < wakes.due_at THEN excluded.due_at ELSE wakes.due_at END,
    holder = CASE WHEN CAST($3 AS BIGINT) = 0 AND wakes.held_until <= NOW THEN '' ELSE wakes.holder END,
    held_until = CASE WHEN CAST($3 AS BIGINT) = 0 AND wakes.held_until <= NOW THEN excluded.held_until ELSE wakes.held_until END
RETURNING CASE WHEN CAST($3 AS BIGINT) = 0 AND held_until = NOW + CAST($4 AS BIGINT) THEN 1 ELSE 0 END`),
		claim: j.clock(`
UPDATE wakes SET holder = $4, held_until = NOW + CAST($3 AS BIGINT), due_at = $5
WHERE kind = $1 AND name = $2 AND (holder = '' AND due_at <= NOW OR holder <> '' AND held_until <= NOW)
RETURNING generation, attempts`),
		consume: `DELETE FROM wakes WHERE kind = $1 AND name = $2 AND holder = $3 AND generation = $4`,
		again: j.clock(`
UPDATE wakes SET held_until = NOW + CAST($3 AS BIGINT), due_at = $5, attempts = 0
WHERE kind = $1 AND name = $2 AND holder = $4 AND due_at <= NOW
RETURNING generation, attempts`),
		release: j.clock(`
UPDATE wakes SET holder = '', held_until = 0, attempts = 0
WHERE kind = $1 AND name = $2 AND holder = $3
RETURNING due_at - NOW`),
		putOff: j.clock(`
UPDATE wakes SET holder = '', held_until = 0, due_at = NOW + CAST($4 AS BIGINT), attempts = $5
WHERE kind = $1 AND name = $2 AND holder = $3`),
	}
}

// claim is what a worker holds: the row as it was when it was taken.
type claim struct {
	subject
	generation int64
	failures   int
}

// claim takes the row for this process; false when there is nothing to do for it.
func (j *Jobs) claim(ctx context.Context, who subject) (taken claim, ok bool, err error) {
	taken = claim{subject: who}
	err = j.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		ok, err = found(tx.QueryRowContext(ctx, j.sql.claim, who.kind, who.name, j.cfg.Lease.Microseconds(), j.holder, never).
			Scan(&taken.generation, &taken.failures))
		return err
	})
	if err != nil {
		return claim{}, false, fmt.Errorf("claim %s %s: %w", who.kind, who.name, err)
	}
	return taken, ok, nil
}

// succeed consumes the wake that was served. When another came meanwhile and is
// due already the claim goes on; when it is for later the row is given back.
// When the lease was lost none of the statements finds its row.
func (j *Jobs) succeed(ctx context.Context, served claim) (again claim, ok bool, err error) {
	err = j.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		again, ok = claim{subject: served.subject}, false
		result, err := tx.ExecContext(ctx, j.sql.consume, served.kind, served.name, j.holder, served.generation)
		if err != nil {
			return err
		}
		if consumed, err := result.RowsAffected(); err != nil || consumed == 1 {
			return err
		}
		ok, err = found(tx.QueryRowContext(ctx, j.sql.again, served.kind, served.name, j.cfg.Lease.Microseconds(), j.holder, never).
			Scan(&again.generation, &again.failures))
		if err != nil || ok {
			return err
		}
		var wait int64
		released, err := found(tx.QueryRowContext(ctx, j.sql.release, served.kind, served.name, j.holder).Scan(&wait))
		if released {
			tx.AfterCommit(func() { j.expect(time.Duration(wait) * time.Microsecond) })
		}
		return err
	})
	if err != nil {
		return claim{}, false, fmt.Errorf("finish %s %s: %w", served.kind, served.name, err)
	}
	return again, ok, nil
}

// putOff gives the row back, due after wait. A wake that came meanwhile does
// not shorten it: the retry sees what that one would.
func (j *Jobs) putOff(ctx context.Context, failed claim, failures int, wait time.Duration) error {
	err := j.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		tx.AfterCommit(func() { j.expect(wait) })
		_, err := tx.ExecContext(ctx, j.sql.putOff, failed.kind, failed.name, j.holder, wait.Microseconds(), failures)
		return err
	})
	if err != nil {
		return fmt.Errorf("put %s %s off: %w", failed.kind, failed.name, err)
	}
	return nil
}

// releaseAll makes every row that somebody held due at once.
func (j *Jobs) releaseAll(ctx context.Context) error {
	err := j.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE wakes SET held_until = 0 WHERE held_until > 0")
		return err
	})
	if err != nil {
		return fmt.Errorf("release the claims of the process before: %w", err)
	}
	return nil
}

// found turns the absence of a row into false.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
