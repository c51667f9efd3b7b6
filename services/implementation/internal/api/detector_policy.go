package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// DetectorPolicyService answers golive.implementation.v1.DetectorPolicyService.
type DetectorPolicyService struct {
	implementationv1.UnimplementedDetectorPolicyServiceServer

	store *store.Store
}

// NewDetectorPolicyService serves the store.
func NewDetectorPolicyService(s *store.Store) *DetectorPolicyService {
	return &DetectorPolicyService{store: s}
}

// CreateDetectorPolicy creates one.
func (a *DetectorPolicyService) CreateDetectorPolicy(ctx context.Context, req *implementationv1.CreateDetectorPolicyRequest) (*implementationv1.DetectorPolicy, error) {
	return store.DetectorPolicies.Create(ctx, a.store.Store, req)
}

// GetDetectorPolicy reads one.
func (a *DetectorPolicyService) GetDetectorPolicy(ctx context.Context, req *implementationv1.GetDetectorPolicyRequest) (*implementationv1.DetectorPolicy, error) {
	return store.DetectorPolicies.Get(ctx, a.store.Store, req)
}

// ListDetectorPolicies reads a page.
func (a *DetectorPolicyService) ListDetectorPolicies(ctx context.Context, req *implementationv1.ListDetectorPoliciesRequest) (*implementationv1.ListDetectorPoliciesResponse, error) {
	all, next, err := store.DetectorPolicies.List(ctx, a.store.Store, req)
	return &implementationv1.ListDetectorPoliciesResponse{DetectorPolicies: all, NextPageToken: next}, err
}

// UpdateDetectorPolicy changes one.
func (a *DetectorPolicyService) UpdateDetectorPolicy(ctx context.Context, req *implementationv1.UpdateDetectorPolicyRequest) (*implementationv1.DetectorPolicy, error) {
	return store.DetectorPolicies.Update(ctx, a.store.Store, req)
}

// DeleteDetectorPolicy removes one; the defaults hold again.
func (a *DetectorPolicyService) DeleteDetectorPolicy(ctx context.Context, req *implementationv1.DeleteDetectorPolicyRequest) (*emptypb.Empty, error) {
	return store.DetectorPolicies.Delete(ctx, a.store.Store, req)
}
