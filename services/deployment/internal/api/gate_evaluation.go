package api

import (
	"context"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// GateEvaluationService answers golive.deployment.v1.GateEvaluationService.
type GateEvaluationService struct {
	deploymentv1.UnimplementedGateEvaluationServiceServer

	store *store.Store
}

// NewGateEvaluationService serves the store.
func NewGateEvaluationService(s *store.Store) *GateEvaluationService {
	return &GateEvaluationService{store: s}
}

// GetGateEvaluation returns one.
func (a *GateEvaluationService) GetGateEvaluation(ctx context.Context, req *deploymentv1.GetGateEvaluationRequest) (*deploymentv1.GateEvaluation, error) {
	return store.GateEvaluations.Get(ctx, a.store.Resources, req)
}

// ListGateEvaluations answers one page, the newest first unless asked otherwise.
func (a *GateEvaluationService) ListGateEvaluations(ctx context.Context, req *deploymentv1.ListGateEvaluationsRequest) (*deploymentv1.ListGateEvaluationsResponse, error) {
	if req.GetOrderBy() == "" {
		req.OrderBy = "ordinal desc"
	}
	items, next, err := store.GateEvaluations.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListGateEvaluationsResponse{GateEvaluations: items, NextPageToken: next}, nil
}
