package store_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const crm = workspace + "/applications/crm"

func (b *fleetBundle) runs(target, release, installation string, at time.Time) {
	b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
		return store.PutSlots(ctx, tx, []*store.Slot{{Target: environment + "/targets/" + target, Application: crm, Release: release, Installation: installation, Since: at, Settled: true}})
	})
}

func TestWhatRanWhereIsKept(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		hour := func(n int) time.Time { return b.now.Add(time.Duration(n) * time.Hour) }
		b.runs("a", "v1", "i1", hour(0))
		b.runs("a", "v2", "i2", hour(5))
		b.runs("a", "v1", "i2", hour(6)) // i2 was reverted
		b.runs("b", "v1", "i3", hour(1))
		b.runs("b", "", "i4", hour(2)) // removed

		all, err := store.Runs(t.Context(), b.DB.Read(), store.RunQuery{Environment: environment, Limit: 10})
		require.NoError(t, err)
		type short struct {
			target, release string
			from, to        time.Duration
		}
		var got []short
		for _, r := range all {
			s := short{r.Target[len(environment+"/targets/"):], r.Release, r.From.Sub(b.now).Truncate(time.Second), -1}
			if !r.To.IsZero() {
				s.to = r.To.Sub(b.now)
			}
			got = append(got, s)
		}
		require.Equal(t, []short{
			{"a", "v1", 6 * time.Hour, -1},
			{"a", "v2", 5 * time.Hour, 6 * time.Hour},
			{"b", "v1", time.Hour, 2 * time.Hour},
			{"a", "v1", 0, 5 * time.Hour},
		}, got)

		at, err := store.Runs(t.Context(), b.DB.Read(), store.RunQuery{Environment: environment, Application: crm, Start: hour(1), End: hour(1).Add(time.Microsecond), Limit: 10})
		require.NoError(t, err)
		require.Len(t, at, 2, "what ran at one o'clock")

		page, err := store.Runs(t.Context(), b.DB.Read(), store.RunQuery{Environment: environment, Before: &all[1], Limit: 1})
		require.NoError(t, err)
		require.Equal(t, all[2:3], page)

		b.runs("a", "v1", "i2", hour(7))
		again, err := store.Runs(t.Context(), b.DB.Read(), store.RunQuery{Environment: environment, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, all, again, "the same once more is no news")
	})
}

// Whatever arrives in whatever order, and however often it is added up: every resolution holds the sum of the summaries.
func TestBucketsAreTheSumOfTheirSummaries(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		const span = 3 * time.Hour
		begin := b.now.Truncate(24 * time.Hour).Add(22*time.Hour + 17*time.Second) // over midnight
		random := rand.New(rand.NewPCG(7, 7))
		var all []*agentv1.ProbeSummary
		want := store.Observation{Within: make([]int64, 12)}
		for at := begin; at.Before(begin.Add(span)); at = at.Add(10 * time.Second) {
			p := &agentv1.ProbeSummary{
				Installation: "i", StartTime: timestamppb.New(at), EndTime: timestamppb.New(at.Add(10 * time.Second)),
				Succeeded: random.Int64N(11), LatencyMaxUs: random.Int64N(900), LatencySumUs: random.Int64N(5000), LatencyCounts: make([]int64, 12),
			}
			p.Failed = 10 - p.GetSucceeded()
			for i := range p.GetLatencyCounts() {
				p.LatencyCounts[i] = min(p.GetSucceeded(), int64(i))
				want.Within[i] += p.GetLatencyCounts()[i]
			}
			want.Observed += 10 * time.Second
			want.Good += time.Duration(p.GetSucceeded()) * time.Second
			want.Succeeded += p.GetSucceeded()
			want.Failed += p.GetFailed()
			want.LatencySum += time.Duration(p.GetLatencySumUs()) * time.Microsecond
			want.LatencyMax = max(want.LatencyMax, time.Duration(p.GetLatencyMaxUs())*time.Microsecond)
			all = append(all, p)
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for len(all) > 0 {
			n := min(100, len(all))
			require.NoError(t, b.AppendProbes(t.Context(), all[:n]))
			all = all[n:]
			b.now = b.now.Add(time.Minute)
			require.NoError(t, b.Rollup(t.Context()))
		}
		require.NoError(t, b.Rollup(t.Context()), "again")
		run := []store.Run{{Installation: "i", From: begin.Add(-time.Hour)}}
		for _, resolution := range []time.Duration{store.Minute, store.Hour, store.Day} {
			want.Start = begin.Truncate(24 * time.Hour)
			got, err := b.Observe(t.Context(), run, resolution, want.Start, begin.Add(48*time.Hour))
			require.NoError(t, err)
			require.Equal(t, want, got, resolution)
		}
		series, err := b.ObserveSeries(t.Context(), run, store.Hour, begin.Add(-48*time.Hour), begin.Add(48*time.Hour))
		require.NoError(t, err)
		require.Len(t, series, 4, "22, 23, 0 and 1 o'clock")

		none, err := b.Observe(t.Context(), []store.Run{{Installation: "i", From: begin.Add(-time.Hour), To: begin.Add(-time.Minute)}}, store.Minute, begin.Add(-24*time.Hour), begin.Add(24*time.Hour))
		require.NoError(t, err)
		require.Zero(t, none.Observed, "only while it ran")

		b.now = begin.Add(store.Kept(store.Minute) + span + time.Minute)
		require.NoError(t, b.PurgeBuckets(t.Context()))
		gone, err := b.Observe(t.Context(), run, store.Minute, begin.Add(-24*time.Hour), begin.Add(24*time.Hour))
		require.NoError(t, err)
		require.Zero(t, gone.Observed)
		stays, err := b.Observe(t.Context(), run, store.Hour, begin.Add(-24*time.Hour), begin.Add(24*time.Hour))
		require.NoError(t, err)
		require.Equal(t, want.Observed, stays.Observed)
	})
}
