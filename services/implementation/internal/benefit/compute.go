package benefit

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Compute is what an implementation is worth, planned and realised, at a yearly discount rate.
func Compute(implementation string, books Books, rate float64, now time.Time) (*implementationv1.Benefits, error) {
	planned, until := books.planned(now.UTC().Format(time.DateOnly))
	realised, claimed := books.realised()
	b := &implementationv1.Benefits{
		Implementation: implementation, Currency: books.Currency, DiscountRate: rate, AsOf: timestamppb.New(now),
		Planned: summary(planned, rate), Realised: summary(realised, rate), ClaimedBenefitMinor: claimed,
	}
	if until > 0 {
		b.Realisation = new(float64(realised.benefit) / float64(until))
	}
	return b, nil
}

// summary is what follows from flows by the formulas of money.
func summary(f flows, rate float64) *implementationv1.CashSummary {
	_ = rate
	return &implementationv1.CashSummary{CostMinor: f.cost, BenefitMinor: f.benefit, Flows: f.series()}
}
