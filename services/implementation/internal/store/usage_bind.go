package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// foldPage is how many days of usage are read at once when ordinals move.
const foldPage = 200

// BindSubjects reads from a file which key is which person: all rows or none. It changes the metrics database first and
// tells then; a request that is cut between the two is sent again and finds everything bound.
func (s *Store) BindSubjects(ctx context.Context, req *implementationv1.BindSubjectsRequest) (*implementationv1.ImportResult, error) {
	workspace := req.GetParent()
	rows, file, err := sheet.Bindings(req.GetCsv(), req.GetColumns(), workspace, isKey)
	if err != nil {
		return nil, err
	}
	people, err := s.boundPeople(ctx, workspace, rows, file)
	if err != nil {
		return nil, err
	}
	result, err := s.bind(ctx, workspace, rows, people, file, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		if result.GetErrorCount() > 0 || result.GetCreatedCount() == 0 {
			return result, nil
		}
		return result, s.tell(ctx, tx, feed.Record{Resource: workspace + "/usage", Type: "implementation.usage.bound", After: result})
	})
}

// boundPeople are the ordinals of the people in the file; those who do not exist are problems.
func (s *Store) boundPeople(ctx context.Context, workspace string, rows []sheet.Binding, file *sheet.File) (map[string]uint32, error) {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = People.Name(workspace, row.Person)
	}
	version, err := s.usageVersion(ctx, workspace)
	if err != nil {
		return nil, err
	}
	people, err := s.peopleOrdinals(ctx, workspace, version, names)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if _, ok := people[names[i]]; !ok {
			file.Problems.Add(row.Line, file.Column(1), ReasonPersonUnknown, "%s is not known; import people first", row.Person)
		}
	}
	return people, nil
}

// errOnlyChecked undoes what was only to be checked.
var errOnlyChecked = errors.New("only checked")

func (s *Store) bind(ctx context.Context, workspace string, rows []sheet.Binding, people map[string]uint32, file *sheet.File, onlyCheck bool) (result *implementationv1.ImportResult, err error) {
	problems := file.Problems
	err = s.metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		file.Problems = problems
		if _, err := lockEpoch(ctx, tx, workspace, true); err != nil {
			return err
		}
		moves, fresh, ordinals, err := planBinding(ctx, tx, workspace, rows, people, file)
		if err != nil {
			return err
		}
		if file.Problems.Any() {
			result = rejected(file)
			return errOnlyChecked
		}
		result = &implementationv1.ImportResult{RowCount: count(file.RowCount), CreatedCount: count(len(fresh)), UnchangedCount: count(file.RowCount - len(fresh))}
		if onlyCheck || len(fresh) == 0 {
			return errOnlyChecked
		}
		if err := insertKeys(ctx, tx, workspace, fresh, ordinals); err != nil {
			return err
		}
		return moveBits(ctx, tx, workspace, moves)
	})
	if errors.Is(err, errOnlyChecked) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("bind keys of %s: %w", workspace, err)
	}
	return result, nil
}

// planBinding says which ordinals move where, and which keys are new to their person; keys of somebody else are problems.
func planBinding(ctx context.Context, tx *sqldb.Tx, workspace string, rows []sheet.Binding, people map[string]uint32, file *sheet.File) (moves map[uint32]uint32, fresh []string, ordinals map[string]uint32, err error) {
	keys := make([]string, len(rows))
	for i, row := range rows {
		keys[i] = row.Key
	}
	known, err := boundKeys(ctx, tx, workspace, keys)
	if err != nil {
		return nil, nil, nil, err
	}
	moves, ordinals = map[uint32]uint32{}, make(map[string]uint32, len(rows))
	for _, row := range rows {
		person, exists := people[People.Name(workspace, row.Person)]
		old, seen := known[row.Key]
		switch {
		case !exists, seen && old == person:
			continue
		case seen && old < firstKey:
			file.Problems.Add(row.Line, file.Column(0), "KEY_BOUND", "the key is bound to somebody else; a key stays with its person")
			continue
		case seen:
			moves[old] = person
		}
		ordinals[row.Key] = person
		fresh = append(fresh, row.Key)
	}
	return moves, fresh, ordinals, nil
}

// moveBits gives what was used under some ordinals to others, and begins a new epoch, so that no replica goes on with the old ones.
func moveBits(ctx context.Context, tx *sqldb.Tx, workspace string, moves map[uint32]uint32) error {
	if _, err := tx.ExecContext(ctx, "UPDATE usage_epochs SET epoch = epoch + 1 WHERE workspace = $1", workspace); err != nil {
		return fmt.Errorf("begin an epoch: %w", err)
	}
	moving := roaring.New()
	for old := range moves {
		moving.Add(old)
	}
	return rewriteUsage(ctx, tx, workspace, func(set *roaring.Bitmap) bool {
		touched := roaring.And(set, moving)
		if touched.IsEmpty() {
			return false
		}
		set.AndNot(touched)
		for it := touched.Iterator(); it.HasNext(); {
			set.Add(moves[it.Next()])
		}
		return true
	})
}

// rewriteUsage changes the sets of a workspace; change tells whether it did.
func rewriteUsage(ctx context.Context, tx *sqldb.Tx, workspace string, change func(set *roaring.Bitmap) bool) error {
	lock := ""
	if tx.Dialect() == sqldb.Postgres {
		lock = " FOR UPDATE"
	}
	lastFeature, lastDay := workspace+"/features/", int64(0)
	end := workspace + "/features0" // what comes after the slash
	for {
		rows, err := tx.QueryContext(ctx, fmt.Sprintf(`SELECT feature, day, bits FROM usage_days
			WHERE (feature, day) > ($1, $2) AND feature < $3 ORDER BY feature, day LIMIT %d%s`, foldPage, lock), lastFeature, lastDay, end)
		page, err := sqldb.Collect(rows, err, scanUsage)
		if err != nil {
			return fmt.Errorf("read usage of %s: %w", workspace, err)
		}
		for _, one := range page {
			lastFeature, lastDay = one.feature, int64(one.day)
			if !change(one.set) {
				continue
			}
			bits, err := one.set.ToBytes()
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE usage_days SET bits = $1 WHERE feature = $2 AND day = $3", bits, one.feature, lastDay); err != nil {
				return fmt.Errorf("change usage of %s: %w", one.feature, err)
			}
		}
		if len(page) < foldPage {
			return nil
		}
	}
}

// ForgetSubject deletes what is known of a person's usage: bits, keys and opt-outs. It tells how many days of features the person was in. Numbers over
// groups change by at most this person. It may be repeated; the event of the erasure is the caller's.
func (s *Store) ForgetSubject(ctx context.Context, person string) (removed int64, err error) {
	var ordinal uint32
	err = s.DB().Read().QueryRowContext(ctx, "SELECT ordinal FROM people WHERE name = $1", person).Scan(&ordinal)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look up %s: %w", person, err)
	}
	if err := s.forgetInGroups(ctx, person, ordinal); err != nil {
		return 0, err
	}
	workspace := Workspace(person)
	err = s.metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		removed = 0
		if _, err := lockEpoch(ctx, tx, workspace, true); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM usage_subjects WHERE workspace = $1 AND ordinal = $2", workspace, int64(ordinal)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE usage_epochs SET epoch = epoch + 1 WHERE workspace = $1", workspace); err != nil {
			return err
		}
		return rewriteUsage(ctx, tx, workspace, func(set *roaring.Bitmap) bool {
			was := set.CheckedRemove(ordinal)
			if was {
				removed++
			}
			return was
		})
	})
	if err != nil {
		return 0, fmt.Errorf("forget the usage of %s: %w", person, err)
	}
	return removed, nil
}

func (s *Store) forgetInGroups(ctx context.Context, person string, ordinal uint32) error {
	workspace := Workspace(person)
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := raiseUsageVersion(ctx, tx, workspace); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM usage_opt_outs WHERE person = $1", person); err != nil {
			return fmt.Errorf("forget the opt-outs of %s: %w", person, err)
		}
		groups, err := readGroups(ctx, tx, workspace)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if err := g.without(ctx, tx, workspace, ordinal); err != nil {
				return fmt.Errorf("forget %s as part of a group: %w", person, err)
			}
		}
		return nil
	})
}

// group is one row of usage_groups.
type group struct {
	subject string
	digest  []byte
	people  *adoption.Set
}

// without takes a person out of a group. Another that is the same then stays the one.
func (g group) without(ctx context.Context, tx *sqldb.Tx, workspace string, ordinal uint32) error {
	if !g.people.CheckedRemove(ordinal) {
		return nil
	}
	people, digest, err := packGroup(g.people)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO usage_groups (workspace, subject, digest, release_day, people)
		SELECT workspace, subject, $1, release_day, $2 FROM usage_groups WHERE workspace = $3 AND subject = $4 AND digest = $5
		ON CONFLICT (workspace, subject, digest) DO NOTHING`, digest, people, workspace, g.subject, slices.Clone(g.digest))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM usage_groups WHERE workspace = $1 AND subject = $2 AND digest = $3", workspace, g.subject, g.digest)
	return err
}
