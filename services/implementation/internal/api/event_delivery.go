package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// EventDeliveryService answers golive.implementation.v1.EventDeliveryService.
type EventDeliveryService struct {
	implementationv1.UnimplementedEventDeliveryServiceServer

	store *store.Store
}

// NewEventDeliveryService serves the store.
func NewEventDeliveryService(s *store.Store) *EventDeliveryService {
	return &EventDeliveryService{store: s}
}

// GetEventDelivery reads one.
func (a *EventDeliveryService) GetEventDelivery(ctx context.Context, req *implementationv1.GetEventDeliveryRequest) (*implementationv1.EventDelivery, error) {
	return a.store.EventDelivery(ctx, req.GetName())
}

// ListEventDeliveries reads a page.
func (a *EventDeliveryService) ListEventDeliveries(ctx context.Context, req *implementationv1.ListEventDeliveriesRequest) (*implementationv1.ListEventDeliveriesResponse, error) {
	all, next, err := a.store.ListEventDeliveries(ctx, req)
	return &implementationv1.ListEventDeliveriesResponse{EventDeliveries: all, NextPageToken: next}, err
}

// RedeliverEventDelivery sends one again, now.
func (a *EventDeliveryService) RedeliverEventDelivery(ctx context.Context, req *implementationv1.RedeliverEventDeliveryRequest) (*implementationv1.EventDelivery, error) {
	return a.store.RedeliverEvent(ctx, req)
}
