package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

func TestProposalEveryStateByEveryEvent(t *testing.T) {
	for number := range implementationv1.Proposal_State_name {
		for _, event := range []lifecycle.ProposalEvent{lifecycle.ProposalApplied, "exploded"} {
			from := implementationv1.Proposal_State(number)
			p := &implementationv1.Proposal{Name: "workspaces/w/implementations/i/proposals/p", State: from}
			err := event.Apply(p)
			if from == implementationv1.Proposal_PROPOSED && event == lifecycle.ProposalApplied {
				require.NoError(t, err)
				require.Equal(t, implementationv1.Proposal_APPLIED, p.GetState())
				continue
			}
			require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err), "%s %s", from, event)
			require.Equal(t, from, p.GetState(), "a refusal changes nothing")
		}
	}
}
