package adoption

import (
	"fmt"
	"slices"
	"strings"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const (
	// legacyDays is how long the use of the old way is looked back for.
	legacyDays = 14
	// trendDays is how far back utilisation looks.
	trendDays = 7 * 12
	// MaxSpan is how many days lie between the first and the last that are looked at; usage older than that is purged.
	MaxSpan = 400
)

// Facts are what adoption is counted from.
type Facts struct {
	First, Last Day // what is asked for
	Cohorts     []Cohort
	Total       []Composition    // of all cohorts together; nil where it is not wanted
	Usage       map[string]Usage // by feature
	OptedOut    map[string][]Composition
}

// Cohort is one cohort of an implementation.
type Cohort struct {
	Plan   *implementationv1.CohortPlan
	Shown  []Composition // who numbers may be told about
	New    []string      // the features whose use is adoption
	Tasks  []string
	Legacy []string
}

// NewCohort names the features that count for a plan: those it names, or all of the workspace of the kinds.
func NewCohort(plan *implementationv1.CohortPlan, all []*implementationv1.Feature) Cohort {
	of := func(named []string, kinds ...implementationv1.Feature_Kind) []string {
		if len(named) > 0 {
			named = slices.Clone(named)
			slices.Sort(named)
			return named
		}
		for _, f := range all { // by name
			if slices.Contains(kinds, f.GetKind()) {
				named = append(named, f.GetName())
			}
		}
		return named
	}
	a := plan.GetAdoption()
	return Cohort{
		Plan:   plan,
		New:    of(a.GetFeatures(), implementationv1.Feature_NEW, implementationv1.Feature_TASK),
		Tasks:  of(a.GetTaskStandard().GetFeatures(), implementationv1.Feature_TASK),
		Legacy: of(a.GetLegacyFeatures(), implementationv1.Feature_LEGACY),
	}
}

// Features are all features that a cohort is counted by.
func (c Cohort) Features() []string { return slices.Concat(c.New, c.Tasks, c.Legacy) }

// Window says who of the cohort is active.
func (c Cohort) Window() Window {
	return Window{Days: int(c.Plan.GetAdoption().GetWindowDays()), Active: int(c.Plan.GetAdoption().GetActiveDays())}.OrDefault()
}

// GoLive is the day the cohort went live, or else is planned to; false where neither is known.
func (c Cohort) GoLive() (Day, bool) {
	for _, t := range []interface{ GetSeconds() int64 }{c.Plan.GetLiveTime(), c.Plan.GetGoLiveTime()} {
		if seconds := t.GetSeconds(); seconds != 0 {
			return Day(seconds / secondsOfDay), true //nolint:gosec // G115: a valid time
		}
	}
	return 0, false
}

// definition is what cohorts have in common whose active people are the same sets.
func (c Cohort) definition() string {
	w := c.Window()
	return fmt.Sprint(c.New, w.Days, w.Active)
}

// Needs are the first days that have to be known about groups and about usage, to count from first to last.
func Needs(cohorts []Cohort, first, last Day) (groups, usage Day) {
	groups = min(first, last-trendDays)
	usage = groups
	for _, c := range cohorts {
		from := groups
		if live, ok := c.GoLive(); ok && live >= last-MaxSpan {
			from = min(from, live)
		}
		groups = min(groups, from)
		usage = min(usage, from.Add(1-max(c.Window().Days, legacyDays)))
	}
	return groups, usage
}

// counter counts from facts, each set of active people once.
type counter struct {
	Facts

	from   Day                // the first day of active
	active map[string][]*Set  // by definition, from that day on
	united map[string]Usage   // by definition
	legacy map[string]*Set    // by features
	tasks  map[string][]Usage // by features
}

func newCounter(f Facts, from Day) *counter {
	c := &counter{Facts: f, from: from, active: map[string][]*Set{}, united: map[string]Usage{}, legacy: map[string]*Set{}, tasks: map[string][]Usage{}}
	for _, cohort := range f.Cohorts {
		if at := cohort.definition(); c.active[at] == nil {
			c.united[at] = c.union(cohort.New)
			c.active[at] = c.united[at].Active(from, f.Last, cohort.Window())
		}
	}
	return c
}

func (c *counter) union(features []string) Usage {
	var all []Usage
	first := c.Last
	for _, f := range features {
		if u, ok := c.Usage[f]; ok {
			all, first = append(all, u), min(first, u.First)
		}
	}
	return Union(first, c.Last, all)
}

// Report counts adoption.
func Report(f Facts) *implementationv1.Adoption {
	groups, _ := Needs(f.Cohorts, f.First, f.Last)
	c := newCounter(f, min(groups, f.Last-trendDays))
	report := &implementationv1.Adoption{StartDay: f.First.String(), EndDay: f.Last.String(), SmallestGroup: SmallestGroup}
	for _, cohort := range f.Cohorts {
		one := c.count(cohort, f.OptedOut[cohort.Plan.GetCohort()])
		one.CohortPlan, one.Cohort = cohort.Plan.GetName(), cohort.Plan.GetCohort()
		report.Cohorts = append(report.Cohorts, one)
	}
	if together, ok := c.together(); ok {
		report.Total = c.count(together, nil)
	}
	return report
}

// together is all cohorts as one, where they are counted in one way. It has no go-live of its own.
func (c *counter) together() (Cohort, bool) {
	if c.Total == nil || len(c.Cohorts) == 0 {
		return Cohort{}, false
	}
	first := c.Cohorts[0]
	plan := &implementationv1.CohortPlan{Adoption: &implementationv1.AdoptionPlan{
		WindowDays: first.Plan.GetAdoption().GetWindowDays(), ActiveDays: first.Plan.GetAdoption().GetActiveDays(),
	}}
	for _, cohort := range c.Cohorts[1:] {
		if cohort.definition() != first.definition() {
			return Cohort{}, false
		}
	}
	return Cohort{Plan: plan, Shown: c.Total, New: first.New, Legacy: first.Legacy}, true
}

func (c *counter) count(cohort Cohort, out []Composition) *implementationv1.CohortAdoption {
	window := cohort.Window()
	a := &implementationv1.CohortAdoption{
		Disclosure: implementationv1.CohortAdoption_SUPPRESSED, WindowDays: int32(window.Days), ActiveDays: int32(window.Active), //nolint:gosec // G115: at most 90
		Target: cohort.Plan.GetAdoption().GetTarget(),
	}
	live, hasLive := cohort.GoLive()
	if hasLive {
		a.GoLiveDay = live.String()
	}
	active := c.active[cohort.definition()]
	for day := c.First; day <= c.Last; day++ {
		point := pointOf(day, At(cohort.Shown, day).People, active[day-c.from])
		if point.GetDisclosure() == implementationv1.CohortAdoption_SHOWN {
			point.OptedOut = Size(At(out, day).People)
			a.Disclosure = implementationv1.CohortAdoption_SHOWN
		}
		if planned, ok := Planned(cohort.Plan.GetAdoption(), int(day-live)); ok && hasLive {
			point.Planned = new(planned)
		}
		a.Points = append(a.Points, point)
	}
	now := At(cohort.Shown, c.Last)
	if now.People == nil {
		return a
	}
	a.CompositionDay = now.From.String()
	a.Utilisation = c.utilisation(cohort, active)
	a.Legacy = c.legacyUse(cohort, now.People)
	a.Proficiency = c.proficiency(cohort, now.People, active[c.Last-c.from])
	if hasLive && live <= c.Last && live >= c.Last-MaxSpan {
		a.Speed = c.speed(cohort, live)
	}
	return a
}

func pointOf(day Day, eligible, active *Set) *implementationv1.AdoptionPoint {
	point := &implementationv1.AdoptionPoint{Day: day.String(), Disclosure: implementationv1.CohortAdoption_SUPPRESSED}
	if eligible == nil {
		return point
	}
	point.Disclosure = implementationv1.CohortAdoption_SHOWN
	point.Eligible, point.Active = Size(eligible), Count(active, eligible)
	point.Share = share(point.GetActive(), point.GetEligible())
	return point
}

// share is not set where there is nobody to share among.
func share(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	return new(float64(part) / float64(whole))
}

func (c *counter) utilisation(cohort Cohort, active []*Set) *implementationv1.Utilisation {
	live, hasLive := cohort.GoLive()
	var weekly []float64
	var n int64
	for day := c.Last; day >= c.from && (!hasLive || day >= live); day -= 7 {
		eligible := At(cohort.Shown, day).People
		if eligible == nil {
			break
		}
		n = max(n, Size(eligible))
		weekly = append(weekly, float64(Count(active[day-c.from], eligible))/float64(Size(eligible)))
	}
	slices.Reverse(weekly)
	found := Utilise(weekly, n)
	u := &implementationv1.Utilisation{SlopePerWeek: found.Slope, Noise: found.Noise}
	switch found.Trend {
	case Rising:
		u.Trend = implementationv1.Utilisation_RISING
	case Falling:
		u.Trend = implementationv1.Utilisation_FALLING
	case Plateau:
		u.Trend, u.Value = implementationv1.Utilisation_PLATEAU, &found.Value
		u.SinceDay = c.Last.Add(7 - 7*found.Weeks).String()
	case Unknown:
	}
	return u
}

func (c *counter) legacyUse(cohort Cohort, eligible *Set) *implementationv1.LegacyUse {
	if len(cohort.Legacy) == 0 {
		return nil
	}
	key := strings.Join(cohort.Legacy, " ")
	users, ok := c.legacy[key]
	if !ok {
		users = c.union(cohort.Legacy).Active(c.Last, c.Last, Window{Days: legacyDays, Active: 1})[0]
		c.legacy[key] = users
	}
	use := &implementationv1.LegacyUse{Disclosure: implementationv1.CohortAdoption_SHOWN, Active: Count(users, eligible), Eligible: Size(eligible)}
	use.Share = share(use.GetActive(), use.GetEligible())
	return use
}

func (c *counter) proficiency(cohort Cohort, eligible, active *Set) *implementationv1.Proficiency {
	if len(cohort.Tasks) == 0 {
		return nil
	}
	users := both(active, eligible)
	if Size(users) < SmallestGroup {
		return &implementationv1.Proficiency{Disclosure: implementationv1.CohortAdoption_SUPPRESSED}
	}
	key := strings.Join(cohort.Tasks, " ")
	tasks, ok := c.tasks[key]
	if !ok {
		for _, f := range cohort.Tasks {
			tasks = append(tasks, c.Usage[f])
		}
		c.tasks[key] = tasks
	}
	s := cohort.Plan.GetAdoption().GetTaskStandard()
	able := Proficient(c.Last, cohort.Window().Days, tasks, Standard{Tasks: int(s.GetTasks()), Days: int(s.GetDays())})
	p := &implementationv1.Proficiency{Disclosure: implementationv1.CohortAdoption_SHOWN, Proficient: Count(able, users), Active: Size(users)}
	p.Share = share(p.GetProficient(), p.GetActive())
	return p
}

func (c *counter) speed(cohort Cohort, live Day) *implementationv1.AdoptionSpeed {
	found := Take(live, c.Last, cohort.Shown, c.since(cohort, live)).Speed()
	if found.People < SmallestGroup {
		return &implementationv1.AdoptionSpeed{Disclosure: implementationv1.CohortAdoption_SUPPRESSED}
	}
	days := func(d int) *int32 {
		if d < 0 {
			return nil
		}
		return new(int32(d)) //nolint:gosec // G115: at most MaxSpan
	}
	return &implementationv1.AdoptionSpeed{
		Disclosure: implementationv1.CohortAdoption_SHOWN, People: found.People, Adopted: found.Adopted,
		MedianDays: days(found.Median), LowerDays: days(found.Lower), UpperDays: days(found.Upper),
	}
}

// since is who is active on each day from the go-live on, by what they used from then on. Once the window lies behind the go-live
// that is what is counted anyway.
func (c *counter) since(cohort Cohort, live Day) []*Set {
	window, at := cohort.Window(), cohort.definition()
	united, active := c.united[at], c.active[at]
	whole := min(c.Last, live.Add(window.Days-2)) // the last day whose window begins before the go-live
	if skip := int(live - united.First); skip > 0 {
		united = Usage{First: live, Sets: united.Sets[min(skip, len(united.Sets)):]}
	}
	return slices.Concat(united.Active(live, whole, window), active[max(live, whole+1)-c.from:])
}
