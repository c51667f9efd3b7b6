package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Source is the migrations of one package, so that each package owns its tables.
type Source struct {
	// Name gives the source its own version table, goose_<name>.
	Name string
	// FS holds sqlite/*.sql and postgres/*.sql in goose's format; nil when the source is only After.
	FS fs.FS
	// After runs once the files are applied, under the same lock, at every
	// start: a library's own migrations. It must be idempotent.
	After func(ctx context.Context, db *DB) error
}

// NewSource is a source whose files lie in a folder that is compiled in.
func NewSource(name string, files embed.FS, folder string) Source {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return Source{Name: name, FS: sub}
}

// Migrate applies what is missing of each source, in order. Replicas that
// start at once wait for each other on a PostgreSQL session lock.
func (db *DB) Migrate(ctx context.Context, sources ...Source) (err error) {
	unlock, err := db.lockMigrations(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for _, source := range sources {
		if err := db.migrate(ctx, source); err != nil {
			return fmt.Errorf("migrate %s: %w", source.Name, err)
		}
	}
	return nil
}

func (db *DB) migrate(ctx context.Context, source Source) error {
	if source.FS != nil {
		files, err := fs.Sub(source.FS, db.dialect.String())
		if err != nil {
			return err
		}
		dialect := goose.DialectSQLite3
		if db.dialect == Postgres {
			dialect = goose.DialectPostgres
		}
		provider, err := goose.NewProvider(dialect, db.writer, files,
			goose.WithTableName("goose_"+source.Name), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return err
		}
		if _, err := provider.Up(ctx); err != nil {
			return err
		}
	}
	if source.After != nil {
		return source.After(ctx, db)
	}
	return nil
}

// lockMigrations holds one connection until unlock. Goose's own session lock
// covers one source and polls; this one covers the whole set, libraries'
// tables included, and the server wakes the next in line.
func (db *DB) lockMigrations(ctx context.Context) (unlock func() error, err error) {
	if db.dialect == SQLite {
		return func() error { return nil }, nil
	}
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock migrations: %w", err)
	}
	id := lockID("migrate " + db.schema)
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", id); err != nil {
		return nil, errors.Join(fmt.Errorf("lock migrations: %w", err), conn.Close())
	}
	return func() error { return unlockAndClose(context.WithoutCancel(ctx), conn, id) }, nil
}

func unlockAndClose(ctx context.Context, conn *sql.Conn, id int64) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", id)
	return errors.Join(err, conn.Close())
}

// lockID gives each purpose its own advisory lock.
func lockID(purpose string) int64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte("golive " + purpose)) // a hash never fails to write
	return int64(sum.Sum64())                     //nolint:gosec // any 64 bits do
}
