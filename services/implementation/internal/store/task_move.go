package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// moveTask carries a verb of a task out.
func (s *Store) moveTask(ctx context.Context, req command, event lifecycle.TaskEvent, apply func(t *implementationv1.Task) error) (*implementationv1.Task, error) {
	return move(ctx, s, Tasks, req, string(event), func(ctx context.Context, tx *sqldb.Tx, t *implementationv1.Task) error {
		if err := openPlanOf(ctx, tx, t.GetName()); err != nil {
			return err
		}
		return apply(t)
	})
}

// StartTask records that work on a task began.
func (s *Store) StartTask(ctx context.Context, req *implementationv1.StartTaskRequest) (*implementationv1.Task, error) {
	return s.moveTask(ctx, req, lifecycle.TaskStarted, func(t *implementationv1.Task) error {
		return lifecycle.StartTask(t, s.Now(), moment(req.GetStartTime()))
	})
}

// ReportTask records how far a task is.
func (s *Store) ReportTask(ctx context.Context, req *implementationv1.ReportTaskRequest) (*implementationv1.Task, error) {
	return s.moveTask(ctx, req, lifecycle.TaskReported, func(t *implementationv1.Task) error {
		return lifecycle.ReportTask(t, s.Now(), req)
	})
}

// CompleteTask records that a task is done.
func (s *Store) CompleteTask(ctx context.Context, req *implementationv1.CompleteTaskRequest) (*implementationv1.Task, error) {
	return s.moveTask(ctx, req, lifecycle.TaskCompleted, func(t *implementationv1.Task) error {
		return lifecycle.CompleteTask(t, s.Now(), req)
	})
}

// ReopenTask takes a task back into work.
func (s *Store) ReopenTask(ctx context.Context, req *implementationv1.ReopenTaskRequest) (*implementationv1.Task, error) {
	return s.moveTask(ctx, req, lifecycle.TaskReopened, func(t *implementationv1.Task) error {
		return lifecycle.ReopenTask(t, s.Now(), req.GetReason())
	})
}

// CancelTask gives a task up.
func (s *Store) CancelTask(ctx context.Context, req *implementationv1.CancelTaskRequest) (*implementationv1.Task, error) {
	return s.moveTask(ctx, req, lifecycle.TaskCancelled, func(t *implementationv1.Task) error {
		return lifecycle.CancelTask(t, s.Now(), req.GetReason())
	})
}
