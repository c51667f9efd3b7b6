package sqldb

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// PostgreSQL's codes that matter here.
const (
	pgUniqueViolation      = "23505"
	pgDivisionByZero       = "22012"
	pgSerializationFailure = "40001"
	pgDeadlockDetected     = "40P01"
)

// collided says that another transaction was in the way and that running again may help.
func collided(err error) bool {
	if errors.Is(err, errUndone) {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == pgSerializationFailure || pg.Code == pgDeadlockDetected
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		primary := lite.Code() & 0xff
		return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
	}
	return false
}

// IsUnique says that a row with this key exists already, on either database.
func IsUnique(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == pgUniqueViolation
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// IsDivisionByZero says that PostgreSQL refused to divide: how a statement
// for [Tx.Queue] fails when what it wants is not there.
func IsDivisionByZero(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == pgDivisionByZero
}

// UniqueName says which uniqueness was violated: on PostgreSQL the name of the
// constraint or index, on SQLite its columns ("table.a, table.b"), because
// SQLite does not tell the name. Empty when err is no unique violation.
func UniqueName(err error) string {
	if !IsUnique(err) {
		return ""
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.ConstraintName
	}
	_, name, _ := strings.Cut(err.Error(), "UNIQUE constraint failed: ")
	name, _, _ = strings.Cut(name, " (")
	return name
}
