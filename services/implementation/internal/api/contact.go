package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ContactService answers golive.implementation.v1.ContactService.
type ContactService struct {
	implementationv1.UnimplementedContactServiceServer

	store *store.Store
}

// NewContactService serves the store.
func NewContactService(s *store.Store) *ContactService { return &ContactService{store: s} }
