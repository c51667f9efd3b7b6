package store

import (
	"context"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// PlanInput reads everything that a plan is computed of, as of one moment.
func (s *Store) PlanInput(ctx context.Context, implementation string) (in plan.Input, err error) {
	if _, err := Implementations.Parse(implementation); err != nil {
		return in, err
	}
	all, err := s.PlanInputs(ctx, implementation)
	if err != nil {
		return in, err
	}
	in, known := all[implementation]
	if !known {
		_, err = Implementations.Load(ctx, s.DB().Read(), implementation) // says that it does not exist
	}
	return in, err
}

// PlanInputs is [Store.PlanInput] for those of many plans that exist: five
// statements, however many plans and tasks there are.
func (s *Store) PlanInputs(ctx context.Context, implementations ...string) (all map[string]plan.Input, err error) {
	all = make(map[string]plan.Input, len(implementations))
	err = s.DB().Snapshot(ctx, func(ctx context.Context, q sqldb.Queryer) error {
		clear(all)
		for part := range slices.Chunk(implementations, chunk) {
			if err := s.planInputs(ctx, q, part, all); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

func (s *Store) planInputs(ctx context.Context, q sqldb.Queryer, names []string, all map[string]plan.Input) error {
	in, args := "("+sqldb.Marks(1, len(names))+")", sqldb.Texts(names)
	plans, err := Implementations.Select(ctx, q, "WHERE name IN "+in, args...)
	if err != nil {
		return err
	}
	stages, err := Stages.Select(ctx, q, "WHERE parent IN "+in+" ORDER BY position, name", args...)
	if err != nil {
		return err
	}
	tasks, err := Tasks.Select(ctx, q, "WHERE parent IN "+in+" ORDER BY name", args...)
	if err != nil {
		return err
	}
	resources, err := Resources.Select(ctx, q, `WHERE name IN (
		SELECT a.resource FROM tasks t JOIN task_assignments a ON a.task = t.name WHERE t.parent IN `+in+`) ORDER BY name`, args...)
	if err != nil {
		return err
	}
	current, err := currentBaselines(ctx, q, plans)
	if err != nil {
		return err
	}
	for _, i := range plans {
		all[i.GetName()] = plan.Input{Implementation: i, Resources: resources, Baseline: current[i.GetCurrentBaseline()], Now: s.Now()}
	}
	for _, stage := range stages {
		one := all[parent(stage.GetName())]
		one.Stages = append(one.Stages, stage)
		all[parent(stage.GetName())] = one
	}
	byPlan := make(map[string][]*implementationv1.Task, len(plans))
	for _, t := range tasks {
		byPlan[parent(t.GetName())] = append(byPlan[parent(t.GetName())], t)
	}
	for name, some := range byPlan {
		one := all[name]
		one.Tasks = some
		all[name] = one
	}
	return nil
}

// currentBaselines are the baselines that plans are compared with, by name.
func currentBaselines(ctx context.Context, q sqldb.Queryer, plans []*implementationv1.Implementation) (map[string]*implementationv1.Baseline, error) {
	var names []string
	for _, i := range plans {
		if name := i.GetCurrentBaseline(); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	all, err := baselines(ctx, q, "WHERE b.name IN ("+sqldb.Marks(1, len(names))+")", sqldb.Texts(names)...)
	byName := make(map[string]*implementationv1.Baseline, len(all))
	for _, b := range all {
		byName[b.GetName()] = b
	}
	return byName, err
}
