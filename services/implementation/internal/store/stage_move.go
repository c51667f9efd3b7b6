package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// MoveStage takes a stage to another state. What its end makes READY follows in the same transaction.
func (s *Store) MoveStage(ctx context.Context, req command, event lifecycle.StageEvent, reason string) (*implementationv1.Stage, error) {
	var facts lifecycle.ExitFacts
	judged := event == lifecycle.StageReviewed || event == lifecycle.StageCompleted
	if judged {
		var err error
		if facts.Readiness, err = s.readinessOf(ctx, req.GetName()); err != nil {
			return nil, err
		}
	}
	return move(ctx, s, Stages, req, string(event), func(ctx context.Context, tx *sqldb.Tx, stage *implementationv1.Stage) error {
		if err := openPlanOf(ctx, tx, stage.GetName()); err != nil {
			return err
		}
		if event == lifecycle.StageStarted {
			if err := s.mayStart(ctx, tx, stage); err != nil {
				return err
			}
		}
		if judged {
			if err := s.judgeExit(ctx, tx, stage, facts, event); err != nil {
				return err
			}
		}
		if err := event.Apply(stage, s.Now(), reason); err != nil {
			return err
		}
		if !lifecycle.StagePassed(stage.GetState()) {
			return nil
		}
		return s.readyAfter(ctx, tx, stage)
	})
}

// readinessOf asks for the verdicts that the exit criteria of a stage wait for.
func (s *Store) readinessOf(ctx context.Context, name string) (map[string]gatev1.Verdict_State, error) {
	if _, err := Stages.Parse(name); err != nil {
		return nil, err
	}
	stage, err := Stages.Load(ctx, s.DB().Read(), name)
	if err != nil {
		return nil, err
	}
	var plans []string
	for _, c := range stage.GetExitCriteria() {
		if plan := c.GetReadiness().GetCohortPlan(); plan != "" {
			plans = append(plans, plan)
		}
	}
	assessed, err := s.Assess(ctx, plans)
	if err != nil {
		return nil, err
	}
	verdicts := make(map[string]gatev1.Verdict_State, len(assessed))
	for plan, a := range assessed {
		verdicts[plan] = a.Readiness().GetState()
	}
	return verdicts, nil
}

// judgeExit keeps what holds of the exit criteria now; an end needs those that must hold.
func (s *Store) judgeExit(ctx context.Context, tx *sqldb.Tx, stage *implementationv1.Stage, facts lifecycle.ExitFacts, event lifecycle.StageEvent) error {
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*), COUNT(*) FILTER (WHERE state = $2) FROM tasks WHERE stage = $1 AND state <> $3",
		stage.GetName(), int64(implementationv1.Task_DONE), int64(implementationv1.Task_CANCELLED)).Scan(&facts.Tasks, &facts.TasksDone)
	if err != nil {
		return fmt.Errorf("count the tasks of %s: %w", stage.GetName(), err)
	}
	facts.Now = s.Now()
	results := lifecycle.Judge(stage, facts)
	if event == lifecycle.StageCompleted && stage.GetState() == implementationv1.Stage_GATE_REVIEW {
		if err := lifecycle.ExitMet(stage, results); err != nil {
			return err
		}
	}
	stage.Results = results
	return nil
}

// readyAfter makes READY what waited for nothing but the stage that has just ended.
func (s *Store) readyAfter(ctx context.Context, tx *sqldb.Tx, ended *implementationv1.Stage) error {
	if _, err := Implementations.Lock(ctx, tx, parent(ended.GetName())); err != nil { // two that end at once see each other
		return err
	}
	rows, err := stageRows.SelectRows(ctx, tx, "WHERE parent = $1", parent(ended.GetName()))
	if err != nil {
		return err
	}
	var waiting []*implementationv1.Stage
	for _, row := range rows {
		if slices.Contains(row.Message.GetPredecessors(), ended.GetName()) {
			waiting = append(waiting, row.Message)
		}
	}
	facts, err := s.stageFacts(ctx, tx, waiting)
	if err != nil {
		return err
	}
	facts.Stages[ended.GetName()] = ended
	for _, row := range rows {
		if !slices.Contains(waiting, row.Message) || settleStage(row.Message, facts) != lifecycle.StageReadied {
			continue
		}
		err := Stages.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{
			Verb: string(lifecycle.StageReadied), Cause: ended.GetName() + " is " + ended.GetState().String(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ConfirmStage records a person's word that an exit criterion holds, or takes it back.
func (s *Store) ConfirmStage(ctx context.Context, req *implementationv1.ConfirmStageRequest) (*implementationv1.Stage, error) {
	return move(ctx, s, Stages, req, "confirmed", func(ctx context.Context, _ *sqldb.Tx, stage *implementationv1.Stage) error {
		return lifecycle.Confirm(stage, s.Now(), actor(ctx), req)
	})
}
