package store

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// BatchCreateTasks creates many tasks, all of them or none. However many there
// are, what they name is looked up in a few statements, and the circle is looked for once.
func (s *Store) BatchCreateTasks(ctx context.Context, req *implementationv1.BatchCreateTasksRequest) (*implementationv1.BatchCreateTasksResponse, error) {
	batch, err := admitBatch(req)
	if err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.BatchCreateTasksResponse, error) {
		if _, err := openPlan(ctx, tx, req.GetParent()); err != nil {
			return nil, err
		}
		if err := checkBatch(ctx, tx, batch); err != nil {
			return nil, err
		}
		return &implementationv1.BatchCreateTasksResponse{Tasks: batch}, s.insertTasks(ctx, tx, req.GetParent(), batch, "batchCreated")
	})
}

// admitBatch checks what needs no database.
func admitBatch(req *implementationv1.BatchCreateTasksRequest) ([]*implementationv1.Task, error) {
	if _, err := Implementations.Parse(req.GetParent()); err != nil {
		return nil, err
	}
	batch := make([]*implementationv1.Task, len(req.GetRequests()))
	seen := make(map[string]int, len(batch))
	for i, one := range req.GetRequests() {
		field := fmt.Sprintf("requests[%d]", i)
		if one.GetParent() != "" && one.GetParent() != req.GetParent() {
			return nil, fault.Invalid(ReasonOtherPlan, "%s has another parent than the batch; leave it out", field).Field(field+".parent", "must be that of the batch")
		}
		t, err := taskRows.Admit(req.GetParent(), one.GetTaskId(), one.GetTask())
		if err != nil {
			return nil, under(field+".", err)
		}
		if first, twice := seen[t.GetName()]; twice {
			return nil, fault.Invalid(resource.ReasonAlreadyExists, "%s and requests[%d] have one task_id; give each its own", field, first).
				Field(field+".task_id", "is there twice")
		}
		seen[t.GetName()], batch[i] = i, t
		t.State = implementationv1.Task_TODO
		if err := checkTask(t, field+".task"); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// checkBatch holds new tasks against what they name, and looks for a circle once.
func checkBatch(ctx context.Context, tx *sqldb.Tx, batch []*implementationv1.Task) error {
	if len(batch) == 0 {
		return nil
	}
	if err := roomFor(ctx, tx, parent(batch[0].GetName()), len(batch)); err != nil {
		return err
	}
	known, err := lookUp(ctx, tx, batch)
	if err != nil {
		return err
	}
	o, err := orderOf(ctx, tx, parent(batch[0].GetName()))
	if err != nil {
		return err
	}
	for i, t := range batch {
		field := fmt.Sprintf("requests[%d].task", i)
		o.put(t)
		if err := known.check(t, field); err != nil {
			return err
		}
	}
	if path := anyCircle(o.edges()); path != nil {
		return circleFault(ReasonTaskCycle, "requests", path)
	}
	return nil
}

// insertTasks stores new tasks with what is kept beside them, and tells it in one event.
func (s *Store) insertTasks(ctx context.Context, tx *sqldb.Tx, plan string, batch []*implementationv1.Task, verb string) error {
	if len(batch) == 0 {
		return nil
	}
	if err := Tasks.InsertMany(ctx, tx, s.Store, batch); err != nil {
		return err
	}
	if err := insertLinks(ctx, tx, batch); err != nil {
		return err
	}
	return s.tell(ctx, tx, feed.Record{
		Resource: plan + "/tasks", Type: "implementation.task." + verb,
		After: &implementationv1.ImportResult{RowCount: count(len(batch)), CreatedCount: count(len(batch))},
	})
}
