package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

func TestSamplesAreCountedOnce(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		sample := func(release, source string, minute int, total, bad int64) *deploymentv1.Sample {
			start := b.now.Add(time.Duration(minute) * time.Minute)
			return &deploymentv1.Sample{
				Environment: "prod", Release: release, Counter: "errors", Source: source,
				StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Minute)), Total: total, Bad: bad,
			}
		}
		put := func(want int32, samples ...*deploymentv1.Sample) {
			t.Helper()
			accepted, err := b.PutSamples(t.Context(), samples)
			require.NoError(t, err)
			require.Equal(t, want, accepted)
		}
		put(3, sample("v1", "a", 0, 100, 1), sample("v1", "b", 0, 50, 2), sample("v2", "a", 0, 10, 5))
		put(0, sample("v1", "a", 0, 100, 1))
		put(1, sample("v1", "a", 0, 200, 3), sample("v1", "b", 0, 50, 2))
		put(1, sample("v1", "a", 1, 1, 1), sample("v1", "a", 1, 7, 7)) // the last word of a batch counts
		var many []*deploymentv1.Sample
		for i := range 120 {
			many = append(many, sample("v3", "a", i, 1, 0))
		}
		put(120, many...)

		tally, err := b.PushedTally(t.Context(), "prod", "v1", "errors", b.now, b.now.Add(time.Minute))
		require.NoError(t, err)
		require.Equal(t, store.Tally{Total: 250, Bad: 5}, tally)
		tally, err = b.PushedTally(t.Context(), "prod", "v1", "errors", b.now.Add(time.Minute), b.now.Add(2*time.Minute))
		require.NoError(t, err)
		require.Equal(t, store.Tally{Total: 7, Bad: 7}, tally)
		tally, err = b.PushedTally(t.Context(), "stage", "v1", "errors", b.now, b.now.Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, tally)

		b.now = b.now.Add(time.Hour)
		require.NoError(t, b.PurgeMetrics(t.Context(), b.now.UnixMicro()))
		tally, err = b.PushedTally(t.Context(), "prod", "v3", "errors", b.now.Add(-2*time.Hour), b.now.Add(3*time.Hour))
		require.NoError(t, err)
		require.Zero(t, tally)
	})
}

// Whatever arrives in whatever order, also in place of what was there: every resolution holds the sum, and keeps it longer than what it is of.
func TestBucketsAreTheSumOfTheirSamples(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		begin := b.now.Truncate(store.Day).Add(22 * time.Hour)
		var all []*deploymentv1.Sample
		var want [2]store.Tally
		for minute := range 240 { // over midnight
			for release := range want {
				start := begin.Add(time.Duration(minute) * time.Minute)
				p := &deploymentv1.Sample{
					Environment: environment, Release: fmt.Sprint("v", release), Counter: "errors", Source: fmt.Sprint(minute % 2),
					StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Minute)), Total: 10, Bad: int64(minute % 3),
				}
				all = append(all, p)
				want[release].Total, want[release].Bad = want[release].Total+10, want[release].Bad+p.GetBad()
			}
		}
		corrected := proto.CloneOf(all[5]) // of the second release, in the first hour
		corrected.Total = 110
		want[1].Total += 100
		rand.New(rand.NewPCG(7, 7)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = append(all, corrected)
		for some := range slices.Chunk(all, 90) {
			b.now = b.now.Add(time.Minute)
			_, err := b.PutSamples(t.Context(), some)
			require.NoError(t, err)
			require.NoError(t, b.Rollup(t.Context()))
		}
		require.NoError(t, b.Rollup(t.Context()), "again")
		sum := func(resolution time.Duration, from, to time.Time) (tallies []store.Tally) {
			found, err := b.PushedRequests(t.Context(), workspace, resolution, from, to)
			require.NoError(t, err)
			for _, p := range found {
				tallies = append(tallies, p.Tally)
			}
			return tallies
		}
		first := begin.Truncate(store.Day)
		for _, resolution := range []time.Duration{store.Minute, store.Hour, store.Day} {
			require.Equal(t, want[:], sum(resolution, first, first.Add(2*store.Day)), resolution)
		}
		require.EqualValues(t, 600, sum(store.Hour, begin.Add(time.Hour), begin.Add(2*time.Hour))[0].Total)
		require.EqualValues(t, 1300, sum(store.Day, first, first.Add(store.Day))[1].Total)

		require.NoError(t, b.PurgeMetrics(t.Context(), b.now.Add(time.Hour).UnixMicro()))
		require.Empty(t, sum(store.Minute, first, first.Add(2*store.Day)))
		b.now = first.Add(store.Kept(store.Hour) + 2*store.Day)
		require.NoError(t, b.PurgeBuckets(t.Context()))
		require.Empty(t, sum(store.Hour, first, first.Add(2*store.Day)))
		require.Equal(t, want[:], sum(store.Day, first, first.Add(2*store.Day)))
	})
}

func TestProbesAreTalliedByAvailabilityAndLatency(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		summary := func(installation string, minute int, succeeded, failed int64, counts ...int64) *agentv1.ProbeSummary {
			start := b.now.Add(time.Duration(minute) * time.Minute)
			return &agentv1.ProbeSummary{
				Installation: installation, StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Minute)),
				Succeeded: succeeded, Failed: failed, LatencyCounts: counts,
			}
		}
		require.NoError(t, b.AppendProbes(t.Context(), []*agentv1.ProbeSummary{
			summary("i", 0, 1, 99), // it starts
			summary("i", 1, 90, 10, 10, 60, 90),
			summary("j", 0, 5, 5),
			summary("j", 1, 50, 0, 0, 50, 50),
			summary("k", 0, 1, 0),
			summary("k", 1, 7, 3), // an older agent
			summary("other", 0, 1, 0), summary("other", 1, 1000, 0, 1000, 1000, 1000),
		}))
		tally := func(bucket, minute int) store.Tally {
			from := b.now.Add(time.Duration(minute) * time.Minute)
			tally, err := b.ProbeTally(t.Context(), []string{"i", "j", "k"}, bucket, from, from.Add(time.Minute))
			require.NoError(t, err)
			return tally
		}
		require.Zero(t, tally(-1, 0), "the first summary saw the application start")
		require.Equal(t, store.Tally{Total: 160, Bad: 13}, tally(-1, 1))
		require.Equal(t, store.Tally{Total: 150, Bad: 40}, tally(1, 1), "failed ones are slow too")
		require.Zero(t, tally(-1, 2))
		none, err := b.ProbeTally(t.Context(), nil, -1, b.now, b.now.Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, none)
	})
}
