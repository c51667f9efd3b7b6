package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

// OverrideStage lets one thing that a stage waits for pass for a time, on the word of the caller.
func (s *Store) OverrideStage(ctx context.Context, req *implementationv1.OverrideStageRequest) (*implementationv1.Stage, error) {
	return s.moveCondition(ctx, req, "conditionOverridden", func(ctx context.Context, stage *implementationv1.Stage) error {
		return waits.Override(stage, req.GetOverride(), actor(ctx), s.Now())
	})
}

// WithdrawStage takes that back.
func (s *Store) WithdrawStage(ctx context.Context, req *implementationv1.WithdrawStageRequest) (*implementationv1.Stage, error) {
	return s.moveCondition(ctx, req, "overrideWithdrawn", func(_ context.Context, stage *implementationv1.Stage) error {
		return waits.Withdraw(stage, req.GetCondition(), s.Now())
	})
}

// moveCondition changes what holds a stage up, and gives the stage the state that follows.
func (s *Store) moveCondition(ctx context.Context, req command, verb string, apply func(context.Context, *implementationv1.Stage) error) (*implementationv1.Stage, error) {
	return move(ctx, s, Stages, req, verb, func(ctx context.Context, tx *sqldb.Tx, stage *implementationv1.Stage) error {
		if err := openPlanOf(ctx, tx, stage.GetName()); err != nil {
			return err
		}
		if err := apply(ctx, stage); err != nil {
			return err
		}
		facts, err := s.stageFacts(ctx, tx, []*implementationv1.Stage{stage})
		if err != nil {
			return err
		}
		settleStage(stage, facts)
		return nil
	})
}
