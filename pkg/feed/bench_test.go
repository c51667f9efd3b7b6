package feed_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
)

// BenchmarkFanOut measures from before the commit until each of 1 000 watchers has the event.
func BenchmarkFanOut(b *testing.B) {
	const watchers = 1000
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			w := setup(b, kind.Open(b), feed.Config{})
			run(b, w.log)
			type arrival struct {
				revision int64
				at       time.Time
			}
			arrivals := make(chan arrival, watchers)
			for range watchers {
				watcher, err := w.log.Watch(b.Context(), "", nil)
				require.NoError(b, err)
				go func() {
					for event := range watcher.C {
						arrivals <- arrival{event.GetRevision(), time.Now()}
					}
				}()
			}
			var took []time.Duration
			var revision int64
			for b.Loop() {
				revision++
				start := time.Now()
				w.append(b, record("workspaces/w/a", revision))
				for range watchers {
					got := <-arrivals
					require.Equal(b, revision, got.revision)
					took = append(took, got.at.Sub(start))
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
