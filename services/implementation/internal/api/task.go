package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// TaskService answers golive.implementation.v1.TaskService.
type TaskService struct {
	implementationv1.UnimplementedTaskServiceServer

	store *store.Store
}

// NewTaskService serves the store.
func NewTaskService(s *store.Store) *TaskService { return &TaskService{store: s} }

// CreateTask creates one.
func (a *TaskService) CreateTask(ctx context.Context, req *implementationv1.CreateTaskRequest) (*implementationv1.Task, error) {
	return store.Tasks.Create(ctx, a.store.Store, req)
}

// GetTask reads one.
func (a *TaskService) GetTask(ctx context.Context, req *implementationv1.GetTaskRequest) (*implementationv1.Task, error) {
	t, err := store.Tasks.Get(ctx, a.store.Store, req)
	if err != nil {
		return nil, err
	}
	return t, a.store.TaskBlockedBy(ctx, []*implementationv1.Task{t})
}

// ListTasks reads a page.
func (a *TaskService) ListTasks(ctx context.Context, req *implementationv1.ListTasksRequest) (*implementationv1.ListTasksResponse, error) {
	all, next, err := store.Tasks.List(ctx, a.store.Store, req)
	if err != nil {
		return nil, err
	}
	return &implementationv1.ListTasksResponse{Tasks: all, NextPageToken: next}, a.store.TaskBlockedBy(ctx, all)
}

// UpdateTask changes one.
func (a *TaskService) UpdateTask(ctx context.Context, req *implementationv1.UpdateTaskRequest) (*implementationv1.Task, error) {
	return store.Tasks.Update(ctx, a.store.Store, req)
}

// DeleteTask removes one.
func (a *TaskService) DeleteTask(ctx context.Context, req *implementationv1.DeleteTaskRequest) (*emptypb.Empty, error) {
	return store.Tasks.Delete(ctx, a.store.Store, req)
}

// StartTask records that work began.
func (a *TaskService) StartTask(ctx context.Context, req *implementationv1.StartTaskRequest) (*implementationv1.Task, error) {
	return a.store.StartTask(ctx, req)
}

// ReportTask records how far one is.
func (a *TaskService) ReportTask(ctx context.Context, req *implementationv1.ReportTaskRequest) (*implementationv1.Task, error) {
	return a.store.ReportTask(ctx, req)
}

// CompleteTask records that one is done.
func (a *TaskService) CompleteTask(ctx context.Context, req *implementationv1.CompleteTaskRequest) (*implementationv1.Task, error) {
	return a.store.CompleteTask(ctx, req)
}

// ReopenTask takes one back into work.
func (a *TaskService) ReopenTask(ctx context.Context, req *implementationv1.ReopenTaskRequest) (*implementationv1.Task, error) {
	return a.store.ReopenTask(ctx, req)
}

// CancelTask gives one up.
func (a *TaskService) CancelTask(ctx context.Context, req *implementationv1.CancelTaskRequest) (*implementationv1.Task, error) {
	return a.store.CancelTask(ctx, req)
}

// BatchCreateTasks creates many.
func (a *TaskService) BatchCreateTasks(ctx context.Context, req *implementationv1.BatchCreateTasksRequest) (*implementationv1.BatchCreateTasksResponse, error) {
	return a.store.BatchCreateTasks(ctx, req)
}

// ImportTasks reads a file.
func (a *TaskService) ImportTasks(ctx context.Context, req *implementationv1.ImportTasksRequest) (*implementationv1.ImportResult, error) {
	return a.store.ImportTasks(ctx, req)
}

// ExportTasks writes a file.
func (a *TaskService) ExportTasks(ctx context.Context, req *implementationv1.ExportTasksRequest) (*implementationv1.ExportResult, error) {
	return a.store.ExportTasks(ctx, req)
}
