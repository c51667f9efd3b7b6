package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// TestWhoWantsToHearAgainBeginsAnew: with the last one who wants to hear of a workspace goes how far it was followed, or the next one
// would be told all that has happened in between.
func TestWhoWantsToHearAgainBeginsAnew(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		ctx := t.Context()
		for _, consumer := range []string{store.Subscriber, store.DeploymentsHearer} {
			for _, source := range []string{ws, "own"} {
				require.NoError(t, s.BeginEvents(ctx, consumer, source, "v1:e:0:1", func(context.Context, *sqldb.Tx) error { return nil }))
			}
		}
		followed := func(consumer, source string) bool {
			_, begun, err := s.EventPosition(ctx, consumer, source)
			require.NoError(t, err)
			return begun
		}
		for _, id := range []string{"one", "two"} {
			_, err := store.Subscriptions.Create(ctx, s.Store, &implementationv1.CreateSubscriptionRequest{Parent: ws, SubscriptionId: id, Subscription: &implementationv1.Subscription{
				Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: "https://example.com/" + id}},
			}})
			require.NoError(t, err)
			_, err = store.Implementations.Create(ctx, s.Store, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: id, Implementation: &implementationv1.Implementation{}})
			require.NoError(t, err)
		}
		for _, id := range []string{"one", "two"} {
			require.True(t, followed(store.Subscriber, ws), "somebody is left")
			require.True(t, followed(store.DeploymentsHearer, ws))
			_, err := store.Subscriptions.Delete(ctx, s.Store, &implementationv1.DeleteSubscriptionRequest{Name: ws + "/subscriptions/" + id})
			require.NoError(t, err)
			_, err = store.Implementations.Delete(ctx, s.Store, &implementationv1.DeleteImplementationRequest{Name: ws + "/implementations/" + id})
			require.NoError(t, err)
		}
		require.False(t, followed(store.Subscriber, ws))
		require.False(t, followed(store.DeploymentsHearer, ws))
		require.True(t, followed(store.Subscriber, "own"), "what happens here is always followed")
	})
}
