package plan

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Baseline is the plan as a baseline keeps it: with its computed dates and its costs, tasks by their names and stages in their order.
// Name, author and note are the caller's.
func (p *Plan) Baseline() *implementationv1.Baseline {
	s := p.Schedule()
	b := &implementationv1.Baseline{
		StartTime: s.GetStartTime(), EndTime: s.GetEndTime(), Currency: p.in.Implementation.GetCurrency(),
		Calendar: p.in.Implementation.GetCalendar(), TaskCount: int32(len(s.GetTasks())), //nolint:gosec // a plan has at most 10000
	}
	efforts := make(map[string]int64, len(p.in.Tasks))
	for _, t := range p.in.Tasks {
		efforts[t.GetName()] = Effort(t)
	}
	for _, t := range s.GetTasks() {
		b.Tasks = append(b.Tasks, &implementationv1.BaselineTask{
			Name: t.GetName(), DisplayName: t.GetDisplayName(), Stage: t.GetStage(),
			StartTime: t.GetEarlyStartTime(), EndTime: t.GetEarlyEndTime(), DurationMinutes: t.GetDurationMinutes(),
			EffortMinutes: efforts[t.GetName()], CostMinor: t.GetCostMinor(), Milestone: t.GetMilestone(), Critical: t.GetCritical(),
		})
		b.EffortMinutes += efforts[t.GetName()]
		b.CostMinor += t.GetCostMinor()
	}
	slices.SortFunc(b.GetTasks(), func(a, b *implementationv1.BaselineTask) int { return strings.Compare(a.GetName(), b.GetName()) })
	for _, stage := range s.GetStages() {
		b.Stages = append(b.Stages, &implementationv1.BaselineStage{
			Name: stage.GetName(), DisplayName: stage.GetDisplayName(), StartTime: stage.GetStartTime(), EndTime: stage.GetEndTime(),
		})
	}
	if b.GetEndTime() == nil {
		b.EndTime = timestamppb.New(b.GetStartTime().AsTime())
	}
	return b
}
