package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// UsageService answers golive.implementation.v1.UsageService.
type UsageService struct {
	implementationv1.UnimplementedUsageServiceServer

	store *store.Store
}

// NewUsageService serves the store.
func NewUsageService(s *store.Store) *UsageService { return &UsageService{store: s} }
