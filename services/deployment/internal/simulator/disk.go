package simulator

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

var (
	errCrashed = errors.New("the server died")
	errGone    = errors.New("the database does not answer")
)

// moment is a place in a commit where a server may die.
type moment int

const (
	beforeCommit moment = iota + 1
	afterCommit
)

// disk stands between the store and SQLite. Whoever works with the database at the moment
// is its user: a server that died gets no further than an error, whatever it tries.
type disk struct {
	user *replica
	gone bool
	// trusted lets the simulator itself look while the database is gone.
	trusted bool
	// collide makes this many transactions collide with another process.
	collide int
	commits int
}

var (
	_ driver.Conn           = (*diskConn)(nil)
	_ driver.ConnBeginTx    = (*diskConn)(nil)
	_ driver.ExecerContext  = (*diskConn)(nil)
	_ driver.QueryerContext = (*diskConn)(nil)
)

// register makes the disk a driver of database/sql under a name of its own.
func (d *disk) register(name string) { sql.Register(name, d) }

// Open implements driver.Driver. What survives a real crash is another test's question, so nothing is synced.
func (d *disk) Open(dsn string) (driver.Conn, error) {
	conn, err := (&sqlite.Driver{}).Open(strings.Replace(dsn, "synchronous(FULL)", "synchronous(OFF)", 1))
	if err != nil {
		return nil, err
	}
	return &diskConn{disk: d, sqliteConn: conn.(sqliteConn)}, nil //nolint:errcheck // the driver's connections have all of it
}

// reach says whether the database answers its user.
func (d *disk) reach() error {
	switch {
	case d.trusted:
		return nil
	case d.user != nil && d.user.dead:
		return errCrashed
	case d.gone:
		return errGone
	default:
		return nil
	}
}

// sqliteConn is what a connection of SQLite can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type diskConn struct {
	disk *disk
	sqliteConn
}

// BeginTx implements driver.ConnBeginTx.
func (c *diskConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if err := c.disk.reach(); err != nil {
		return nil, err
	}
	if c.disk.collide > 0 && !c.disk.trusted {
		c.disk.collide--
		return nil, &pgconn.PgError{Code: "40001", Message: "another process was in the way"}
	}
	tx, err := c.sqliteConn.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return &diskTx{disk: c.disk, Tx: tx}, nil
}

// ExecContext implements driver.ExecerContext.
func (c *diskConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.disk.reach(); err != nil {
		return nil, err
	}
	return c.sqliteConn.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c *diskConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.disk.reach(); err != nil {
		return nil, err
	}
	return c.sqliteConn.QueryContext(ctx, query, args)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *diskConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &diskStmt{disk: c.disk, sqliteStmt: stmt.(sqliteStmt)}, nil //nolint:errcheck // the driver's statements have all of it
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type diskStmt struct {
	disk *disk
	sqliteStmt
}

// ExecContext implements driver.StmtExecContext.
func (s *diskStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.disk.reach(); err != nil {
		return nil, err
	}
	return s.sqliteStmt.ExecContext(ctx, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *diskStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.disk.reach(); err != nil {
		return nil, err
	}
	return s.sqliteStmt.QueryContext(ctx, args)
}

type diskTx struct {
	disk *disk
	driver.Tx
}

// Commit implements driver.Tx: it is where servers die.
func (t *diskTx) Commit() error {
	user := t.disk.user
	dies := moment(0)
	if user != nil && !t.disk.trusted && user.doom > 0 {
		if user.doom--; user.doom == 0 {
			dies = user.doomed
		}
	}
	if dies == beforeCommit {
		user.dead = true
		return errors.Join(errCrashed, t.Rollback())
	}
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	t.disk.commits++
	if dies == afterCommit {
		user.dead = true
		return errCrashed
	}
	return nil
}
