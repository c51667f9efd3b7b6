package api

import (
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// PlanTemplateService answers golive.implementation.v1.PlanTemplateService.
type PlanTemplateService struct {
	implementationv1.UnimplementedPlanTemplateServiceServer

	store *store.Store
}

// NewPlanTemplateService serves the store.
func NewPlanTemplateService(s *store.Store) *PlanTemplateService {
	return &PlanTemplateService{store: s}
}
