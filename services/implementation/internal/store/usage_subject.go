package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// firstKey is the first ordinal of a key that is bound to nobody; those below are of people.
const firstKey = 1 << 31

// keyChunk is how many keys one statement takes: SQLite looks for each placeholder among all before it.
const keyChunk = 100

// maxRemembered bounds what a process remembers of people and keys.
const maxRemembered = 2_000_000

// maxCohorts is of how many cohorts a process remembers the members, and maxMembers of how many at most.
const (
	maxCohorts = 1000
	maxMembers = 20_000
)

// usageMemory is what a process remembers between batches, so that a batch costs no look-up of its people. Keys hold for
// an epoch, people and opt-outs for a version; every batch asks for both.
type usageMemory struct {
	mu     sync.Mutex
	people map[string]knownPeople   // by workspace
	keys   map[string]knownKeys     // by workspace
	out    map[string]knownOptedOut // by workspace

	members map[string]knownMembers // by cohort
}

type knownPeople struct {
	version  int64
	ordinals map[string]uint32 // by name
}

type knownKeys struct {
	epoch    int64
	ordinals map[string]uint32
}

type knownOptedOut struct {
	version int64
	spans   map[uint32][]adoption.Span
}

// usageDay is a feature on a day.
type usageDay struct {
	feature string
	day     adoption.Day
}

// peopleOrdinals looks people of a workspace up by name; those who do not exist are missing. Version is [Store.usageVersion], asked for before.
func (s *Store) peopleOrdinals(ctx context.Context, workspace string, version int64, names []string) (map[string]uint32, error) {
	all := make(map[string]uint32, len(names))
	var unknown []string
	s.usage.mu.Lock()
	known := s.usage.people[workspace]
	for _, name := range names {
		if ordinal, ok := known.ordinals[name]; ok && known.version == version {
			all[name] = ordinal
		} else {
			unknown = append(unknown, name)
		}
	}
	s.usage.mu.Unlock()
	slices.Sort(unknown)
	unknown = slices.Compact(unknown)
	found := map[string]uint32{}
	for part := range slices.Chunk(unknown, chunk) {
		rows, err := s.DB().Read().QueryContext(ctx, "SELECT name, ordinal FROM people WHERE name IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		some, err := sqldb.Collect(rows, err, scanOrdinal)
		if err != nil {
			return nil, fmt.Errorf("look up people: %w", err)
		}
		for _, one := range some {
			found[one.name] = one.ordinal
		}
	}
	gone, err := erased(ctx, s.DB().Read(), unknown)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(found, func(name string, _ uint32) bool { return gone[name] })
	maps.Copy(all, found)
	s.rememberPeople(workspace, version, found)
	return all, nil
}

func (s *Store) rememberPeople(workspace string, version int64, found map[string]uint32) {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	if s.usage.people == nil {
		s.usage.people = map[string]knownPeople{}
	}
	known := s.usage.people[workspace]
	switch {
	case len(found) == 0 || known.version > version:
		return
	case known.version < version || known.ordinals == nil || len(known.ordinals) > maxRemembered:
		known = knownPeople{version: version, ordinals: make(map[string]uint32, len(found))}
	}
	maps.Copy(known.ordinals, found)
	s.usage.people[workspace] = known
}

type named struct {
	name    string
	ordinal uint32
}

func scanOrdinal(rows *sql.Rows) (one named, err error) {
	return one, rows.Scan(&one.name, &one.ordinal)
}

// keep puts the marks of a batch into the database, and returns once they are there.
func (s *Store) keep(ctx context.Context, b *usageBatch) error {
	out, err := s.optedOut(ctx, b.workspace, b.version)
	if err != nil {
		return err
	}
	var epoch int64
	var ordinals map[string]uint32
	keys := b.keys()
	err = s.metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if epoch, err = lockEpoch(ctx, tx, b.workspace, len(keys) > 0 && !s.remembersAll(b.workspace, keys)); err != nil {
			return err
		}
		if ordinals, err = s.keyOrdinals(ctx, tx, b.workspace, epoch, keys); err != nil {
			return err
		}
		return merge(ctx, tx, b.sets(ordinals, out))
	})
	if err != nil {
		return fmt.Errorf("keep usage of %s: %w", b.workspace, err)
	}
	s.remember(b.workspace, epoch, ordinals)
	return nil
}

// keys are the keys of a batch, each once, in order.
func (b *usageBatch) keys() []string {
	var keys []string
	for _, m := range b.marks {
		if m.key != "" {
			keys = append(keys, m.key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// sets are the bits of a batch. What people did on days on which they were out is not kept.
func (b *usageBatch) sets(keys map[string]uint32, out map[uint32][]adoption.Span) map[usageDay]*roaring.Bitmap {
	ordinals := map[usageDay][]uint32{}
	for _, m := range b.marks {
		ordinal := m.ordinal
		if m.key != "" {
			ordinal = keys[m.key]
		}
		isOut := func(s adoption.Span) bool { return s.Start <= m.day && (s.End == 0 || m.day < s.End) }
		if !slices.ContainsFunc(out[ordinal], isOut) {
			at := usageDay{m.feature, m.day}
			ordinals[at] = append(ordinals[at], ordinal)
		}
	}
	sets := make(map[usageDay]*roaring.Bitmap, len(ordinals))
	for at, all := range ordinals {
		slices.Sort(all)
		sets[at] = roaring.BitmapOf(all...)
	}
	return sets
}

// lockEpoch reads the epoch of a workspace, and keeps it until the commit; exclusively where keys may be added.
func lockEpoch(ctx context.Context, tx *sqldb.Tx, workspace string, exclusive bool) (epoch int64, err error) {
	lock := ""
	if tx.Dialect() == sqldb.Postgres {
		lock = " FOR SHARE"
		if exclusive {
			lock = " FOR UPDATE"
		}
	}
	err = tx.QueryRowContext(ctx, "SELECT epoch FROM usage_epochs WHERE workspace = $1"+lock, workspace).Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, `INSERT INTO usage_epochs (workspace, next, epoch) VALUES ($1, $2, 1)
			ON CONFLICT (workspace) DO UPDATE SET next = usage_epochs.next RETURNING epoch`, workspace, int64(firstKey)).Scan(&epoch)
	}
	if err != nil {
		return 0, fmt.Errorf("epoch of keys of %s: %w", workspace, err)
	}
	return epoch, nil
}

// keyOrdinals looks keys up, and gives ordinals to those that are new.
func (s *Store) keyOrdinals(ctx context.Context, tx *sqldb.Tx, workspace string, epoch int64, keys []string) (map[string]uint32, error) {
	all := make(map[string]uint32, len(keys))
	s.usage.mu.Lock()
	if known := s.usage.keys[workspace]; known.epoch == epoch {
		for _, key := range keys {
			if ordinal, ok := known.ordinals[key]; ok {
				all[key] = ordinal
			}
		}
	}
	s.usage.mu.Unlock()
	missing := func() []string {
		return slices.Collect(func(yield func(string) bool) {
			for _, key := range keys {
				if _, ok := all[key]; !ok && !yield(key) {
					return
				}
			}
		})
	}
	found, err := boundKeys(ctx, tx, workspace, missing())
	if err != nil {
		return nil, err
	}
	maps.Copy(all, found)
	fresh := missing()
	if len(fresh) == 0 {
		return all, nil
	}
	var next int64
	err = tx.QueryRowContext(ctx, "UPDATE usage_epochs SET next = next + $1 WHERE workspace = $2 RETURNING next", len(fresh), workspace).Scan(&next)
	if err != nil {
		return nil, fmt.Errorf("give ordinals to keys: %w", err)
	}
	for i, key := range fresh {
		all[key] = uint32(next - int64(len(fresh)-i)) //nolint:gosec // G115: 2^31 keys are more than there are people
	}
	return all, insertKeys(ctx, tx, workspace, fresh, all)
}

// boundKeys reads the ordinals of keys; those never seen are missing.
func boundKeys(ctx context.Context, tx *sqldb.Tx, workspace string, keys []string) (map[string]uint32, error) {
	all := make(map[string]uint32, len(keys))
	for part := range slices.Chunk(keys, keyChunk) {
		rows, err := tx.QueryContext(ctx, "SELECT key, ordinal FROM usage_subjects WHERE workspace = $1 AND key IN ("+sqldb.Marks(2, len(part))+")",
			append([]any{workspace}, sqldb.Texts(part)...)...)
		found, err := sqldb.Collect(rows, err, scanOrdinal)
		if err != nil {
			return nil, fmt.Errorf("look up keys: %w", err)
		}
		for _, one := range found {
			all[one.name] = one.ordinal
		}
	}
	return all, nil
}

// insertKeys stores keys with their ordinals; a key that is there gets the one given.
func insertKeys(ctx context.Context, tx *sqldb.Tx, workspace string, keys []string, ordinals map[string]uint32) error {
	for part := range slices.Chunk(keys, keyChunk) {
		args := make([]any, 0, 3*len(part))
		for _, key := range part {
			args = append(args, workspace, key, int64(ordinals[key]))
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO usage_subjects (workspace, key, ordinal) VALUES "+sqldb.Tuples(len(part), 3)+
			" ON CONFLICT (workspace, key) DO UPDATE SET ordinal = excluded.ordinal", args...)
		if err != nil {
			return fmt.Errorf("store keys: %w", err)
		}
	}
	return nil
}

// remembersAll is a guess at which lock a batch needs: it may be wrong, and the lock then has to grow.
func (s *Store) remembersAll(workspace string, keys []string) bool {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	known := s.usage.keys[workspace].ordinals
	return !slices.ContainsFunc(keys, func(key string) bool { _, ok := known[key]; return !ok })
}

func (s *Store) remember(workspace string, epoch int64, ordinals map[string]uint32) {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	if s.usage.keys == nil {
		s.usage.keys = map[string]knownKeys{}
	}
	known := s.usage.keys[workspace]
	switch {
	case known.epoch > epoch:
		return
	case known.epoch < epoch || len(known.ordinals) > maxRemembered:
		known = knownKeys{epoch: epoch, ordinals: make(map[string]uint32, len(ordinals))}
	}
	maps.Copy(known.ordinals, ordinals)
	s.usage.keys[workspace] = known
}
