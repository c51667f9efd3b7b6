package measure_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/measure"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// BenchmarkTwentyScopes measures 20 applications on 50 targets each over 28 days, with a sample every five minutes and 50 ratings each. The control asks
// for one scope after the other.
func BenchmarkTwentyScopes(b *testing.B) {
	const scopes, targets, days = 20, 50, 28
	for _, kind := range pgtest.Databases(b) {
		w := setup(b, kind)
		var all []*deploymentv1.MeasureScope
		for n := range scopes {
			application := fmt.Sprintf("%s/applications/a%02d", ws, n)
			all = append(all, scopeOf(application, []string{application}, prod))
			w.fill(application, targets, days)
		}
		require.NoError(b, w.Rollup(b.Context()))
		ask := func(b *testing.B, some ...*deploymentv1.MeasureScope) {
			b.Helper()
			out, err := measure.Compute(b.Context(), w.Store, &deploymentv1.ComputeMeasuresRequest{Parent: ws, Scopes: some})
			require.NoError(b, err)
			for _, m := range out.GetMeasures() {
				require.EqualValues(b, targets, m.GetTargets())
				require.Positive(b, m.GetUptime().GetNumerator())
			}
		}
		b.Run(kind.Name+"/together", func(b *testing.B) {
			for b.Loop() {
				ask(b, all...)
			}
		})
		b.Run(kind.Name+"/control one by one", func(b *testing.B) {
			for b.Loop() {
				for _, one := range all {
					ask(b, one)
				}
			}
		})
	}
}

// fill makes runs, buckets, samples and ratings of an application.
func (b *bundle) fill(application string, targets, days int) {
	b.Helper()
	start := b.now.AddDate(0, 0, -days)
	var runs, buckets [][]any
	for n := range targets {
		installation := fmt.Sprintf("%s/i%d", application, n)
		runs = append(runs, []any{fmt.Sprintf("%s/targets/t%d", prod, n), application, start.UnixMicro(), int64(0), application + "/releases/v1", installation})
		for day := range days {
			row := []any{store.Day.Microseconds(), installation, start.AddDate(0, 0, day).UnixMicro(), store.Day.Microseconds(), store.Day.Microseconds() - 1000, int64(8640), int64(0), int64(1), int64(900)}
			for range 12 {
				row = append(row, int64(8640))
			}
			buckets = append(buckets, append(row, b.now.UnixMicro()))
		}
	}
	b.bulk(b.DB, "INSERT INTO runs (target, application, from_time, to_time, release, installation) VALUES ", runs)
	b.bulk(b.Metrics, `INSERT INTO probe_buckets (resolution, installation, start_time, observed, good, succeeded, failed, latency_sum_us, latency_max_us,
		within_1, within_2, within_5, within_10, within_20, within_50, within_100, within_200, within_500, within_1000, within_2000, within_5000, update_time) VALUES `, buckets)
	var samples []*deploymentv1.Sample
	const every = 5 * time.Minute
	for end := start.Add(every); !end.After(b.now); end = end.Add(every) {
		samples = append(samples, &deploymentv1.Sample{
			Release: application + "/releases/v1", Counter: "http_errors", Environment: prod, StartTime: timestamppb.New(end.Add(-every)), EndTime: timestamppb.New(end), Total: 1000, Bad: 1,
		})
	}
	_, err := b.PutSamples(b.Context(), samples)
	require.NoError(b, err)
	var said []any
	for n := range 50 {
		said = append(said, &deploymentv1.Feedback{Name: fmt.Sprintf("%s/feedback/f%d", application, n), Pseudonym: fmt.Sprint(n), Rating: 4})
	}
	b.insert(said...)
}

func (b *bundle) bulk(db *sqldb.DB, head string, rows [][]any) {
	b.Helper()
	require.NoError(b, db.Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for some := range slices.Chunk(rows, 50) {
			if _, err := tx.ExecContext(ctx, head+sqldb.Tuples(len(some), len(some[0])), slices.Concat(some...)...); err != nil {
				return err
			}
		}
		return nil
	}))
}
