// Package sqldb opens SQLite or PostgreSQL behind one small surface: a write
// transaction, a reader, migrations. Domain SQL is written once, with $1
// placeholders, BIGINT unix microseconds for times and 0/1 for booleans, and
// runs unchanged on both.
//
// What callers may rely on, on both databases:
//
//   - [DB.Tx] is the only way to write. Its function may run more than once, so
//     it changes nothing but the database and its own result variables.
//   - A statement that fails dooms its transaction: later statements fail with
//     the same error and nothing is committed.
//   - An acknowledged commit is on disk (SQLite: synchronous FULL unless
//     [Config] says otherwise). Writers that queue for SQLite share a commit,
//     and each is acknowledged after it.
//   - [Tx.Queue] takes statements whose answer nobody waits for, so that
//     PostgreSQL gets them in one round trip.
//   - No network call and no second connection inside a transaction.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Dialect says which database answers.
type Dialect int

// The two databases.
const (
	SQLite Dialect = iota + 1
	Postgres
)

// String names the dialect as the migration folders do.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "sqlite"
	case Postgres:
		return "postgres"
	default:
		return fmt.Sprintf("dialect(%d)", int(d))
	}
}

// Config says which database to open.
type Config struct {
	// URL is "sqlite:/path/file.db" or "postgres://…".
	URL string
	// Schema is the PostgreSQL schema to live in, created when absent; SQLite ignores it.
	Schema string
	// Synchronous is SQLite's: FULL when empty, or NORMAL where the last second may be lost.
	Synchronous string
	// Driver is the name of the database/sql driver that opens SQLite, for tests that stand
	// between this package and the disk; "sqlite" when empty.
	Driver string
	// MaxOpen bounds the connections: SQLite's readers (4 when 0), PostgreSQL's pool (16 when 0).
	MaxOpen int
}

// Queryer runs statements; a [Tx] and [DB.Read] are Queryers.
type Queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is an open database.
type DB struct {
	dialect Dialect
	schema  string
	writer  *sql.DB // SQLite: exactly one connection; PostgreSQL: over pool
	reader  *sql.DB // SQLite: query_only connections; PostgreSQL: the writer
	pool    *pgxpool.Pool
	read    Queryer
	group   *group      // of SQLite's writers; nil on PostgreSQL
	prepped *statements // of the SQLite writer; nil on PostgreSQL, where pgx keeps them
}

// Open connects, and creates the SQLite file (and its folder, 0700) or the PostgreSQL schema.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	switch {
	case strings.HasPrefix(cfg.URL, "sqlite:"):
		return openSQLite(ctx, cfg)
	case strings.HasPrefix(cfg.URL, "postgres://"), strings.HasPrefix(cfg.URL, "postgresql://"):
		return openPostgres(ctx, cfg)
	default:
		return nil, errors.New("database URL must begin with sqlite: or postgres://")
	}
}

// Dialect says which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Schema is the PostgreSQL schema; empty when none was named and on SQLite.
func (db *DB) Schema() string { return db.schema }

// Read answers outside a transaction, from committed data. It may refuse to write.
func (db *DB) Read() Queryer { return db.read }

// Pgx is the pool below a PostgreSQL database, for LISTEN and for libraries; nil on SQLite.
func (db *DB) Pgx() *pgxpool.Pool { return db.pool }

// Writer is the connection that writes, for libraries that bring their own
// statements. On SQLite it is a single connection: hold it briefly.
func (db *DB) Writer() *sql.DB { return db.writer }

// Close waits for running statements and closes every connection.
func (db *DB) Close() error {
	var errs []error
	if db.reader != db.writer {
		errs = append(errs, db.reader.Close())
	}
	errs = append(errs, db.writer.Close())
	if db.pool != nil {
		db.pool.Close()
	}
	return errors.Join(errs...)
}

// Collect reads all rows and closes them: the one rows loop. It takes the results of QueryContext as they come.
func Collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) (all []T, failed error) {
	if err != nil {
		return nil, err
	}
	defer func() { failed = errors.Join(failed, rows.Close()) }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
