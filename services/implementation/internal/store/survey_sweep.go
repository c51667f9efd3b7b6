package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/disclosure"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/survey"
)

// PurgeSurveyWave removes every single answer of a wave, and who was asked.
func (s *Store) PurgeSurveyWave(ctx context.Context, req *implementationv1.PurgeSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return moveWave(ctx, s, req, lifecycle.SurveyWavePurged, s.purgeWave)
}

func (s *Store) purgeWave(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error {
	removed, err := disclosure.Purge(ctx, tx, w.GetName())
	if err != nil {
		return err
	}
	w.PurgeReceipt = &implementationv1.PurgeReceipt{
		PurgeTime: timestamppb.New(s.Now()), ResponseCount: removed.Responses, CommentCount: removed.Comments, Digest: hex.EncodeToString(removed.Digest[:]),
	}
	for _, table := range []string{"survey_strata", "survey_invitations"} {
		result, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE wave = $1", w.GetName())
		if err == nil {
			w.PurgeReceipt.InvitationCount, err = result.RowsAffected() // of the last one
		}
		if err != nil {
			return fmt.Errorf("purge %s: %w", w.GetName(), err)
		}
	}
	return nil
}

// SweepSurveys does what is due: waves open and close by their times, answers
// that wait are moved once there are enough to be shuffled, and old ones are
// purged. What one wave is refused does not keep the others waiting.
func (s *Store) SweepSurveys(ctx context.Context) error {
	now := s.Now()
	var failed []error
	for _, due := range []struct {
		event lifecycle.SurveyWaveEvent
		where string
		args  []any
		then  func(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error
	}{
		{lifecycle.SurveyWaveOpened, fmt.Sprintf("state = %d AND open_time <= $1", implementationv1.SurveyWave_SCHEDULED), []any{now.UnixMicro()}, s.openWave},
		{lifecycle.SurveyWaveClosed, fmt.Sprintf("state = %d AND close_time > 0 AND close_time <= $1", implementationv1.SurveyWave_OPEN), []any{now.UnixMicro()}, s.closeWave},
		{
			lifecycle.SurveyWavePurged, fmt.Sprintf("state IN (%d, %d) AND closed_time < $1", implementationv1.SurveyWave_CLOSED, implementationv1.SurveyWave_PUBLISHED),
			[]any{now.AddDate(0, -survey.RetentionMonths, 0).UnixMicro()},
			s.purgeWave,
		},
	} {
		rows, err := SurveyWaves.SelectRows(ctx, s.DB().Read(), "WHERE "+due.where+" ORDER BY name LIMIT 100", due.args...)
		failed = append(failed, err)
		for _, row := range rows {
			failed = append(failed, s.sweepWave(ctx, row.Message.GetName(), due.event, due.then))
		}
	}
	return errors.Join(append(failed, s.shuffleWaiting(ctx))...)
}

// sweepWave moves a wave, unless somebody else was faster.
func (s *Store) sweepWave(ctx context.Context, name string, event lifecycle.SurveyWaveEvent, then func(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error) error {
	err := s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row, err := SurveyWaves.LockRow(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := event.Apply(row.Message, s.Now()); err != nil {
			return err
		}
		if err := then(ctx, tx, row.Message); err != nil {
			return err
		}
		return SurveyWaves.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Verb: string(event)})
	})
	if fault.ReasonOf(err) == lifecycle.ReasonStateForbids || fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("survey wave %s not %s: %w", name, event, err)
	}
	return nil
}

// shuffleWaiting moves answers of waves of which at least k wait.
func (s *Store) shuffleWaiting(ctx context.Context) error {
	waves, err := disclosure.Waiting(ctx, s.DB().Read(), leastRatings)
	if err != nil {
		return err
	}
	for _, wave := range waves {
		if err := s.DB().Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return disclosure.Shuffle(ctx, tx, wave) }); err != nil {
			return err
		}
	}
	return nil
}
