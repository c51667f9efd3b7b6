package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxAttempts bounds how often a transaction is run again after it collided.
const maxAttempts = 12

// ErrNested is a programmer's mistake: on SQLite an inner Tx would wait for the outer one for ever.
var ErrNested = errors.New("transaction inside a transaction: pass the *Tx down instead")

// Tx is the write transaction that [DB.Tx] hands to its function. It is not safe for concurrent use.
type Tx struct {
	dialect Dialect
	std     *sql.Tx
	conn    *sql.Conn
	prepped *statements
	fresh   []string // texts to prepare once the connection is free again
	hooks   []func()
	undo    []func()
	refused error // what a queued statement met
	failed  error // what the first statement that failed met
}

var _ Queryer = (*Tx)(nil)

type inTx struct{ db *DB }

// Tx runs fn in the one write transaction: BEGIN IMMEDIATE on SQLite's single
// writer, READ COMMITTED on PostgreSQL. When the database reports a collision
// (busy, serialization failure, deadlock) fn runs again from the start. An
// error or a panic of fn rolls back; its error is returned as it is.
func (db *DB) Tx(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if ctx.Value(inTx{db}) != nil {
		return ErrNested
	}
	inner := context.WithValue(ctx, inTx{db}, true)
	for attempt := 1; ; attempt++ {
		tx := &Tx{dialect: db.dialect, prepped: db.prepped}
		err := db.attempt(inner, tx, fn)
		if err == nil {
			tx.committed(ctx)
			return nil
		}
		if !collided(err) && !collided(tx.failed) || attempt == maxAttempts {
			return err
		}
		if cause := backOff(ctx, attempt); cause != nil {
			return errors.Join(cause, err)
		}
	}
}

// attempt runs fn once.
func (db *DB) attempt(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) (err error) {
	committed := false
	defer func() { // also when fn panics
		if tx.failed == nil {
			tx.failed = sql.ErrTxDone
		}
		if !committed {
			for _, undo := range tx.undo {
				undo()
			}
		}
	}()
	if db.group != nil {
		err = db.group.run(ctx, tx, fn)
	} else {
		err = db.alone(ctx, tx, fn)
	}
	committed = err == nil
	return err
}

// alone runs fn in a transaction on a connection of its own.
func (db *DB) alone(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) (err error) {
	if tx.conn, err = db.writer.Conn(ctx); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.conn.Close() }() // hands it back to the pool; a broken one has failed its statement already
	if tx.std, err = tx.conn.BeginTx(ctx, nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	open := true
	defer func() { // also when fn panics
		if open {
			_ = tx.std.Rollback() // the error that brought us here says more
		}
	}()
	if err = fn(ctx, tx); err != nil || tx.failed != nil {
		return tx.reason(err)
	}
	open = false // Commit ends the transaction even when it fails
	if err = tx.std.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// reason is why a transaction ends without a commit. What a queued statement
// met is the reason whatever fn made of it, who met it somewhere else; then
// what fn says, then the statement that failed.
func (tx *Tx) reason(err error) error {
	if tx.conn != nil {
		_ = tx.conn.Raw(func(conn any) error { // a connection that is gone has nothing to add
			tx.refused = conn.(*pipeline).failed //nolint:errcheck // this pool makes no other kind
			return nil
		})
	}
	return cmp.Or(tx.refused, err, tx.failed)
}

func (tx *Tx) committed(ctx context.Context) {
	for _, query := range tx.fresh {
		tx.prepped.prepare(ctx, query)
	}
	for _, hook := range tx.hooks {
		hook()
	}
}

// backOff waits with full jitter, 2 ms doubling to 250 ms; it returns why it stopped early.
func backOff(ctx context.Context, attempt int) error {
	limit := min(2*time.Millisecond<<attempt, 250*time.Millisecond)
	timer := time.NewTimer(rand.N(limit)) //nolint:gosec // jitter is no secret
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Dialect says which database this is.
func (tx *Tx) Dialect() Dialect { return tx.dialect }

// AfterCommit runs hook once after the commit, on the caller's goroutine. It
// is for hints only: a process that dies in between never runs it.
func (tx *Tx) AfterCommit(hook func()) { tx.hooks = append(tx.hooks, hook) }

// AfterRollback runs undo when this run of the function did not commit: it
// gives back what was reserved in memory for it.
func (tx *Tx) AfterRollback(undo func()) { tx.undo = append(tx.undo, undo) }

// Std is the standard library's transaction, for libraries that join it.
func (tx *Tx) Std() *sql.Tx { return tx.std }

// Conn is the connection below the transaction on PostgreSQL, for libraries
// that join it, after all that was queued; nil on SQLite.
func (tx *Tx) Conn(ctx context.Context) (conn *pgx.Conn, err error) {
	err = tx.pipelined(func(p *pipeline) error {
		conn = p.Conn.Conn()
		return p.flush(ctx)
	})
	return conn, err
}

// Queue runs a statement whose answer nobody waits for: on SQLite at once, on
// PostgreSQL with the next statement or the commit, to save its round trip.
// When it fails, explain makes of the database's error what [DB.Tx] returns,
// and before that the statement that met it.
func (tx *Tx) Queue(ctx context.Context, explain func(error) error, query string, args ...any) error {
	if tx.dialect == Postgres {
		return tx.pipelined(func(p *pipeline) error {
			p.queue(query, args, explain)
			return nil
		})
	}
	if tx.failed != nil {
		return tx.failed
	}
	if _, err := tx.ExecContext(ctx, query, args...); err != nil {
		tx.refused = explain(err)
		tx.failed = tx.refused
	}
	return tx.failed
}

// Flush runs what was queued, for those who must know that it can be done.
func (tx *Tx) Flush(ctx context.Context) error {
	return tx.pipelined(func(p *pipeline) error { return p.flush(ctx) })
}

// pipelined works below database/sql, under its lock; on SQLite there is nothing to do.
func (tx *Tx) pipelined(fn func(p *pipeline) error) error {
	if tx.failed == nil && tx.dialect == Postgres {
		tx.failed = tx.conn.Raw(func(conn any) error {
			return fn(conn.(*pipeline)) //nolint:errcheck // this pool makes no other kind
		})
	}
	return tx.failed
}

// ready says whether another statement may run, and in which context: on
// SQLite none that cuts it short, for that would undo what others in the group
// did, and watching for it costs more than a small statement.
func (tx *Tx) ready(ctx context.Context) (context.Context, error) {
	if tx.failed == nil && tx.dialect == SQLite {
		tx.failed = ctx.Err()
		ctx = context.WithoutCancel(ctx)
	}
	return ctx, tx.failed
}

// ExecContext runs a statement.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, err := tx.ready(ctx)
	if err != nil {
		return nil, err
	}
	var result sql.Result
	if stmt := tx.statement(ctx, query); stmt != nil {
		result, err = stmt.ExecContext(ctx, args...)
	} else {
		result, err = tx.std.ExecContext(ctx, query, args...)
	}
	tx.failed = err
	return result, err
}

// QueryContext runs a query. Read and close the rows before the next statement.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx, err := tx.ready(ctx)
	if err != nil {
		return nil, err
	}
	var rows *sql.Rows
	if stmt := tx.statement(ctx, query); stmt != nil {
		rows, err = stmt.QueryContext(ctx, args...)
	} else {
		rows, err = tx.std.QueryContext(ctx, query, args...)
	}
	tx.failed = err
	return rows, err
}

// QueryRowContext runs a query of at most one row.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx, err := tx.ready(ctx)
	if err != nil {
		return tx.doomed(ctx)
	}
	var row *sql.Row
	if stmt := tx.statement(ctx, query); stmt != nil {
		row = stmt.QueryRowContext(ctx, args...)
	} else {
		row = tx.std.QueryRowContext(ctx, query, args...)
	}
	tx.failed = row.Err()
	return row
}

// doomed makes a row that answers the first failure: database/sql lets nobody
// make a failing row, but asks an ended context for its error.
func (tx *Tx) doomed(ctx context.Context) *sql.Row {
	return tx.std.QueryRowContext(endedContext{Context: ctx, why: tx.failed}, "SELECT 1")
}

type endedContext struct {
	context.Context //nolint:containedctx // it is a context
	why             error
}

func (c endedContext) Done() <-chan struct{} {
	ended := make(chan struct{})
	close(ended)
	return ended
}

func (c endedContext) Err() error { return c.why }

// statement returns the prepared form of query on the transaction's
// connection; nil on PostgreSQL and for a text seen for the first time, which
// cannot be prepared for later use while the transaction holds the connection.
func (tx *Tx) statement(ctx context.Context, query string) runner {
	if tx.prepped == nil {
		return nil
	}
	if stmt := tx.prepped.get(query); stmt != nil {
		return tx.std.StmtContext(ctx, stmt)
	}
	if !slices.Contains(tx.fresh, query) {
		tx.fresh = append(tx.fresh, query)
	}
	return nil
}
