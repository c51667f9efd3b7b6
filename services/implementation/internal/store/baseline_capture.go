package store

import (
	"context"

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
	captured := p.Baseline()
	if len(captured.GetTasks()) == 0 {
		return fault.Precondition(ReasonPlanEmpty, "%s has no tasks; there is nothing to capture", in.Implementation.GetName()).
			Subject("TASKS", in.Implementation.GetName(), "has none")
	}
	proto.Merge(b, captured)
	return nil
}
