package feed_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
)

const (
	watchers        = 1000
	eventsPerSecond = 50
)

// BenchmarkFanOut measures from before a commit until each of 1 000 watchers has the event, with 50 commits a second that
// wait for nobody, and beside it the commits by themselves.
func BenchmarkFanOut(b *testing.B) {
	for _, kind := range pgtest.Databases(b) {
		b.Run(kind.Name, func(b *testing.B) {
			w := setup(b, kind.Open(b), feed.Config{})
			run(b, w.log)
			var watching sync.WaitGroup
			took := make([][]time.Duration, watchers)
			for i := range took {
				watcher, err := w.log.Watch(b.Context(), "", nil)
				require.NoError(b, err)
				watching.Go(func() {
					for event := range watcher.C {
						took[i] = append(took[i], time.Since(event.GetTime().AsTime()))
						if event.GetType() == "test.thing.ended" {
							return
						}
					}
				})
			}
			var commits []time.Duration
			var revision int64
			write := func(verb string) {
				revision++
				event := record("workspaces/w/a", revision)
				event.Type, event.Time = "test.thing."+verb, time.Now()
				w.append(b, event)
				commits = append(commits, time.Since(event.Time))
			}
			pace := time.NewTicker(time.Second / eventsPerSecond)
			defer pace.Stop()
			for b.Loop() {
				<-pace.C
				write("updated")
			}
			write("ended")
			watching.Wait()
			all := slices.Concat(took...)
			require.Len(b, all, watchers*int(revision))
			report(b, "", all)
			report(b, "commit-", commits)
			b.ReportMetric(0, "ns/op")
		})
	}
}

func report(b *testing.B, what string, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, what+"p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, what+"p99-ms")
}
