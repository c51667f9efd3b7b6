package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ErasureService answers golive.implementation.v1.ErasureService.
type ErasureService struct {
	implementationv1.UnimplementedErasureServiceServer

	store *store.Store
}

// NewErasureService serves the store.
func NewErasureService(s *store.Store) *ErasureService { return &ErasureService{store: s} }
