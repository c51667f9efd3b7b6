package sqldb

import (
	"context"
	"database/sql"
	"sync"
)

// maxStatements bounds the cache: domain SQL is a few hundred texts, and a
// filter that a client composes must not grow memory for ever.
const maxStatements = 512

// runner is the half of [sql.Stmt] that users of the cache see: they never close it.
type runner interface {
	ExecContext(ctx context.Context, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, args ...any) *sql.Row
}

// statements keeps prepared statements by their text. Preparing costs SQLite
// about as much as running a point read does.
type statements struct {
	db    *sql.DB
	mu    sync.RWMutex
	known map[string]*sql.Stmt
}

func newStatements(db *sql.DB) *statements {
	return &statements{db: db, known: map[string]*sql.Stmt{}}
}

// get returns nil for a text that was never prepared.
func (s *statements) get(query string) *sql.Stmt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.known[query]
}

// prepare returns nil when the cache is full or the text does not compile; the
// caller then runs the text itself and meets the error there.
func (s *statements) prepare(ctx context.Context, query string) runner {
	if stmt := s.get(query); stmt != nil {
		return stmt
	}
	s.mu.RLock()
	full := len(s.known) >= maxStatements
	s.mu.RUnlock()
	if full {
		return nil
	}
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[query] = stmt // of two first callers the later stays; the other lives until the database closes
	return stmt
}

// preparedReader is SQLite's reader pool.
type preparedReader struct{ statements *statements }

func (r *preparedReader) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return r.statements.db.ExecContext(ctx, query, args...)
}

func (r *preparedReader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := r.statements.prepare(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return r.statements.db.QueryContext(ctx, query, args...)
}

func (r *preparedReader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := r.statements.prepare(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return r.statements.db.QueryRowContext(ctx, query, args...)
}
