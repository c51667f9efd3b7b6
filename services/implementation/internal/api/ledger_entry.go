package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// LedgerEntryService answers golive.implementation.v1.LedgerEntryService.
type LedgerEntryService struct {
	implementationv1.UnimplementedLedgerEntryServiceServer

	store *store.Store
}

// NewLedgerEntryService serves the store.
func NewLedgerEntryService(s *store.Store) *LedgerEntryService { return &LedgerEntryService{store: s} }

// CreateLedgerEntry creates one.
func (a *LedgerEntryService) CreateLedgerEntry(ctx context.Context, req *implementationv1.CreateLedgerEntryRequest) (*implementationv1.LedgerEntry, error) {
	return store.LedgerEntries.With(a.store.LedgerHooks()).Create(ctx, a.store.Store, req)
}

// GetLedgerEntry reads one.
func (a *LedgerEntryService) GetLedgerEntry(ctx context.Context, req *implementationv1.GetLedgerEntryRequest) (*implementationv1.LedgerEntry, error) {
	return store.LedgerEntries.Get(ctx, a.store.Store, req)
}

// ListLedgerEntries reads a page.
func (a *LedgerEntryService) ListLedgerEntries(ctx context.Context, req *implementationv1.ListLedgerEntriesRequest) (*implementationv1.ListLedgerEntriesResponse, error) {
	all, next, err := store.LedgerEntries.List(ctx, a.store.Store, req)
	return &implementationv1.ListLedgerEntriesResponse{LedgerEntries: all, NextPageToken: next}, err
}

// VerifyLedgerEntry confirms one.
func (a *LedgerEntryService) VerifyLedgerEntry(ctx context.Context, req *implementationv1.VerifyLedgerEntryRequest) (*implementationv1.LedgerEntry, error) {
	return a.store.VerifyLedgerEntry(ctx, req)
}

// ReverseLedgerEntry takes one back.
func (a *LedgerEntryService) ReverseLedgerEntry(ctx context.Context, req *implementationv1.ReverseLedgerEntryRequest) (*implementationv1.LedgerEntry, error) {
	return a.store.ReverseLedgerEntry(ctx, req)
}
