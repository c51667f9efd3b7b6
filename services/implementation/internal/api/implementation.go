package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ImplementationService answers golive.implementation.v1.ImplementationService.
type ImplementationService struct {
	implementationv1.UnimplementedImplementationServiceServer

	store *store.Store
}

// NewImplementationService serves the store.
func NewImplementationService(s *store.Store) *ImplementationService {
	return &ImplementationService{store: s}
}

// CreateImplementation creates one.
func (a *ImplementationService) CreateImplementation(ctx context.Context, req *implementationv1.CreateImplementationRequest) (*implementationv1.Implementation, error) {
	return store.Implementations.Create(ctx, a.store.Store, req)
}

// GetImplementation reads one.
func (a *ImplementationService) GetImplementation(ctx context.Context, req *implementationv1.GetImplementationRequest) (*implementationv1.Implementation, error) {
	return store.Implementations.Get(ctx, a.store.Store, req)
}

// ListImplementations reads a page.
func (a *ImplementationService) ListImplementations(ctx context.Context, req *implementationv1.ListImplementationsRequest) (*implementationv1.ListImplementationsResponse, error) {
	all, next, err := store.Implementations.List(ctx, a.store.Store, req)
	return &implementationv1.ListImplementationsResponse{Implementations: all, NextPageToken: next}, err
}

// UpdateImplementation changes one.
func (a *ImplementationService) UpdateImplementation(ctx context.Context, req *implementationv1.UpdateImplementationRequest) (*implementationv1.Implementation, error) {
	return store.Implementations.Update(ctx, a.store.Store, req)
}

// DeleteImplementation removes one.
func (a *ImplementationService) DeleteImplementation(ctx context.Context, req *implementationv1.DeleteImplementationRequest) (*emptypb.Empty, error) {
	return store.Implementations.Delete(ctx, a.store.Store, req)
}

// SubmitImplementation takes a draft to PLANNED.
func (a *ImplementationService) SubmitImplementation(ctx context.Context, req *implementationv1.SubmitImplementationRequest) (*implementationv1.Implementation, error) {
	return a.store.MoveImplementation(ctx, req, lifecycle.ImplementationSubmitted, "")
}

// StartImplementation takes one into work.
func (a *ImplementationService) StartImplementation(ctx context.Context, req *implementationv1.StartImplementationRequest) (*implementationv1.Implementation, error) {
	return a.store.MoveImplementation(ctx, req, lifecycle.ImplementationStarted, "")
}

// HoldImplementation interrupts one.
func (a *ImplementationService) HoldImplementation(ctx context.Context, req *implementationv1.HoldImplementationRequest) (*implementationv1.Implementation, error) {
	return a.store.MoveImplementation(ctx, req, lifecycle.ImplementationHeld, req.GetReason())
}

// ResumeImplementation goes on with one.
func (a *ImplementationService) ResumeImplementation(ctx context.Context, req *implementationv1.ResumeImplementationRequest) (*implementationv1.Implementation, error) {
	return a.store.MoveImplementation(ctx, req, lifecycle.ImplementationResumed, "")
}

// SustainImplementation takes one to SUSTAINING.
func (a *ImplementationService) SustainImplementation(ctx context.Context, req *implementationv1.SustainImplementationRequest) (*implementationv1.Implementation, error) {
	return a.store.MoveImplementation(ctx, req, lifecycle.ImplementationSustained, "")
}

// CompleteImplementation ends one.
func (a *ImplementationService) CompleteImplementation(ctx context.Context, req *implementationv1.CompleteImplementationRequest) (*implementationv1.Implementation, error) {
	return a.store.MoveImplementation(ctx, req, lifecycle.ImplementationCompleted, "")
}

// CancelImplementation gives one up.
func (a *ImplementationService) CancelImplementation(ctx context.Context, req *implementationv1.CancelImplementationRequest) (*implementationv1.Implementation, error) {
	return a.store.MoveImplementation(ctx, req, lifecycle.ImplementationCancelled, req.GetReason())
}
