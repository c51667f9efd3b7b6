package api

import (
	"context"

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

// ListPlanTemplates reads a page.
func (a *PlanTemplateService) ListPlanTemplates(ctx context.Context, req *implementationv1.ListPlanTemplatesRequest) (*implementationv1.ListPlanTemplatesResponse, error) {
	return a.store.ListPlanTemplates(ctx, req)
}

// ApplyTemplate creates the plan of a template.
func (a *PlanTemplateService) ApplyTemplate(ctx context.Context, req *implementationv1.ApplyTemplateRequest) (*implementationv1.ApplyTemplateResponse, error) {
	return a.store.ApplyTemplate(ctx, req)
}
