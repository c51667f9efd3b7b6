package lifecycle

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// SurveyWaveEvent is what can happen to a wave of a survey. Its value is the past participle that the event log says.
type SurveyWaveEvent string

// The events of a wave.
//
//	DRAFT ──scheduled──▶ SCHEDULED ──opened──▶ OPEN ──closed──▶ CLOSED ──published──▶ PUBLISHED ──purged──▶ PURGED
//	SCHEDULED ──scheduled──▶ SCHEDULED (other times) · DRAFT ──opened──▶ OPEN · CLOSED ──purged──▶ PURGED
const (
	SurveyWaveScheduled SurveyWaveEvent = "scheduled"
	SurveyWaveOpened    SurveyWaveEvent = "opened"
	SurveyWaveClosed    SurveyWaveEvent = "closed"
	SurveyWavePublished SurveyWaveEvent = "published"
	SurveyWavePurged    SurveyWaveEvent = "purged"
)

func surveyWaveRules() map[SurveyWaveEvent]transition[implementationv1.SurveyWave_State] {
	const (
		draft     = implementationv1.SurveyWave_DRAFT
		scheduled = implementationv1.SurveyWave_SCHEDULED
		open      = implementationv1.SurveyWave_OPEN
		closed    = implementationv1.SurveyWave_CLOSED
		published = implementationv1.SurveyWave_PUBLISHED
		purged    = implementationv1.SurveyWave_PURGED
	)
	type states = []implementationv1.SurveyWave_State
	return map[SurveyWaveEvent]transition[implementationv1.SurveyWave_State]{
		SurveyWaveScheduled: {states{draft, scheduled}, scheduled},
		SurveyWaveOpened:    {states{draft, scheduled}, open},
		SurveyWaveClosed:    {states{open}, closed},
		SurveyWavePublished: {states{closed}, published},
		SurveyWavePurged:    {states{closed, published}, purged},
	}
}

// Apply moves the wave, or refuses with STATE_FORBIDS.
func (e SurveyWaveEvent) Apply(w *implementationv1.SurveyWave, now time.Time) error {
	rule := surveyWaveRules()[e]
	if err := allow(subject{"survey wave", w.GetName()}, w.GetState(), string(e), rule); err != nil {
		return err
	}
	w.State = rule.to
	switch e {
	case SurveyWaveOpened:
		w.OpenedTime = timestamppb.New(now)
	case SurveyWaveClosed:
		w.ClosedTime = timestamppb.New(now)
	case SurveyWavePublished:
		w.PublishedTime = timestamppb.New(now)
	default:
	}
	return nil
}

// SurveyWaveFrozen says that a wave has been opened: who is asked, what is asked and what may be told stay.
func SurveyWaveFrozen(w *implementationv1.SurveyWave) bool {
	switch w.GetState() {
	case implementationv1.SurveyWave_STATE_UNSPECIFIED, implementationv1.SurveyWave_DRAFT, implementationv1.SurveyWave_SCHEDULED:
		return false
	default:
		return true
	}
}

// SurveyWaveDeletable refuses with STATE_FORBIDS once people were asked.
func SurveyWaveDeletable(w *implementationv1.SurveyWave) error {
	if !SurveyWaveFrozen(w) {
		return nil
	}
	return fault.Precondition(ReasonStateForbids, "survey wave %s is %s; people were asked, so it is purged instead of deleted", w.GetName(), w.GetState()).
		Subject("STATE", w.GetName(), "is "+w.GetState().String())
}
