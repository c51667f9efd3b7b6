package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// PolicyService answers golive.deployment.v1.PolicyService.
type PolicyService struct {
	deploymentv1.UnimplementedPolicyServiceServer

	store  *store.Store
	engine *engine.Engine
}

// NewPolicyService serves the store; the engine carries a change into what is under way.
func NewPolicyService(s *store.Store, e *engine.Engine) *PolicyService {
	return &PolicyService{store: s, engine: e}
}

// CreatePolicy stores a new one.
func (a *PolicyService) CreatePolicy(ctx context.Context, req *deploymentv1.CreatePolicyRequest) (*deploymentv1.Policy, error) {
	return a.engine.CreatePolicy(ctx, req)
}

// GetPolicy returns one.
func (a *PolicyService) GetPolicy(ctx context.Context, req *deploymentv1.GetPolicyRequest) (*deploymentv1.Policy, error) {
	return store.Policies.Get(ctx, a.store.Resources, req)
}

// ListPolicies answers one page.
func (a *PolicyService) ListPolicies(ctx context.Context, req *deploymentv1.ListPoliciesRequest) (*deploymentv1.ListPoliciesResponse, error) {
	items, next, err := store.Policies.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListPoliciesResponse{Policies: items, NextPageToken: next}, nil
}

// UpdatePolicy changes one.
func (a *PolicyService) UpdatePolicy(ctx context.Context, req *deploymentv1.UpdatePolicyRequest) (*deploymentv1.Policy, error) {
	return a.engine.UpdatePolicy(ctx, req)
}

// DeletePolicy removes one.
func (a *PolicyService) DeletePolicy(ctx context.Context, req *deploymentv1.DeletePolicyRequest) (*emptypb.Empty, error) {
	return a.engine.DeletePolicy(ctx, req)
}

// EngageStopLine stops the line.
func (a *PolicyService) EngageStopLine(ctx context.Context, req *deploymentv1.EngageStopLineRequest) (*deploymentv1.Policy, error) {
	return a.engine.StopLine(ctx, req, true)
}

// ReleaseStopLine lets it go on.
func (a *PolicyService) ReleaseStopLine(ctx context.Context, req *deploymentv1.ReleaseStopLineRequest) (*deploymentv1.Policy, error) {
	return a.engine.StopLine(ctx, req, false)
}

// EvaluatePolicies says whether something is allowed.
func (a *PolicyService) EvaluatePolicies(ctx context.Context, req *deploymentv1.EvaluatePoliciesRequest) (*deploymentv1.EvaluatePoliciesResponse, error) {
	return a.engine.EvaluatePolicies(ctx, req)
}

// PreviewFreezes says when deployments are refused by time.
func (a *PolicyService) PreviewFreezes(ctx context.Context, req *deploymentv1.PreviewFreezesRequest) (*deploymentv1.PreviewFreezesResponse, error) {
	return a.engine.PreviewFreezes(ctx, req)
}
