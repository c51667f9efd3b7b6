package adoption

import (
	"errors"
	"hash/fnv"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// defaultWeeks is how far a forecast looks where nobody says.
const defaultWeeks = 26

// Outlook says how adoption may go on in each cohort, some weeks ahead.
func Outlook(f Facts, weeks int) *implementationv1.AdoptionForecast {
	if weeks <= 0 {
		weeks = defaultWeeks
	}
	groups, _ := Needs(f.Cohorts, f.First, f.Last)
	c := newCounter(f, groups)
	all := &implementationv1.AdoptionForecast{}
	for _, cohort := range f.Cohorts {
		one := c.outlook(cohort, weeks)
		one.CohortPlan = cohort.Plan.GetName()
		all.Cohorts = append(all.Cohorts, one)
	}
	return all
}

func (c *counter) outlook(cohort Cohort, ahead int) *implementationv1.CohortForecast {
	none := func(why string) *implementationv1.CohortForecast {
		return &implementationv1.CohortForecast{Basis: implementationv1.CohortForecast_NONE, Reason: why}
	}
	live, ok := cohort.GoLive()
	if !ok {
		return none("it has no go-live, so there are no weeks since")
	}
	plan := cohort.Plan.GetAdoption()
	_, planned := Planned(plan, 0)
	eligible := At(cohort.Shown, c.Last).People
	if eligible == nil {
		return none("the group is too small for anything to be told about it")
	}
	if live < c.Last-MaxSpan {
		return none("the go-live is longer ago than usage is kept")
	}
	x := c.newly(cohort, live, eligible)
	f := &implementationv1.CohortForecast{
		Basis: implementationv1.CohortForecast_PLANNED_CURVE_ONLY, Weeks: int32(len(x)), Eligible: Size(eligible), //nolint:gosec // G115: at most a year
	}
	if !planned {
		f.Basis = implementationv1.CohortForecast_NONE
	}
	most := float64(f.GetEligible())
	seed := seedOf(cohort.Plan.GetName(), c.Last)
	found, err := Extrapolate(x, ahead, most, plan.GetTarget()*most, seed)
	switch {
	case errors.Is(err, ErrTooFew):
		f.Reason = "there are less than six full weeks since the go-live"
	case err != nil:
		f.Reason = "the weeks since the go-live do not have the shape of a diffusion"
	default:
		f.Basis, f.Seed = implementationv1.CohortForecast_BASS, seed
		f.M, f.P, f.Q, f.ResidualError = found.M, found.P, found.Q, found.Error
		if peak, ok := found.Peak(); ok {
			f.PeakWeek = &peak
		}
		f.TargetDayP50, f.TargetDayP80 = weekEnd(live, found.Reach50), weekEnd(live, found.Reach80)
	}
	f.Points = forecastPoints(plan, live, x, ahead, found, most)
	return f
}

// newly is how many of the eligible became active for the first time in each full week since the go-live.
func (c *counter) newly(cohort Cohort, live Day, eligible *Set) (x []float64) {
	if live > c.Last {
		return nil
	}
	var begun *Set
	before := int64(0)
	for i, active := range c.since(cohort, live) {
		begun = or(begun, both(active, eligible))
		if (i+1)%7 == 0 {
			x = append(x, float64(Size(begun)-before))
			before = Size(begun)
		}
	}
	return x
}

func forecastPoints(plan *implementationv1.AdoptionPlan, live Day, x []float64, ahead int, found Forecast, most float64) (points []*implementationv1.ForecastPoint) {
	begun := 0.0
	for i := range len(x) + ahead {
		point := &implementationv1.ForecastPoint{Day: weekEnd(live, i+1)}
		if i < len(x) {
			begun += x[i]
			point.Actual = new(begun / most)
		} else if j := i - len(x); j < len(found.P50) {
			point.P10, point.P50, point.P90 = new(found.P10[j]/most), new(found.P50[j]/most), new(found.P90[j]/most)
		}
		if planned, ok := Planned(plan, 7*(i+1)-1); ok {
			point.Planned = &planned
		}
		points = append(points, point)
	}
	return points
}

// weekEnd is the last day of a week since the go-live; empty for week 0.
func weekEnd(live Day, week int) string {
	if week == 0 {
		return ""
	}
	return live.Add(7*week - 1).String()
}

// seedOf gives each cohort draws of its own, the same for everybody who asks on a day.
func seedOf(name string, day Day) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name + day.String())) // a hash never fails to write
	return sum.Sum64()
}
