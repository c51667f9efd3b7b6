package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ChallengeService answers golive.implementation.v1.ChallengeService.
type ChallengeService struct {
	implementationv1.UnimplementedChallengeServiceServer

	store *store.Store
}

// NewChallengeService serves the store.
func NewChallengeService(s *store.Store) *ChallengeService { return &ChallengeService{store: s} }

// CreateChallenge raises one.
func (a *ChallengeService) CreateChallenge(ctx context.Context, req *implementationv1.CreateChallengeRequest) (*implementationv1.Challenge, error) {
	return store.Challenges.Create(ctx, a.store.Store, req)
}

// GetChallenge reads one.
func (a *ChallengeService) GetChallenge(ctx context.Context, req *implementationv1.GetChallengeRequest) (*implementationv1.Challenge, error) {
	return store.Challenges.Get(ctx, a.store.Store, req)
}

// ListChallenges reads a page.
func (a *ChallengeService) ListChallenges(ctx context.Context, req *implementationv1.ListChallengesRequest) (*implementationv1.ListChallengesResponse, error) {
	all, next, err := store.Challenges.List(ctx, a.store.Store, req)
	return &implementationv1.ListChallengesResponse{Challenges: all, NextPageToken: next}, err
}

// UpdateChallenge changes one.
func (a *ChallengeService) UpdateChallenge(ctx context.Context, req *implementationv1.UpdateChallengeRequest) (*implementationv1.Challenge, error) {
	return store.Challenges.Update(ctx, a.store.Store, req)
}

// DeleteChallenge removes one that was raised by mistake.
func (a *ChallengeService) DeleteChallenge(ctx context.Context, req *implementationv1.DeleteChallengeRequest) (*emptypb.Empty, error) {
	return store.Challenges.Delete(ctx, a.store.Store, req)
}

// OpenChallenge takes a suggestion for true.
func (a *ChallengeService) OpenChallenge(ctx context.Context, req *implementationv1.OpenChallengeRequest) (*implementationv1.Challenge, error) {
	return a.store.OpenChallenge(ctx, req)
}

// DismissChallenge says of a suggestion that it is none.
func (a *ChallengeService) DismissChallenge(ctx context.Context, req *implementationv1.DismissChallengeRequest) (*implementationv1.Challenge, error) {
	return a.store.DismissChallenge(ctx, req)
}

// MitigateChallenge says that something is being done.
func (a *ChallengeService) MitigateChallenge(ctx context.Context, req *implementationv1.MitigateChallengeRequest) (*implementationv1.Challenge, error) {
	return a.store.MitigateChallenge(ctx, req)
}

// ResolveChallenge says that it worked.
func (a *ChallengeService) ResolveChallenge(ctx context.Context, req *implementationv1.ResolveChallengeRequest) (*implementationv1.Challenge, error) {
	return a.store.ResolveChallenge(ctx, req)
}

// AcceptChallenge lives with it.
func (a *ChallengeService) AcceptChallenge(ctx context.Context, req *implementationv1.AcceptChallengeRequest) (*implementationv1.Challenge, error) {
	return a.store.AcceptChallenge(ctx, req)
}

// CloseChallenge ends it.
func (a *ChallengeService) CloseChallenge(ctx context.Context, req *implementationv1.CloseChallengeRequest) (*implementationv1.Challenge, error) {
	return a.store.CloseChallenge(ctx, req)
}

// ReopenChallenge takes it back.
func (a *ChallengeService) ReopenChallenge(ctx context.Context, req *implementationv1.ReopenChallengeRequest) (*implementationv1.Challenge, error) {
	return a.store.ReopenChallenge(ctx, req)
}
