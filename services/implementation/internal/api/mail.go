package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// MailService answers golive.implementation.v1.MailService.
type MailService struct {
	implementationv1.UnimplementedMailServiceServer

	store *store.Store
}

// NewMailService serves the store.
func NewMailService(s *store.Store) *MailService { return &MailService{store: s} }
