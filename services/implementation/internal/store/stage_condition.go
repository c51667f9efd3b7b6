package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

// stageHolds reads how long the conditions of stages have held.
func stageHolds(ctx context.Context, q sqldb.Queryer, stages []string) (map[waits.Condition]waits.Hold, error) {
	holds := map[waits.Condition]waits.Hold{}
	for part := range slices.Chunk(stages, chunk) {
		rows, err := q.QueryContext(ctx, "SELECT stage, condition, state, since, held_since, asked_time, fresh_until FROM stage_conditions WHERE stage IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var c waits.Condition
			var h waits.Hold
			var since, held, asked, fresh int64
			err = rows.Scan(&c.Stage, &c.ID, &h.State, &since, &held, &asked, &fresh)
			h.Since, h.Held, h.Asked, h.FreshUntil = fromMicros(since), fromMicros(held), fromMicros(asked), fromMicros(fresh)
			holds[c] = h
			return none, err
		})
		if err != nil {
			return nil, fmt.Errorf("read how long conditions have held: %w", err)
		}
	}
	return holds, nil
}

func putHold(ctx context.Context, tx *sqldb.Tx, stage string, c *implementationv1.StageCondition, h waits.Hold) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO stage_conditions (stage, condition, resource, window_us, state, since, held_since, asked_time, fresh_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (stage, condition) DO UPDATE SET resource = excluded.resource, window_us = excluded.window_us,
		state = excluded.state, since = excluded.since, held_since = excluded.held_since, asked_time = excluded.asked_time, fresh_until = excluded.fresh_until`,
		stage, c.GetId(), c.GetResource(), waits.Window(c).Microseconds(), int64(h.State), micros(h.Since), micros(h.Held), micros(h.Asked), micros(h.FreshUntil))
	if err != nil {
		return fmt.Errorf("keep how long %s of %s has held: %w", c.GetId(), stage, err)
	}
	return nil
}

// writeConditions keeps the conditions of a stage as its message says. What asks the same as before has held as long as before; what
// is new begins with the last answer.
func writeConditions(ctx context.Context, tx *sqldb.Tx, old, stage *implementationv1.Stage) error {
	if old == nil && len(stage.GetWaitsFor()) == 0 || old != nil && sameList(old.GetWaitsFor(), stage.GetWaitsFor()) {
		return nil
	}
	before, err := stageHolds(ctx, tx, []string{stage.GetName()})
	if err != nil {
		return err
	}
	if err := removeConditions(ctx, tx, stage.GetName()); err != nil {
		return err
	}
	resources := make([]string, len(stage.GetWaitsFor()))
	for i, c := range stage.GetWaitsFor() {
		resources[i] = c.GetResource()
	}
	answers, err := technicalAnswers(ctx, tx, resources)
	if err != nil {
		return err
	}
	for _, c := range stage.GetWaitsFor() {
		hold := waits.Hold{}
		if answer := answers[waits.QuestionOf(c)]; answer.Verdict != nil {
			hold = hold.Next(c, answer)
		}
		for _, was := range old.GetWaitsFor() {
			if was.GetId() == c.GetId() && waits.Same(was, c) {
				hold = before[waits.Condition{Stage: stage.GetName(), ID: c.GetId()}]
			}
		}
		if err := putHold(ctx, tx, stage.GetName(), c, hold); err != nil {
			return err
		}
	}
	return nil
}

func removeConditions(ctx context.Context, tx *sqldb.Tx, stage string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM stage_conditions WHERE stage = $1", stage); err != nil {
		return fmt.Errorf("remove what %s waits for: %w", stage, err)
	}
	return nil
}
