package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/disclosure"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// The reasons of faults about waves of surveys.
const (
	ReasonWaveTimes   = "WAVE_TIMES_INVALID"
	ReasonWaveSmall   = "WAVE_TOO_SMALL"
	ReasonWaveFrozen  = "WAVE_FROZEN"
	ReasonBaseMissing = "BASE_URL_MISSING"
)

// What numbers need at least, whatever a wave says.
const (
	leastRatings  = 5
	leastComments = 10
)

// SurveyWaves is the kind of waves in which surveys are asked.
var SurveyWaves = resource.Define(resource.Spec[*implementationv1.SurveyWave]{
	Table: "survey_waves",
	Columns: []resource.Column[*implementationv1.SurveyWave]{
		{Field: "display_name"}, {Field: "attribute"}, {Field: "state"}, {Field: "open_time"}, {Field: "close_time"}, {Field: "opened_time"}, {Field: "closed_time"},
	},
	Parent: Surveys.RequiredLater,
	Hooks: resource.Hooks[*implementationv1.SurveyWave]{
		Default: func(_ context.Context, _ *sqldb.Tx, w *implementationv1.SurveyWave) error {
			w.State = implementationv1.SurveyWave_DRAFT
			w.Delivery = cmp.Or(w.GetDelivery(), implementationv1.SurveyWave_BY_HAND)
			return nil
		},
		Validate: validateWave,
		BeforeDelete: func(_ context.Context, _ *sqldb.Tx, old *implementationv1.SurveyWave) error {
			return lifecycle.SurveyWaveDeletable(old)
		},
	},
})

func validateWave(ctx context.Context, tx *sqldb.Tx, old, w *implementationv1.SurveyWave) error {
	w.Threshold = cmp.Or(w.GetThreshold(), leastRatings)
	w.CommentThreshold = cmp.Or(w.GetCommentThreshold(), leastComments)
	if old != nil && lifecycle.SurveyWaveFrozen(old) {
		if err := frozen(old, w); err != nil {
			return err
		}
	} else {
		for i, cohort := range w.GetCohorts() {
			if err := reference(ctx, tx, Cohorts, w.GetName(), fmt.Sprintf("survey_wave.cohorts[%d]", i), cohort); err != nil {
				return err
			}
		}
	}
	return waveTimes(w)
}

func waveTimes(w *implementationv1.SurveyWave) error {
	from, to := moment(w.GetOpenTime()), moment(w.GetCloseTime())
	if !from.IsZero() && !to.IsZero() && !to.After(from) {
		return fault.Invalid(ReasonWaveTimes, "the wave closes at %s, before it opens; correct close_time", to.Format(time.RFC3339)).
			Field("survey_wave.close_time", "must be after open_time")
	}
	return nil
}

// frozen refuses a change of what was promised to those who were asked.
func frozen(old, w *implementationv1.SurveyWave) error {
	for field, same := range map[string]bool{
		"cohorts": slices.Equal(old.GetCohorts(), w.GetCohorts()), "attribute": old.GetAttribute() == w.GetAttribute(),
		"threshold": old.GetThreshold() == w.GetThreshold(), "comment_threshold": old.GetCommentThreshold() == w.GetCommentThreshold(),
		"open_time": proto.Equal(old.GetOpenTime(), w.GetOpenTime()),
	} {
		if !same {
			return fault.Precondition(ReasonWaveFrozen, "survey wave %s was opened with another %s, which those who were asked were promised; make another wave", w.GetName(), field).
				Subject("FROZEN", w.GetName(), field+" is frozen at OPEN")
		}
	}
	return nil
}

// ScheduleSurveyWave lets a wave open and close by its times.
func (s *Store) ScheduleSurveyWave(ctx context.Context, req *implementationv1.ScheduleSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return moveWave(ctx, s, req, lifecycle.SurveyWaveScheduled, func(_ context.Context, _ *sqldb.Tx, w *implementationv1.SurveyWave) error {
		if w.GetOpenTime() == nil {
			return fault.Precondition(ReasonWaveTimes, "survey wave %s does not say when it opens; set open_time, or open it by hand", w.GetName()).
				Subject("TIMES", w.GetName(), "has no open_time")
		}
		return notOver(w, s.Now())
	})
}

// notOver refuses a wave whose time to close has come.
func notOver(w *implementationv1.SurveyWave, now time.Time) error {
	if to := moment(w.GetCloseTime()); !to.IsZero() && !to.After(now) {
		return fault.Precondition(ReasonWaveTimes, "survey wave %s would have closed at %s; set a close_time that is to come", w.GetName(), to.Format(time.RFC3339)).
			Subject("TIMES", w.GetName(), "has a close_time that is over")
	}
	return nil
}

// CloseSurveyWave takes no more answers, and puts those that wait among the others.
func (s *Store) CloseSurveyWave(ctx context.Context, req *implementationv1.CloseSurveyWaveRequest) (*implementationv1.SurveyWave, error) {
	return moveWave(ctx, s, req, lifecycle.SurveyWaveClosed, s.closeWave)
}

func (s *Store) closeWave(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error {
	if err := disclosure.Shuffle(ctx, tx, w.GetName()); err != nil {
		return err
	}
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM survey_invitations WHERE wave = $1 AND used = 1", w.GetName()).Scan(&w.ResponseCount)
	if err != nil {
		return fmt.Errorf("count who answered %s: %w", w.GetName(), err)
	}
	return nil
}

// moveWave is [move] for an event of a wave.
func moveWave(ctx context.Context, s *Store, req command, event lifecycle.SurveyWaveEvent, then func(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error) (*implementationv1.SurveyWave, error) {
	return move(ctx, s, SurveyWaves, req, string(event), func(ctx context.Context, tx *sqldb.Tx, w *implementationv1.SurveyWave) error {
		if err := event.Apply(w, s.Now()); err != nil {
			return err
		}
		return then(ctx, tx, w)
	})
}
