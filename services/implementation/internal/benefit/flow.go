package benefit

import (
	"maps"
	"slices"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Books are what is planned and what was, in one currency.
type Books struct {
	Currency string
	Lines    []*implementationv1.BudgetLine
	Entries  []*implementationv1.LedgerEntry
}

// flows are sums by date.
type flows struct {
	cost, benefit int64
	net           map[string]int64 // by date
}

func (f *flows) add(direction implementationv1.CashDirection, date string, amount int64) {
	if direction == implementationv1.CashDirection_COST {
		f.cost += amount
		amount = -amount
	} else {
		f.benefit += amount
	}
	f.net[date] += amount
}

// planned are the flows of the budget lines.
func (b Books) planned() *flows {
	f := &flows{net: map[string]int64{}}
	for _, line := range b.Lines {
		for _, amount := range line.GetAmounts() {
			f.add(line.GetDirection(), amount.GetDate(), amount.GetAmountMinor())
		}
	}
	return f
}

// Realisation is, as it stood at a moment, what was verified of benefits, less what was taken back of it, and what had been planned until then.
func (b Books) Realisation(at time.Time) (verified, planned int64) {
	for _, e := range b.Entries {
		if e.GetDirection() == implementationv1.CashDirection_BENEFIT && e.GetVerifyTime() != nil && !e.GetVerifyTime().AsTime().After(at) {
			verified += e.GetAmountMinor()
		}
	}
	for _, line := range b.Lines {
		planned += benefitUntil(line, at.UTC().Format(time.DateOnly))
	}
	return verified, planned
}

// Planning names the budget lines that plan a benefit until a moment.
func (b Books) Planning(at time.Time) (lines []string) {
	for _, line := range b.Lines {
		if benefitUntil(line, at.UTC().Format(time.DateOnly)) != 0 {
			lines = append(lines, line.GetName())
		}
	}
	return lines
}

func benefitUntil(line *implementationv1.BudgetLine, date string) (sum int64) {
	if line.GetDirection() != implementationv1.CashDirection_BENEFIT {
		return 0
	}
	for _, amount := range line.GetAmounts() {
		if amount.GetDate() <= date {
			sum += amount.GetAmountMinor()
		}
	}
	return sum
}

// realised are the flows of the ledger: what was verified, with what reverses it, and costs that are claimed. Claimed are
// the benefits that nobody has verified yet.
func (b Books) realised() (f *flows, claimed int64) {
	f = &flows{net: map[string]int64{}}
	for _, e := range b.Entries {
		waits := e.GetState() == implementationv1.LedgerEntry_CLAIMED
		switch {
		case e.GetVerifyTime() != nil, waits && e.GetDirection() == implementationv1.CashDirection_COST:
			f.add(e.GetDirection(), e.GetDate(), e.GetAmountMinor())
		case waits:
			claimed += e.GetAmountMinor()
		}
	}
	return f, claimed
}

// series are the flows in the order of their dates.
func (f *flows) series() []*implementationv1.CashFlow {
	var all []*implementationv1.CashFlow
	for _, date := range slices.Sorted(maps.Keys(f.net)) {
		all = append(all, &implementationv1.CashFlow{Date: date, AmountMinor: f.net[date]})
	}
	return all
}
