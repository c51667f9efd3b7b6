package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// StakeholderService answers golive.implementation.v1.StakeholderService.
type StakeholderService struct {
	implementationv1.UnimplementedStakeholderServiceServer

	store *store.Store
}

// NewStakeholderService serves the store.
func NewStakeholderService(s *store.Store) *StakeholderService { return &StakeholderService{store: s} }

// CreateStakeholder creates one.
func (a *StakeholderService) CreateStakeholder(ctx context.Context, req *implementationv1.CreateStakeholderRequest) (*implementationv1.Stakeholder, error) {
	return a.store.CreateStakeholder(ctx, req)
}

// GetStakeholder reads one.
func (a *StakeholderService) GetStakeholder(ctx context.Context, req *implementationv1.GetStakeholderRequest) (*implementationv1.Stakeholder, error) {
	return store.Stakeholders.Get(ctx, a.store.Store, req)
}

// ListStakeholders reads a page.
func (a *StakeholderService) ListStakeholders(ctx context.Context, req *implementationv1.ListStakeholdersRequest) (*implementationv1.ListStakeholdersResponse, error) {
	all, next, err := store.Stakeholders.List(ctx, a.store.Store, req)
	return &implementationv1.ListStakeholdersResponse{Stakeholders: all, NextPageToken: next}, err
}

// UpdateStakeholder changes one.
func (a *StakeholderService) UpdateStakeholder(ctx context.Context, req *implementationv1.UpdateStakeholderRequest) (*implementationv1.Stakeholder, error) {
	return store.Stakeholders.Update(ctx, a.store.Store, req)
}

// DeleteStakeholder removes one.
func (a *StakeholderService) DeleteStakeholder(ctx context.Context, req *implementationv1.DeleteStakeholderRequest) (*emptypb.Empty, error) {
	return store.Stakeholders.Delete(ctx, a.store.Store, req)
}

// RecordStance notes how one stands.
func (a *StakeholderService) RecordStance(ctx context.Context, req *implementationv1.RecordStanceRequest) (*implementationv1.Stakeholder, error) {
	return a.store.RecordStance(ctx, req)
}

// RecordContact notes that somebody was in touch with one.
func (a *StakeholderService) RecordContact(ctx context.Context, req *implementationv1.RecordContactRequest) (*implementationv1.Stakeholder, error) {
	return a.store.RecordContact(ctx, req)
}

// GetStanceChange reads one that was recorded.
func (a *StakeholderService) GetStanceChange(ctx context.Context, req *implementationv1.GetStanceChangeRequest) (*implementationv1.StanceChange, error) {
	return a.store.StanceChange(ctx, req.GetName())
}

// ListStanceChanges reads a page of how one stood.
func (a *StakeholderService) ListStanceChanges(ctx context.Context, req *implementationv1.ListStanceChangesRequest) (*implementationv1.ListStanceChangesResponse, error) {
	all, next, err := a.store.ListStanceChanges(ctx, req)
	return &implementationv1.ListStanceChangesResponse{StanceChanges: all, NextPageToken: next}, err
}
