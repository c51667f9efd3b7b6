package store

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Incidents are times in which users were not served as they should be.
var Incidents = resource.Define(resource.Spec[*deploymentv1.Incident]{
	Table: "incidents",
	Columns: []resource.Column[*deploymentv1.Incident]{
		{Field: "state"}, {Field: "severity"}, {Field: "caused_by"}, {Field: "detected_time"}, {Field: "restored_time"}, {Field: "labels"},
	},
})

// IncidentHooks are the rules of incidents, by the clock of the store.
func (s *Store) IncidentHooks() resource.Hooks[*deploymentv1.Incident] {
	return resource.Hooks[*deploymentv1.Incident]{
		Default: func(ctx context.Context, _ *sqldb.Tx, i *deploymentv1.Incident) error {
			i.Creator = auth.Actor(ctx)
			if i.GetDetectedTime() == nil {
				i.DetectedTime = timestamppb.New(s.Now())
			}
			return nil
		},
		Validate: func(ctx context.Context, tx *sqldb.Tx, _, i *deploymentv1.Incident) error {
			if i.GetSeverity() == deploymentv1.Incident_SEVERITY_UNSPECIFIED {
				i.Severity = deploymentv1.Incident_MINOR
			}
			i.State = deploymentv1.Incident_OPEN
			if i.GetRestoredTime() != nil {
				i.State = deploymentv1.Incident_RESOLVED
			}
			return s.checkIncident(ctx, tx, i)
		},
	}
}

func (s *Store) checkIncident(ctx context.Context, tx *sqldb.Tx, i *deploymentv1.Incident) error {
	now := s.Now()
	detected, restored := i.GetDetectedTime().AsTime(), i.GetRestoredTime()
	switch {
	case detected.After(now):
		return fault.Invalid(resource.ReasonInvalidField, "an incident cannot be detected in the future; leave detected_time out where it was just noticed").
			Field("incident.detected_time", "must not be in the future")
	case restored != nil && restored.AsTime().Before(detected):
		return fault.Invalid(resource.ReasonInvalidField, "service cannot be restored (%s) before the incident was detected (%s); correct one of them",
			restored.AsTime().Format("2006-01-02 15:04:05"), detected.Format("2006-01-02 15:04:05")).
			Field("incident.restored_time", "must not be before detected_time")
	case restored != nil && restored.AsTime().After(now):
		return fault.Invalid(resource.ReasonInvalidField, "service cannot have been restored in the future; leave restored_time out while the incident goes on").
			Field("incident.restored_time", "must not be in the future")
	case i.GetCausedBy() == "":
		return nil
	}
	if err := SameWorkspace("incident.caused_by", i.GetName(), i.GetCausedBy()); err != nil {
		return err
	}
	return Deployments.Required(ctx, tx, i.GetCausedBy())
}
