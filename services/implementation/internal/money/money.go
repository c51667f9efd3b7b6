// Package money tells what flows of money are worth: net present value, internal
// rates of return, return on investment, payback.
//
// Amounts are minor units, whole numbers, added exactly; only discounting makes fractions. The
// first flow is not discounted: NPV = Σ amount / (1 + rate)^t with t = 0 for it. Spreadsheets
// call a function NPV that discounts the first flow too; it gives another number.
// Time is in periods, or in years of 365 days between dates.
//
// What has no answer gives false, never NaN and never infinity: a return on nothing, a rate that flows
// without a change of sign do not have, a payback that does not come.
package money

import (
	"math"
	"time"
)

// Flow is an amount, in minor units, at a time after the first: in periods, or in years. Money out is negative.
type Flow struct {
	At     float64
	Amount int64
}

// Periodic are amounts one period apart, the first at 0.
func Periodic(amounts ...int64) []Flow {
	out := make([]Flow, len(amounts))
	for i, a := range amounts {
		out[i] = Flow{At: float64(i), Amount: a}
	}
	return out
}

// Dated is an amount on a day.
type Dated struct {
	Date   time.Time
	Amount int64
}

// Yearly are dated amounts, in their order, in years of 365 days after the first one (ACT/365F, as XNPV and XIRR count).
func Yearly(flows []Dated) []Flow {
	out := make([]Flow, len(flows))
	for i, f := range flows {
		const dayOfYear = 365
		out[i] = Flow{At: math.Round(f.Date.Sub(flows[0].Date).Hours()/24) / dayOfYear, Amount: f.Amount}
	}
	return out
}

// NPV is the net present value at a rate per period, in minor units. It has none at a rate of −1 or less, nor where it is beyond all numbers.
func NPV(rate float64, flows []Flow) (float64, bool) {
	if !(rate > -1) || math.IsInf(rate, 0) {
		return 0, false
	}
	if value := present(math.Log1p(rate), flows); finite(value) {
		return value, true
	}
	return 0, false
}

// present is the value at a continuous rate, added with Neumaier's correction so that
// large flows that cancel leave the small ones.
func present(log float64, flows []Flow) float64 {
	sum, lost := 0.0, 0.0
	for _, f := range flows {
		if f.Amount == 0 {
			continue
		}
		v := float64(f.Amount) * math.Exp(-log*f.At)
		t := sum + v
		if math.Abs(sum) >= math.Abs(v) {
			lost += (sum - t) + v
		} else {
			lost += (v - t) + sum
		}
		sum = t
	}
	return sum + lost
}

// ROI is the return on what was spent, (money in − money out) / money out. There is none on nothing.
func ROI(flows []Flow) (float64, bool) {
	var in, out float64
	for _, f := range flows {
		if f.Amount > 0 {
			in += float64(f.Amount)
		} else {
			out -= float64(f.Amount)
		}
	}
	if out == 0 {
		return 0, false
	}
	return (in - out) / out, true
}

// Payback is when the sum of flows, in the order of their times, is at 0 or above for good, evenly between two flows.
// It does not come where the sum ends below 0, and is 0 where it never is below.
func Payback(flows []Flow) (float64, bool) {
	return DiscountedPayback(0, flows)
}

// DiscountedPayback is the payback of discounted flows.
func DiscountedPayback(rate float64, flows []Flow) (float64, bool) {
	if !(rate > -1) || math.IsInf(rate, 0) || len(flows) == 0 {
		return 0, false
	}
	log, sum, below := math.Log1p(rate), 0.0, false
	terms := gather(flows)
	if len(terms) == 0 {
		return 0, true
	}
	at, before := 0.0, terms[0].at
	for _, f := range terms {
		v := f.amount
		if rate != 0 {
			v *= math.Exp(-log * f.at)
		}
		next := sum + v
		switch {
		case !finite(next):
			return 0, false
		case next < 0:
			below = true
		case below:
			at, below = before+(f.at-before)*-sum/v, false
		}
		sum, before = next, f.at
	}
	if below {
		return 0, false
	}
	return at, true
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
