package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ProvisioningService answers golive.implementation.v1.ProvisioningService.
type ProvisioningService struct {
	implementationv1.UnimplementedProvisioningServiceServer

	store *store.Store
}

// NewProvisioningService serves the store.
func NewProvisioningService(s *store.Store) *ProvisioningService {
	return &ProvisioningService{store: s}
}

// RecordProvisionings records who has an account.
func (a *ProvisioningService) RecordProvisionings(ctx context.Context, req *implementationv1.RecordProvisioningsRequest) (*implementationv1.ImportResult, error) {
	return a.store.RecordProvisionings(ctx, req)
}

// RemoveProvisionings records who has none any more.
func (a *ProvisioningService) RemoveProvisionings(ctx context.Context, req *implementationv1.RemoveProvisioningsRequest) (*implementationv1.ImportResult, error) {
	return a.store.RemoveProvisionings(ctx, req)
}

// ImportProvisionings reads a file.
func (a *ProvisioningService) ImportProvisionings(ctx context.Context, req *implementationv1.ImportProvisioningsRequest) (*implementationv1.ImportResult, error) {
	return a.store.ImportProvisionings(ctx, req)
}

// CountProvisionings counts accounts.
func (a *ProvisioningService) CountProvisionings(ctx context.Context, req *implementationv1.CountProvisioningsRequest) (*implementationv1.CountProvisioningsResponse, error) {
	return a.store.CountProvisionings(ctx, req)
}
