package store

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// ReasonPlanEmpty is the reason of faults about a plan without tasks.
const ReasonPlanEmpty = "PLAN_EMPTY"

// CaptureBaseline copies a plan as it is, with its dates and costs, and makes the copy the current baseline.
func (s *Store) CaptureBaseline(ctx context.Context, req *implementationv1.CaptureBaselineRequest) (*implementationv1.Baseline, error) {
	in, err := s.PlanInput(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	copied, err := Baselines.Admit(req.GetParent(), req.GetBaselineId(), &implementationv1.Baseline{})
	if err != nil {
		return nil, err
	}
	if err := fill(copied, in); err != nil {
		return nil, err
	}
	copied.DisplayName, copied.Note, copied.Author = req.GetDisplayName(), req.GetNote(), actor(ctx)
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.Baseline, error) {
		row, err := Implementations.LockRow(ctx, tx, req.GetParent())
		if err != nil {
			return nil, err
		}
		b := proto.CloneOf(copied)
		if err := s.insertBaseline(ctx, tx, b); err != nil {
			return nil, err
		}
		row.Message.CurrentBaseline = b.GetName()
		return b, Implementations.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Cause: "baseline captured"})
	})
}

// fill copies the plan into a baseline.
func fill(b *implementationv1.Baseline, in plan.Input) error {
	in.Baseline = nil // what was agreed on before decides nothing here
	p, err := plan.New(in)
	if err != nil {
		return err
	}
	schedule := p.Schedule()
	if len(schedule.GetTasks()) == 0 {
		return fault.Precondition(ReasonPlanEmpty, "%s has no tasks; there is nothing to capture", in.Implementation.GetName()).
			Subject("TASKS", in.Implementation.GetName(), "has none")
	}
	b.StartTime, b.EndTime = schedule.GetStartTime(), schedule.GetEndTime()
	b.Calendar, b.Currency = in.Implementation.GetCalendar(), in.Implementation.GetCurrency()
	efforts := make(map[string]int64, len(in.Tasks))
	for _, t := range in.Tasks {
		efforts[t.GetName()] = plan.Effort(t)
	}
	for _, t := range schedule.GetTasks() {
		b.Tasks = append(b.Tasks, &implementationv1.BaselineTask{
			Name: t.GetName(), DisplayName: t.GetDisplayName(), Stage: t.GetStage(), StartTime: t.GetEarlyStartTime(), EndTime: t.GetEarlyEndTime(),
			DurationMinutes: t.GetDurationMinutes(), EffortMinutes: efforts[t.GetName()], CostMinor: t.GetCostMinor(), Milestone: t.GetMilestone(), Critical: t.GetCritical(),
		})
		b.CostMinor += t.GetCostMinor()
		b.EffortMinutes += efforts[t.GetName()]
	}
	slices.SortFunc(b.GetTasks(), func(x, y *implementationv1.BaselineTask) int { return strings.Compare(x.GetName(), y.GetName()) })
	b.TaskCount = count(len(b.GetTasks()))
	for _, stage := range schedule.GetStages() {
		b.Stages = append(b.Stages, &implementationv1.BaselineStage{
			Name: stage.GetName(), DisplayName: stage.GetDisplayName(), StartTime: stage.GetStartTime(), EndTime: stage.GetEndTime(),
		})
	}
	return nil
}
