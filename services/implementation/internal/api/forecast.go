package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ForecastService answers golive.implementation.v1.ForecastService.
type ForecastService struct {
	implementationv1.UnimplementedForecastServiceServer

	store *store.Store
}

// NewForecastService serves the store.
func NewForecastService(s *store.Store) *ForecastService { return &ForecastService{store: s} }

// GetForecast reads one.
func (a *ForecastService) GetForecast(ctx context.Context, req *implementationv1.GetForecastRequest) (*implementationv1.Forecast, error) {
	return store.Forecasts.Get(ctx, a.store.Store, req)
}

// ListForecasts reads a page.
func (a *ForecastService) ListForecasts(ctx context.Context, req *implementationv1.ListForecastsRequest) (*implementationv1.ListForecastsResponse, error) {
	all, next, err := store.Forecasts.List(ctx, a.store.Store, req)
	return &implementationv1.ListForecastsResponse{Forecasts: all, NextPageToken: next}, err
}

// DeleteForecast removes one.
func (a *ForecastService) DeleteForecast(ctx context.Context, req *implementationv1.DeleteForecastRequest) (*emptypb.Empty, error) {
	return store.Forecasts.Delete(ctx, a.store.Store, req)
}
