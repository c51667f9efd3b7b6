package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// How many tasks an agenda lists when it is not asked, and reads at most.
const (
	agendaSize = 200
	agendaMost = 10_000
)

// agendaTasks are open tasks of plans that have not ended, which a person owns or does.
var agendaTasks = fmt.Sprintf(`WHERE state IN (%d, %d) AND parent IN (
		SELECT name FROM implementations WHERE parent = $1 AND state NOT IN (%d, %d)
	) AND (owner = $2 OR name IN (
		SELECT a.task FROM resources r JOIN task_assignments a ON a.resource = r.name WHERE r.parent = $1 AND r.principal = $2
	)) ORDER BY name LIMIT %d`,
	implementationv1.Task_TODO, implementationv1.Task_IN_PROGRESS,
	implementationv1.Implementation_CLOSED, implementationv1.Implementation_CANCELLED, agendaMost)

// Agenda is what a person has to do in a workspace, what is due first first. It
// runs a fixed number of statements, however many plans the person works on.
func (s *Store) Agenda(ctx context.Context, req *implementationv1.GetAgendaRequest) (*implementationv1.Agenda, error) {
	if parts := strings.Split(req.GetParent(), "/"); len(parts) != 2 || parts[0] != "workspaces" || parts[1] == "" || parts[1] == "-" {
		return nil, fault.Invalid(resource.ReasonInvalidParent, "parent %s is no workspace; write workspaces/{workspace}", quoted(req.GetParent())).
			Field("parent", "must match workspaces/{workspace}")
	}
	agenda := &implementationv1.Agenda{Principal: cmp.Or(req.GetPrincipal(), actor(ctx)), AsOf: timestamppb.New(s.Now())}
	tasks, err := Tasks.Select(ctx, s.DB().Read(), agendaTasks, req.GetParent(), agenda.GetPrincipal())
	if err != nil {
		return nil, err
	}
	plans := make(map[string]bool)
	for _, t := range tasks {
		plans[parent(t.GetName())] = true
	}
	inputs, err := s.PlanInputs(ctx, slices.Sorted(maps.Keys(plans))...)
	if err != nil {
		return nil, err
	}
	scheduled, states := schedules(inputs), make(map[string]implementationv1.Task_State)
	for _, in := range inputs {
		for _, t := range in.Tasks {
			states[t.GetName()] = t.GetState()
		}
	}
	for _, t := range tasks {
		i := inputs[parent(t.GetName())].Implementation
		agenda.Tasks = append(agenda.Tasks, &implementationv1.AgendaTask{
			Task: t, Schedule: scheduled[t.GetName()], DueTime: due(t, scheduled[t.GetName()]), Workable: workableNow(t, states),
			Implementation: i.GetName(), ImplementationDisplayName: i.GetDisplayName(),
		})
	}
	slices.SortStableFunc(agenda.GetTasks(), byDue)
	agenda.TotalCount = count(len(agenda.GetTasks()))
	agenda.Tasks = agenda.GetTasks()[:min(cmp.Or(int(req.GetPageSize()), agendaSize), len(agenda.GetTasks()))]
	return agenda, nil
}

// schedules computes the plans. One that cannot be computed leaves its tasks without a schedule.
func schedules(inputs map[string]plan.Input) map[string]*implementationv1.TaskSchedule {
	all := map[string]*implementationv1.TaskSchedule{}
	for _, in := range inputs {
		p, err := plan.New(in)
		if err != nil {
			continue // the agenda says more than nothing; GetSchedule says why
		}
		for _, t := range p.Schedule().GetTasks() {
			all[t.GetName()] = t
		}
	}
	return all
}

// due is the deadline of a task, or its late end where that is earlier.
func due(t *implementationv1.Task, scheduled *implementationv1.TaskSchedule) *timestamppb.Timestamp {
	late := scheduled.GetLateEndTime()
	if late == nil || t.GetDeadline() != nil && t.GetDeadline().AsTime().Before(late.AsTime()) {
		return t.GetDeadline()
	}
	return late
}

// workableNow says that nothing that a task waits for to begin is open.
func workableNow(t *implementationv1.Task, states map[string]implementationv1.Task_State) bool {
	for _, d := range t.GetDependencies() {
		state := states[d.GetPredecessor()]
		over := state == implementationv1.Task_DONE || state == implementationv1.Task_CANCELLED
		switch linkType(d) {
		case implementationv1.Dependency_FINISH_TO_START:
			if !over {
				return false
			}
		case implementationv1.Dependency_START_TO_START:
			if !over && state != implementationv1.Task_IN_PROGRESS {
				return false
			}
		default: // these bind its end
		}
	}
	return true
}

// byDue orders by due time, then by priority, the higher first; what is not due stands last.
func byDue(a, b *implementationv1.AgendaTask) int {
	const usual = 500
	far := time.Unix(1<<40, 0)
	at := func(t *implementationv1.AgendaTask) time.Time {
		if t.GetDueTime() == nil {
			return far
		}
		return t.GetDueTime().AsTime()
	}
	return cmp.Or(at(a).Compare(at(b)),
		cmp.Compare(cmp.Or(b.GetTask().GetPriority(), usual), cmp.Or(a.GetTask().GetPriority(), usual)),
		strings.Compare(a.GetTask().GetName(), b.GetTask().GetName()))
}
