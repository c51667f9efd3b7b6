package api

import (
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
