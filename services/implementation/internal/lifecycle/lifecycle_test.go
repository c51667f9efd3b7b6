package lifecycle_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	draft     = implementationv1.Training_DRAFT
	published = implementationv1.Training_PUBLISHED
	retired   = implementationv1.Training_RETIRED
)

func TestTrainingEveryStateByEveryEvent(t *testing.T) {
	legal := map[implementationv1.Training_State]map[lifecycle.TrainingEvent]implementationv1.Training_State{
		draft:     {lifecycle.Published: published},
		published: {lifecycle.Retired: retired},
	}
	for number := range implementationv1.Training_State_name {
		for _, event := range []lifecycle.TrainingEvent{lifecycle.Published, lifecycle.Retired, "exploded"} {
			from := implementationv1.Training_State(number)
			training := &implementationv1.Training{Name: "workspaces/w/trainings/t", State: from}
			err := event.Apply(training)
			if to, ok := legal[from][event]; ok {
				require.NoError(t, err)
				require.Equal(t, to, training.GetState())
				continue
			}
			require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err), "%s %s", from, event)
			require.True(t, fault.Is(err, fault.KindPrecondition))
			require.Equal(t, from, training.GetState(), "a refusal changes nothing")
		}
		training := &implementationv1.Training{State: implementationv1.Training_State(number)}
		require.Equal(t, training.GetState() == published, lifecycle.Open(training) == nil)
		require.Equal(t, training.GetState() == draft, lifecycle.Deletable(training) == nil)
	}
}
