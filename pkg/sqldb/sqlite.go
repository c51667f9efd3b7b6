package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlitePragmas hold for every connection. The busy timeout covers other
// processes on the file (a backup, the sqlite3 shell): inside one process the
// single writer already queues.
const sqlitePragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)" +
	"&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(67108864)"

func openSQLite(ctx context.Context, cfg Config) (*DB, error) {
	path := strings.TrimPrefix(cfg.URL, "sqlite:")
	if after, ok := strings.CutPrefix(path, "//"); ok {
		path = after
	}
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, errors.New("SQLite needs a file: sqlite:/path/to/file.db")
	}
	synchronous := strings.ToUpper(cfg.Synchronous)
	switch synchronous {
	case "":
		synchronous = "FULL"
	case "FULL", "NORMAL":
	default:
		return nil, fmt.Errorf("SQLite synchronous is FULL or NORMAL, not %q", cfg.Synchronous)
	}
	path, err := createPrivate(path)
	if err != nil {
		return nil, err
	}
	dsn := (&url.URL{Scheme: "file", Path: path}).String() + "?" + sqlitePragmas + "&_pragma=synchronous(" + synchronous + ")"

	driver := cmp.Or(cfg.Driver, "sqlite")
	writer, err := sql.Open(driver, dsn+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	writer.SetMaxOpenConns(1)
	writer.SetMaxIdleConns(1)
	reader, err := sql.Open(driver, dsn+"&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), writer.Close())
	}
	readers := cfg.MaxOpen
	if readers <= 0 {
		readers = 4
	}
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	db := &DB{
		dialect: SQLite,
		writer:  writer,
		reader:  reader,
		read:    &preparedReader{statements: newStatements(reader)},
		group:   &group{writer: writer},
		prepped: newStatements(writer),
	}
	if err := writer.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return db, nil
}

// createPrivate makes the folder 0700 and the file 0600 before SQLite would
// make them readable to others; the WAL beside it inherits the file's mode.
func createPrivate(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("database path: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("create database folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("create database file: %w", err)
	}
	return path, file.Close()
}
