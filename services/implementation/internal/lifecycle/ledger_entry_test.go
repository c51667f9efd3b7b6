package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

func TestLedgerEntryEveryStateByEveryEvent(t *testing.T) {
	const claimed, verified, reversed = implementationv1.LedgerEntry_CLAIMED, implementationv1.LedgerEntry_VERIFIED, implementationv1.LedgerEntry_REVERSED
	legal := map[implementationv1.LedgerEntry_State]map[lifecycle.EntryEvent]implementationv1.LedgerEntry_State{
		claimed:  {lifecycle.EntryVerified: verified, lifecycle.EntryReversed: reversed},
		verified: {lifecycle.EntryReversed: reversed},
	}
	for number := range implementationv1.LedgerEntry_State_name {
		for _, event := range []lifecycle.EntryEvent{lifecycle.EntryVerified, lifecycle.EntryReversed, "exploded"} {
			for _, reverses := range []string{"", "workspaces/w/implementations/i/ledgerEntries/e"} {
				from := implementationv1.LedgerEntry_State(number)
				entry := &implementationv1.LedgerEntry{Name: "workspaces/w/implementations/i/ledgerEntries/f", State: from, Reverses: reverses}
				err := event.Apply(entry)
				if to, ok := legal[from][event]; ok && reverses == "" {
					require.NoError(t, err)
					require.Equal(t, to, entry.GetState())
					continue
				}
				require.True(t, fault.Is(err, fault.KindPrecondition), "%s %s", from, event)
				require.Equal(t, from, entry.GetState(), "a refusal changes nothing")
			}
		}
	}
}

func TestAReversalCountsAsFarAsWhatItReverses(t *testing.T) {
	for state, want := range map[implementationv1.LedgerEntry_State]implementationv1.LedgerEntry_State{
		implementationv1.LedgerEntry_CLAIMED:  implementationv1.LedgerEntry_REVERSED,
		implementationv1.LedgerEntry_VERIFIED: implementationv1.LedgerEntry_VERIFIED,
	} {
		r := lifecycle.Reversal(&implementationv1.LedgerEntry{Name: "e", State: state, AmountMinor: 5, Currency: "EUR"}, "wrong")
		require.Equal(t, want, r.GetState())
		require.EqualValues(t, -5, r.GetAmountMinor())
		require.Equal(t, "e", r.GetReverses())
	}
}
