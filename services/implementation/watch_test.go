package implementation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// watch opens a stream and takes its first frame.
func (w *world) watch(plan string) func() *gatev1.Verdict {
	w.Helper()
	stream, err := w.gates.WatchGates(w.Context(), &gatev1.WatchGatesRequest{Parent: ws, Resources: []string{plan}})
	require.NoError(w, err)
	next := func() *gatev1.Verdict {
		frame, err := stream.Recv()
		require.NoError(w, err)
		return frame.GetVerdict()
	}
	next()
	return next
}

func TestAVerdictArrivesWithinATenthOfASecond(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const rounds = 20
		cohort, training := w.cohort("sales", rounds), w.training("basics", 0)
		next := w.watch(w.plan("sales", cohort, time.Time{}, training))
		best := time.Hour // the machine may be busy with something else in any one round
		for i := range rounds {
			w.complete(training, i, i+1)
			committed := time.Now()
			v := next()
			best = min(best, time.Since(committed))
			require.EqualValues(t, i+1, v.GetEvidence()[0].GetNumerator())
		}
		require.Less(t, best, 100*time.Millisecond)
		t.Logf("from the commit to the watcher: %s at best", best)
	})
}

// TestReplicasTellOneStory: what is changed through one process is seen
// through the other, with one revision for both.
func TestReplicasTellOneStory(t *testing.T) {
	if !pgtest.Available(t) {
		return // SQLite has one process
	}
	url := pgtest.URL(t)
	here, there := setup(t, url), setup(t, url)
	const people = 10
	cohort, training := here.cohort("sales", people), here.training("basics", 0)
	plan := here.plan("sales", cohort, time.Time{}, training)
	last := map[string]*gatev1.Verdict{}
	seen := map[string]map[int64]string{"here": {}, "there": {}}
	watchers := map[string]func() *gatev1.Verdict{"here": here.watch(plan), "there": there.watch(plan)}
	for i := range people {
		here.complete(training, i, i+1)
	}
	for name, next := range watchers {
		for last[name].GetEvidence() == nil || last[name].GetEvidence()[0].GetNumerator() < people {
			v := next()
			require.Greater(t, v.GetRevision(), last[name].GetRevision())
			seen[name][v.GetRevision()] = fmt.Sprint(v.GetState(), v.GetEvidence()[0].GetNumerator())
			last[name] = v
		}
	}
	require.Equal(t, gatev1.Verdict_PASS, last["there"].GetState())
	for revision, content := range seen["here"] {
		if other, both := seen["there"][revision]; both {
			require.Equal(t, content, other, "revision %d", revision)
		}
	}
	require.Equal(t, here.verdict(plan).GetRevision(), there.verdict(plan).GetRevision())
}
