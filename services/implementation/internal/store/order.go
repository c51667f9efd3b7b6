package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// order is what waits for what in a plan. Tasks wait for their predecessors,
// and for every task of the stages that their stage waits for; so stages are in
// it too, as their own ends: a stage waits for its tasks.
type order struct {
	stageOf map[string]string   // task → stage
	links   map[string][]string // task → predecessors
	stages  map[string][]string // stage → stages before it
}

// orderOf reads a plan.
func orderOf(ctx context.Context, tx *sqldb.Tx, plan string) (*order, error) {
	stages, err := stageRows.Select(ctx, tx, "WHERE parent = $1", plan)
	if err != nil {
		return nil, err
	}
	o := &order{stages: before(stages)}
	if o.links, err = linksOf(ctx, tx, plan); err != nil {
		return nil, err
	}
	o.stageOf, err = stagesOf(ctx, tx, "WHERE parent = $1", plan)
	return o, err
}

// stagesOf reads in which stage tasks are.
func stagesOf(ctx context.Context, tx *sqldb.Tx, where string, args ...any) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT name, stage FROM tasks "+where, args...)
	all := map[string]string{}
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var task, stage string
		err = rows.Scan(&task, &stage)
		all[task] = stage
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the stages of tasks: %w", err)
	}
	return all, nil
}

func before(stages []*implementationv1.Stage) map[string][]string {
	all := make(map[string][]string, len(stages))
	for _, s := range stages {
		all[s.GetName()] = s.GetPredecessors()
	}
	return all
}

// put makes a task of the plan what it becomes.
func (o *order) put(t *implementationv1.Task) {
	o.stageOf[t.GetName()], o.links[t.GetName()] = t.GetStage(), predecessors(t)
}

// edges is everything that waits, with what it waits for.
func (o *order) edges() map[string][]string {
	all := make(map[string][]string, len(o.stageOf)+len(o.stages))
	for stage, waits := range o.stages {
		all[stage] = slices.Clone(waits)
	}
	for _, task := range slices.Sorted(maps.Keys(o.stageOf)) {
		stage := o.stageOf[task]
		all[task] = slices.Concat(o.links[task], o.stages[stage])
		all[stage] = append(all[stage], task)
	}
	return all
}

// circle is one through a task; nil where there is none.
func (o *order) circle(task string) []string { return circle(o.edges(), []string{task}) }

// above says whether a stage is, or waits for, another one, through others too.
func above(stages map[string][]string, from, to string) bool {
	seen, open := map[string]bool{from: true}, []string{from}
	for len(open) > 0 {
		stage := open[len(open)-1]
		open = open[:len(open)-1]
		if stage == to {
			return true
		}
		for _, next := range stages[stage] {
			if !seen[next] {
				seen[next] = true
				open = append(open, next)
			}
		}
	}
	return false
}
