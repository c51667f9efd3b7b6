package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

// TaskBlockedBy fills blocked_by of the tasks as things are now. The number of statements does not depend on how many tasks there are.
func (s *Store) TaskBlockedBy(ctx context.Context, tasks []*implementationv1.Task) error {
	facts := &waits.Facts{Now: s.Now(), Before: map[string]waits.Predecessor{}}
	stages, plans := map[string]bool{}, map[string]bool{}
	var before []string
	for _, t := range tasks {
		if t.GetState() != implementationv1.Task_TODO && t.GetState() != implementationv1.Task_IN_PROGRESS {
			continue
		}
		stages[t.GetStage()], plans[parent(t.GetName())] = true, true
		before = append(before, predecessors(t)...)
	}
	q := s.DB().Read()
	var err error
	if facts.Stages, err = stageRows.LoadMany(ctx, q, slices.Sorted(maps.Keys(stages))); err != nil {
		return err
	}
	if facts.Implementations, err = Implementations.LoadMany(ctx, q, slices.Sorted(maps.Keys(plans))); err != nil {
		return err
	}
	if err := taskStates(ctx, q, unique(before), facts.Before); err != nil {
		return err
	}
	for _, t := range tasks {
		t.BlockedBy = facts.TaskBlockedBy(t)
	}
	return nil
}

// taskStates reads what those who depend on tasks care about.
func taskStates(ctx context.Context, q sqldb.Queryer, names []string, into map[string]waits.Predecessor) error {
	for part := range slices.Chunk(names, chunk) {
		rows, err := q.QueryContext(ctx, "SELECT name, state, owner FROM tasks WHERE name IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var name string
			var p waits.Predecessor
			err = rows.Scan(&name, &p.State, &p.Owner)
			into[name] = p
			return none, err
		})
		if err != nil {
			return fmt.Errorf("read the tasks before: %w", err)
		}
	}
	return nil
}
