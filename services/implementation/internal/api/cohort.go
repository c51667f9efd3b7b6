package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// CohortService answers golive.implementation.v1.CohortService.
type CohortService struct {
	implementationv1.UnimplementedCohortServiceServer

	store *store.Store
}

// NewCohortService serves the store.
func NewCohortService(s *store.Store) *CohortService { return &CohortService{store: s} }

// CreateCohort creates one.
func (a *CohortService) CreateCohort(ctx context.Context, req *implementationv1.CreateCohortRequest) (*implementationv1.Cohort, error) {
	c, err := store.Cohorts.Create(ctx, a.store.Store, req)
	return a.sized(ctx, c, err)
}

// GetCohort reads one.
func (a *CohortService) GetCohort(ctx context.Context, req *implementationv1.GetCohortRequest) (*implementationv1.Cohort, error) {
	c, err := store.Cohorts.Get(ctx, a.store.Store, req)
	return a.sized(ctx, c, err)
}

// ListCohorts reads a page.
func (a *CohortService) ListCohorts(ctx context.Context, req *implementationv1.ListCohortsRequest) (*implementationv1.ListCohortsResponse, error) {
	all, next, err := store.Cohorts.List(ctx, a.store.Store, req)
	if err != nil {
		return nil, err
	}
	return &implementationv1.ListCohortsResponse{Cohorts: all, NextPageToken: next}, a.store.Sizes(ctx, all...)
}

// UpdateCohort changes one.
func (a *CohortService) UpdateCohort(ctx context.Context, req *implementationv1.UpdateCohortRequest) (*implementationv1.Cohort, error) {
	c, err := store.Cohorts.Update(ctx, a.store.Store, req)
	return a.sized(ctx, c, err)
}

// DeleteCohort removes one.
func (a *CohortService) DeleteCohort(ctx context.Context, req *implementationv1.DeleteCohortRequest) (*emptypb.Empty, error) {
	return store.Cohorts.Delete(ctx, a.store.Store, req)
}

// sized adds what is counted and not stored.
func (a *CohortService) sized(ctx context.Context, c *implementationv1.Cohort, err error) (*implementationv1.Cohort, error) {
	if err != nil {
		return nil, err
	}
	return c, a.store.Sizes(ctx, c)
}
