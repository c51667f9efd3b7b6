package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// BudgetLineService answers golive.implementation.v1.BudgetLineService.
type BudgetLineService struct {
	implementationv1.UnimplementedBudgetLineServiceServer

	store *store.Store
}

// NewBudgetLineService serves the store.
func NewBudgetLineService(s *store.Store) *BudgetLineService { return &BudgetLineService{store: s} }

// CreateBudgetLine creates one.
func (a *BudgetLineService) CreateBudgetLine(ctx context.Context, req *implementationv1.CreateBudgetLineRequest) (*implementationv1.BudgetLine, error) {
	return store.BudgetLines.Create(ctx, a.store.Store, req)
}

// GetBudgetLine reads one.
func (a *BudgetLineService) GetBudgetLine(ctx context.Context, req *implementationv1.GetBudgetLineRequest) (*implementationv1.BudgetLine, error) {
	return store.BudgetLines.Get(ctx, a.store.Store, req)
}

// ListBudgetLines reads a page.
func (a *BudgetLineService) ListBudgetLines(ctx context.Context, req *implementationv1.ListBudgetLinesRequest) (*implementationv1.ListBudgetLinesResponse, error) {
	all, next, err := store.BudgetLines.List(ctx, a.store.Store, req)
	return &implementationv1.ListBudgetLinesResponse{BudgetLines: all, NextPageToken: next}, err
}

// UpdateBudgetLine changes one.
func (a *BudgetLineService) UpdateBudgetLine(ctx context.Context, req *implementationv1.UpdateBudgetLineRequest) (*implementationv1.BudgetLine, error) {
	return store.BudgetLines.Update(ctx, a.store.Store, req)
}

// DeleteBudgetLine removes one.
func (a *BudgetLineService) DeleteBudgetLine(ctx context.Context, req *implementationv1.DeleteBudgetLineRequest) (*emptypb.Empty, error) {
	return store.BudgetLines.Delete(ctx, a.store.Store, req)
}
