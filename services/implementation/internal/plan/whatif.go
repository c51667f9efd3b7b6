package plan

import (
	"cmp"
	"slices"
	"strings"

	"go.einride.tech/aip/fieldmask"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Simulate computes what a change would do. The input stays as it is.
func Simulate(in Input, req *implementationv1.SimulateScheduleRequest) (*implementationv1.SimulateScheduleResponse, error) {
	changed, err := change(in, req)
	if err != nil {
		return nil, err
	}
	is, err := New(in)
	if err != nil {
		return nil, err
	}
	wouldBe, err := New(changed)
	if err != nil {
		return nil, err
	}
	before, after := is.Schedule(), wouldBe.Schedule()
	out := &implementationv1.SimulateScheduleResponse{Before: before, After: after}
	if before.GetEndTime() != nil && after.GetEndTime() != nil {
		out.EndMinutes = is.net.Calendar.Count(is.dates.finish, wouldBe.dates.finish)
	}
	out.Differences = differences(is, before.GetTasks(), after.GetTasks())
	for _, d := range out.GetDifferences() {
		switch was, will := d.GetBefore().GetCritical(), d.GetAfter().GetCritical(); {
		case !was && will:
			out.NewlyCriticalTasks = append(out.NewlyCriticalTasks, d.GetName())
		case was && !will:
			out.NoLongerCriticalTasks = append(out.NoLongerCriticalTasks, d.GetName())
		}
	}
	before.Tasks, after.Tasks = nil, nil
	return out, nil
}

// change is the input as it would be.
func change(in Input, req *implementationv1.SimulateScheduleRequest) (Input, error) {
	i := proto.CloneOf(in.Implementation)
	if req.GetStartTime().IsValid() {
		i.StartTime = req.GetStartTime()
	}
	if req.GetTargetDate().IsValid() {
		i.TargetDate = req.GetTargetDate()
	}
	if req.GetCalendar() != nil {
		i.Calendar = req.GetCalendar()
	}
	in.Implementation = i
	in.Resources = slices.Clone(in.Resources)
	for _, r := range req.GetResources() {
		at := slices.IndexFunc(in.Resources, func(is *implementationv1.Resource) bool { return is.GetName() == r.GetName() })
		if at < 0 {
			in.Resources = append(in.Resources, r)
		} else {
			in.Resources[at] = r
		}
	}
	var err error
	in.Tasks, err = changeTasks(in, req)
	return in, err
}

func changeTasks(in Input, req *implementationv1.SimulateScheduleRequest) ([]*implementationv1.Task, error) {
	tasks := slices.Clone(in.Tasks)
	at := make(map[string]int, len(tasks))
	for i, t := range tasks {
		at[t.GetName()] = i
	}
	for _, c := range req.GetTasks() {
		name := c.GetTask().GetName()
		if !strings.HasPrefix(name, in.Implementation.GetName()+"/tasks/") {
			return nil, fault.Invalid("TASK_UNKNOWN", "%q is no task of %s; name one of its tasks by its full name", id(name), id(in.Implementation.GetName())).Field("tasks", "has a task of another plan")
		}
		i, known := at[name]
		if !known {
			at[name] = len(tasks)
			tasks = append(tasks, proto.CloneOf(c.GetTask()))
			continue
		}
		t, err := changeTask(tasks[i], c)
		if err != nil {
			return nil, err
		}
		tasks[i] = t
	}
	for _, name := range req.GetDeletedTasks() {
		i, known := at[name]
		if !known {
			return nil, fault.Invalid("TASK_UNKNOWN", "%q is no task of %s; name one of its tasks by its full name", id(name), id(in.Implementation.GetName())).Field("deleted_tasks", "has a task that there is not")
		}
		tasks[i] = proto.CloneOf(tasks[i])
		tasks[i].State = implementationv1.Task_CANCELLED // what depends on it no longer waits for it
	}
	return tasks, nil
}

// changeTask is a task with what its change names; with all that a person may set where it names nothing.
func changeTask(is *implementationv1.Task, c *implementationv1.TaskChange) (*implementationv1.Task, error) {
	t := proto.CloneOf(is)
	if paths := c.GetUpdateMask().GetPaths(); len(paths) > 0 {
		if err := fieldmask.Validate(c.GetUpdateMask(), t); err != nil {
			return nil, fault.Invalid("UPDATE_MASK_INVALID", "the update mask of %s names what a task does not have; name fields of a task", id(is.GetName())).Field("tasks", "has a path that there is not").Cause(err)
		}
		fieldmask.Update(c.GetUpdateMask(), t, c.GetTask())
		return t, nil
	}
	t = proto.CloneOf(c.GetTask())
	t.State, t.ProgressPercent, t.RemainingMinutes = is.GetState(), is.GetProgressPercent(), is.RemainingMinutes
	t.ActualEffortMinutes, t.ActualStartTime, t.ActualEndTime = is.GetActualEffortMinutes(), is.GetActualStartTime(), is.GetActualEndTime()
	return t, nil
}

// differences are the tasks that would be other, in the order of their starts as they would be.
func differences(is *Plan, before, after []*implementationv1.TaskSchedule) []*implementationv1.TaskDifference {
	was := make(map[string]*implementationv1.TaskSchedule, len(before))
	for _, t := range before {
		was[t.GetName()] = t
	}
	var out []*implementationv1.TaskDifference
	for _, t := range after {
		old := was[t.GetName()]
		delete(was, t.GetName())
		if old != nil && same(old, t) {
			continue
		}
		d := &implementationv1.TaskDifference{Name: t.GetName(), Before: old, After: t}
		if old != nil {
			d.StartMinutes = is.net.Calendar.Between(old.GetEarlyStartTime().AsTime(), t.GetEarlyStartTime().AsTime())
			d.EndMinutes = is.net.Calendar.Between(old.GetEarlyEndTime().AsTime(), t.GetEarlyEndTime().AsTime())
		}
		out = append(out, d)
	}
	for _, t := range before {
		if was[t.GetName()] != nil {
			out = append(out, &implementationv1.TaskDifference{Name: t.GetName(), Before: t})
		}
	}
	slices.SortStableFunc(out, func(a, b *implementationv1.TaskDifference) int {
		return cmp.Compare(cmp.Or(a.GetAfter(), a.GetBefore()).GetEarlyStartTime().GetSeconds(), cmp.Or(b.GetAfter(), b.GetBefore()).GetEarlyStartTime().GetSeconds())
	})
	return out
}

// same says that neither dates nor float nor being critical are other.
func same(a, b *implementationv1.TaskSchedule) bool {
	return a.GetEarlyStartTime().GetSeconds() == b.GetEarlyStartTime().GetSeconds() && a.GetEarlyEndTime().GetSeconds() == b.GetEarlyEndTime().GetSeconds() &&
		a.GetLateStartTime().GetSeconds() == b.GetLateStartTime().GetSeconds() && a.GetLateEndTime().GetSeconds() == b.GetLateEndTime().GetSeconds() &&
		a.GetTotalFloatMinutes() == b.GetTotalFloatMinutes() && a.GetCritical() == b.GetCritical() && a.GetDurationMinutes() == b.GetDurationMinutes()
}
