package lifecycle

import (
	"slices"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// EntryEvent is what can happen to a ledger entry. Its value is the past participle that the event log says.
type EntryEvent string

// The events of a ledger entry. A reversal is an entry too, and ends there: it is never reversed itself.
//
//	CLAIMED ──verified──▶ VERIFIED ──reversed──▶ REVERSED
//	   └──────────────reversed──────────────────────▲
const (
	EntryVerified EntryEvent = "verified"
	EntryReversed EntryEvent = "reversed"
)

type entryRule struct {
	from []implementationv1.LedgerEntry_State
	to   implementationv1.LedgerEntry_State
}

func entryRules() map[EntryEvent]entryRule {
	const claimed, verified = implementationv1.LedgerEntry_CLAIMED, implementationv1.LedgerEntry_VERIFIED
	return map[EntryEvent]entryRule{
		EntryVerified: {from: []implementationv1.LedgerEntry_State{claimed}, to: verified},
		EntryReversed: {from: []implementationv1.LedgerEntry_State{claimed, verified}, to: implementationv1.LedgerEntry_REVERSED},
	}
}

// Apply moves the entry, or refuses with STATE_FORBIDS or REVERSAL_OF_REVERSAL.
func (e EntryEvent) Apply(entry *implementationv1.LedgerEntry) error {
	rule := entryRules()[e]
	if entry.GetReverses() != "" {
		return fault.Precondition("REVERSAL_OF_REVERSAL", "%s reverses %s and stands for ever; if that was wrong, claim it anew", entry.GetName(), entry.GetReverses()).
			Subject("STATE", entry.GetName(), "is a reversal")
	}
	if !slices.Contains(rule.from, entry.GetState()) {
		what := "it can be verified only from CLAIMED"
		if e == EntryReversed {
			what = "it is taken back by " + entry.GetReversedBy() + " already"
		}
		return fault.Precondition(ReasonStateForbids, "ledger entry %s is %s; %s", entry.GetName(), entry.GetState(), what).
			Subject("STATE", entry.GetName(), "is "+entry.GetState().String())
	}
	entry.State = rule.to
	return nil
}

// Reversal is the entry that takes another one back; its name, date and persons are for the store to say. What
// reverses a verified entry is VERIFIED and counts against it. What reverses a mere claim is REVERSED as the claim then is: neither counts.
func Reversal(of *implementationv1.LedgerEntry, reason string) *implementationv1.LedgerEntry {
	state := implementationv1.LedgerEntry_REVERSED
	if of.GetState() == implementationv1.LedgerEntry_VERIFIED {
		state = implementationv1.LedgerEntry_VERIFIED
	}
	return &implementationv1.LedgerEntry{
		Direction: of.GetDirection(), AmountMinor: -of.GetAmountMinor(), Currency: of.GetCurrency(), BudgetLine: of.GetBudgetLine(),
		Description: "Reversal: " + of.GetDescription(), State: state, Reverses: of.GetName(), Reason: reason,
	}
}
