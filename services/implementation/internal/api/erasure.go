package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/erasure"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ErasureService answers golive.implementation.v1.ErasureService.
type ErasureService struct {
	implementationv1.UnimplementedErasureServiceServer

	store  *store.Store
	eraser *erasure.Eraser
}

// NewErasureService serves the receipts of the store; the eraser makes them.
func NewErasureService(s *store.Store, e *erasure.Eraser) *ErasureService {
	return &ErasureService{store: s, eraser: e}
}

// GetErasure reads one receipt.
func (a *ErasureService) GetErasure(ctx context.Context, req *implementationv1.GetErasureRequest) (*implementationv1.Erasure, error) {
	return store.Erasures.Get(ctx, a.store.Store, req)
}

// ListErasures reads a page.
func (a *ErasureService) ListErasures(ctx context.Context, req *implementationv1.ListErasuresRequest) (*implementationv1.ListErasuresResponse, error) {
	all, next, err := store.Erasures.List(ctx, a.store.Store, req)
	return &implementationv1.ListErasuresResponse{Erasures: all, NextPageToken: next}, err
}

// ErasePerson forgets a person.
func (a *ErasureService) ErasePerson(ctx context.Context, req *implementationv1.ErasePersonRequest) (*implementationv1.Erasure, error) {
	return a.eraser.Erase(ctx, req)
}
