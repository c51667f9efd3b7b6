package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ScheduleService answers golive.implementation.v1.ScheduleService.
type ScheduleService struct {
	implementationv1.UnimplementedScheduleServiceServer

	store *store.Store
}

// NewScheduleService serves the store.
func NewScheduleService(s *store.Store) *ScheduleService { return &ScheduleService{store: s} }
