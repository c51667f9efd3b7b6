package lifecycle_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

func TestEveryEventOfACommunicationInEveryState(t *testing.T) {
	const (
		scheduled = implementationv1.Communication_SCHEDULED
		sending   = implementationv1.Communication_SENDING
		sent      = implementationv1.Communication_SENT
		cancelled = implementationv1.Communication_CANCELLED
	)
	type row = map[lifecycle.CommunicationEvent]implementationv1.Communication_State
	unsent := row{
		lifecycle.CommunicationScheduled: scheduled, lifecycle.CommunicationReleased: sending,
		lifecycle.CommunicationTold: sent, lifecycle.CommunicationCancelled: cancelled,
	}
	want := map[implementationv1.Communication_State]row{
		implementationv1.Communication_DRAFT: unsent,
		scheduled:                            unsent,
		sending:                              {lifecycle.CommunicationSent: sent, lifecycle.CommunicationCancelled: cancelled},
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for number := range int32(len(implementationv1.Communication_State_name)) {
		state := implementationv1.Communication_State(number)
		for _, event := range []lifecycle.CommunicationEvent{
			lifecycle.CommunicationScheduled, lifecycle.CommunicationReleased, lifecycle.CommunicationTold,
			lifecycle.CommunicationSent, lifecycle.CommunicationCancelled,
		} {
			t.Run(state.String()+" "+string(event), func(t *testing.T) {
				c := &implementationv1.Communication{Name: "workspaces/w/implementations/i/communications/c", State: state}
				err := event.Apply(c, now)
				to, legal := want[state][event]
				if !legal {
					require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err))
					require.Equal(t, state, c.GetState(), "a refusal changes nothing")
					return
				}
				require.NoError(t, err)
				require.Equal(t, to, c.GetState())
				began := event == lifecycle.CommunicationReleased || event == lifecycle.CommunicationTold
				require.Equal(t, began, c.GetSentTime() != nil)
			})
		}
	}
}

func TestWhatPeopleWereToldIsAFact(t *testing.T) {
	for number := range int32(len(implementationv1.Communication_State_name)) {
		c := &implementationv1.Communication{State: implementationv1.Communication_State(number)}
		early := c.GetState() == implementationv1.Communication_DRAFT || c.GetState() == implementationv1.Communication_SCHEDULED
		require.Equal(t, early, lifecycle.CommunicationEditable(c) == nil, c.GetState())
		deletable := c.GetState() == implementationv1.Communication_DRAFT || c.GetState() == implementationv1.Communication_CANCELLED
		require.Equal(t, deletable, lifecycle.CommunicationDeletable(c) == nil, c.GetState())
	}
}
