package lifecycle

import implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"

// ProposalEvent is what can happen to a proposal. Its value is the past participle that the event log says.
type ProposalEvent string

// ProposalApplied is the one event of a proposal.
//
//	PROPOSED ──applied──▶ APPLIED
const ProposalApplied ProposalEvent = "applied"

func proposalRules() map[ProposalEvent]transition[implementationv1.Proposal_State] {
	return map[ProposalEvent]transition[implementationv1.Proposal_State]{
		ProposalApplied: {[]implementationv1.Proposal_State{implementationv1.Proposal_PROPOSED}, implementationv1.Proposal_APPLIED},
	}
}

// Apply moves the proposal, or refuses with STATE_FORBIDS.
func (e ProposalEvent) Apply(p *implementationv1.Proposal) error {
	rule := proposalRules()[e]
	if err := allow(subject{"proposal", p.GetName()}, p.GetState(), string(e), rule); err != nil {
		return err
	}
	p.State = rule.to
	return nil
}
