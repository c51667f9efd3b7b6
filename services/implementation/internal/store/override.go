package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// OverrideReadiness lets one criterion of a plan pass for a time, on the word of the caller.
func (s *Store) OverrideReadiness(ctx context.Context, req *implementationv1.OverrideReadinessRequest) (*implementationv1.CohortPlan, error) {
	return move(ctx, s, CohortPlans, req, "readinessOverridden", func(ctx context.Context, _ *sqldb.Tx, plan *implementationv1.CohortPlan) error {
		return readiness.Override(plan, req.GetOverride(), actor(ctx), s.Now())
	})
}

// WithdrawReadiness takes that back.
func (s *Store) WithdrawReadiness(ctx context.Context, req *implementationv1.WithdrawReadinessRequest) (*implementationv1.CohortPlan, error) {
	return move(ctx, s, CohortPlans, req, "overrideWithdrawn", func(_ context.Context, _ *sqldb.Tx, plan *implementationv1.CohortPlan) error {
		return readiness.Withdraw(plan, req.GetCriterion(), s.Now())
	})
}
