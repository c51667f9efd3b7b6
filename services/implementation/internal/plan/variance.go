package plan

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// variances compares with the current baseline.
type variances struct {
	plan  *Plan
	tasks map[string]*implementationv1.BaselineTask
}

func (p *Plan) variances() variances {
	v := variances{plan: p, tasks: make(map[string]*implementationv1.BaselineTask, len(p.in.Baseline.GetTasks()))}
	for _, t := range p.in.Baseline.GetTasks() {
		v.tasks[t.GetName()] = t
	}
	return v
}

// of is how far a task is from the baseline; nil where it was not in it.
func (v variances) of(i int, t *implementationv1.TaskSchedule) *implementationv1.BaselineVariance {
	was, ok := v.tasks[t.GetName()]
	if !ok {
		return nil
	}
	n := &v.plan.net.Tasks[i]
	out := between(n.Calendar, was.GetStartTime(), was.GetEndTime(), v.plan.dates.start[i], v.plan.dates.end[i])
	took := n.Duration
	switch {
	case n.Done:
		took = n.Calendar.Count(n.Start, n.Finish)
	case n.Started:
		took = n.Calendar.Count(n.Start, v.plan.dates.resume[i]) + n.Left
	}
	out.DurationMinutes = took - was.GetDurationMinutes()
	out.CostMinor = t.GetCostMinor() - was.GetCostMinor()
	return out
}

func between(c *calendar.Calendar, start, end *timestamppb.Timestamp, isStart, isEnd calendar.Minute) *implementationv1.BaselineVariance {
	return &implementationv1.BaselineVariance{
		BaselineStartTime: start, BaselineEndTime: end,
		StartMinutes: c.Count(calendar.MinuteOf(start.AsTime()), isStart), EndMinutes: c.Count(calendar.MinuteOf(end.AsTime()), isEnd),
	}
}

// stageVariances compares the stages, on the calendar of the plan.
func (p *Plan) stageVariances(stages []*implementationv1.StageSchedule) {
	was := map[string]*implementationv1.BaselineStage{}
	for _, s := range p.in.Baseline.GetStages() {
		was[s.GetName()] = s
	}
	for _, s := range stages {
		b, ok := was[s.GetName()]
		if !ok || !b.GetStartTime().IsValid() || !b.GetEndTime().IsValid() || s.GetEndTime() == nil {
			continue
		}
		c := p.net.Calendar
		start, end := calendar.MinuteOf(s.GetStartTime().AsTime()), calendar.MinuteOf(s.GetEndTime().AsTime())
		s.Variance = between(c, b.GetStartTime(), b.GetEndTime(), start, end)
		s.Variance.DurationMinutes = s.GetVariance().GetEndMinutes() - s.GetVariance().GetStartMinutes()
	}
}
