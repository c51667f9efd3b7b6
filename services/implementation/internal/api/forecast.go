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
	turn  chan struct{} // held by who computes
}

// NewForecastService serves the store.
func NewForecastService(s *store.Store) *ForecastService {
	return &ForecastService{store: s, turn: make(chan struct{}, 1)}
}

// CreateForecast computes one. It takes all processors, so there is one at a time.
func (a *ForecastService) CreateForecast(ctx context.Context, req *implementationv1.CreateForecastRequest) (*implementationv1.Forecast, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return a.store.CreateForecast(ctx, req)
}

// GetForecast reads one.
func (a *ForecastService) GetForecast(ctx context.Context, req *implementationv1.GetForecastRequest) (*implementationv1.Forecast, error) {
	return store.Forecasts.Get(ctx, a.store.Store, req)
}

// ListForecasts reads a page, without what is as long as the plan.
func (a *ForecastService) ListForecasts(ctx context.Context, req *implementationv1.ListForecastsRequest) (*implementationv1.ListForecastsResponse, error) {
	all, next, err := store.Forecasts.List(ctx, a.store.Store, req)
	for _, f := range all {
		f.Sensitivities = nil
		if f.GetClassicalPert() != nil {
			f.ClassicalPert.Rows = nil
		}
	}
	return &implementationv1.ListForecastsResponse{Forecasts: all, NextPageToken: next}, err
}

// DeleteForecast removes one.
func (a *ForecastService) DeleteForecast(ctx context.Context, req *implementationv1.DeleteForecastRequest) (*emptypb.Empty, error) {
	return store.Forecasts.Delete(ctx, a.store.Store, req)
}
