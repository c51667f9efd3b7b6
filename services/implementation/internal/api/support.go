package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// SupportService answers golive.implementation.v1.SupportService.
type SupportService struct {
	implementationv1.UnimplementedSupportServiceServer

	store *store.Store
}

// NewSupportService serves the store.
func NewSupportService(s *store.Store) *SupportService { return &SupportService{store: s} }

// RecordTickets sets counts of the help desk.
func (a *SupportService) RecordTickets(ctx context.Context, req *implementationv1.RecordTicketsRequest) (*implementationv1.RecordTicketsResponse, error) {
	return a.store.RecordTickets(ctx, req)
}

// QueryTickets reads them.
func (a *SupportService) QueryTickets(ctx context.Context, req *implementationv1.QueryTicketsRequest) (*implementationv1.QueryTicketsResponse, error) {
	return a.store.QueryTickets(ctx, req)
}
