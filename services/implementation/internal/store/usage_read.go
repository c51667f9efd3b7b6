package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// This file is the only one that reads who used what, but for those that write it. What it reads goes to package
// adoption and leaves it as counts over groups that may be told about; a test of package disclosure looks for others.

// storedUsage is one row of usage_days.
type storedUsage struct {
	feature string
	day     adoption.Day
	set     *roaring.Bitmap
}

func scanUsage(rows *sql.Rows) (one storedUsage, err error) {
	var bits []byte
	if err := rows.Scan(&one.feature, &one.day, &bits); err != nil {
		return one, err
	}
	one.set = roaring.New()
	if _, err := one.set.FromBuffer(bits); err != nil {
		return one, fmt.Errorf("usage of %s on %s: %w", one.feature, one.day, err)
	}
	return one, nil
}

// readUsage reads who used features on the days from first to last.
func (s *Store) readUsage(ctx context.Context, features []string, first, last adoption.Day) (map[string]adoption.Usage, error) {
	all := make(map[string]adoption.Usage, len(features))
	for part := range slices.Chunk(features, chunk) {
		rows, err := s.metrics.Read().QueryContext(ctx, "SELECT feature, day, bits FROM usage_days WHERE day >= $1 AND day <= $2 AND feature IN ("+sqldb.Marks(3, len(part))+")",
			append([]any{int64(first), int64(last)}, sqldb.Texts(part)...)...)
		found, err := sqldb.Collect(rows, err, scanUsage)
		if err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		for _, one := range found {
			usage, ok := all[one.feature]
			if !ok {
				usage = adoption.Usage{First: first, Sets: make([]*adoption.Set, last-first+1)}
				all[one.feature] = usage
			}
			usage.Sets[one.day-first] = one.set
		}
	}
	return all, nil
}

// usageVersion rises with every change of who is out and of which people there are no more, so that what is remembered of them can be trusted.
func (s *Store) usageVersion(ctx context.Context, workspace string) (version int64, err error) {
	err = s.DB().Read().QueryRowContext(ctx, "SELECT version FROM usage_locks WHERE workspace = $1", workspace).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("version of people of %s: %w", workspace, err)
	}
	return version, nil
}

// optedOut is when people of a workspace are out, by ordinal.
func (s *Store) optedOut(ctx context.Context, workspace string, version int64) (map[uint32][]adoption.Span, error) {
	s.usage.mu.Lock()
	known, ok := s.usage.out[workspace]
	s.usage.mu.Unlock()
	if ok && known.version == version {
		return known.spans, nil
	}
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT ordinal, start_day, end_day FROM usage_opt_outs WHERE workspace = $1", workspace)
	spans, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (one adoption.Span, err error) {
		return one, rows.Scan(&one.Ordinal, &one.Start, &one.End)
	})
	if err != nil {
		return nil, fmt.Errorf("read opt-outs of %s: %w", workspace, err)
	}
	known = knownOptedOut{version: version, spans: map[uint32][]adoption.Span{}}
	for _, one := range spans {
		known.spans[one.Ordinal] = append(known.spans[one.Ordinal], one)
	}
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	if s.usage.out == nil {
		s.usage.out = map[string]knownOptedOut{}
	}
	if s.usage.out[workspace].version <= version {
		s.usage.out[workspace] = known
	}
	return known.spans, nil
}

// knownMembers are the memberships of a cohort as they were read once, and by what it is seen whether they still are.
type knownMembers struct {
	stamp memberStamp
	spans []adoption.Span
}

// memberStamp changes with every write of a membership: each has a later update_time, and none is deleted and another created
// without the sum moving.
type memberStamp struct{ count, sum int64 }

// memberSpans is when people belong to cohorts, by cohort. Who is a member at any moment of a day is one on that day. What
// was read once is read again when it has changed.
func (s *Store) memberSpans(ctx context.Context, cohorts []string) (map[string][]adoption.Span, error) {
	all := make(map[string][]adoption.Span, len(cohorts))
	for part := range slices.Chunk(cohorts, chunk) {
		stamps, err := s.memberStamps(ctx, part)
		if err != nil {
			return nil, err
		}
		var changed []string
		s.usage.mu.Lock()
		for _, cohort := range part {
			known, ok := s.usage.members[cohort]
			if all[cohort] = known.spans; !ok || known.stamp != stamps[cohort] {
				changed = append(changed, cohort)
			}
		}
		s.usage.mu.Unlock()
		if len(changed) == 0 {
			continue
		}
		fresh, err := s.readMembers(ctx, changed)
		if err != nil {
			return nil, err
		}
		s.rememberMembers(changed, fresh, stamps)
		for _, cohort := range changed {
			all[cohort] = fresh[cohort]
		}
	}
	return all, nil
}

func (s *Store) memberStamps(ctx context.Context, cohorts []string) (map[string]memberStamp, error) {
	stamps := make(map[string]memberStamp, len(cohorts))
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT parent, COUNT(*), SUM(update_time % 1000000007) FROM memberships WHERE parent IN ("+sqldb.Marks(1, len(cohorts))+") GROUP BY parent",
		sqldb.Texts(cohorts)...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var cohort string
		var stamp memberStamp
		err = rows.Scan(&cohort, &stamp.count, &stamp.sum)
		stamps[cohort] = stamp
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("have members changed: %w", err)
	}
	return stamps, nil
}

// rememberMembers keeps what was read, under the stamps of before it was read: what changed in between is read again.
func (s *Store) rememberMembers(cohorts []string, fresh map[string][]adoption.Span, stamps map[string]memberStamp) {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	if s.usage.members == nil || len(s.usage.members) > maxCohorts {
		s.usage.members = map[string]knownMembers{}
	}
	for _, cohort := range cohorts {
		if len(fresh[cohort]) <= maxMembers {
			s.usage.members[cohort] = knownMembers{stamp: stamps[cohort], spans: fresh[cohort]}
		}
	}
}

// readMembers reads memberships. Those of an import have the same days, so the database sends them as one.
func (s *Store) readMembers(ctx context.Context, cohorts []string) (map[string][]adoption.Span, error) {
	join := "group_concat(p.ordinal)"
	if s.DB().Dialect() == sqldb.Postgres {
		join = "string_agg(p.ordinal::text, ',')"
	}
	all := make(map[string][]adoption.Span, len(cohorts))
	rows, err := s.DB().Read().QueryContext(ctx, "SELECT m.parent, m.start_date, m.end_date, "+join+` FROM memberships m JOIN people p ON p.name = m.person
		WHERE m.parent IN (`+sqldb.Marks(1, len(cohorts))+") GROUP BY m.parent, m.start_date, m.end_date", sqldb.Texts(cohorts)...)
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var cohort, ordinals string
		var start, end int64
		var one adoption.Span
		if err := rows.Scan(&cohort, &start, &end, &ordinals); err != nil {
			return none, err
		}
		one.Start = adoption.DayOf(fromMicros(start))
		if start == 0 {
			one.Start = -1 << 30 // since ever
		}
		if end != 0 {
			one.End = adoption.DayOf(fromMicros(end-1)) + 1
		}
		for ordinal := range strings.SplitSeq(ordinals, ",") {
			n, err := strconv.ParseUint(ordinal, 10, 32)
			if err != nil {
				return none, err
			}
			one.Ordinal = uint32(n)
			all[cohort] = append(all[cohort], one)
		}
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	return all, nil
}
