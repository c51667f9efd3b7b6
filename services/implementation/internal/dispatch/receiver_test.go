package dispatch

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// moves lets the subscription go to another receiver.
func (w *world) moves(url string) {
	w.Helper()
	_, err := store.Subscriptions.Update(w.Context(), w.store.Store, &implementationv1.UpdateSubscriptionRequest{Subscription: &implementationv1.Subscription{
		Name: w.name, Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: url}},
	}})
	require.NoError(w, err)
}

func answering(t *testing.T, code int, header ...string) string {
	t.Helper()
	hook := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			out.Header().Set(header[i], header[i+1])
		}
		out.WriteHeader(code)
	}))
	t.Cleanup(hook.Close)
	return hook.URL
}

func TestWhatIsChangedCountsWithinABatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		d := w.dispatcher()
		r, err := d.receiver(t.Context(), w.name)
		require.NoError(t, err)
		w.moves("http://127.0.0.1:1/elsewhere")
		require.NotEqual(t, "http://127.0.0.1:1/elsewhere", r.now(t.Context()).Address, "read a moment ago")
		r.at = r.at.Add(-fresh - time.Second)
		require.Equal(t, "http://127.0.0.1:1/elsewhere", r.now(t.Context()).Address)

		w.queue(2)
		claims, err := w.store.ClaimEvents(t.Context(), w.name, 2, lease)
		require.NoError(t, err)
		_, err = w.store.DisableSubscription(t.Context(), &implementationv1.DisableSubscriptionRequest{Name: w.name})
		require.NoError(t, err)
		r.at = time.Time{}
		require.NoError(t, w.store.FinishEvents(t.Context(), d.send(t.Context(), r, claims)))
		all, _, err := w.store.ListEventDeliveries(t.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: w.name})
		require.NoError(t, err)
		for _, one := range all {
			require.Zero(t, one.GetAttemptCount(), "nothing was sent to what was disabled meanwhile")
		}
	})
}

// TestGoneIsSaidOfTheAddressThatWasAsked: who corrects the address while the old one answers 410 is not disabled for it.
func TestGoneIsSaidOfTheAddressThatWasAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		r, err := w.dispatcher().receiver(t.Context(), w.name)
		require.NoError(t, err)
		w.moves(answering(t, http.StatusOK))
		require.NoError(t, w.store.SubscriptionGone(t.Context(), r.last()))
		kept, err := store.Subscriptions.Load(t.Context(), w.store.DB().Read(), w.name)
		require.NoError(t, err)
		require.Equal(t, implementationv1.Subscription_ENABLED, kept.GetState())
		require.NoError(t, w.store.SubscriptionGone(t.Context(), kept))
		kept, err = store.Subscriptions.Load(t.Context(), w.store.DB().Read(), w.name)
		require.NoError(t, err)
		require.Equal(t, implementationv1.Subscription_DISABLED, kept.GetState())
	})
}

func TestOneLongPauseSilencesNotEverything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.moves(answering(t, http.StatusServiceUnavailable, "Retry-After", "86400"))
		w.queue(1)
		d := w.dispatcher()
		w.once(d)
		w.moves(answering(t, http.StatusOK))
		w.queue(2) // the first of which is queued already
		w.advance(mostPause)
		w.once(d)
		require.Equal(t, map[implementationv1.EventDelivery_State]int{implementationv1.EventDelivery_DELIVERED: 1, implementationv1.EventDelivery_PENDING: 1}, w.states(), "what it was asked to wait with waits")
	})
}

func TestEventsAreClaimedInTheOrderInWhichTheyCame(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(200)
		claims, err := w.store.ClaimEvents(t.Context(), w.name, 150, lease)
		require.NoError(t, err)
		var tokens []string
		for _, c := range claims {
			tokens = append(tokens, c.Event.GetToken())
		}
		require.Len(t, tokens, 150)
		require.True(t, slices.IsSorted(tokens), "%v", tokens)
	})
}

func TestWhatAReceiverNeverComesToIsGivenUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(3)
		w.advance(7 * 24 * time.Hour)
		require.NoError(t, w.store.PurgeEvents(t.Context()))
		require.Equal(t, 3, w.states()[implementationv1.EventDelivery_PENDING])
		w.advance(time.Hour)
		require.NoError(t, w.store.PurgeEvents(t.Context()))
		require.Zero(t, w.states()[implementationv1.EventDelivery_PENDING])
	})
}

// TestOneThatHangsHoldsUpNobodyOnItsHost: they have an address with one host and differ by the path.
func TestOneThatHangsHoldsUpNobodyOnItsHost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		release := make(chan struct{})
		var hanging, healthy atomic.Int64
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/healthy" {
				healthy.Add(1)
				return
			}
			hanging.Add(1)
			<-release
		}))
		t.Cleanup(hook.Close)
		w.moves(hook.URL + "/hangs")
		_, err := store.Subscriptions.Create(t.Context(), w.store.Store, &implementationv1.CreateSubscriptionRequest{
			Parent: workspace, SubscriptionId: "other", Subscription: &implementationv1.Subscription{
				Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: hook.URL + "/healthy"}},
			},
		})
		require.NoError(t, err)
		w.queue(2 * lanes)
		d := w.dispatcher()
		stuck, err := d.receiver(t.Context(), w.name)
		require.NoError(t, err)
		claims, err := w.store.ClaimEvents(t.Context(), w.name, 2*lanes, lease)
		require.NoError(t, err)
		done := make(chan struct{})
		go func() { d.send(t.Context(), stuck, claims); close(done) }()
		require.Eventually(t, func() bool { return hanging.Load() == lanes }, 10*time.Second, time.Millisecond)
		w.once(d)
		require.EqualValues(t, 2*lanes, healthy.Load(), fmt.Sprint("while ", hanging.Load(), " hang"))
		close(release)
		<-done
	})
}
