package gateway_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// BenchmarkWaitingChecks lets 1 000 checks wait for one gate and turns it: the time from the turn to the answers, and the CPU of the
// whole process, clients and all, while they wait. The control is a check that waits alone.
func BenchmarkWaitingChecks(b *testing.B) {
	for name, checks := range map[string]int{"1000 at once": 1000, "control, one": 1} {
		b.Run(name, func(b *testing.B) {
			w := setup(b)
			client := &http.Transport{MaxIdleConnsPerHost: checks}
			defer client.CloseIdleConnections()
			var took []time.Duration
			var last, waited, spent time.Duration
			for b.Loop() {
				turned, answers := w.turn(b, client, checks, func() {
					before, began := processCPU(b), time.Now()
					<-time.After(time.Second)
					spent += processCPU(b) - before
					waited += time.Since(began)
				})
				for _, at := range answers {
					took = append(took, at.Sub(turned))
				}
				last = max(last, slices.MaxFunc(answers, time.Time.Compare).Sub(turned))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(last.Microseconds())/1000, "last-ms")
			b.ReportMetric(100*spent.Seconds()/waited.Seconds(), "cpu-%")
		})
	}
}

// turn lets checks wait, rests while all of them do, and opens the gate.
func (w *world) turn(b *testing.B, client http.RoundTripper, checks int, rest func()) (turned time.Time, answers []time.Time) {
	b.Helper()
	w.implementation.say(gatev1.Verdict_WAIT)
	asked := func() int {
		w.implementation.mu.Lock()
		defer w.implementation.mu.Unlock()
		return w.implementation.asked
	}
	before := asked()
	answers = make([]time.Time, checks)
	var waiting sync.WaitGroup
	for i := range answers {
		waiting.Go(func() {
			if check(b.Context(), client, w.url+aPlan+"?wait=1m", w.token) == http.StatusOK {
				answers[i] = time.Now()
			}
		})
	}
	require.Eventually(b, func() bool { return asked()-before >= checks }, time.Minute, 5*time.Millisecond)
	rest()
	turned = time.Now()
	w.implementation.say(gatev1.Verdict_PASS)
	waiting.Wait()
	require.False(b, slices.ContainsFunc(answers, time.Time.IsZero), "each is answered, and well")
	return turned, answers
}

func check(ctx context.Context, client http.RoundTripper, address, token string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.RoundTrip(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func processCPU(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
