package store

import (
	"context"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// MoveImplementation takes an implementation to another state. The facts that
// the event is guarded by are read in the same transaction, but for the plan's
// errors, which are computed before.
func (s *Store) MoveImplementation(ctx context.Context, req command, event lifecycle.ImplementationEvent, reason string) (*implementationv1.Implementation, error) {
	var facts lifecycle.ImplementationFacts
	if event == lifecycle.ImplementationSubmitted {
		var err error
		if facts.LintErrors, err = s.lintErrors(ctx, req.GetName()); err != nil {
			return nil, err
		}
	}
	return move(ctx, s, Implementations, req, string(event), func(ctx context.Context, tx *sqldb.Tx, i *implementationv1.Implementation) (err error) {
		switch event {
		case lifecycle.ImplementationSustained:
			facts.NotLive, err = texts(ctx, tx, "SELECT name FROM cohort_plans WHERE parent = $1 AND live_time = 0 ORDER BY name LIMIT 11", i.GetName())
		case lifecycle.ImplementationCompleted:
			facts.OpenOutcomes, err = texts(ctx, tx, "SELECT name FROM outcomes WHERE parent = $1 AND verdict = 0 ORDER BY name LIMIT 11", i.GetName())
		default:
		}
		if err != nil {
			return err
		}
		return event.Apply(i, facts, s.Now(), reason)
	})
}

// texts reads one column of text.
func texts(ctx context.Context, q sqldb.Queryer, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	return sqldb.Collect(rows, err, scanText)
}

// RecordGoLive records when a cohort really went live, or takes that back.
func (s *Store) RecordGoLive(ctx context.Context, req *implementationv1.RecordGoLiveRequest) (*implementationv1.CohortPlan, error) {
	verb := "wentLive"
	if req.GetWithdraw() {
		verb = "goLiveWithdrawn"
	}
	return move(ctx, s, CohortPlans, req, verb, func(_ context.Context, _ *sqldb.Tx, plan *implementationv1.CohortPlan) error {
		return lifecycle.GoLive(plan, s.Now(), moment(req.GetLiveTime()), req.GetWithdraw())
	})
}

// lintErrors are what is wrong with a plan so that nobody can agree on it.
func (s *Store) lintErrors(ctx context.Context, implementation string) (wrong []string, err error) {
	in, err := s.PlanInput(ctx, implementation)
	if err != nil {
		return nil, err
	}
	for _, point := range plan.Lint(in).GetPoints() {
		if point.GetVerdict() == implementationv1.LintPoint_ERROR {
			wrong = append(wrong, point.GetTitle()+": "+point.GetMessage())
		}
	}
	return wrong, nil
}
