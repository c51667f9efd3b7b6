package demo

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// seedPlan plans the change in four stages, captures that as the baseline, and begins: people learn first.
func (d *Demo) seedPlan(ctx context.Context) error {
	for i, s := range stages() {
		id := s.GetLabels()["id"]
		s.Owner, s.Position, s.Labels = "users/lead", int32(i+1), nil
		if _, err := d.stages.CreateStage(ctx, &implementationv1.CreateStageRequest{Parent: Implementation, StageId: id, Stage: s}); err != nil {
			return fmt.Errorf("stage %s: %w", id, err)
		}
		if _, err := d.tasks.CreateTask(ctx, &implementationv1.CreateTaskRequest{Parent: Implementation, TaskId: id, Task: &implementationv1.Task{
			DisplayName: s.GetDisplayName(), Stage: stage(id), Owner: "users/lead", Estimate: &implementationv1.Estimate{LikelyMinutes: 8 * 60},
		}}); err != nil {
			return fmt.Errorf("task %s: %w", id, err)
		}
	}
	if _, err := d.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: Implementation, DisplayName: "As agreed"}); err != nil {
		return err
	}
	if _, err := d.implementations.SubmitImplementation(ctx, &implementationv1.SubmitImplementationRequest{Name: Implementation}); err != nil {
		return err
	}
	if _, err := d.implementations.StartImplementation(ctx, &implementationv1.StartImplementationRequest{Name: Implementation}); err != nil {
		return err
	}
	return d.through(ctx, "learn")
}

// stages of the change, with their ids among the labels. The second waits for the machines.
func stages() []*implementationv1.Stage {
	named := func(id, title string, after ...string) *implementationv1.Stage {
		return &implementationv1.Stage{DisplayName: title, Labels: map[string]string{"id": id}, Predecessors: after}
	}
	learn, rollout := named("learn", "Learn"), named("rollout", "Roll out", stage("learn"))
	learn.ExitCriteria = []*implementationv1.ExitCriterion{{
		Id: "pilot-ready", Type: &implementationv1.ExitCriterion_Readiness{Readiness: &implementationv1.CohortReady{CohortPlan: plan("pilot")}},
	}}
	rollout.WaitsFor = []*implementationv1.StageCondition{
		{Id: "sealed", Resource: Application + "/deployments/second"},
		{Id: "steady", Resource: Environment, MinAvailability: 0.95, MaxErrorRate: new(0.05), Window: durationpb.New(time.Minute)},
	}
	return []*implementationv1.Stage{learn, rollout, named("monitor", "Monitor", stage("rollout")), named("adjust", "Adjust", stage("monitor"))}
}

func stage(id string) string { return Implementation + "/stages/" + id }

// begin starts a stage and the work in it.
func (d *Demo) begin(ctx context.Context, id string) error {
	if _, err := d.stages.StartStage(ctx, &implementationv1.StartStageRequest{Name: stage(id)}); err != nil {
		return err
	}
	_, err := d.tasks.StartTask(ctx, &implementationv1.StartTaskRequest{Name: Implementation + "/tasks/" + id})
	return err
}

// through works through a stage, from its start to its end.
func (d *Demo) through(ctx context.Context, id string) error {
	if err := d.begin(ctx, id); err != nil {
		return err
	}
	if _, err := d.tasks.CompleteTask(ctx, &implementationv1.CompleteTaskRequest{Name: Implementation + "/tasks/" + id}); err != nil {
		return err
	}
	if _, err := d.stages.ReviewStage(ctx, &implementationv1.ReviewStageRequest{Name: stage(id)}); err != nil {
		return err
	}
	_, err := d.stages.CompleteStage(ctx, &implementationv1.CompleteStageRequest{Name: stage(id)})
	return err
}
