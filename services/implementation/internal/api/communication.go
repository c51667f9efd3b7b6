package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// CommunicationService answers golive.implementation.v1.CommunicationService.
type CommunicationService struct {
	implementationv1.UnimplementedCommunicationServiceServer

	store *store.Store
}

// NewCommunicationService serves the store.
func NewCommunicationService(s *store.Store) *CommunicationService { return &CommunicationService{store: s} }
