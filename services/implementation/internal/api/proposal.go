package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ProposalService answers golive.implementation.v1.ProposalService.
type ProposalService struct {
	implementationv1.UnimplementedProposalServiceServer

	store *store.Store
}

// NewProposalService serves the store.
func NewProposalService(s *store.Store) *ProposalService { return &ProposalService{store: s} }

// LevelImplementation computes one.
func (a *ProposalService) LevelImplementation(ctx context.Context, req *implementationv1.LevelImplementationRequest) (*implementationv1.Proposal, error) {
	return a.store.LevelImplementation(ctx, req)
}

// ApplyProposal writes one into the plan.
func (a *ProposalService) ApplyProposal(ctx context.Context, req *implementationv1.ApplyProposalRequest) (*implementationv1.Proposal, error) {
	return a.store.ApplyProposal(ctx, req)
}

// GetProposal reads one.
func (a *ProposalService) GetProposal(ctx context.Context, req *implementationv1.GetProposalRequest) (*implementationv1.Proposal, error) {
	return store.Proposals.Get(ctx, a.store.Store, req)
}

// ListProposals reads a page.
func (a *ProposalService) ListProposals(ctx context.Context, req *implementationv1.ListProposalsRequest) (*implementationv1.ListProposalsResponse, error) {
	all, next, err := store.Proposals.List(ctx, a.store.Store, req)
	return &implementationv1.ListProposalsResponse{Proposals: all, NextPageToken: next}, err
}

// DeleteProposal removes one.
func (a *ProposalService) DeleteProposal(ctx context.Context, req *implementationv1.DeleteProposalRequest) (*emptypb.Empty, error) {
	return store.Proposals.Delete(ctx, a.store.Store, req)
}
