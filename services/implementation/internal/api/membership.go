package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// MembershipService answers golive.implementation.v1.MembershipService.
type MembershipService struct {
	implementationv1.UnimplementedMembershipServiceServer

	store *store.Store
}

// NewMembershipService serves the store.
func NewMembershipService(s *store.Store) *MembershipService { return &MembershipService{store: s} }

// CreateMembership creates one.
func (a *MembershipService) CreateMembership(ctx context.Context, req *implementationv1.CreateMembershipRequest) (*implementationv1.Membership, error) {
	return store.Memberships.Create(ctx, a.store.Store, req)
}

// GetMembership reads one.
func (a *MembershipService) GetMembership(ctx context.Context, req *implementationv1.GetMembershipRequest) (*implementationv1.Membership, error) {
	return store.Memberships.Get(ctx, a.store.Store, req)
}

// ListMemberships reads a page.
func (a *MembershipService) ListMemberships(ctx context.Context, req *implementationv1.ListMembershipsRequest) (*implementationv1.ListMembershipsResponse, error) {
	all, next, err := store.Memberships.List(ctx, a.store.Store, req)
	return &implementationv1.ListMembershipsResponse{Memberships: all, NextPageToken: next}, err
}

// UpdateMembership changes one.
func (a *MembershipService) UpdateMembership(ctx context.Context, req *implementationv1.UpdateMembershipRequest) (*implementationv1.Membership, error) {
	return store.Memberships.Update(ctx, a.store.Store, req)
}

// DeleteMembership removes one.
func (a *MembershipService) DeleteMembership(ctx context.Context, req *implementationv1.DeleteMembershipRequest) (*emptypb.Empty, error) {
	return store.Memberships.Delete(ctx, a.store.Store, req)
}

// ImportMemberships reads a file.
func (a *MembershipService) ImportMemberships(ctx context.Context, req *implementationv1.ImportMembershipsRequest) (*implementationv1.ImportResult, error) {
	return a.store.ImportMemberships(ctx, req)
}

// ExportMemberships writes a page of a file.
func (a *MembershipService) ExportMemberships(ctx context.Context, req *implementationv1.ExportMembershipsRequest) (*implementationv1.ExportResult, error) {
	return a.store.ExportMemberships(ctx, req)
}
