package resource

import (
	"context"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// batches are the sizes of one INSERT: few, so that each stays a prepared
// statement, and small, because SQLite looks every $n up among all the others:
// a hundred rows in a statement cost twice as much a row.
func batches() []int { return []int{20, 1} }

// InsertMany stores new resources as [Kind.Insert] does, many in a
// statement, and appends no events: an import of thousands is one event, which
// the caller writes.
func (k *Kind[M]) InsertMany(ctx context.Context, tx *sqldb.Tx, s *Store, all []M) error {
	for _, size := range batches() {
		text := k.insertText(size)
		for len(all) >= size {
			if err := k.insertBatch(ctx, tx, s, text, all[:size]); err != nil {
				return err
			}
			all = all[size:]
		}
	}
	return nil
}

// insertText is the statement of Insert for a number of rows.
func (k *Kind[M]) insertText(rows int) string {
	head, first, _ := strings.Cut(k.sql.insert, " VALUES ")
	return head + " VALUES " + sqldb.Tuples(rows, strings.Count(first, "$"))
}

func (k *Kind[M]) insertBatch(ctx context.Context, tx *sqldb.Tx, s *Store, text string, batch []M) (err error) {
	now := s.Now()
	args := make([]any, 0, len(batch)*(len(insertColumns)+1+len(k.columns)))
	for _, m := range batch {
		if args, err = k.insertArgs(args, m, now); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, text, args...); err != nil {
		if sqldb.IsUnique(err) && len(batch) > 1 {
			return fault.AlreadyExists(ReasonAlreadyExists, "one of %d %ss from %q on exists already, or is there twice; leave it out",
				len(batch), k.noun, k.nameOf(batch[0])).Cause(err)
		}
		return k.taken(k.nameOf(batch[0]), err)
	}
	for _, m := range batch {
		if err := k.insertSets(ctx, tx, k.nameOf(m), m); err != nil {
			return err
		}
	}
	return nil
}
