package api

import (
	"context"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// InstallationService answers golive.deployment.v1.InstallationService.
type InstallationService struct {
	deploymentv1.UnimplementedInstallationServiceServer

	store  *store.Store
	engine *engine.Engine
	logs   *Logs
}

// NewInstallationService serves the store.
func NewInstallationService(s *store.Store, e *engine.Engine, logs *Logs) *InstallationService {
	return &InstallationService{store: s, engine: e, logs: logs}
}

// GetInstallation returns one with every try and its steps.
func (a *InstallationService) GetInstallation(ctx context.Context, req *deploymentv1.GetInstallationRequest) (*deploymentv1.Installation, error) {
	i, err := a.find(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	if i.Attempts, err = store.Attempts(ctx, a.store.DB.Read(), i.GetName()); err != nil {
		return nil, err
	}
	return i, a.store.DescribeInstallations(ctx, i)
}

func (a *InstallationService) find(ctx context.Context, name string) (*deploymentv1.Installation, error) {
	if _, err := store.Installations.Parse(name); err != nil {
		return nil, err
	}
	found, err := store.SelectInstallations(ctx, a.store.DB.Read(), `name = $1`, name)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.NotFound(resource.ReasonNotFound, "installation %q does not exist; list them with `golive list installations`", name)
	}
	return found[0].Installation, nil
}

// ListInstallations answers one page.
func (a *InstallationService) ListInstallations(ctx context.Context, req *deploymentv1.ListInstallationsRequest) (*deploymentv1.ListInstallationsResponse, error) {
	items, next, err := a.store.ListInstallations(ctx, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListInstallationsResponse{Installations: items, NextPageToken: next}, a.store.DescribeInstallations(ctx, items...)
}

// RetryInstallation tries one again while its wave runs.
func (a *InstallationService) RetryInstallation(ctx context.Context, req *deploymentv1.RetryInstallationRequest) (*deploymentv1.Installation, error) {
	return a.engine.Retry(ctx, req)
}

// ReadLogs streams the output of an installation.
func (a *InstallationService) ReadLogs(req *deploymentv1.ReadLogsRequest, stream grpc.ServerStreamingServer[deploymentv1.ReadLogsResponse]) error {
	if _, err := a.find(stream.Context(), req.GetName()); err != nil {
		return err
	}
	return a.logs.Read(stream.Context(), req.GetName(), req.GetAttempt(), req.GetFollow(), func(lines []*deploymentv1.LogLine) error {
		return stream.Send(&deploymentv1.ReadLogsResponse{Lines: lines})
	})
}
