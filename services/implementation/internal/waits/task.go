package waits

import (
	"cmp"
	"fmt"
	"path"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// mostTasks is how many tasks before it a task names at most.
const mostTasks = 20

// Predecessor is a task that others depend on, as far as they care.
type Predecessor struct {
	State implementationv1.Task_State
	Owner string
}

// TaskBlockedBy is why a task cannot begin, or cannot end; empty once it can, or has ended.
func (f *Facts) TaskBlockedBy(t *implementationv1.Task) []*gatev1.BlockedBy {
	switch t.GetState() {
	case implementationv1.Task_TODO, implementationv1.Task_STATE_UNSPECIFIED:
		all := append(f.onHold(t.GetName()), f.before(t, true)...)
		all = append(all, f.stageOf(t)...)
		if at := t.GetEarliestStartTime(); at != nil && at.AsTime().After(f.Now) {
			all = append(all, &gatev1.BlockedBy{
				Kind: gatev1.BlockedBy_DATE, Resource: t.GetName(), Current: "it does not begin before " + at.AsTime().Format(time.RFC3339), Required: "that date has come",
				Owner: f.ownerOf(t), Since: t.GetCreateTime(), Eta: at, Command: "golive why " + t.GetName(),
			})
		}
		return all
	case implementationv1.Task_IN_PROGRESS:
		return append(f.onHold(t.GetName()), f.before(t, false)...)
	default:
		return nil
	}
}

// before are the tasks that hold up the begin of a task, or else its end.
func (f *Facts) before(t *implementationv1.Task, begin bool) (all []*gatev1.BlockedBy) {
	for _, d := range t.GetDependencies() {
		holds, ended := links(d.GetType())
		if holds != begin || len(all) == mostTasks {
			continue
		}
		other := f.Before[d.GetPredecessor()]
		required, command := "it is done", "golive task complete "+d.GetPredecessor()
		switch {
		case other.State == implementationv1.Task_DONE, other.State == implementationv1.Task_CANCELLED:
			continue
		case !ended && other.State == implementationv1.Task_IN_PROGRESS:
			continue
		case !ended:
			required = "it has begun"
		}
		if other.State != implementationv1.Task_IN_PROGRESS {
			command = "golive task start " + d.GetPredecessor()
		}
		all = append(all, &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_TASK, Resource: d.GetPredecessor(), Current: fmt.Sprintf("task %s is %s", path.Base(d.GetPredecessor()), other.State), Required: required,
			Owner: cmp.Or(other.Owner, f.owner(t.GetName())), Since: taskSince(t), Command: command,
		})
	}
	return all
}

// links says whether a link holds up the begin of what depends, or its end, and whether the task before must have ended for it, or begun.
func links(link implementationv1.Dependency_Type) (begin, ended bool) {
	switch link {
	case implementationv1.Dependency_START_TO_START:
		return true, false
	case implementationv1.Dependency_FINISH_TO_FINISH:
		return false, true
	case implementationv1.Dependency_START_TO_FINISH:
		return false, false
	default:
		return true, true
	}
}

// stageOf is the stage of a task, while it has not begun.
func (f *Facts) stageOf(t *implementationv1.Task) []*gatev1.BlockedBy {
	s := f.Stages[t.GetStage()]
	if s == nil || begun(s) {
		return nil
	}
	command := "golive why " + s.GetName()
	if s.GetState() == implementationv1.Stage_READY {
		command = "golive stage start " + s.GetName()
	}
	return []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_STAGE, Resource: s.GetName(), Current: fmt.Sprintf("stage %s is %s", path.Base(s.GetName()), s.GetState()), Required: "the stage has begun",
		Owner: cmp.Or(s.GetOwner(), f.owner(t.GetName())), Since: t.GetCreateTime(), Command: command,
	}}
}

// taskSince is when a task came to wait: since it was made, or since it began for what holds up its end.
func taskSince(t *implementationv1.Task) *timestamppb.Timestamp {
	if t.GetActualStartTime() != nil {
		return t.GetActualStartTime()
	}
	return t.GetCreateTime()
}

func (f *Facts) ownerOf(t *implementationv1.Task) string {
	return cmp.Or(t.GetOwner(), f.owner(t.GetName()))
}
