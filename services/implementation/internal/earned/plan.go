package earned

import (
	"math"
	"path"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// mostPoints is how many points of the curves are answered; longer ones are thinned out evenly.
const mostPoints = 400

// books are a plan and its baseline, task by task.
type books struct {
	in       plan.Input
	unit     implementationv1.EarnedValue_Unit
	calendar *calendar.Calendar
	lines    []line
	now      time.Time
}

// line is one task: what was planned for it and when, and what happened.
type line struct {
	budget      float64
	start, end  time.Time // planned
	began, done time.Time // what was earned and spent, was so evenly between them; zero for not begun
	share       float64   // of it that is done
	actual      float64
}

// Of compares a plan with its baseline as of its status date.
func Of(in plan.Input) (*implementationv1.EarnedValue, error) {
	if in.Baseline == nil {
		return nil, fault.Precondition("BASELINE_MISSING", "%s has no baseline to compare with; capture one: golive plan baseline %s",
			in.Implementation.GetName(), path.Base(in.Implementation.GetName()))
	}
	cal, err := calendar.New(in.Baseline.GetCalendar())
	if err != nil {
		return nil, err
	}
	b := &books{in: in, unit: implementationv1.EarnedValue_MINOR, calendar: cal, now: in.Now}
	if in.Baseline.GetCostMinor() == 0 {
		b.unit = implementationv1.EarnedValue_EFFORT_MINUTES
	}
	b.read()
	facts := b.facts(b.now)
	begin := in.Baseline.GetStartTime().AsTime()
	curve := b.curve(begin)
	at := float64(max(0, cal.Between(begin, b.now)))
	clock := Schedule(curve, facts.Earned, at)
	out := &implementationv1.EarnedValue{
		Implementation: in.Implementation.GetName(), Baseline: in.Baseline.GetName(), AsOf: timestamppb.New(b.now), Unit: b.unit,
		ActualMinutes: int64(at), EarnedScheduleMinutes: clock.Earned.Ptr(), TimePerformanceIndex: clock.Performance.Ptr(),
		EstimatedDurationMinutes: clock.Duration.Ptr(), Points: b.points(begin),
	}
	if b.unit == implementationv1.EarnedValue_MINOR {
		out.Currency = in.Baseline.GetCurrency()
	}
	const farthest = 1e9 // minutes; later than any date that can be written
	if clock.Duration.Defined && clock.Duration.Number > 0 && clock.Duration.Number < farthest {
		out.EstimatedEndTime = timestamppb.New(cal.Add(begin, int64(math.Ceil(clock.Duration.Number))))
	}
	fill(out, facts)
	return out, nil
}

// fill takes the figures over.
func fill(out *implementationv1.EarnedValue, facts Facts) {
	out.BudgetAtCompletion, out.PlannedValue, out.EarnedValue, out.ActualCost = whole(facts.Budget), whole(facts.Planned), whole(facts.Earned), whole(facts.Actual)
	out.CostVariance = out.GetEarnedValue() - out.GetActualCost()
	out.ScheduleVariance = out.GetEarnedValue() - out.GetPlannedValue()
	f := Compute(facts)
	out.CostPerformanceIndex, out.SchedulePerformanceIndex = f.CostPerformance.Ptr(), f.SchedulePerformance.Ptr()
	out.ToCompletePerformanceIndex = f.ToComplete.Ptr()
	for _, e := range f.Estimates {
		out.Estimates = append(out.Estimates, &implementationv1.EstimateAtCompletion{
			Formula: e.Formula, EstimateAtCompletion: e.AtCompletion.Ptr(), EstimateToComplete: e.ToComplete.Ptr(),
			VarianceAtCompletion: e.Variance.Ptr(), ToCompletePerformanceIndex: e.Index.Ptr(),
		})
	}
}

// read makes a line of each task of the baseline, and of each that came after it, which has no budget.
func (b *books) read() {
	tasks := make(map[string]*implementationv1.Task, len(b.in.Tasks))
	for _, t := range b.in.Tasks {
		tasks[t.GetName()] = t
	}
	rates := plan.NewRates(b.in.Resources)
	for _, was := range b.in.Baseline.GetTasks() {
		l := line{budget: float64(was.GetCostMinor()), start: was.GetStartTime().AsTime(), end: was.GetEndTime().AsTime()}
		if b.unit == implementationv1.EarnedValue_EFFORT_MINUTES {
			l.budget = float64(was.GetEffortMinutes())
		}
		if t := tasks[was.GetName()]; t != nil {
			b.happened(&l, t, rates)
		}
		delete(tasks, was.GetName())
		b.lines = append(b.lines, l)
	}
	for _, t := range b.in.Tasks {
		if tasks[t.GetName()] != nil {
			l := line{start: b.now, end: b.now}
			b.happened(&l, t, rates)
			b.lines = append(b.lines, l)
		}
	}
}

// happened fills in what was done and spent. Fixed costs are spent as work goes on.
func (b *books) happened(l *line, t *implementationv1.Task, rates plan.Rates) {
	l.share = float64(t.GetProgressPercent()) / 100
	l.done = b.now
	switch t.GetState() {
	case implementationv1.Task_DONE:
		l.share = 1
		if t.GetActualEndTime().IsValid() {
			l.done = t.GetActualEndTime().AsTime()
		}
	case implementationv1.Task_IN_PROGRESS, implementationv1.Task_CANCELLED: // what was spent on what was given up is spent
	default:
		l.share = 0
		return
	}
	if t.GetState() == implementationv1.Task_CANCELLED {
		l.share = 0
	}
	l.began = l.done
	if t.GetActualStartTime().IsValid() {
		l.began = t.GetActualStartTime().AsTime()
	}
	l.actual = float64(t.GetActualEffortMinutes())
	if b.unit == implementationv1.EarnedValue_MINOR {
		l.actual = float64(rates.Of(t, int64(t.GetActualEffortMinutes()))) + l.share*float64(t.GetFixedCostMinor())
	}
}

// facts are the sums until a moment.
func (b *books) facts(until time.Time) Facts {
	var f Facts
	for _, l := range b.lines {
		f.Budget += l.budget
		f.Planned += l.budget * b.part(l.start, l.end, until)
		if !l.began.IsZero() {
			part := b.part(l.began, l.done, until)
			f.Earned += l.budget * l.share * part
			f.Actual += l.actual * part
		}
	}
	return f
}

// part is how much of what lies evenly over the working time of a span is before a moment.
func (b *books) part(start, end, until time.Time) float64 {
	switch {
	case !until.Before(end):
		return 1
	case !until.After(start):
		return 0
	}
	all := b.calendar.Between(start, end)
	if all <= 0 {
		return 0 // nobody was to work: it is done at its end
	}
	return float64(b.calendar.Between(start, until)) / float64(all)
}

// series are the sums until each of some moments, which rise. Each task is looked at in its own days only.
func (b *books) series(moments []time.Time) []Facts {
	within, after := make([]Facts, len(moments)), make([]Facts, len(moments)+1)
	for _, l := range b.lines {
		first, last := between(moments, l.start, l.end)
		for i := first; i < last; i++ {
			within[i].Planned += l.budget * b.part(l.start, l.end, moments[i])
		}
		after[last].Planned += l.budget
		if l.began.IsZero() {
			continue
		}
		first, last = between(moments, l.began, l.done)
		for i := first; i < last; i++ {
			part := b.part(l.began, l.done, moments[i])
			within[i].Earned += l.budget * l.share * part
			within[i].Actual += l.actual * part
		}
		after[last].Earned += l.budget * l.share
		after[last].Actual += l.actual
	}
	var sum Facts
	for i := range within {
		sum = Facts{Planned: sum.Planned + after[i].Planned, Earned: sum.Earned + after[i].Earned, Actual: sum.Actual + after[i].Actual}
		within[i] = Facts{Planned: within[i].Planned + sum.Planned, Earned: within[i].Earned + sum.Earned, Actual: within[i].Actual + sum.Actual}
	}
	return within
}

// between are the moments after a start and before an end, by index; last is the first that is not before the end.
func between(moments []time.Time, start, end time.Time) (first, last int) {
	last, _ = slices.BinarySearchFunc(moments, end, time.Time.Compare)
	first, found := slices.BinarySearchFunc(moments, start, time.Time.Compare)
	if found {
		first++
	}
	return min(first, last), last
}

// curve is the planned value at the end of each day, in working minutes since the beginning.
func (b *books) curve(begin time.Time) []Point {
	end := b.in.Baseline.GetEndTime().AsTime()
	moments := append(b.days(begin, end), end)
	out := make([]Point, len(moments))
	for i, f := range b.series(moments) {
		out[i] = Point{At: float64(b.calendar.Between(begin, moments[i])), Planned: f.Planned}
	}
	return out
}

// points are the three curves, until the later of now and the end of the baseline.
func (b *books) points(begin time.Time) []*implementationv1.EarnedValuePoint {
	end := b.in.Baseline.GetEndTime().AsTime()
	if b.now.After(end) {
		end = b.now
	}
	days := b.days(begin, end.AddDate(0, 0, 1))
	out := make([]*implementationv1.EarnedValuePoint, len(days))
	for i, f := range b.series(days) {
		out[i] = &implementationv1.EarnedValuePoint{Date: days[i].Add(-time.Minute).Format(time.DateOnly), PlannedValue: whole(f.Planned)}
		if !days[i].Add(-24 * time.Hour).After(b.now) {
			out[i].EarnedValue, out[i].ActualCost = new(whole(f.Earned)), new(whole(f.Actual))
		}
	}
	return out
}

// days are the ends of days, in UTC, after a beginning and not after an end: every one, or every few of a long plan.
func (b *books) days(begin, end time.Time) []time.Time {
	const day = 24 * time.Hour
	first := begin.UTC().Truncate(day).Add(day)
	step := max(1, int(end.Sub(first)/day)/mostPoints+1)
	var out []time.Time
	for at := first; !at.After(end); at = at.AddDate(0, 0, step) {
		out = append(out, at)
	}
	return out
}

// whole rounds to a unit.
func whole(x float64) int64 { return int64(math.Round(min(max(x, math.MinInt64/2), math.MaxInt64/2))) }
