package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/dispatch"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// SubscriptionService answers golive.implementation.v1.SubscriptionService.
type SubscriptionService struct {
	implementationv1.UnimplementedSubscriptionServiceServer

	store      *store.Store
	dispatcher *dispatch.Dispatcher
}

// NewSubscriptionService serves the store; tests are sent by the dispatcher, which also knows which addresses are refused.
func NewSubscriptionService(s *store.Store, dispatcher *dispatch.Dispatcher) *SubscriptionService {
	return &SubscriptionService{store: s, dispatcher: dispatcher}
}

// CreateSubscription creates one.
func (a *SubscriptionService) CreateSubscription(ctx context.Context, req *implementationv1.CreateSubscriptionRequest) (*implementationv1.Subscription, error) {
	if err := a.reachable(ctx, req.GetSubscription()); err != nil {
		return nil, err
	}
	return store.Subscriptions.Create(ctx, a.store.Store, req)
}

// GetSubscription reads one.
func (a *SubscriptionService) GetSubscription(ctx context.Context, req *implementationv1.GetSubscriptionRequest) (*implementationv1.Subscription, error) {
	return store.Subscriptions.Get(ctx, a.store.Store, req)
}

// ListSubscriptions reads a page.
func (a *SubscriptionService) ListSubscriptions(ctx context.Context, req *implementationv1.ListSubscriptionsRequest) (*implementationv1.ListSubscriptionsResponse, error) {
	all, next, err := store.Subscriptions.List(ctx, a.store.Store, req)
	return &implementationv1.ListSubscriptionsResponse{Subscriptions: all, NextPageToken: next}, err
}

// UpdateSubscription changes one.
func (a *SubscriptionService) UpdateSubscription(ctx context.Context, req *implementationv1.UpdateSubscriptionRequest) (*implementationv1.Subscription, error) {
	if err := a.reachable(ctx, req.GetSubscription()); err != nil {
		return nil, err
	}
	return store.Subscriptions.Update(ctx, a.store.Store, req)
}

// DeleteSubscription removes one, and its deliveries.
func (a *SubscriptionService) DeleteSubscription(ctx context.Context, req *implementationv1.DeleteSubscriptionRequest) (*emptypb.Empty, error) {
	return store.Subscriptions.Delete(ctx, a.store.Store, req)
}

// TestSubscription sends an event now, and answers what came of it.
func (a *SubscriptionService) TestSubscription(ctx context.Context, req *implementationv1.TestSubscriptionRequest) (*implementationv1.EventDelivery, error) {
	d, fresh, err := a.store.TestEvent(ctx, req)
	if err != nil || !fresh {
		return d, err
	}
	if err := a.dispatcher.Test(ctx, d.GetName(), req.GetName()); err != nil {
		return nil, err
	}
	return a.store.EventDelivery(ctx, d.GetName())
}

// EnableSubscription delivers again.
func (a *SubscriptionService) EnableSubscription(ctx context.Context, req *implementationv1.EnableSubscriptionRequest) (*implementationv1.Subscription, error) {
	return a.store.EnableSubscription(ctx, req)
}

// DisableSubscription stops delivering.
func (a *SubscriptionService) DisableSubscription(ctx context.Context, req *implementationv1.DisableSubscriptionRequest) (*implementationv1.Subscription, error) {
	return a.store.DisableSubscription(ctx, req)
}

// RotateSubscription makes a new signing secret and answers it, this once.
func (a *SubscriptionService) RotateSubscription(ctx context.Context, req *implementationv1.RotateSubscriptionRequest) (*implementationv1.RotateSubscriptionResponse, error) {
	return a.store.RotateSubscription(ctx, req)
}

// reachable refuses an address that nothing is sent to. It is looked up here, before there is a transaction, and again when it is dialled.
func (a *SubscriptionService) reachable(ctx context.Context, sub *implementationv1.Subscription) error {
	address := store.Receiver(sub)
	if address == "" {
		return nil
	}
	why := a.dispatcher.Refuses(ctx, address)
	if why == "" {
		return nil
	}
	field := "subscription.webhook.url"
	if sub.GetSlack() != nil {
		field = "subscription.slack.url"
	}
	return fault.Invalid(store.ReasonAddressRefused, "the address is %s; give one that is reached by https from outside, or let the operator of this server allow private receivers", why).
		Field(field, "is "+why)
}
