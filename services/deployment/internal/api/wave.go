package api

import (
	"context"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// WaveService answers golive.deployment.v1.WaveService.
type WaveService struct {
	deploymentv1.UnimplementedWaveServiceServer

	store  *store.Store
	engine *engine.Engine
}

// NewWaveService serves the store.
func NewWaveService(s *store.Store, e *engine.Engine) *WaveService {
	return &WaveService{store: s, engine: e}
}

// GetWave returns one.
func (a *WaveService) GetWave(ctx context.Context, req *deploymentv1.GetWaveRequest) (*deploymentv1.Wave, error) {
	return store.Waves.Get(ctx, a.store.Resources, req)
}

// ListWaves answers one page, in the order of the rollout unless asked otherwise.
func (a *WaveService) ListWaves(ctx context.Context, req *deploymentv1.ListWavesRequest) (*deploymentv1.ListWavesResponse, error) {
	if req.GetOrderBy() == "" {
		req.OrderBy = "ordinal"
	}
	items, next, err := store.Waves.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListWavesResponse{Waves: items, NextPageToken: next}, nil
}

// ApproveWave records an approval by a second person.
func (a *WaveService) ApproveWave(ctx context.Context, req *deploymentv1.ApproveWaveRequest) (*deploymentv1.Wave, error) {
	return a.engine.Decide(ctx, req, true)
}

// RejectWave records a rejection, which ends the deployment.
func (a *WaveService) RejectWave(ctx context.Context, req *deploymentv1.RejectWaveRequest) (*deploymentv1.Wave, error) {
	return a.engine.Decide(ctx, req, false)
}

// SkipWave leaves a wave out.
func (a *WaveService) SkipWave(ctx context.Context, req *deploymentv1.SkipWaveRequest) (*deploymentv1.Wave, error) {
	return a.engine.Skip(ctx, req)
}
