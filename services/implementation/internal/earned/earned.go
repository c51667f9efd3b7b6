// Package earned compares what was planned, done and spent: earned value and earned schedule.
//
//	CV = EV − AC      CPI = EV / AC      EAC = BAC / CPI, AC + BAC − EV, AC + (BAC − EV) / (CPI × SPI)
//	SV = EV − PV      SPI = EV / PV      TCPI = (BAC − EV) / (BAC − AC), or / (EAC − AC)
//	ES = C + (EV − PV_C) / (PV_{C+1} − PV_C)      SPI(t) = ES / AT      IEAC(t) = PD / SPI(t)
//
// The first are of the PMI's Practice Standard for Earned Value Management, the earned schedule of Lipke,
// "Schedule is Different" (The Measurable News, 2003). What would divide by zero is not defined, and has no value.
package earned

import (
	"cmp"
	"math"
	"slices"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Value is a number that may not be defined.
type Value struct {
	Number  float64
	Defined bool
}

// Ptr is the number for a message; nil where it is not defined.
func (v Value) Ptr() *float64 {
	if !v.Defined {
		return nil
	}
	return new(v.Number)
}

// ratio is a over b. Nothing is over zero, and what is beyond all numbers is none.
func ratio(a, b float64) Value {
	q := a / b
	if b == 0 || math.IsNaN(q) || math.IsInf(q, 0) {
		return Value{}
	}
	return Value{q, true}
}

// Facts are the sums until a date, in one unit.
type Facts struct {
	Budget  float64 // BAC, of the whole
	Planned float64 // PV
	Earned  float64 // EV
	Actual  float64 // AC
}

// Figures follow from facts.
type Figures struct {
	CostVariance, ScheduleVariance       float64
	CostPerformance, SchedulePerformance Value // CPI, SPI
	ToComplete                           Value // TCPI, to the budget
	Estimates                            []Estimate
}

// Estimate is what the whole will cost by one formula.
type Estimate struct {
	Formula      implementationv1.EstimateAtCompletion_Formula
	AtCompletion Value // EAC
	ToComplete   Value // ETC
	Variance     Value // VAC
	Index        Value // TCPI, to this estimate
}

// Compute gives the figures.
func Compute(f Facts) Figures {
	left := f.Budget - f.Earned
	out := Figures{
		CostVariance: f.Earned - f.Actual, ScheduleVariance: f.Earned - f.Planned,
		CostPerformance: ratio(f.Earned, f.Actual), SchedulePerformance: ratio(f.Earned, f.Planned),
		ToComplete: ratio(left, f.Budget-f.Actual),
	}
	cpi, spi := out.CostPerformance, out.SchedulePerformance
	both := Value{}
	if rest := ratio(left, cpi.Number*spi.Number); cpi.Defined && spi.Defined && rest.Defined {
		both = Value{f.Actual + rest.Number, true}
	}
	perCost := Value{}
	if cpi.Defined {
		perCost = ratio(f.Budget, cpi.Number)
	}
	out.Estimates = []Estimate{
		f.estimate(implementationv1.EstimateAtCompletion_COST_PERFORMANCE, perCost),
		f.estimate(implementationv1.EstimateAtCompletion_AS_PLANNED, Value{f.Actual + left, true}),
		f.estimate(implementationv1.EstimateAtCompletion_COST_AND_SCHEDULE, both),
	}
	return out
}

func (f Facts) estimate(formula implementationv1.EstimateAtCompletion_Formula, eac Value) Estimate {
	e := Estimate{Formula: formula, AtCompletion: eac}
	if eac.Defined {
		e.ToComplete = Value{eac.Number - f.Actual, true}
		e.Variance = Value{f.Budget - eac.Number, true}
		e.Index = ratio(f.Budget-f.Earned, eac.Number-f.Actual)
	}
	return e
}

// Point is what was to be done, in all, until a time.
type Point struct{ At, Planned float64 }

// Time is the earned schedule.
type Time struct {
	Earned      Value // ES: when as much was planned as is earned
	Performance Value // SPI(t)
	Duration    Value // IEAC(t): how long the whole will take
}

// Schedule gives the earned schedule of what is earned at a time, on a curve of cumulative planned value whose times
// rise; before its first point nothing was planned at time 0. What is earned beyond the curve counts as its end.
func Schedule(curve []Point, earned, now float64) Time {
	if len(curve) == 0 {
		return Time{}
	}
	curve = slices.Clone(curve)
	slices.SortStableFunc(curve, func(a, b Point) int { return cmp.Compare(a.At, b.At) })
	out := Time{Earned: Value{inverse(curve, earned), true}}
	end := curve[len(curve)-1]
	for _, p := range curve { // the planned duration ends where nothing more is planned
		if p.Planned >= end.Planned {
			end = p
			break
		}
	}
	if now <= 0 {
		return out // no time has passed that could be used well or badly
	}
	if out.Performance = ratio(out.Earned.Number, now); out.Performance.Defined {
		out.Duration = ratio(end.At, out.Performance.Number)
	}
	return out
}

// inverse is the last time until which no more was planned than is earned, evenly between points.
func inverse(curve []Point, earned float64) float64 {
	before := Point{}
	for _, p := range curve {
		if p.Planned > earned {
			if p.Planned == before.Planned {
				return before.At
			}
			return before.At + (p.At-before.At)*max(0, earned-before.Planned)/(p.Planned-before.Planned)
		}
		if p.Planned > before.Planned || p.At == 0 {
			before = p
		}
	}
	return before.At
}
