package store

import (
	"context"
	"fmt"
	"path"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// goLiveBy starts the adoption clock of a cohort with the seal of its wave. What a
// person recorded, and what an earlier wave did, stays.
func (s *Store) goLiveBy(ctx context.Context, tx *sqldb.Tx, name string, w *deploymentv1.Wave) error {
	row, err := CohortPlans.LockRow(ctx, tx, name)
	if gone(err) {
		return nil
	}
	if err != nil || row.Message.GetLiveTime() != nil {
		return err
	}
	at := s.Now()
	if end := moment(w.GetEndTime()); !end.IsZero() && end.Before(at) { // nobody is live in the future, whatever the other clock says
		at = end
	}
	row.Message.LiveTime, row.Message.LiveWave = timestamppb.New(at), w.GetName()
	return CohortPlans.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: "wentLive", Cause: "wave " + w.GetName() + " is sealed"})
}

// takeBackLive withdraws what the seal of a wave set, once a rollback has sealed
// the same wave the other way. A later rollout begins the clock anew; the events keep what was.
func (s *Store) takeBackLive(ctx context.Context, tx *sqldb.Tx, wave, by string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM started_waves WHERE wave = $1", wave); err != nil {
		return fmt.Errorf("no longer watch the readiness for %s: %w", wave, err)
	}
	plans, err := CohortPlans.Select(ctx, tx, "WHERE live_wave = $1 ORDER BY name", wave)
	if err != nil {
		return err
	}
	for _, plan := range plans {
		row, err := CohortPlans.LockRow(ctx, tx, plan.GetName())
		if gone(err) || err == nil && row.Message.GetLiveWave() != wave {
			continue // a person was faster
		}
		if err != nil {
			return err
		}
		row.Message.LiveTime, row.Message.LiveWave = nil, ""
		cause := "wave " + path.Base(wave) + " was rolled back by " + by
		if err := CohortPlans.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: "goLiveWithdrawn", Cause: cause}); err != nil {
			return err
		}
	}
	return nil
}
