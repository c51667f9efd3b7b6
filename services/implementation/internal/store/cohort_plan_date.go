package store

import (
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// noteDate keeps every date that a plan has had, so that one that moves again and again is seen (P6).
func noteDate(ctx context.Context, tx *sqldb.Tx, old, plan *implementationv1.CohortPlan) error {
	date := micros(moment(plan.GetGoLiveTime()))
	if date == micros(moment(old.GetGoLiveTime())) {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO cohort_plan_dates (plan, change_time, go_live_time) VALUES ($1, $2, $3)
		ON CONFLICT (plan, change_time) DO UPDATE SET go_live_time = excluded.go_live_time`, plan.GetName(), micros(moment(plan.GetUpdateTime())), date)
	if err != nil {
		return fmt.Errorf("keep the date of %s: %w", plan.GetName(), err)
	}
	return nil
}

func removeDates(ctx context.Context, tx *sqldb.Tx, plan string) error {
	for _, table := range []string{"cohort_plan_dates", "started_waves"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE plan = $1", plan); err != nil {
			return fmt.Errorf("remove the dates of %s: %w", plan, err)
		}
	}
	return nil
}
