package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// AgendaService answers golive.implementation.v1.AgendaService.
type AgendaService struct {
	implementationv1.UnimplementedAgendaServiceServer

	store *store.Store
}

// NewAgendaService serves the store.
func NewAgendaService(s *store.Store) *AgendaService { return &AgendaService{store: s} }

// GetAgenda answers what somebody has to do.
func (a *AgendaService) GetAgenda(ctx context.Context, req *implementationv1.GetAgendaRequest) (*implementationv1.Agenda, error) {
	return a.store.Agenda(ctx, req)
}
