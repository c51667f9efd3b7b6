package plan

import (
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// stageConditions are what is to be seen about a stage: its own dates against the baseline, and what its tasks have in common.
func (p *Plan) stageConditions(s *implementationv1.Stage, sum *implementationv1.StageSchedule, tasks []*implementationv1.TaskSchedule) []*implementationv1.PlanCondition {
	if over(s) || p.ended() {
		return nil
	}
	var out []*implementationv1.PlanCondition
	if end := sum.GetVariance().GetBaselineEndTime(); end.IsValid() && p.net.Calendar.Count(calendar.MinuteOf(end.AsTime()), p.net.Status) > 0 {
		out = append(out, holds(implementationv1.PlanCondition_LATE, "NOT_FINISHED", calendar.MinuteOf(end.AsTime()),
			"it should have ended on %s", day(calendar.MinuteOf(end.AsTime()))))
	}
	late := len(out)
	for _, kind := range kinds {
		if kind == implementationv1.PlanCondition_LATE && late > 0 {
			continue
		}
		out = add(out, gathered(kind, tasks))
	}
	return out
}

// planConditions are what is to be seen about the whole plan.
func (p *Plan) planConditions(s *implementationv1.Schedule) []*implementationv1.PlanCondition {
	if p.ended() {
		return nil
	}
	var out []*implementationv1.PlanCondition
	left := false
	for _, t := range s.GetTasks() {
		left = left || t.GetState() != implementationv1.Task_DONE
	}
	for _, kind := range kinds {
		var own *implementationv1.PlanCondition
		switch {
		case !left:
		case kind == implementationv1.PlanCondition_LATE && p.net.Target < p.net.Status:
			own = holds(kind, "TARGET_PASSED", p.net.Target, "it should have been done on %s", day(p.net.Target))
		case kind == implementationv1.PlanCondition_AT_RISK && p.net.Target < p.dates.finish:
			own = holds(kind, "TARGET_MISSED", noStatus, "it will be done on %s, the target is %s", day(p.dates.finish), day(p.net.Target))
		case kind == implementationv1.PlanCondition_AT_RISK && s.GetEndVarianceMinutes() > 0:
			own = holds(kind, "BASELINE_MISSED", noStatus, "it will be done on %s, in the baseline on %s", day(p.dates.finish),
				day(calendar.MinuteOf(p.in.Baseline.GetEndTime().AsTime())))
		}
		if own == nil {
			own = gathered(kind, s.GetTasks())
		}
		out = add(out, own)
	}
	return out
}

var kinds = [...]implementationv1.PlanCondition_Type{
	implementationv1.PlanCondition_LATE, implementationv1.PlanCondition_BLOCKED,
	implementationv1.PlanCondition_AT_RISK, implementationv1.PlanCondition_OUT_OF_SEQUENCE,
}

// gathered is a condition of several tasks, if any has it: for how many, and since when.
func gathered(kind implementationv1.PlanCondition_Type, tasks []*implementationv1.TaskSchedule) *implementationv1.PlanCondition {
	count, critical := 0, 0
	var since *timestamppb.Timestamp
	for _, t := range tasks {
		for _, c := range t.GetConditions() {
			if c.GetType() != kind || c.GetStatus() != implementationv1.PlanCondition_TRUE {
				continue
			}
			count++
			if t.GetCritical() {
				critical++
			}
			if c.GetSince() != nil && (since == nil || c.GetSince().AsTime().Before(since.AsTime())) {
				since = c.GetSince()
			}
		}
	}
	if count == 0 {
		return nil
	}
	return &implementationv1.PlanCondition{
		Type: kind, Status: implementationv1.PlanCondition_TRUE, Reason: "TASKS", Since: since,
		Message: fmt.Sprintf("%d of %d tasks, %d of them critical", count, len(tasks), critical),
	}
}
