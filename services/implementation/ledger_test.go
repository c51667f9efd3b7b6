package implementation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// books are clients of everything about money, for one principal.
type books struct {
	lines    implementationv1.BudgetLineServiceClient
	entries  implementationv1.LedgerEntryServiceClient
	outcomes implementationv1.OutcomeServiceClient
	worth    implementationv1.BenefitServiceClient
}

func (w *world) books(name string, role auth.Role) books {
	conn := w.dial(name, map[string][]auth.Role{auth.AllWorkspaces: {role}})
	return books{
		implementationv1.NewBudgetLineServiceClient(conn), implementationv1.NewLedgerEntryServiceClient(conn),
		implementationv1.NewOutcomeServiceClient(conn), implementationv1.NewBenefitServiceClient(conn),
	}
}

func (w *world) funded() {
	w.Helper()
	_, err := w.implementations.CreateImplementation(w.Context(), &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{Currency: "EUR"},
	})
	require.NoError(w, err)
}

const (
	cost    = implementationv1.CashDirection_COST
	benefit = implementationv1.CashDirection_BENEFIT
)

func TestTheLedgerCountsWhatOthersHaveSeen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.funded()
		otto, ada := w.books("users/otto", auth.Operator), w.books("users/ada", auth.Approver)
		claim := func(direction implementationv1.CashDirection, amount int64, date string) *implementationv1.LedgerEntry {
			e, err := otto.entries.CreateLedgerEntry(t.Context(), &implementationv1.CreateLedgerEntryRequest{
				Parent: rollout, LedgerEntry: &implementationv1.LedgerEntry{Direction: direction, AmountMinor: amount, Date: date, State: implementationv1.LedgerEntry_VERIFIED},
			})
			require.NoError(t, err)
			return e
		}
		realised := func() (*implementationv1.Benefits, *implementationv1.CashSummary) {
			b, err := ada.worth.ComputeBenefits(t.Context(), &implementationv1.ComputeBenefitsRequest{Parent: rollout})
			require.NoError(t, err)
			return b, b.GetRealised()
		}
		verify := func(by books, name string) error {
			_, err := by.entries.VerifyLedgerEntry(t.Context(), &implementationv1.VerifyLedgerEntryRequest{Name: name, Evidence: "seen"})
			return err
		}
		reverse := func(name string) (*implementationv1.LedgerEntry, error) {
			return ada.entries.ReverseLedgerEntry(t.Context(), &implementationv1.ReverseLedgerEntryRequest{Name: name, Reason: "booked twice"})
		}
		spent, saved := claim(cost, 10_000, "2026-01-31"), claim(benefit, 4_000, "2026-02-28")
		require.Equal(t, implementationv1.LedgerEntry_CLAIMED, saved.GetState(), "nobody claims and verifies at once")
		require.Equal(t, "users/otto", saved.GetClaimedBy())
		require.Equal(t, "EUR", saved.GetCurrency())
		all, r := realised()
		require.EqualValues(t, 10_000, r.GetCostMinor(), "costs count when they are claimed")
		require.Zero(t, r.GetBenefitMinor(), "benefits do not")
		require.EqualValues(t, 4_000, all.GetClaimedBenefitMinor())

		require.True(t, fault.Is(verify(otto, saved.GetName()), fault.KindDenied))
		require.NoError(t, verify(ada, saved.GetName()))
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(verify(ada, saved.GetName())))
		all, r = realised()
		require.EqualValues(t, 4_000, r.GetBenefitMinor())
		require.Zero(t, all.GetClaimedBenefitMinor())

		back, err := reverse(saved.GetName())
		require.NoError(t, err)
		require.EqualValues(t, -4_000, back.GetAmountMinor())
		_, r = realised()
		require.Zero(t, r.GetBenefitMinor())
		_, err = reverse(saved.GetName())
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))
		_, err = reverse(back.GetName())
		require.Equal(t, "REVERSAL_OF_REVERSAL", fault.ReasonOf(err))
		require.Equal(t, "REVERSAL_OF_REVERSAL", fault.ReasonOf(verify(ada, back.GetName())))

		claimed := claim(benefit, 700, "2026-02-28")
		_, err = reverse(claimed.GetName())
		require.NoError(t, err)
		_, err = reverse(spent.GetName())
		require.NoError(t, err)
		all, r = realised()
		require.Zero(t, r.GetBenefitMinor(), "a claim that was taken back counts nowhere, and neither does its reversal")
		require.Zero(t, r.GetCostMinor())
		require.Zero(t, all.GetClaimedBenefitMinor())
	})
}

func TestNobodyVerifiesTheirOwnClaim(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.funded()
		eve := w.books("users/eve", auth.Admin)
		e, err := eve.entries.CreateLedgerEntry(t.Context(), &implementationv1.CreateLedgerEntryRequest{
			Parent: rollout, LedgerEntry: &implementationv1.LedgerEntry{Direction: benefit, AmountMinor: 1, Date: "2026-01-01"},
		})
		require.NoError(t, err)
		_, err = eve.entries.VerifyLedgerEntry(t.Context(), &implementationv1.VerifyLedgerEntryRequest{Name: e.GetName()})
		require.Equal(t, "SELF_VERIFICATION", fault.ReasonOf(err))
	})
}

func TestWhatAnImplementationIsWorth(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.funded()
		alice := w.books("users/alice", auth.Admin)
		// The published case: -40 000, then 5 000, 8 000, 12 000 and 30 000 at 8 %.
		for id, line := range map[string]*implementationv1.BudgetLine{
			"licences": {Direction: cost, Amounts: []*implementationv1.PlannedAmount{{Date: "2025-01-01", AmountMinor: 4_000_000}}},
			"time": {Direction: benefit, Amounts: []*implementationv1.PlannedAmount{
				{Date: "2026-01-01", AmountMinor: 500_000}, {Date: "2027-01-01", AmountMinor: 800_000}, {Date: "2028-01-01", AmountMinor: 1_200_000}, {Date: "2028-12-31", AmountMinor: 3_000_000},
			}},
		} {
			created, err := alice.lines.CreateBudgetLine(t.Context(), &implementationv1.CreateBudgetLineRequest{Parent: rollout, BudgetLineId: id, BudgetLine: line})
			require.NoError(t, err)
			require.Equal(t, "EUR", created.GetCurrency())
		}
		b, err := alice.worth.ComputeBenefits(t.Context(), &implementationv1.ComputeBenefitsRequest{Parent: rollout, DiscountRate: new(0.08)})
		require.NoError(t, err)
		p := b.GetPlanned()
		require.EqualValues(t, 4_000_000, p.GetCostMinor())
		require.EqualValues(t, 5_500_000, p.GetBenefitMinor())
		require.InDelta(t, 306_522.267, p.GetNpvMinor(), 0.5, "every date is a multiple of 365 days from the first")
		require.InDelta(t, 0.375, p.GetRoi(), 1e-9)
		require.InDelta(t, 3.5, p.GetPaybackYears(), 1e-6)
		require.InDelta(t, 3.861, p.GetDiscountedPaybackYears(), 5e-4)
		require.EqualValues(t, 1, p.GetIrrCount())
		require.Len(t, p.GetFlows(), 5)
		require.Nil(t, b.GetRealised().Roi, "nothing was spent: not defined")
		require.Nil(t, b.GetRealised().NpvMinor)
	})
}

func TestAnOutcomeIsMetOnlyWhereItWasMeasured(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.funded()
		alice := w.books("users/alice", auth.Admin)
		o, err := alice.outcomes.CreateOutcome(t.Context(), &implementationv1.CreateOutcomeRequest{Parent: rollout, OutcomeId: "offer-time", Outcome: &implementationv1.Outcome{
			Metric: "minutes from request to offer, median of a week", Unit: "min", BaselineValue: 40, TargetValue: 10,
		}})
		require.NoError(t, err)
		record := func(value float64) *implementationv1.Outcome {
			o, err := alice.outcomes.RecordOutcome(t.Context(), &implementationv1.RecordOutcomeRequest{Name: o.GetName(), Measurement: &implementationv1.Measurement{Value: value}})
			require.NoError(t, err)
			return o
		}
		decide := func(verdict implementationv1.Outcome_Verdict, reason, owner string) error {
			_, err := alice.outcomes.DecideOutcome(t.Context(), &implementationv1.DecideOutcomeRequest{Name: o.GetName(), Verdict: verdict, Reason: reason, RemainingOwner: owner})
			return err
		}
		require.Equal(t, "OUTCOME_NOT_REACHED", fault.ReasonOf(decide(implementationv1.Outcome_MET, "", "")))
		require.InDelta(t, 0.5, record(25).GetAttainment(), 1e-9, "half of the way down")
		require.Equal(t, "OUTCOME_NOT_REACHED", fault.ReasonOf(decide(implementationv1.Outcome_MET, "", "")))
		require.True(t, fault.Is(decide(implementationv1.Outcome_MISSED, "half way", ""), fault.KindInvalid), "somebody carries on")
		require.NoError(t, decide(implementationv1.Outcome_MISSED, "half way", "users/dave"))
		require.InDelta(t, 1.1, record(7).GetAttainment(), 1e-9)
		require.NoError(t, decide(implementationv1.Outcome_MET, "", ""))
	})
}
