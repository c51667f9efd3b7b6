package lifecycle_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

func TestEveryEventOfASurveyWaveInEveryState(t *testing.T) {
	const (
		scheduled = implementationv1.SurveyWave_SCHEDULED
		open      = implementationv1.SurveyWave_OPEN
		closed    = implementationv1.SurveyWave_CLOSED
		published = implementationv1.SurveyWave_PUBLISHED
		purged    = implementationv1.SurveyWave_PURGED
	)
	type row = map[lifecycle.SurveyWaveEvent]implementationv1.SurveyWave_State
	early := row{lifecycle.SurveyWaveScheduled: scheduled, lifecycle.SurveyWaveOpened: open}
	want := map[implementationv1.SurveyWave_State]row{
		implementationv1.SurveyWave_DRAFT: early,
		scheduled:                         early,
		open:                              {lifecycle.SurveyWaveClosed: closed},
		closed:                            {lifecycle.SurveyWavePublished: published, lifecycle.SurveyWavePurged: purged},
		published:                         {lifecycle.SurveyWavePurged: purged},
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for number := range int32(len(implementationv1.SurveyWave_State_name)) {
		state := implementationv1.SurveyWave_State(number)
		for _, event := range []lifecycle.SurveyWaveEvent{
			lifecycle.SurveyWaveScheduled, lifecycle.SurveyWaveOpened, lifecycle.SurveyWaveClosed, lifecycle.SurveyWavePublished, lifecycle.SurveyWavePurged,
		} {
			t.Run(state.String()+" "+string(event), func(t *testing.T) {
				w := &implementationv1.SurveyWave{Name: "workspaces/w/surveys/s/surveyWaves/v", State: state}
				err := event.Apply(w, now)
				to, legal := want[state][event]
				if !legal {
					require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err))
					require.Equal(t, state, w.GetState(), "a refusal changes nothing")
					return
				}
				require.NoError(t, err)
				require.Equal(t, to, w.GetState())
				require.Equal(t, event == lifecycle.SurveyWaveOpened, w.GetOpenedTime() != nil)
				require.Equal(t, event == lifecycle.SurveyWaveClosed, w.GetClosedTime() != nil)
				require.Equal(t, event == lifecycle.SurveyWavePublished, w.GetPublishedTime() != nil)
			})
		}
	}
}

func TestAWaveThatPeopleWereAskedInStays(t *testing.T) {
	for number := range int32(len(implementationv1.SurveyWave_State_name)) {
		w := &implementationv1.SurveyWave{State: implementationv1.SurveyWave_State(number)}
		require.Equal(t, number >= int32(implementationv1.SurveyWave_OPEN), lifecycle.SurveyWaveFrozen(w))
		require.Equal(t, !lifecycle.SurveyWaveFrozen(w), lifecycle.SurveyWaveDeletable(w) == nil)
	}
}
