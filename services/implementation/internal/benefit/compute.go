package benefit

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/money"
)

// Compute is what an implementation is worth, planned and realised, at a yearly discount rate.
func Compute(implementation string, books Books, rate float64, now time.Time) (*implementationv1.Benefits, error) {
	planned := books.planned()
	realised, claimed := books.realised()
	b := &implementationv1.Benefits{
		Implementation: implementation, Currency: books.Currency, DiscountRate: rate, AsOf: timestamppb.New(now),
		Planned: summary(planned, rate), Realised: summary(realised, rate), ClaimedBenefitMinor: claimed,
	}
	if verified, until := books.Realisation(now); until > 0 {
		b.Realisation = new(float64(verified) / float64(until))
	}
	return b, nil
}

// summary is what follows from flows by the formulas of money. Return on investment counts every cost and every
// benefit; the others look at the net of each date.
func summary(f *flows, rate float64) *implementationv1.CashSummary {
	s := &implementationv1.CashSummary{CostMinor: f.cost, BenefitMinor: f.benefit, Flows: f.series()}
	if len(s.GetFlows()) == 0 {
		return s
	}
	dated := make([]money.Dated, len(s.GetFlows()))
	for i, flow := range s.GetFlows() {
		date, _ := time.Parse(time.DateOnly, flow.GetDate()) // the store takes dates only
		dated[i] = money.Dated{Date: date, Amount: flow.GetAmountMinor()}
	}
	yearly := money.Yearly(dated)
	s.NpvMinor = known(money.NPV(rate, yearly))
	s.Irr = known(money.IRR(yearly))
	rates, _ := money.Rates(yearly)
	s.IrrCount = int32(len(rates)) //nolint:gosec // at most one for each change of sign
	s.Roi = known(money.ROI([]money.Flow{{Amount: -f.cost}, {Amount: f.benefit}}))
	s.PaybackYears = known(money.Payback(yearly))
	s.DiscountedPaybackYears = known(money.DiscountedPayback(rate, yearly))
	return s
}

// known is a number where there is one.
func known(v float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &v
}
