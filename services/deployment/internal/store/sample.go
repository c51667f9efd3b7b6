package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

// Tally counts events and the bad ones among them.
type Tally struct{ Total, Bad int64 }

// PutSamples stores counts that were pushed; one with the key of another replaces it. It returns how
// many were new or changed.
func (s *Store) PutSamples(ctx context.Context, samples []*deploymentv1.Sample) (accepted int32, err error) {
	now := s.Now().UnixMicro()
	rows := make([][]any, 0, len(samples))
	for _, p := range lastOfEach(samples) {
		rows = append(rows, []any{
			p.GetEnvironment(), p.GetRelease(), p.GetCounter(), p.GetStartTime().AsTime().UnixMicro(), p.GetSource(),
			p.GetEndTime().AsTime().UnixMicro(), p.GetTotal(), p.GetBad(), now,
		})
	}
	err = s.Metrics.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		accepted = 0
		for chunk := range slices.Chunk(rows, batch) {
			result, err := tx.ExecContext(ctx, `INSERT INTO samples (environment, release, counter, start_time, source, end_time, total, bad, receive_time)
				VALUES `+sqldb.Tuples(len(chunk), len(chunk[0]))+` ON CONFLICT (environment, release, counter, start_time, source) DO UPDATE SET
				end_time = excluded.end_time, total = excluded.total, bad = excluded.bad, receive_time = excluded.receive_time
				WHERE samples.end_time <> excluded.end_time OR samples.total <> excluded.total OR samples.bad <> excluded.bad`, slices.Concat(chunk...)...)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			accepted += int32(n) //nolint:gosec // G115: at most a chunk
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store samples: %w", err)
	}
	return accepted, nil
}

// lastOfEach keeps the last sample of each key, in the order of the keys: no statement may change a row
// twice, and two writers lock in one order.
func lastOfEach(samples []*deploymentv1.Sample) []*deploymentv1.Sample {
	order := func(a, b *deploymentv1.Sample) int {
		return cmp.Or(cmp.Compare(a.GetEnvironment(), b.GetEnvironment()), cmp.Compare(a.GetRelease(), b.GetRelease()), cmp.Compare(a.GetCounter(), b.GetCounter()),
			a.GetStartTime().AsTime().Compare(b.GetStartTime().AsTime()), cmp.Compare(a.GetSource(), b.GetSource()))
	}
	sorted := slices.Clone(samples)
	slices.Reverse(sorted)
	slices.SortStableFunc(sorted, order)
	return slices.CompactFunc(sorted, func(a, b *deploymentv1.Sample) bool { return order(a, b) == 0 })
}

// PushedTally sums what was pushed of a release under a counter in an environment, with an end in (from, to].
func (s *Store) PushedTally(ctx context.Context, environment, release, counter string, from, to time.Time) (t Tally, err error) {
	err = s.Metrics.Read().QueryRowContext(ctx, `SELECT COALESCE(SUM(total), 0), COALESCE(SUM(bad), 0) FROM samples
		WHERE environment = $1 AND counter = $2 AND end_time > $3 AND end_time <= $4 AND release = $5`,
		environment, counter, from.UnixMicro(), to.UnixMicro(), release).Scan(&t.Total, &t.Bad)
	if err != nil {
		return t, fmt.Errorf("sum samples of %s: %w", release, err)
	}
	return t, nil
}

// longestSummary is what no summary is longer than; it bounds what is read.
const longestSummary = 10 * time.Minute

// ProbeTally sums the probes of installations whose summaries end in (from, to]: one arrives when it ends. bucket is the place in
// latency_counts of the bound beyond which a probe is bad; -1 where only failed ones are. The first summary of an
// installation does not count: it saw the application start.
func (s *Store) ProbeTally(ctx context.Context, installations []string, bucket int, from, to time.Time) (t Tally, err error) {
	good, counted := `p.succeeded`, ``
	if bucket >= 0 {
		classes := within()
		good = `p.` + classes[bucket]
		// An older agent does not count by latency: all its classes are empty, although its slowest success was fast.
		counted = fmt.Sprintf(` AND NOT (p.%s = 0 AND p.succeeded > 0 AND p.latency_max_us <= %d)`,
			classes[len(classes)-1], canary.LatencyBounds()[len(classes)-1].Microseconds())
	}
	err = inChunks(installations, func(marks string, args []any) error {
		var total, bad int64
		err := s.Metrics.Read().QueryRowContext(ctx, `SELECT COALESCE(SUM(p.succeeded + p.failed), 0), COALESCE(SUM(p.succeeded + p.failed - `+good+`), 0) FROM probe_summaries p
			WHERE p.installation IN (`+marks+`) AND p.start_time >= `+after(args, 1)+` AND p.start_time < `+after(args, 3)+`
			AND p.end_time > `+after(args, 2)+` AND p.end_time <= `+after(args, 3)+`
			AND EXISTS (SELECT 1 FROM probe_summaries e WHERE e.installation = p.installation AND e.start_time < p.start_time)`+counted,
			append(args, from.Add(-longestSummary).UnixMicro(), from.UnixMicro(), to.UnixMicro())...).Scan(&total, &bad)
		t.Total, t.Bad = t.Total+total, t.Bad+bad
		return err
	})
	if err != nil {
		return t, fmt.Errorf("sum probe summaries: %w", err)
	}
	return t, nil
}

// after is the mark of the n-th argument after those given.
func after(args []any, n int) string { return fmt.Sprintf("$%d", len(args)+n) }
