package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/earned"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// ScheduleService answers golive.implementation.v1.ScheduleService. It reads a plan as of one moment and computes.
type ScheduleService struct {
	implementationv1.UnimplementedScheduleServiceServer

	store *store.Store
}

// NewScheduleService serves the store.
func NewScheduleService(s *store.Store) *ScheduleService { return &ScheduleService{store: s} }

// GetSchedule computes the schedule now.
func (a *ScheduleService) GetSchedule(ctx context.Context, req *implementationv1.GetScheduleRequest) (*implementationv1.Schedule, error) {
	in, err := a.store.PlanInput(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	p, err := plan.New(in)
	if err != nil {
		return nil, err
	}
	if req.NearCriticalMinutes != nil {
		p.Near(req.GetNearCriticalMinutes())
	}
	return p.Schedule(), nil
}

// LintSchedule looks at the plan now.
func (a *ScheduleService) LintSchedule(ctx context.Context, req *implementationv1.LintScheduleRequest) (*implementationv1.LintReport, error) {
	in, err := a.store.PlanInput(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	return plan.Lint(in), nil
}

// SimulateSchedule computes what a change would do.
func (a *ScheduleService) SimulateSchedule(ctx context.Context, req *implementationv1.SimulateScheduleRequest) (*implementationv1.SimulateScheduleResponse, error) {
	in, err := a.store.PlanInput(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	if in, err = a.store.WithAssigned(ctx, in, req.GetTasks()); err != nil {
		return nil, err
	}
	return plan.Simulate(in, req)
}

// GetEarnedValue compares the plan with its current baseline now.
func (a *ScheduleService) GetEarnedValue(ctx context.Context, req *implementationv1.GetEarnedValueRequest) (*implementationv1.EarnedValue, error) {
	in, err := a.store.PlanInput(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	return earned.Of(in)
}
