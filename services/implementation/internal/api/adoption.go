package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// AdoptionService answers golive.implementation.v1.AdoptionService.
type AdoptionService struct {
	implementationv1.UnimplementedAdoptionServiceServer

	store *store.Store
}

// NewAdoptionService serves the store.
func NewAdoptionService(s *store.Store) *AdoptionService { return &AdoptionService{store: s} }
