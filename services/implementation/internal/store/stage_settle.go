package store

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

// SettleStages gives stages that have not begun, and wait for something of the rollout, the state that the last answers say. All of
// them where no name is given. Nothing is written where nothing changed, so it may be done at any time, by anybody.
func (s *Store) SettleStages(ctx context.Context, names ...string) error {
	query := fmt.Sprintf("WHERE state IN (%d, %d) AND name IN (SELECT stage FROM stage_conditions)", implementationv1.Stage_PENDING, implementationv1.Stage_READY)
	args := sqldb.Texts(names)
	if len(names) > 0 {
		query += " AND name IN (" + sqldb.Marks(1, len(names)) + ")"
	}
	stages, err := stageRows.Select(ctx, s.DB().Read(), query+" ORDER BY name", args...)
	if err != nil || len(stages) == 0 {
		return err
	}
	facts, err := s.stageFacts(ctx, s.DB().Read(), stages)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if settleStage(proto.CloneOf(stage), facts) == "" {
			continue
		}
		if err := s.settleOne(ctx, stage.GetName()); err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
	}
	return nil
}

// settleOne looks again in a transaction, and moves the stage where it still should be.
func (s *Store) settleOne(ctx context.Context, name string) error {
	return s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := Implementations.Lock(ctx, tx, parent(name)); err != nil { // who ends a stage before, or links it, is seen
			return err
		}
		row, err := Stages.LockRow(ctx, tx, name)
		if err != nil {
			return err
		}
		facts, err := s.stageFacts(ctx, tx, []*implementationv1.Stage{row.Message})
		if err != nil {
			return err
		}
		event := settleStage(row.Message, facts)
		if event == "" {
			return nil
		}
		cause := "what it waits for of the rollout holds"
		for _, status := range facts.Statuses(row.Message) {
			if v := status.GetVerdict(); !waits.Open(v.GetState()) {
				cause = status.GetId() + " is " + v.GetState().String()
			}
		}
		return Stages.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: string(event), Cause: cause})
	})
}

// settleStage gives a stage the state that the facts say.
func settleStage(stage *implementationv1.Stage, facts *waits.Facts) lifecycle.StageEvent {
	before := make([]implementationv1.Stage_State, len(stage.GetPredecessors()))
	for i, name := range stage.GetPredecessors() {
		before[i] = facts.Stages[name].GetState()
	}
	event := lifecycle.Settle(stage, before, waits.Holds(facts.Statuses(stage)))
	if event != "" {
		stage.StateTime = timestamppb.New(facts.Now)
	}
	return event
}

// mayStart looks again at what a stage waits for, by the answers that are there and their age, and refuses with STAGE_WAITS. One that
// has come to hold, and that nobody has moved yet, is READY here.
func (s *Store) mayStart(ctx context.Context, tx *sqldb.Tx, stage *implementationv1.Stage) error {
	if len(stage.GetWaitsFor()) == 0 || stage.GetState() != implementationv1.Stage_PENDING && stage.GetState() != implementationv1.Stage_READY {
		return nil
	}
	facts, err := s.stageFacts(ctx, tx, []*implementationv1.Stage{stage})
	if err != nil {
		return err
	}
	if err := waits.MayStart(stage, facts.Statuses(stage)); err != nil {
		return err
	}
	settleStage(stage, facts)
	return nil
}

// SettleStagesOn settles the stages that wait for one of the resources.
func (s *Store) SettleStagesOn(ctx context.Context, resources []string) error {
	for part := range slices.Chunk(resources, chunk) {
		stages, err := texts(ctx, s.DB().Read(), "SELECT DISTINCT stage FROM stage_conditions WHERE resource IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		if err != nil {
			return fmt.Errorf("who waits for machines: %w", err)
		}
		for some := range slices.Chunk(stages, chunk) {
			if err := s.SettleStages(ctx, some...); err != nil {
				return err
			}
		}
	}
	return nil
}
