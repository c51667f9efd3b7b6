package store

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// Trainings is the kind of trainings.
var Trainings = resource.Define(resource.Spec[*implementationv1.Training]{
	Table: "trainings",
	Columns: []resource.Column[*implementationv1.Training]{
		{Field: "display_name"}, {Field: "owner"}, {Field: "state"}, {Field: "labels"},
	},
	Hooks: resource.Hooks[*implementationv1.Training]{
		Default: func(_ context.Context, _ *sqldb.Tx, m *implementationv1.Training) error {
			m.State = implementationv1.Training_DRAFT
			return nil
		},
		BeforeDelete: takingComments(func(ctx context.Context, tx *sqldb.Tx, old *implementationv1.Training) error {
			if err := lifecycle.Deletable(old); err != nil {
				return err
			}
			return unused(ctx, tx, old.GetName(), `SELECT plan FROM cohort_plan_trainings WHERE training = $1
				UNION ALL SELECT name FROM sessions WHERE parent = $1 ORDER BY 1 LIMIT 1`, old.GetName())
		}),
	},
})

// MoveTraining takes a training to another state. Etag is checked where it is set.
func (s *Store) MoveTraining(ctx context.Context, req proto.Message, name, etag string, event lifecycle.TrainingEvent) (*implementationv1.Training, error) {
	if _, err := Trainings.Parse(name); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Training, error) {
		row, err := Trainings.LockRow(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		if etag != "" && etag != row.Message.GetEtag() {
			return nil, fault.Conflict(resource.ReasonEtagMismatch, "%s has changed since you read it; read it again and repeat", name).
				Meta("etag", row.Message.GetEtag())
		}
		if err := event.Apply(row.Message); err != nil {
			return nil, err
		}
		return row.Message, Trainings.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: string(event)})
	})
}
