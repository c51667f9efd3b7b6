package money

import (
	"cmp"
	"math"
	"slices"
)

// mostChanges is up to how many changes of sign all rates are found for certain. Beyond it they
// are looked for on a grid, and two that lie very close may be missed.
const mostChanges = 32

// furthest is the largest |ln(1 + rate)| that is looked at; a rate beyond it is no number.
const furthest = 700

// Rates are the internal rates of return: every rate above −1 at which the net present value is 0, from low to high, and
// how often the flows change sign, which is the most that there can be (Descartes). Flows with
// one change have exactly one; with more, a rate says little and the net present value should be looked at instead.
//
// With x = ln(1 + rate) the value is Σ aᵢ·exp(−x·tᵢ). Multiplied by exp(x·τ) it has the same zeros, and where τ lies
// at a change of sign, its derivative has coefficients aᵢ·(τ − tᵢ), with one change less (Laguerre). So the zeros of each
// derivative part the line into pieces on which the one above is monotonic, and bisection finds all of them.
func Rates(flows []Flow) (rates []float64, changes int) {
	terms := gather(flows)
	changes = signChanges(terms)
	var found []float64
	switch {
	case changes > mostChanges:
		const pieces = 4_000
		grid := make([]float64, 0, pieces)
		for i := 1; i < pieces; i++ {
			u := 2*float64(i)/pieces - 1
			grid = append(grid, furthest*u*u*u) // dense where rates are usual
		}
		found = crossings(terms, grid)
	case changes > 0:
		found = zeros(terms)
	}
	for _, x := range found {
		if rate := math.Expm1(x); finite(rate) && rate > -1 {
			rates = append(rates, rate)
		}
	}
	return rates, changes
}

// IRR is the internal rate of return where there is exactly one.
func IRR(flows []Flow) (float64, bool) {
	rates, _ := Rates(flows)
	if len(rates) != 1 {
		return 0, false
	}
	return rates[0], true
}

// term is one of a sum of exponentials, with the logarithm of its size.
type term struct{ at, amount, log float64 }

func newTerm(at, amount float64) term { return term{at, amount, math.Log(math.Abs(amount))} }

// gather sorts flows by time and adds those of one time.
func gather(flows []Flow) []term {
	terms := make([]term, 0, len(flows))
	for _, f := range flows {
		if finite(f.At) {
			terms = append(terms, term{at: f.At, amount: float64(f.Amount)})
		}
	}
	slices.SortStableFunc(terms, func(a, b term) int { return cmp.Compare(a.at, b.at) })
	out := terms[:0]
	for _, t := range terms {
		if n := len(out); n > 0 && out[n-1].at == t.at {
			out[n-1].amount += t.amount
		} else {
			out = append(out, t)
		}
	}
	out = slices.DeleteFunc(out, func(t term) bool { return t.amount == 0 })
	for i, t := range out {
		out[i] = newTerm(t.at, t.amount)
	}
	return out
}

func signChanges(terms []term) int {
	n := 0
	for i := 1; i < len(terms); i++ {
		if (terms[i].amount > 0) != (terms[i-1].amount > 0) {
			n++
		}
	}
	return n
}

// zeros are those of a sum of exponentials, from low to high.
func zeros(terms []term) []float64 {
	change := 1
	for change < len(terms) && (terms[change].amount > 0) == (terms[change-1].amount > 0) {
		change++
	}
	if change >= len(terms) {
		return nil
	}
	middle := (terms[change].at + terms[change-1].at) / 2
	derived := make([]term, len(terms))
	for i, t := range terms {
		derived[i] = newTerm(t.at, t.amount*(middle-t.at))
	}
	return crossings(terms, zeros(derived))
}

// crossings are the zeros of a sum that is monotonic between the points, and beyond them. A point
// where it only touches zero is one.
func crossings(terms []term, points []float64) []float64 {
	var out []float64
	low, lowValue := -float64(furthest), value(terms, -furthest)
	for _, high := range append(slices.Clone(points), furthest) {
		highValue := value(terms, high)
		switch {
		case lowValue == 0:
		case highValue == 0 && high < furthest:
			out = append(out, high)
		case (lowValue > 0) != (highValue > 0) && highValue != 0:
			out = append(out, bisect(terms, low, high, lowValue > 0))
		}
		low, lowValue = high, highValue
	}
	return out
}

func bisect(terms []term, low, high float64, positive bool) float64 {
	for range 200 {
		middle := (low + high) / 2
		if middle <= low || middle >= high {
			break
		}
		if (value(terms, middle) > 0) == positive {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// value is the sum at x as a share of the sum of its absolute terms, so that it stays within −1 and 1 where
// its terms are beyond all numbers. What is only rounding is 0.
func value(terms []term, x float64) float64 {
	largest := math.Inf(-1)
	for _, t := range terms {
		largest = max(largest, t.log-x*t.at)
	}
	sum, all := 0.0, 0.0
	for _, t := range terms {
		v := math.Copysign(math.Exp(t.log-x*t.at-largest), t.amount)
		sum += v
		all += math.Abs(v)
	}
	const rounding = 4e-15
	if math.Abs(sum) <= rounding*all {
		return 0
	}
	return sum / all
}
