package api

import (
	"context"

	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// WaitingService answers golive.waiting.v1.WaitingService for deployments, waves, installations and what they wait for here.
type WaitingService struct {
	waitingv1.UnimplementedWaitingServiceServer

	store *store.Store
}

// NewWaitingService serves the store.
func NewWaitingService(s *store.Store) *WaitingService { return &WaitingService{store: s} }

// ListWaiting answers one page.
func (a *WaitingService) ListWaiting(ctx context.Context, req *waitingv1.ListWaitingRequest) (*waitingv1.ListWaitingResponse, error) {
	return a.store.ListWaiting(ctx, req)
}

// ExplainWaiting says what one resource waits for.
func (a *WaitingService) ExplainWaiting(ctx context.Context, req *waitingv1.ExplainWaitingRequest) (*waitingv1.Explanation, error) {
	return a.store.ExplainWaiting(ctx, req.GetResource())
}
