package resource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// batch is how many rows are re-read, or filled in one transaction.
const batch = 500

// Rederive proves the table: for every row, all that is kept beside the
// message is what the message says, and the digest is that of the stored
// bytes. It reports up to ten differences. It is for tests and for operators
// who want to know; it reads everything.
func (k *Kind[M]) Rederive(ctx context.Context, db *sqldb.DB) error {
	var wrong []error
	for last := ""; ; {
		rows, err := k.stored(ctx, db, last)
		if err != nil {
			return err
		}
		for _, row := range rows {
			wrong = append(wrong, k.differences(row)...)
			members, err := k.storedMembers(ctx, db, row.name)
			if err != nil {
				return err
			}
			if want := k.members(row.message); !slices.Equal(members, want) {
				wrong = append(wrong, fmt.Errorf("%s: sets are %v, the message says %v", row.name, members, want))
			}
		}
		if len(rows) < batch || len(wrong) >= 10 {
			return errors.Join(wrong[:min(10, len(wrong))]...)
		}
		last = rows[len(rows)-1].name
	}
}

// storedRow is a row as it is, values beside the columns they are in.
type storedRow[M any] struct {
	name, parent, uid, etag string
	revision                int64
	digest, data            []byte
	message                 M
	derived                 []any
}

func (k *Kind[M]) derivedColumns() []string {
	var names []string
	if k.spec.Terminal != nil {
		names = append(names, "terminal")
	}
	for _, c := range k.columns {
		names = append(names, c.name)
	}
	return names
}

func (k *Kind[M]) stored(ctx context.Context, db *sqldb.DB, after string) ([]storedRow[M], error) {
	names := append([]string{"name", "parent", "uid", "etag", "revision", "digest", "message"}, k.derivedColumns()...)
	rows, err := db.Read().QueryContext(ctx,
		fmt.Sprintf("SELECT %s FROM %s WHERE name > $1 ORDER BY name LIMIT %d", strings.Join(names, ", "), k.table, batch), after)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (row storedRow[M], err error) {
		row.derived = make([]any, len(names)-7)
		into := []any{&row.name, &row.parent, &row.uid, &row.etag, &row.revision, &row.digest, &row.data}
		for i := range row.derived {
			into = append(into, &row.derived[i])
		}
		if err := rows.Scan(into...); err != nil {
			return row, err
		}
		row.message, err = k.decode(row.data)
		return row, err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.table, err)
	}
	return all, nil
}

func (k *Kind[M]) differences(row storedRow[M]) (wrong []error) {
	differ := func(what string, stored, derived any) {
		if fmt.Sprint(stored) != fmt.Sprint(derived) {
			wrong = append(wrong, fmt.Errorf("%s: %s is %v, the message says %v", row.name, what, stored, derived))
		}
	}
	r := row.message.ProtoReflect()
	etag, err := k.etag(row.message)
	if err != nil {
		return []error{err}
	}
	differ("name", row.name, k.nameOf(row.message))
	differ("parent", row.parent, parentOf(row.name))
	differ("etag", row.etag, etag)
	if k.managed.uid != nil {
		differ("uid", row.uid, text(r, k.managed.uid))
	}
	if k.managed.etag != nil {
		differ("message's etag", text(r, k.managed.etag), etag)
	}
	if fd := k.managed.revision; fd != nil {
		differ("revision", row.revision, r.Get(fd).Int())
	}
	if sum := sha256.Sum256(row.data); !bytes.Equal(sum[:], row.digest) {
		wrong = append(wrong, fmt.Errorf("%s: digest is not that of the stored bytes", row.name))
	}
	for i, derived := range k.derive(nil, row.message) {
		differ("column "+k.derivedColumns()[i], plain(row.derived[i]), derived)
	}
	return wrong
}

// plain makes one text of what drivers return for a text.
func plain(v any) any {
	if data, ok := v.([]byte); ok {
		return string(data)
	}
	return v
}

func (k *Kind[M]) storedMembers(ctx context.Context, q *sqldb.DB, name string) ([]member, error) {
	if len(k.sets) == 0 {
		return nil, nil
	}
	rows, err := q.Read().QueryContext(ctx,
		"SELECT field, key, value FROM resource_sets WHERE name = $1 ORDER BY field, key, value", name)
	return sqldb.Collect(rows, err, func(rows *sql.Rows) (m member, err error) {
		return m, rows.Scan(&m.field, &m.key, &m.value)
	})
}

// Backfill fills the columns of rows that have NULL in one of them, which is
// how a migration adds a column: ADD COLUMN … without NOT NULL. It stops and
// goes on where it stopped, because what is filled is not found again. Declare
// such a column Internal until it is filled: NULL is in no filter and no order.
func (k *Kind[M]) Backfill(ctx context.Context, s *Store) (filled int, err error) {
	names := k.derivedColumns()
	if len(names) == 0 {
		return 0, nil
	}
	sets := make([]string, len(names))
	for i, name := range names {
		sets[i] = fmt.Sprintf("%s = $%d", name, i+2)
	}
	find := fmt.Sprintf("WHERE %s IS NULL ORDER BY name LIMIT %d", strings.Join(names, " IS NULL OR "), batch)
	update := "UPDATE " + k.table + " SET " + strings.Join(sets, ", ") + " WHERE name = $1"
	for {
		var some int
		err := s.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			lock := ""
			if tx.Dialect() == sqldb.Postgres {
				lock = " FOR NO KEY UPDATE" // a Save meanwhile would be overwritten with older values
			}
			all, err := k.Select(ctx, tx, find+lock)
			if err != nil {
				return err
			}
			for _, m := range all {
				if _, err := tx.ExecContext(ctx, update, k.derive([]any{k.nameOf(m)}, m)...); err != nil {
					return fmt.Errorf("backfill %s: %w", k.nameOf(m), err)
				}
			}
			some = len(all)
			return nil
		})
		if filled += some; err != nil || some < batch {
			return filled, err
		}
	}
}
