package implementation_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/pgtest"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
	"github.com/golive-dev/golive/services/implementation/internal/cputime"
)

// benchEvents are delivered in one iteration.
const benchEvents = 2000

// BenchmarkWebhooks delivers 2 000 events, signed, to a receiver on this machine while another one hangs, or answers 500 at once, after a
// pause in which they have come together. The control posts as many bodies of the same size in a loop, sixteen at a time, and stores nothing.
func BenchmarkWebhooks(b *testing.B) {
	release := make(chan struct{})
	defer close(release)
	for name, ill := range map[string]http.HandlerFunc{
		"beside-one-that-hangs": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
		"beside-one-that-fails": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		for _, kind := range pgtest.Databases(b) {
			b.Run(kind.Name+"/"+name, func(b *testing.B) { benchWebhooks(b, kind.URL(b), ill) })
		}
	}
	b.Run("control", func(b *testing.B) {
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
		defer hook.Close()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, MaxConnsPerHost: 16}}
		body := bytes.Repeat([]byte("x"), 700)
		defer cputime.Measure(b)()
		for b.Loop() {
			var senders sync.WaitGroup
			for range 16 {
				senders.Go(func() {
					for range benchEvents / 16 {
						post(b.Context(), client, hook.URL, body)
					}
				})
			}
			senders.Wait()
		}
		b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
	})
}

func benchWebhooks(b *testing.B, database string, ill http.HandlerFunc) {
	b.Helper()
	var got atomic.Int64
	done := make(chan struct{}, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if got.Add(1)%benchEvents == 0 {
			done <- struct{}{}
		}
	}))
	defer hook.Close()
	other := httptest.NewServer(ill)
	defer other.CloseClientConnections()
	w := outward(setup(b, database, func(cfg *implementation.Config) { cfg.Private, cfg.Clock = true, time.Now }))
	fast, _ := w.webhook("fast", hook.URL, "implementation.feature.")
	w.webhook("ill", other.URL, "implementation.feature.")
	defer cputime.Measure(b)()
	next := 0
	for b.Loop() {
		b.StopTimer()
		w.collect(fast, next)
		next += benchEvents
		b.StartTimer()
		_, err := w.subscriptions.EnableSubscription(b.Context(), &implementationv1.EnableSubscriptionRequest{Name: fast})
		require.NoError(b, err)
		<-done
	}
	b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
}

func post(ctx context.Context, client *http.Client, url string, body []byte) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return
	}
	if answer, err := client.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
}

// collect disables a subscription and makes events that wait for it.
func (w *outwardWorld) collect(subscription string, from int) {
	w.Helper()
	_, err := w.subscriptions.DisableSubscription(w.Context(), &implementationv1.DisableSubscriptionRequest{Name: subscription, Reason: "to collect"})
	require.NoError(w, err)
	features := implementationv1.NewFeatureServiceClient(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
	var makers sync.WaitGroup
	for maker := range 8 {
		makers.Go(func() {
			for i := maker; i < benchEvents; i += 8 {
				_, _ = features.CreateFeature(w.Context(), &implementationv1.CreateFeatureRequest{
					Parent: ws, FeatureId: fmt.Sprintf("f-%06d", from+i), Feature: &implementationv1.Feature{Kind: implementationv1.Feature_TASK},
				})
			}
		})
	}
	makers.Wait()
	require.Eventually(w, func() bool { return w.waiting(subscription) == benchEvents }, time.Minute, 50*time.Millisecond)
}

// waiting counts what waits for a subscription.
func (w *outwardWorld) waiting(subscription string) (n int) {
	w.Helper()
	for token := ""; ; {
		page, err := w.deliveries.ListEventDeliveries(w.Context(), &implementationv1.ListEventDeliveriesRequest{
			Parent: subscription, Filter: "state = PENDING", PageSize: 1000, PageToken: token,
		})
		require.NoError(w, err)
		n += len(page.GetEventDeliveries())
		if token = page.GetNextPageToken(); token == "" {
			return n
		}
	}
}
