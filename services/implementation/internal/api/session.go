package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// SessionService answers golive.implementation.v1.SessionService.
type SessionService struct {
	implementationv1.UnimplementedSessionServiceServer

	store *store.Store
}

// NewSessionService serves the store.
func NewSessionService(s *store.Store) *SessionService { return &SessionService{store: s} }
