package lifecycle

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// The reasons of faults about when something was done.
const (
	ReasonInFuture = "TIME_IN_FUTURE"
	ReasonEndFirst = "END_BEFORE_START"
)

// TaskEvent is what can happen to a task. Its value is the past participle that the event log says.
type TaskEvent string

// The events of a task.
//
//	TODO ──started, reported──▶ IN_PROGRESS ──completed──▶ DONE ──reopened──▶ IN_PROGRESS
//	TODO ──completed──▶ DONE (it began and ended) · TODO, IN_PROGRESS ──cancelled──▶ CANCELLED
const (
	TaskStarted   TaskEvent = "started"
	TaskReported  TaskEvent = "reported"
	TaskCompleted TaskEvent = "completed"
	TaskReopened  TaskEvent = "reopened"
	TaskCancelled TaskEvent = "cancelled"
)

func taskRules() map[TaskEvent]transition[implementationv1.Task_State] {
	const (
		todo       = implementationv1.Task_TODO
		inProgress = implementationv1.Task_IN_PROGRESS
		done       = implementationv1.Task_DONE
		cancelled  = implementationv1.Task_CANCELLED
	)
	type states = []implementationv1.Task_State
	return map[TaskEvent]transition[implementationv1.Task_State]{
		TaskStarted:   {states{todo}, inProgress},
		TaskReported:  {states{todo, inProgress}, inProgress},
		TaskCompleted: {states{todo, inProgress}, done},
		TaskReopened:  {states{done}, inProgress},
		TaskCancelled: {states{todo, inProgress}, cancelled},
	}
}

func (e TaskEvent) move(t *implementationv1.Task) error {
	rule := taskRules()[e]
	if err := allow(subject{"task", t.GetName()}, t.GetState(), string(e), rule); err != nil {
		return err
	}
	t.State = rule.to
	return nil
}

// StartTask records that work began, at the given time or now.
func StartTask(t *implementationv1.Task, now, at time.Time) error {
	if at.IsZero() {
		at = now
	}
	if at.After(now) {
		return future("start_time", at)
	}
	if err := TaskStarted.move(t); err != nil {
		return err
	}
	t.ActualStartTime, t.ProgressTime = timestamppb.New(at), timestamppb.New(now)
	return nil
}

// ReportTask records how far a task is. What the report leaves out stays as it was.
func ReportTask(t *implementationv1.Task, now time.Time, report *implementationv1.ReportTaskRequest) error {
	if err := TaskReported.move(t); err != nil {
		return err
	}
	if t.GetActualStartTime() == nil {
		t.ActualStartTime = timestamppb.New(now)
	}
	t.ProgressTime = timestamppb.New(now)
	if report.ProgressPercent != nil {
		t.ProgressPercent = report.GetProgressPercent()
		t.RemainingMinutes = nil // what was left before says nothing about now
	}
	if report.RemainingMinutes != nil {
		t.RemainingMinutes = new(report.GetRemainingMinutes())
	}
	if report.ActualEffortMinutes != nil {
		t.ActualEffortMinutes = report.GetActualEffortMinutes()
	}
	return nil
}

// CompleteTask records that a task is done, at the given time or now.
func CompleteTask(t *implementationv1.Task, now time.Time, req *implementationv1.CompleteTaskRequest) error {
	at := now
	if req.GetEndTime() != nil {
		at = req.GetEndTime().AsTime()
	}
	if at.After(now) {
		return future("end_time", at)
	}
	began := at
	switch {
	case t.GetActualStartTime() != nil:
		began = t.GetActualStartTime().AsTime()
	case req.GetStartTime() != nil:
		began = req.GetStartTime().AsTime()
	}
	if at.Before(began) {
		return fault.Invalid(ReasonEndFirst, "end_time is before task %s began, %s; correct one of them", t.GetName(), began.Format(time.RFC3339)).
			Field("end_time", "is before the task began")
	}
	if err := TaskCompleted.move(t); err != nil {
		return err
	}
	if t.GetActualStartTime() == nil {
		t.ActualStartTime = timestamppb.New(began)
	}
	t.ActualEndTime, t.ProgressTime = timestamppb.New(at), timestamppb.New(now)
	t.ProgressPercent, t.RemainingMinutes = 100, new(int32(0))
	if req.ActualEffortMinutes != nil {
		t.ActualEffortMinutes = req.GetActualEffortMinutes()
	}
	return nil
}

// ReopenTask takes a task back into work. How much is left is not known any more.
func ReopenTask(t *implementationv1.Task, now time.Time, reason string) error {
	if err := TaskReopened.move(t); err != nil {
		return err
	}
	const almost = 99 // a report of work in progress goes no further
	t.ActualEndTime, t.RemainingMinutes, t.ProgressTime = nil, nil, timestamppb.New(now)
	t.ProgressPercent, t.Reason = almost, reason
	return nil
}

// CancelTask gives a task up.
func CancelTask(t *implementationv1.Task, now time.Time, reason string) error {
	if err := TaskCancelled.move(t); err != nil {
		return err
	}
	t.ActualEndTime, t.Reason = timestamppb.New(now), reason
	return nil
}

func future(field string, at time.Time) error {
	return fault.Invalid(ReasonInFuture, "%s %s is in the future; only what has happened is recorded", field, at.Format(time.RFC3339)).
		Field(field, "is in the future")
}
