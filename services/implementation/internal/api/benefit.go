package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// BenefitService answers golive.implementation.v1.BenefitService.
type BenefitService struct {
	implementationv1.UnimplementedBenefitServiceServer

	store *store.Store
}

// NewBenefitService serves the store.
func NewBenefitService(s *store.Store) *BenefitService { return &BenefitService{store: s} }

// ComputeBenefits computes what an implementation is worth.
func (a *BenefitService) ComputeBenefits(ctx context.Context, req *implementationv1.ComputeBenefitsRequest) (*implementationv1.Benefits, error) {
	return a.store.Benefits(ctx, req)
}
