package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// mentions is what the tasks of a batch name and the database has, or the batch itself.
type mentions struct {
	stages, tasks map[string]bool
	resources     map[string]*implementationv1.Resource
	calendar      *implementationv1.Calendar // of the plan
	teams         map[string]error           // resources that were found to work together, or not
}

// lookUp reads all that tasks of one plan name, in a statement or few for each kind.
func lookUp(ctx context.Context, tx *sqldb.Tx, batch []*implementationv1.Task) (*mentions, error) {
	stages, before, resources, own := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, t := range batch {
		stages[t.GetStage()], own[t.GetName()] = true, true
		for _, a := range t.GetAssignments() {
			resources[a.GetResource()] = true
		}
	}
	for _, t := range batch {
		for _, name := range predecessors(t) {
			if !own[name] {
				before[name] = true
			}
		}
	}
	k := &mentions{teams: map[string]error{}}
	var err error
	if k.stages, err = existing(ctx, tx, "stages", slices.Sorted(maps.Keys(stages))); err != nil {
		return nil, err
	}
	if k.tasks, err = existing(ctx, tx, "tasks", slices.Sorted(maps.Keys(before))); err != nil {
		return nil, err
	}
	maps.Copy(k.tasks, own)
	if len(resources) == 0 {
		return k, nil
	}
	if _, err := existing(ctx, tx, "resources", slices.Sorted(maps.Keys(resources))); err != nil { // keeps them until the commit
		return nil, err
	}
	if k.resources, err = Resources.LoadMany(ctx, tx, slices.Sorted(maps.Keys(resources))); err != nil {
		return nil, err
	}
	plan, err := Implementations.Load(ctx, tx, parent(batch[0].GetName()))
	k.calendar = plan.GetCalendar()
	return k, err
}

// check holds one task against what is known.
func (k *mentions) check(t *implementationv1.Task, field string) error {
	if !k.stages[t.GetStage()] {
		return dangling(field+".stage", t.GetStage())
	}
	for i, name := range predecessors(t) {
		if !k.tasks[name] {
			return dangling(fmt.Sprintf("%s.dependencies[%d].predecessor", field, i), name)
		}
	}
	names := assigned(t)
	for i, name := range names {
		if k.resources[name] == nil {
			return dangling(fmt.Sprintf("%s.assignments[%d].resource", field, i), name)
		}
	}
	return k.together(names, field+".assignments")
}

// together remembers which resources work at the same time, as tasks have few different teams.
func (k *mentions) together(names []string, field string) error {
	if len(names) < 2 {
		return nil
	}
	team := fmt.Sprint(slices.Sorted(slices.Values(names)))
	if _, done := k.teams[team]; !done {
		k.teams[team] = together(k.calendar, names, k.resources, field)
	}
	return k.teams[team]
}

// assigned are the resources of a task.
func assigned(t *implementationv1.Task) []string {
	names := make([]string, len(t.GetAssignments()))
	for i, a := range t.GetAssignments() {
		names[i] = a.GetResource()
	}
	return names
}
