package plan

import (
	"math"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Effort is how much work a task is, in minutes of all who do it: as it says, or its likely duration times the assigned units,
// or its likely duration where nobody is assigned.
func Effort(t *implementationv1.Task) int64 {
	if t.GetEffortMinutes() > 0 {
		return int64(t.GetEffortMinutes())
	}
	likely := float64(t.GetEstimate().GetLikelyMinutes())
	if t.GetMilestone() {
		return 0
	}
	if len(t.GetAssignments()) == 0 {
		return int64(likely)
	}
	return int64(math.Round(likely * units(t)))
}

// Rates are what an hour of each resource costs, in minor units.
type Rates map[string]int64

// NewRates reads them.
func NewRates(resources []*implementationv1.Resource) Rates {
	r := make(Rates, len(resources))
	for _, one := range resources {
		r[one.GetName()] = one.GetHourlyRateMinor()
	}
	return r
}

// Of is what some minutes of work of those who are assigned to a task cost, in minor units: shared by
// their units, rounded once.
func (r Rates) Of(t *implementationv1.Task, minutes int64) int64 {
	total, sum := units(t), 0.0
	if total == 0 {
		return 0
	}
	for _, a := range t.GetAssignments() {
		sum += unit(a) / total * float64(r[a.GetResource()])
	}
	return int64(math.Round(min(float64(minutes)*sum/60, math.MaxInt64/4)))
}

// Cost is what a task costs: what is fixed, and its work.
func (r Rates) Cost(t *implementationv1.Task) int64 {
	return t.GetFixedCostMinor() + r.Of(t, Effort(t))
}

func units(t *implementationv1.Task) float64 {
	total := 0.0
	for _, a := range t.GetAssignments() {
		total += unit(a)
	}
	return total
}

// unit is 1 where nothing is said.
func unit(a *implementationv1.Assignment) float64 {
	if a.GetUnits() == 0 {
		return 1
	}
	return a.GetUnits()
}
