package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// rollbackTimeout is how long a connection may take to undo before it is given up.
const rollbackTimeout = 5 * time.Second

// pipeline is a connection to PostgreSQL that spares round trips inside a
// transaction: BEGIN and the statements that [Tx.Queue] takes wait, and travel
// with the next statement whose answer is wanted, at the latest with COMMIT.
// The server runs them in order and skips the rest, COMMIT too, after one that
// fails. What is sent at once is a transaction of its own, so when everything
// waited for the commit neither BEGIN nor COMMIT is sent.
type pipeline struct {
	*stdlib.Conn
	begin   bool // is due
	waiting []statement
	failed  error // what kept a waiting statement from running; everything until the rollback fails with it
}

type statement struct {
	query   string
	args    []any
	explain func(error) error
}

// pipelines opens them on the connections of a pool.
type pipelines struct{ driver.Connector }

// Connect is called by database/sql.
func (c pipelines) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &pipeline{Conn: conn.(*stdlib.Conn)}, nil //nolint:errcheck // pgx makes no other kind
}

// BeginTx begins with the first statement; a transaction without any never begins.
func (p *pipeline) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if options != (driver.TxOptions{}) {
		return p.Conn.BeginTx(ctx, options)
	}
	if p.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	p.begin = true
	return pipelineTx{ctx: ctx, pipeline: p}, nil
}

func (p *pipeline) queue(query string, args []any, explain func(error) error) {
	p.waiting = append(p.waiting, statement{query, args, explain})
}

// due says that the next statement must not go alone.
func (p *pipeline) due() bool { return p.begin || len(p.waiting) > 0 || p.failed != nil }

// PrepareContext prepares on the connection below, which knows nothing of what waits.
func (p *pipeline) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.Conn.PrepareContext(ctx, query)
}

// ExecContext runs what waits and then the statement. A text without arguments
// may be several statements, which cannot share a pipeline.
func (p *pipeline) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !p.due() || len(args) == 0 {
		if err := p.flush(ctx); err != nil {
			return nil, err
		}
		return p.Conn.ExecContext(ctx, query, args)
	}
	results, err := p.send(ctx, statement{query: query, args: values(args)})
	if err != nil {
		return nil, err
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	return driver.RowsAffected(tag.RowsAffected()), err
}

// QueryContext runs what waits and then the query.
func (p *pipeline) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !p.due() || len(args) == 0 {
		if err := p.flush(ctx); err != nil {
			return nil, err
		}
		return p.Conn.QueryContext(ctx, query, args)
	}
	results, err := p.send(ctx, statement{query: query, args: values(args)})
	if err != nil {
		return nil, err
	}
	found, err := results.Query()
	rows := &pipelineRows{Rows: found, results: results, types: p.Conn.Conn().TypeMap()}
	if err == nil {
		rows.first = found.Next() // or the server's refusal would only show at the first Next
		err = found.Err()
	}
	if err != nil {
		_ = rows.Close() // says the same
		return nil, err
	}
	return rows, nil
}

func values(args []driver.NamedValue) []any {
	all := make([]any, len(args))
	for i, arg := range args {
		all[i] = arg.Value
	}
	return all
}

// flush runs what waits.
func (p *pipeline) flush(ctx context.Context) error {
	if !p.due() {
		return nil
	}
	results, err := p.send(ctx)
	if err != nil {
		return err
	}
	return results.Close()
}

// send runs what waits and then the given statement, whose results the caller reads and closes.
func (p *pipeline) send(ctx context.Context, last ...statement) (pgx.BatchResults, error) {
	if p.failed != nil {
		return nil, p.failed
	}
	waiting := p.waiting
	if p.begin {
		began := func(err error) error { return fmt.Errorf("begin: %w", err) }
		waiting = slices.Insert(waiting, 0, statement{query: "BEGIN", explain: began})
	}
	p.begin, p.waiting = false, nil
	var batch pgx.Batch
	for _, one := range slices.Concat(waiting, last) {
		batch.Queue(one.query, one.args...)
	}
	results := p.Conn.Conn().SendBatch(ctx, &batch)
	for _, one := range waiting {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // says the same
			p.failed = one.explain(err)
			return nil, p.failed
		}
	}
	return results, nil
}

// pipelineTx ends a transaction that BeginTx began.
type pipelineTx struct {
	ctx      context.Context //nolint:containedctx // database/sql has none for the end of a transaction
	pipeline *pipeline
}

// Commit runs what waits and commits, in one round trip.
func (t pipelineTx) Commit() error {
	err := t.commit()
	if err != nil {
		_ = t.Rollback() // err says more
	}
	return err
}

func (t pipelineTx) commit() error {
	p := t.pipeline
	if p.begin { // nothing was sent yet
		p.begin = false
		return p.flush(t.ctx)
	}
	results, err := p.send(t.ctx, statement{query: "COMMIT"})
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// Rollback forgets what waits and undoes what ran.
func (t pipelineTx) Rollback() error {
	p := t.pipeline
	p.begin, p.waiting, p.failed = false, nil, nil
	conn := p.Conn.Conn()
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), rollbackTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
		return errors.Join(err, conn.Close(ctx)) // in an unknown state it serves nobody
	}
	return nil
}

// pipelineRows are the rows of a query that was sent with others.
type pipelineRows struct {
	pgx.Rows

	results pgx.BatchResults
	types   *pgtype.Map
	first   bool // Rows stands on a row that Next has not told yet
}

// Columns are the names.
func (r *pipelineRows) Columns() []string {
	var names []string
	for _, field := range r.FieldDescriptions() {
		names = append(names, field.Name)
	}
	return names
}

// Next reads one row.
func (r *pipelineRows) Next(dest []driver.Value) error {
	if !r.first && !r.Rows.Next() {
		if err := r.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	r.first = false
	fields := r.FieldDescriptions()
	for i, raw := range r.RawValues() {
		var err error
		if dest[i], err = r.value(fields[i].DataTypeOID, fields[i].Format, raw); err != nil {
			return fmt.Errorf("column %s: %w", fields[i].Name, err)
		}
	}
	return nil
}

func (r *pipelineRows) value(oid uint32, format int16, raw []byte) (driver.Value, error) {
	if raw == nil {
		return nil, nil
	}
	known, ok := r.types.TypeForOID(oid)
	if !ok {
		return string(raw), nil
	}
	return known.Codec.DecodeDatabaseSQLValue(r.types, oid, format, raw)
}

// Close skips what was not read.
func (r *pipelineRows) Close() error {
	r.Rows.Close()
	return r.results.Close()
}
