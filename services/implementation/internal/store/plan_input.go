package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// PlanInput reads everything that a plan is computed of, as of one moment:
// five statements, whatever its size.
func (s *Store) PlanInput(ctx context.Context, implementation string) (in plan.Input, err error) {
	if _, err := Implementations.Parse(implementation); err != nil {
		return in, err
	}
	err = s.DB().Snapshot(ctx, func(ctx context.Context, q sqldb.Queryer) error {
		in, err = s.planInput(ctx, q, implementation)
		return err
	})
	return in, err
}

// planInput is [Store.PlanInput] in a transaction of the caller.
func (s *Store) planInput(ctx context.Context, q sqldb.Queryer, implementation string) (in plan.Input, err error) {
	in.Now = s.Now()
	if in.Implementation, err = Implementations.Load(ctx, q, implementation); err != nil {
		return in, err
	}
	if in.Stages, err = Stages.Select(ctx, q, "WHERE parent = $1 ORDER BY position, name", implementation); err != nil {
		return in, err
	}
	if in.Tasks, err = Tasks.Select(ctx, q, "WHERE parent = $1 ORDER BY name", implementation); err != nil {
		return in, err
	}
	in.Resources, err = Resources.Select(ctx, q, `WHERE name IN (
		SELECT a.resource FROM tasks t JOIN task_assignments a ON a.task = t.name WHERE t.parent = $1) ORDER BY name`, implementation)
	if err != nil {
		return in, err
	}
	if name := in.Implementation.GetCurrentBaseline(); name != "" {
		var all []*implementationv1.Baseline
		if all, err = baselines(ctx, q, "WHERE b.name = $1", name); len(all) > 0 {
			in.Baseline = all[0]
		}
	}
	return in, err
}
