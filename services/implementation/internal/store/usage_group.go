package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// publish decides about which groups numbers may be told, by what was told before. Decide runs on the family of the
// workspace and answers what is new to it; while that is nothing, nothing is written and nobody is kept waiting.
func (s *Store) publish(ctx context.Context, workspace string, decide func(f *adoption.Family) (released map[string][]*adoption.Set)) error {
	groups, err := readGroups(ctx, s.DB().Read(), workspace)
	if err != nil {
		return err
	}
	if len(decide(family(groups))) == 0 {
		return nil
	}
	err = s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := lockGroups(ctx, tx, workspace); err != nil {
			return err
		}
		groups, err := readGroups(ctx, tx, workspace) // again: another may have been told meanwhile
		if err != nil {
			return err
		}
		for subject, sets := range decide(family(groups)) {
			for _, set := range sets {
				if err := s.insertGroup(ctx, tx, workspace, subject, set); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("release groups of %s: %w", workspace, err)
	}
	return nil
}

func family(groups []group) *adoption.Family {
	f := adoption.NewFamily(adoption.SmallestGroup)
	for _, g := range groups {
		f.Add(g.subject, g.people)
	}
	return f
}

// lockGroups lets one transaction of a workspace after the other decide.
func lockGroups(ctx context.Context, tx *sqldb.Tx, workspace string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO usage_locks (workspace, version) VALUES ($1, 1)
		ON CONFLICT (workspace) DO UPDATE SET version = usage_locks.version`, workspace)
	return err
}

func readGroups(ctx context.Context, q sqldb.Queryer, workspace string) ([]group, error) {
	rows, err := q.QueryContext(ctx, "SELECT subject, digest, people FROM usage_groups WHERE workspace = $1 ORDER BY subject, digest", workspace)
	groups, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (one group, err error) {
		var people []byte
		if err := rows.Scan(&one.subject, &one.digest, &people); err != nil {
			return one, err
		}
		one.people = roaring.New()
		_, err = one.people.FromBuffer(people)
		return one, err
	})
	if err != nil {
		return nil, fmt.Errorf("read groups of %s: %w", workspace, err)
	}
	return groups, nil
}

func (s *Store) insertGroup(ctx context.Context, tx *sqldb.Tx, workspace, subject string, set *adoption.Set) error {
	people, digest, err := packGroup(set)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO usage_groups (workspace, subject, digest, release_day, people) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace, subject, digest) DO NOTHING`, workspace, subject, digest, int64(adoption.DayOf(s.Now())), people)
	if err != nil {
		return fmt.Errorf("keep a group of %s: %w", subject, err)
	}
	return nil
}

// packGroup is a group as it is stored, and the digest by which it is found: the same people have the same.
func packGroup(set *adoption.Set) (people, digest []byte, err error) {
	set = set.Clone()
	set.RunOptimize()
	if people, err = set.ToBytes(); err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(people)
	return people, sum[:], nil
}
