package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// StakeholderService answers golive.implementation.v1.StakeholderService.
type StakeholderService struct {
	implementationv1.UnimplementedStakeholderServiceServer

	store *store.Store
}

// NewStakeholderService serves the store.
func NewStakeholderService(s *store.Store) *StakeholderService { return &StakeholderService{store: s} }
