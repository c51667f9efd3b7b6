package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

// Resolutions of the kept series, finest first.
const (
	Minute = time.Minute
	Hour   = time.Hour
	Day    = 24 * time.Hour
)

// kept is for how long the buckets of each resolution are kept.
var kept = map[time.Duration]time.Duration{Minute: 7 * Day, Hour: 90 * Day, Day: 730 * Day}

// Kept is for how long buckets of a resolution are there.
func Kept(resolution time.Duration) time.Duration { return kept[resolution] }

// within names the columns of the classes.
func within() []string {
	bounds := canary.LatencyBounds()
	names := make([]string, len(bounds))
	for i, b := range bounds {
		names[i] = fmt.Sprint("within_", b.Milliseconds())
	}
	return names
}

// sums lists the columns that are added up; sumOf makes the expression of each out of a template.
func sums(of string) (columns, expressions string) {
	all := append([]string{"succeeded", "failed", "latency_sum_us"}, within()...)
	summed := make([]string, len(all))
	for i, c := range all {
		summed[i] = "SUM(" + of + c + ")"
	}
	return strings.Join(all, ", ") + ", latency_max_us", strings.Join(summed, ", ") + ", MAX(" + of + "latency_max_us)"
}

// Rollup brings the buckets of every resolution up to date with what has arrived.
func (s *Store) Rollup(ctx context.Context) error {
	for _, step := range []struct{ finer, resolution time.Duration }{{0, Minute}, {Minute, Hour}, {Hour, Day}} {
		err := s.Metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return rollup(ctx, tx, step.finer, step.resolution, s.Now())
		})
		if err != nil {
			return fmt.Errorf("add up probes by %s: %w", step.resolution, err)
		}
	}
	return nil
}

// rollup computes anew every bucket into which something has arrived since the last time. The
// row of the rollup is locked first: of two replicas, one computes and the other finds nothing left.
func rollup(ctx context.Context, tx *sqldb.Tx, finer, resolution time.Duration, now time.Time) error {
	// What arrives in the very microsecond of a rollup may be seen by it or not: a second of overlap.
	const overlap = time.Second
	lock := ``
	if tx.Dialect() == sqldb.Postgres {
		lock = ` FOR UPDATE`
	}
	var since int64
	if err := tx.QueryRowContext(ctx, `SELECT done_until FROM probe_rollups WHERE resolution = $1`+lock, resolution.Microseconds()).Scan(&since); err != nil {
		return err
	}
	columns, summed := sums("p.")
	from, arrived, observed, good, of := `probe_summaries`, `receive_time`, `SUM(p.end_time - p.start_time)`,
		`SUM((p.end_time - p.start_time) * p.succeeded / (p.succeeded + p.failed))`, `p.succeeded + p.failed > 0`
	if finer > 0 {
		from, arrived, observed, good, of = `probe_buckets`, `update_time`, `SUM(p.observed)`, `SUM(p.good)`, fmt.Sprint(`p.resolution = `, finer.Microseconds())
	}
	condition := arrivedSince(arrived) + ` AND ` + strings.ReplaceAll(of, "p.", "")
	_, err := tx.ExecContext(ctx, `WITH touched AS (SELECT DISTINCT installation, start_time / $1 * $1 AS bucket FROM `+from+` WHERE `+condition+`)
		INSERT INTO probe_buckets (resolution, installation, start_time, observed, good, `+columns+`, update_time)
		SELECT CAST($1 AS BIGINT), t.installation, t.bucket, `+observed+`, `+good+`, `+summed+`, CAST($3 AS BIGINT)
		FROM touched t JOIN `+from+` p ON p.installation = t.installation AND p.start_time >= t.bucket AND p.start_time < t.bucket + $1
		WHERE `+of+` GROUP BY t.installation, t.bucket
		ON CONFLICT (resolution, installation, start_time) DO UPDATE SET observed = excluded.observed, good = excluded.good, `+excluded(columns)+`, update_time = excluded.update_time`,
		resolution.Microseconds(), since, now.UnixMicro())
	if err != nil {
		return err
	}
	if err := rollupSamples(ctx, tx, finer, resolution, since, now); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE probe_rollups SET done_until = $1 WHERE resolution = $2`, now.Add(-overlap).UnixMicro(), resolution.Microseconds())
	return err
}

// arrivedSince is the condition of what arrived after the second argument. Of a range that is open SQLite expects a quarter of all rows, and
// reads the whole table in the order of its key rather than the few at the end of the index.
func arrivedSince(column string) string {
	return column + ` > $2 AND ` + column + fmt.Sprintf(` < %d`, math.MaxInt64)
}

// rollupSamples does the same for counts that were pushed, by hour and by day: nobody asks for theirs by minute, which is how they come.
func rollupSamples(ctx context.Context, tx *sqldb.Tx, finer, resolution time.Duration, since int64, now time.Time) error {
	if resolution == Minute {
		return nil
	}
	from, arrived, of := `samples`, `receive_time`, `TRUE`
	if resolution == Day {
		from, arrived, of = `sample_buckets`, `update_time`, fmt.Sprint(`p.resolution = `, finer.Microseconds())
	}
	// A join would let PostgreSQL pair every sample of a counter with every bucket of it while it has no statistics.
	sum := func(column string) string {
		return `(SELECT SUM(p.` + column + `) FROM ` + from + ` p WHERE ` + of + ` AND p.environment = t.environment AND p.release = t.release AND p.counter = t.counter
			AND p.start_time >= t.bucket AND p.start_time < t.bucket + $1)`
	}
	_, err := tx.ExecContext(ctx, `WITH touched AS (SELECT DISTINCT p.environment, p.release, p.counter, p.start_time / $1 * $1 AS bucket FROM `+from+` p WHERE `+arrivedSince("p."+arrived)+` AND `+of+`)
		INSERT INTO sample_buckets (resolution, environment, release, counter, start_time, total, bad, update_time)
		SELECT CAST($1 AS BIGINT), t.environment, t.release, t.counter, t.bucket, `+sum("total")+`, `+sum("bad")+`, CAST($3 AS BIGINT) FROM touched t WHERE TRUE
		ON CONFLICT (resolution, environment, release, counter, start_time) DO UPDATE SET total = excluded.total, bad = excluded.bad, update_time = excluded.update_time`,
		resolution.Microseconds(), since, now.UnixMicro())
	return err
}

func excluded(columns string) string {
	all := strings.Split(columns, ", ")
	for i, c := range all {
		all[i] = c + " = excluded." + c
	}
	return strings.Join(all, ", ")
}

// Observation is what probes saw, added up.
type Observation struct {
	// Start is the begin of the bucket, where there are several.
	Start          time.Time
	Observed, Good time.Duration
	Succeeded      int64
	Failed         int64
	LatencySum     time.Duration
	LatencyMax     time.Duration
	// Within counts successful probes by the bounds of canary.LatencyBounds, cumulative.
	Within []int64
}

// Observe adds up what the probes of runs saw in [start, end), in all.
func (s *Store) Observe(ctx context.Context, runs []Run, resolution time.Duration, start, end time.Time) (Observation, error) {
	var sum Observation
	err := s.observe(ctx, runs, resolution, start, end, `0`, func(o Observation) { sum.add(o) })
	sum.Start = start
	return sum, err
}

// ObserveSeries adds up the same bucket by bucket, oldest first.
func (s *Store) ObserveSeries(ctx context.Context, runs []Run, resolution time.Duration, start, end time.Time) (map[time.Time]Observation, error) {
	out := map[time.Time]Observation{}
	err := s.observe(ctx, runs, resolution, start, end, `b.start_time`, func(o Observation) {
		sum := out[o.Start]
		sum.add(o)
		sum.Start = o.Start
		out[o.Start] = sum
	})
	return out, err
}

// observe asks for the buckets of each run while it ran; runs of one installation can
// follow each other where a release was reverted, so names alone would not do.
func (s *Store) observe(ctx context.Context, runs []Run, resolution time.Duration, start, end time.Time, group string, add func(Observation)) error {
	const most = 200
	_, summed := sums("b.")
	for len(runs) > 0 {
		n := min(most, len(runs))
		args := make([]any, 0, 3*n+1)
		for _, r := range runs[:n] {
			lo, hi := clip(r, start, end)
			args = append(args, r.Installation, lo.Truncate(resolution).UnixMicro(), hi.UnixMicro())
		}
		rows, err := s.Metrics.Read().QueryContext(ctx, `WITH r (installation, lo, hi) AS (VALUES `+typedTuples(n, "TEXT", "BIGINT", "BIGINT")+`)
			SELECT `+group+`, SUM(b.observed), SUM(b.good), `+summed+` FROM r JOIN probe_buckets b ON b.resolution = `+fmt.Sprint("$", 3*n+1)+` AND b.installation = r.installation
			AND b.start_time >= r.lo AND b.start_time < r.hi GROUP BY 1`, append(args, resolution.Microseconds())...)
		found, err := sqldb.Collect(rows, err, scanObservation)
		if err != nil {
			return fmt.Errorf("add up observations: %w", err)
		}
		for _, o := range found {
			add(o)
		}
		runs = runs[n:]
	}
	return nil
}

// clip returns the part of a run that lies in [start, end).
func clip(r Run, start, end time.Time) (lo, hi time.Time) {
	lo, hi = start, end
	if r.From.After(lo) {
		lo = r.From
	}
	if !r.To.IsZero() && r.To.Before(hi) {
		hi = r.To
	}
	return lo, hi
}

func scanObservation(rows *sql.Rows) (Observation, error) {
	var start, observed, good, sum, most int64
	o := Observation{Within: make([]int64, len(canary.LatencyBounds()))}
	into := []any{&start, &observed, &good, &o.Succeeded, &o.Failed, &sum}
	for i := range o.Within {
		into = append(into, &o.Within[i])
	}
	err := rows.Scan(append(into, &most)...)
	o.Start, o.Observed, o.Good = time.UnixMicro(start).UTC(), micros(observed), micros(good)
	o.LatencySum, o.LatencyMax = micros(sum), micros(most)
	return o, err
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

func (o *Observation) add(other Observation) {
	o.Observed += other.Observed
	o.Good += other.Good
	o.Succeeded += other.Succeeded
	o.Failed += other.Failed
	o.LatencySum += other.LatencySum
	o.LatencyMax = max(o.LatencyMax, other.LatencyMax)
	if o.Within == nil {
		o.Within = make([]int64, len(other.Within))
	}
	for i, n := range other.Within {
		o.Within[i] += n
	}
}

// PurgeBuckets forgets what is older than each resolution is kept, some at a time.
func (s *Store) PurgeBuckets(ctx context.Context) error {
	var errs []error
	for resolution, keep := range kept {
		before := s.Now().Add(-keep).UnixMicro()
		errs = append(errs, s.purgeBuckets(ctx, `probe_buckets`, `resolution, installation, start_time`, resolution, before),
			s.purgeBuckets(ctx, `sample_buckets`, `resolution, environment, release, counter, start_time`, resolution, before))
	}
	return errors.Join(errs...)
}

func (s *Store) purgeBuckets(ctx context.Context, table, key string, resolution time.Duration, before int64) error {
	const some = 2000
	for removed := int64(some); removed == some; {
		err := s.Metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			result, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE (`+key+`) IN (SELECT `+key+` FROM `+table+` WHERE resolution = $1 AND start_time < $2 LIMIT $3)`,
				resolution.Microseconds(), before, some)
			if err != nil {
				return err
			}
			removed, err = result.RowsAffected()
			return err
		})
		if err != nil {
			return fmt.Errorf("forget %s of %s: %w", table, resolution, err)
		}
	}
	return nil
}
