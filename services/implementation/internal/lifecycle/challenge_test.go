package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

func TestChallengeEveryStateByEveryEvent(t *testing.T) {
	const (
		suggested  = implementationv1.Challenge_SUGGESTED
		open       = implementationv1.Challenge_OPEN
		mitigating = implementationv1.Challenge_MITIGATING
		resolved   = implementationv1.Challenge_RESOLVED
		closed     = implementationv1.Challenge_CLOSED
		dismissed  = implementationv1.Challenge_DISMISSED
		accepted   = implementationv1.Challenge_ACCEPTED
	)
	legal := map[implementationv1.Challenge_State]map[lifecycle.ChallengeEvent]implementationv1.Challenge_State{
		suggested:  {lifecycle.ChallengeOpened: open, lifecycle.ChallengeDismissed: dismissed},
		open:       {lifecycle.ChallengeMitigated: mitigating, lifecycle.ChallengeAccepted: accepted},
		mitigating: {lifecycle.ChallengeResolved: resolved},
		resolved:   {lifecycle.ChallengeClosed: closed, lifecycle.ChallengeReopened: open},
		accepted:   {lifecycle.ChallengeReopened: open},
	}
	events := []lifecycle.ChallengeEvent{
		lifecycle.ChallengeOpened, lifecycle.ChallengeDismissed, lifecycle.ChallengeMitigated, lifecycle.ChallengeResolved,
		lifecycle.ChallengeAccepted, lifecycle.ChallengeClosed, lifecycle.ChallengeReopened, "exploded",
	}
	for number := range implementationv1.Challenge_State_name {
		from := implementationv1.Challenge_State(number)
		for _, event := range events {
			c := &implementationv1.Challenge{Name: "workspaces/w/implementations/i/challenges/c", State: from}
			err := event.Apply(c)
			if to, ok := legal[from][event]; ok {
				require.NoError(t, err, "%s %s", from, event)
				require.Equal(t, to, c.GetState(), "%s %s", from, event)
				continue
			}
			require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err), "%s %s", from, event)
			require.Equal(t, from, c.GetState(), "a refusal changes nothing")
		}
		require.Equal(t, from == closed || from == dismissed, lifecycle.ChallengeEnded(from))
		require.Equal(t, len(legal[from]) > 0, lifecycle.ChallengeLive(from), "%s: what is live can go on", from)
		raised := &implementationv1.Challenge{State: from}
		require.Equal(t, from == open, lifecycle.ChallengeDeletable(raised) == nil)
		raised.Rule = "R2"
		require.Error(t, lifecycle.ChallengeDeletable(raised), "what a detector suggested stays as a record")
	}
}
