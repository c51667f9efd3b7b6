package store

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// StageBlockedBy fills blocked_by and condition_statuses of the stages as things are now. The number of statements does not depend
// on how many stages there are.
func (s *Store) StageBlockedBy(ctx context.Context, stages []*implementationv1.Stage) error {
	facts, err := s.stageFacts(ctx, s.DB().Read(), stages)
	if err != nil {
		return err
	}
	var review []*implementationv1.Stage
	for _, stage := range stages {
		if stage.GetState() == implementationv1.Stage_GATE_REVIEW {
			review = append(review, stage)
		}
	}
	if err := s.addExit(ctx, facts, review); err != nil {
		return err
	}
	for _, stage := range stages {
		stage.ConditionStatuses = facts.Statuses(stage)
		stage.BlockedBy = facts.StageBlockedBy(stage, stage.GetConditionStatuses())
	}
	return nil
}
