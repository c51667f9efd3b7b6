package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// IncidentService answers golive.deployment.v1.IncidentService.
type IncidentService struct {
	deploymentv1.UnimplementedIncidentServiceServer

	store     *store.Store
	incidents *resource.Kind[*deploymentv1.Incident]
}

// NewIncidentService serves the store.
func NewIncidentService(s *store.Store) *IncidentService {
	return &IncidentService{store: s, incidents: store.Incidents.With(s.IncidentHooks())}
}

// CreateIncident records one.
func (a *IncidentService) CreateIncident(ctx context.Context, req *deploymentv1.CreateIncidentRequest) (*deploymentv1.Incident, error) {
	return a.incidents.Create(ctx, a.store.Resources, req)
}

// GetIncident returns one.
func (a *IncidentService) GetIncident(ctx context.Context, req *deploymentv1.GetIncidentRequest) (*deploymentv1.Incident, error) {
	return a.incidents.Get(ctx, a.store.Resources, req)
}

// ListIncidents answers one page.
func (a *IncidentService) ListIncidents(ctx context.Context, req *deploymentv1.ListIncidentsRequest) (*deploymentv1.ListIncidentsResponse, error) {
	items, next, err := a.incidents.List(ctx, a.store.Resources, req)
	if err != nil {
		return nil, err
	}
	return &deploymentv1.ListIncidentsResponse{Incidents: items, NextPageToken: next}, nil
}

// UpdateIncident changes one.
func (a *IncidentService) UpdateIncident(ctx context.Context, req *deploymentv1.UpdateIncidentRequest) (*deploymentv1.Incident, error) {
	return a.incidents.Update(ctx, a.store.Resources, req)
}

// DeleteIncident removes one that was recorded by mistake.
func (a *IncidentService) DeleteIncident(ctx context.Context, req *deploymentv1.DeleteIncidentRequest) (*emptypb.Empty, error) {
	return a.incidents.Delete(ctx, a.store.Resources, req)
}

// ResolveIncident says that service is restored.
func (a *IncidentService) ResolveIncident(ctx context.Context, req *deploymentv1.ResolveIncidentRequest) (*deploymentv1.Incident, error) {
	return resource.Do(ctx, a.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Incident, error) {
		row, err := store.Incidents.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		i := row.Message
		if req.GetEtag() != "" && req.GetEtag() != i.GetEtag() {
			return nil, fault.Conflict(resource.ReasonEtagMismatch, "%s has changed since it was read; read it again", i.GetName())
		}
		if i.GetState() == deploymentv1.Incident_RESOLVED {
			return nil, fault.Precondition(rollout.ReasonStateForbids, "%s is resolved already, since %s; correct restored_time with an update instead",
				i.GetName(), i.GetRestoredTime().AsTime().Format("2006-01-02 15:04:05"))
		}
		if i.RestoredTime = req.GetRestoredTime(); i.GetRestoredTime() == nil {
			i.RestoredTime = timestamppb.New(a.store.Now())
		}
		if err := a.store.IncidentHooks().Validate(ctx, tx, nil, i); err != nil {
			return nil, err
		}
		return i, store.Incidents.Save(ctx, tx, a.store.Resources, i, row.Revision, resource.Meta{Verb: "resolved", Actor: auth.Actor(ctx)})
	})
}
