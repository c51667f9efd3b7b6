package api

import (
	"context"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// MigrationService answers golive.deployment.v1.MigrationService.
type MigrationService struct {
	deploymentv1.UnimplementedMigrationServiceServer

	store  *store.Store
	engine *engine.Engine
}

// NewMigrationService serves the store.
func NewMigrationService(s *store.Store, e *engine.Engine) *MigrationService {
	return &MigrationService{store: s, engine: e}
}

// GetMigrationRun returns one.
func (a *MigrationService) GetMigrationRun(ctx context.Context, req *deploymentv1.GetMigrationRunRequest) (*deploymentv1.MigrationRun, error) {
	return store.MigrationRuns.Get(ctx, a.store.Resources, req)
}

// ListMigrationRuns answers one page.
func (a *MigrationService) ListMigrationRuns(ctx context.Context, req *deploymentv1.ListMigrationRunsRequest) (*deploymentv1.ListMigrationRunsResponse, error) {
	items, next, err := store.MigrationRuns.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListMigrationRunsResponse{MigrationRuns: items, NextPageToken: next}, nil
}

// ResolveMigrationRun takes the word of a person.
func (a *MigrationService) ResolveMigrationRun(ctx context.Context, req *deploymentv1.ResolveMigrationRunRequest) (*deploymentv1.MigrationRun, error) {
	return a.engine.ResolveMigration(ctx, req)
}
