package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// AdoptionService answers golive.implementation.v1.AdoptionService.
type AdoptionService struct {
	implementationv1.UnimplementedAdoptionServiceServer

	store *store.Store
}

// NewAdoptionService serves the store.
func NewAdoptionService(s *store.Store) *AdoptionService { return &AdoptionService{store: s} }

// GetAdoption counts who uses what is new, day by day.
func (a *AdoptionService) GetAdoption(ctx context.Context, req *implementationv1.GetAdoptionRequest) (*implementationv1.Adoption, error) {
	return a.store.Adoption(ctx, req)
}

// ForecastAdoption says how that may go on.
func (a *AdoptionService) ForecastAdoption(ctx context.Context, req *implementationv1.ForecastAdoptionRequest) (*implementationv1.AdoptionForecast, error) {
	return a.store.ForecastAdoption(ctx, req)
}
