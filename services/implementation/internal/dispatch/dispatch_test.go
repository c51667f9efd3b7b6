package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const workspace = "workspaces/default"

// world is a store with one subscription and its receiver, without a dispatcher that runs.
type world struct {
	*testing.T
	store *store.Store
	name  string

	mu  sync.Mutex
	now time.Time
	got map[string]int // how often an event came
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Helper()
		require.NoError(t, db.Migrate(t.Context(), feed.Source(), resource.Source(), store.Source()))
		w := &world{T: t, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), got: map[string]int{}}
		w.store = store.New(db, feed.New(db, feed.Config{}), w.clock)
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.got[r.Header.Get("Webhook-Id")]++
		}))
		t.Cleanup(hook.Close)
		sub, err := store.Subscriptions.Create(t.Context(), w.store.Store, &implementationv1.CreateSubscriptionRequest{
			Parent: workspace, SubscriptionId: "ops", Subscription: &implementationv1.Subscription{
				Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: hook.URL}},
			},
		})
		require.NoError(t, err)
		w.name = sub.GetName()
		test(t, w)
	})
}

// queue queues n events, as a follower does.
func (w *world) queue(n int) {
	w.Helper()
	events := make([]*eventv1.Event, n)
	for i := range events {
		events[i] = &eventv1.Event{Token: fmt.Sprintf("t-%03d", i), Resource: fmt.Sprintf("%s/cohorts/c-%03d", workspace, i), Type: "implementation.cohort.created", Time: timestamppb.New(w.clock())}
	}
	require.NoError(w, w.store.DB().Tx(w.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return w.store.QueueEvents(ctx, tx, events) }))
}

// once does everything that is due.
func (w *world) once(d *Dispatcher) {
	w.Helper()
	var queues sync.WaitGroup
	require.NoError(w, d.round(w.Context(), &queues))
	queues.Wait()
}

func (w *world) states() map[implementationv1.EventDelivery_State]int {
	w.Helper()
	all, _, err := w.store.ListEventDeliveries(w.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: w.name, PageSize: 1000})
	require.NoError(w, err)
	counts := map[implementationv1.EventDelivery_State]int{}
	for _, d := range all {
		counts[d.GetState()]++
	}
	return counts
}

func (w *world) dispatcher() *Dispatcher { return New(w.store, nil, true, zap.NewNop()) }

func TestAnEventSurvivesAProcessThatDies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(3)
		dead, next := w.dispatcher(), w.dispatcher()
		claims, err := w.store.ClaimEvents(t.Context(), w.name, 2, lease)
		require.NoError(t, err)
		require.Len(t, claims, 2)
		receiver, err := dead.receiver(t.Context(), w.name)
		require.NoError(t, err)
		ends := dead.send(t.Context(), receiver, claims)
		// Here the process dies: the receiver has two events, and nobody noted it.

		w.once(next)
		require.Equal(t, map[implementationv1.EventDelivery_State]int{implementationv1.EventDelivery_DELIVERED: 1, implementationv1.EventDelivery_PENDING: 2}, w.states())
		w.advance(lease)
		w.once(next)
		require.Equal(t, map[implementationv1.EventDelivery_State]int{implementationv1.EventDelivery_DELIVERED: 3}, w.states())
		require.Equal(t, map[string]int{"t-000": 2, "t-001": 2, "t-002": 1}, w.got, "at least once, with the same id")

		// The dead one comes back, and changes nothing any more.
		before, err := w.store.EventDelivery(t.Context(), claims[0].Name)
		require.NoError(t, err)
		require.NoError(t, w.store.FinishEvents(t.Context(), ends))
		after, err := w.store.EventDelivery(t.Context(), claims[0].Name)
		require.NoError(t, err)
		require.Equal(t, before.GetAttemptCount(), after.GetAttemptCount())
	})
}

func TestDispatchersShareTheWork(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		const n = 300
		w.queue(n)
		w.queue(n) // the same again: an event is queued once
		var all sync.WaitGroup
		for range 3 {
			d := w.dispatcher()
			all.Go(func() { w.once(d) })
		}
		all.Wait()
		require.Equal(t, map[implementationv1.EventDelivery_State]int{implementationv1.EventDelivery_DELIVERED: n}, w.states())
		require.Len(t, w.got, n)
		for id, times := range w.got {
			require.Equal(t, 1, times, id)
		}
	})
}

func TestWhatEndedIsKeptForAMonth(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.queue(5)
		w.once(w.dispatcher())
		w.advance(30 * 24 * time.Hour)
		require.NoError(t, w.store.PurgeEvents(t.Context()))
		require.Len(t, w.states(), 1)
		w.advance(time.Hour)
		require.NoError(t, w.store.PurgeEvents(t.Context()))
		require.Empty(t, w.states())
	})
}

func TestEventsWaitAWeekForOneThatIsDisabled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		_, err := w.store.DisableSubscription(t.Context(), &implementationv1.DisableSubscriptionRequest{Name: w.name, Reason: "on holiday"})
		require.NoError(t, err)
		w.queue(2)
		w.advance(7 * 24 * time.Hour)
		require.NoError(t, w.store.PurgeEvents(t.Context()))
		w.once(w.dispatcher())
		require.Equal(t, map[implementationv1.EventDelivery_State]int{implementationv1.EventDelivery_PENDING: 2}, w.states())
		w.advance(time.Hour)
		require.NoError(t, w.store.PurgeEvents(t.Context()))
		require.Equal(t, map[implementationv1.EventDelivery_State]int{implementationv1.EventDelivery_FAILED: 2}, w.states())
		require.Empty(t, w.got)
	})
}

func TestWhatIsNotReachedIsTriedLater(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()
		_, err := store.Subscriptions.Update(t.Context(), w.store.Store, &implementationv1.UpdateSubscriptionRequest{Subscription: &implementationv1.Subscription{
			Name: w.name, Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: gone.URL}},
		}})
		require.NoError(t, err)
		w.queue(2)
		w.once(w.dispatcher())
		all, _, err := w.store.ListEventDeliveries(t.Context(), &implementationv1.ListEventDeliveriesRequest{Parent: w.name})
		require.NoError(t, err)
		for _, d := range all {
			require.EqualValues(t, 1, d.GetAttemptCount())
			require.Equal(t, "it cannot be reached", d.GetAttempts()[0].GetError())
		}
	})
}
