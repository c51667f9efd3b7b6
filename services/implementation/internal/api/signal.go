package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// SignalService answers golive.implementation.v1.SignalService.
type SignalService struct {
	implementationv1.UnimplementedSignalServiceServer

	store *store.Store
}

// NewSignalService serves the store.
func NewSignalService(s *store.Store) *SignalService { return &SignalService{store: s} }

// GetSignal reads one.
func (a *SignalService) GetSignal(ctx context.Context, req *implementationv1.GetSignalRequest) (*implementationv1.Signal, error) {
	return store.Signals.Get(ctx, a.store.Store, req)
}

// ListSignals reads a page.
func (a *SignalService) ListSignals(ctx context.Context, req *implementationv1.ListSignalsRequest) (*implementationv1.ListSignalsResponse, error) {
	all, next, err := store.Signals.List(ctx, a.store.Store, req)
	return &implementationv1.ListSignalsResponse{Signals: all, NextPageToken: next}, err
}

// RunDetectors judges an implementation now.
func (a *SignalService) RunDetectors(ctx context.Context, req *implementationv1.RunDetectorsRequest) (*implementationv1.RunDetectorsResponse, error) {
	return a.store.RunDetectors(ctx, req)
}
