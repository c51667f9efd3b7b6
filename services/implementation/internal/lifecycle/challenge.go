package lifecycle

import (
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ChallengeEvent is what a person can do with a challenge. Its value is the past participle that the event log says.
type ChallengeEvent string

// The events of a challenge. A detector makes SUGGESTED ones, a person OPEN ones;
// none of these events is a detector's.
//
//	SUGGESTED ──opened──▶ OPEN ──mitigated──▶ MITIGATING ──resolved──▶ RESOLVED ──closed──▶ CLOSED
//	    │                 │  ▲ ▲                                          │
//	dismissed      accepted  │ └──────────────── reopened ────────────────┘
//	    ▼                 ▼  │ reopened
//	DISMISSED          ACCEPTED
const (
	ChallengeOpened    ChallengeEvent = "opened"
	ChallengeDismissed ChallengeEvent = "dismissed"
	ChallengeMitigated ChallengeEvent = "mitigated"
	ChallengeResolved  ChallengeEvent = "resolved"
	ChallengeAccepted  ChallengeEvent = "accepted"
	ChallengeClosed    ChallengeEvent = "closed"
	ChallengeReopened  ChallengeEvent = "reopened"
)

// The states in short.
const (
	challengeSuggested  = implementationv1.Challenge_SUGGESTED
	challengeOpen       = implementationv1.Challenge_OPEN
	challengeMitigating = implementationv1.Challenge_MITIGATING
	challengeResolved   = implementationv1.Challenge_RESOLVED
	challengeClosed     = implementationv1.Challenge_CLOSED
	challengeDismissed  = implementationv1.Challenge_DISMISSED
	challengeAccepted   = implementationv1.Challenge_ACCEPTED
)

type challengeRule struct {
	from []implementationv1.Challenge_State
	to   implementationv1.Challenge_State
}

func challengeRules() map[ChallengeEvent]challengeRule {
	from := func(states ...implementationv1.Challenge_State) []implementationv1.Challenge_State { return states }
	return map[ChallengeEvent]challengeRule{
		ChallengeOpened:    {from: from(challengeSuggested), to: challengeOpen},
		ChallengeDismissed: {from: from(challengeSuggested), to: challengeDismissed},
		ChallengeMitigated: {from: from(challengeOpen), to: challengeMitigating},
		ChallengeResolved:  {from: from(challengeMitigating), to: challengeResolved},
		ChallengeAccepted:  {from: from(challengeOpen), to: challengeAccepted},
		ChallengeClosed:    {from: from(challengeResolved), to: challengeClosed},
		ChallengeReopened:  {from: from(challengeResolved, challengeAccepted), to: challengeOpen},
	}
}

// Apply moves the challenge, or refuses with STATE_FORBIDS.
func (e ChallengeEvent) Apply(c *implementationv1.Challenge) error {
	rule := challengeRules()[e]
	if !slices.Contains(rule.from, c.GetState()) {
		wanted := make([]string, len(rule.from))
		for i, state := range rule.from {
			wanted[i] = state.String()
		}
		return challengeForbids(c, "it can be "+string(e)+" only from "+strings.Join(wanted, " or "))
	}
	c.State = rule.to
	return nil
}

// ChallengeDeletable refuses with STATE_FORBIDS unless a person raised the challenge and nothing came of it yet.
func ChallengeDeletable(c *implementationv1.Challenge) error {
	if c.GetState() != challengeOpen || c.GetRule() != "" {
		return challengeForbids(c, "only an OPEN one that a person raised can be deleted; dismiss, accept or close it instead")
	}
	return nil
}

// ChallengeLive says that a challenge has not ended, so that new evidence of its rule belongs to it.
func ChallengeLive(state implementationv1.Challenge_State) bool {
	return !ChallengeEnded(state) && state != implementationv1.Challenge_STATE_UNSPECIFIED
}

// ChallengeEnded says that nothing changes the challenge any more.
func ChallengeEnded(state implementationv1.Challenge_State) bool {
	return state == challengeClosed || state == challengeDismissed
}

func challengeForbids(c *implementationv1.Challenge, what string) error {
	return fault.Precondition(ReasonStateForbids, "challenge %s is %s; %s", c.GetName(), c.GetState(), what).
		Subject("STATE", c.GetName(), "is "+c.GetState().String())
}
