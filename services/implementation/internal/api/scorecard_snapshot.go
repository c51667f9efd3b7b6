package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ScorecardSnapshotService answers golive.implementation.v1.ScorecardSnapshotService.
type ScorecardSnapshotService struct {
	implementationv1.UnimplementedScorecardSnapshotServiceServer

	store *store.Store
}

// NewScorecardSnapshotService serves the store.
func NewScorecardSnapshotService(s *store.Store) *ScorecardSnapshotService {
	return &ScorecardSnapshotService{store: s}
}

// GetScorecardSnapshot returns one.
func (a *ScorecardSnapshotService) GetScorecardSnapshot(ctx context.Context, req *implementationv1.GetScorecardSnapshotRequest) (*implementationv1.ScorecardSnapshot, error) {
	return store.ScorecardSnapshots.Get(ctx, a.store.Store, req)
}

// ListScorecardSnapshots answers one page.
func (a *ScorecardSnapshotService) ListScorecardSnapshots(ctx context.Context, req *implementationv1.ListScorecardSnapshotsRequest) (*implementationv1.ListScorecardSnapshotsResponse, error) {
	items, next, err := store.ScorecardSnapshots.List(ctx, a.store.Store, req)
	if err != nil {
		return nil, err
	}
	return &implementationv1.ListScorecardSnapshotsResponse{ScorecardSnapshots: items, NextPageToken: next}, nil
}
