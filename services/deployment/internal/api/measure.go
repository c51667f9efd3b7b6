package api

import (
	"context"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/measure"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// MeasureService answers golive.deployment.v1.MeasureService.
type MeasureService struct {
	deploymentv1.UnimplementedMeasureServiceServer

	store *store.Store
}

// NewMeasureService serves the store.
func NewMeasureService(s *store.Store) *MeasureService { return &MeasureService{store: s} }

// ComputeMeasures counts how the software of several scopes runs.
func (a *MeasureService) ComputeMeasures(ctx context.Context, req *deploymentv1.ComputeMeasuresRequest) (*deploymentv1.ComputeMeasuresResponse, error) {
	return measure.Compute(ctx, a.store, req)
}
