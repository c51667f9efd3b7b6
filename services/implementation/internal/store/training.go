package store

import (
	"context"

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

// MoveTraining takes a training to another state.
func (s *Store) MoveTraining(ctx context.Context, req command, event lifecycle.TrainingEvent) (*implementationv1.Training, error) {
	return move(ctx, s, Trainings, req, string(event), func(_ context.Context, _ *sqldb.Tx, t *implementationv1.Training) error { return event.Apply(t) })
}
