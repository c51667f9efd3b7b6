// Package risk says how probable it is that a plan ends by a date.
//
//	plan.Input ──plan.New──▶ Network ──newGame──▶ game ──play──▶ played ──outcome──▶ Forecast
//
// It is Monte Carlo simulation of the network (Van Slyke 1963). Each task has a distribution
// of durations (duration.go) and a stream of random numbers of its own (stream.go). A
// hundred iterations are a block, which one worker plays as a whole: durations first, then the
// forward pass over columns of a hundred, then what was critical (play.go). Blocks do not know of each
// other, so that the answer is the same on any number of processors. Classical PERT (pert.go)
// stands beside the simulation, under its name.
package risk

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// Version names the computation. It changes whenever the same seed gives other numbers.
const Version = "golive-risk/1"

// The reasons of faults and warnings.
const (
	ReasonEmpty    = "PLAN_EMPTY"
	ReasonTooLarge = "FORECAST_TOO_LARGE"
	ReasonTooLong  = "PLAN_TOO_LONG"

	WarnMissing     = "UNCERTAINTY_MISSING"
	WarnPartial     = "UNCERTAINTY_PARTIAL"
	WarnIndependent = "CORRELATION_ZERO"
	WarnTarget      = "TARGET_MISSING"
)

const (
	defaultIterations  = 10_000
	defaultCorrelation = 0.2
	// mostDraws bounds tasks times iterations: some seconds of two cores.
	mostDraws = 100_000_000
	// lastDate is the last moment that a date can name.
	lastDate = calendar.Minute(4_220_000_000)
)

// label is what classical PERT is shown under.
const label = "classical PERT: one path alone, optimistic where paths merge"

// Forecast plays the plan as of in.Now with the settings of f, completes them where
// they are not set, and fills the results in. It answers PLAN_EMPTY, FORECAST_TOO_LARGE,
// PLAN_TOO_LONG, and what package plan refuses.
func Forecast(in plan.Input, f *implementationv1.Forecast) error {
	p, err := plan.New(in)
	if err != nil {
		return err
	}
	complete(f, in)
	net := p.Network()
	if err := playable(net, f); err != nil {
		return err
	}
	g := newGame(net, f.GetDistribution(), f.GetCorrelation(), f.GetSeed())
	o := g.outcome(g.play(int(f.GetIterations())))
	if last := g.moment(o.finish[len(o.finish)-1]); last > lastDate {
		return fault.Precondition(ReasonTooLong, "some iterations end after the year 9990; shorten the estimates")
	}
	f.EngineVersion = Version
	g.dates(o, f)
	g.histogram(o, f)
	g.sensitivities(o, f)
	g.milestones(o, f)
	g.classical(f)
	warn(f, net)
	return nil
}

// complete sets what the client left out.
func complete(f *implementationv1.Forecast, in plan.Input) {
	if f.GetDistribution() == implementationv1.Forecast_DISTRIBUTION_UNSPECIFIED {
		f.Distribution = implementationv1.Forecast_BETA_PERT
	}
	if f.Correlation == nil {
		f.Correlation = new(defaultCorrelation)
	}
	if f.GetIterations() == 0 {
		f.Iterations = defaultIterations
	}
	if f.GetSeed() == 0 {
		sum := sha256.Sum256([]byte(in.Implementation.GetUid()))
		f.Seed = int64(binary.BigEndian.Uint32(sum[:])) + 1 // short enough to be typed
	}
	if f.GetTargetTime() == nil {
		f.TargetTime = in.Implementation.GetTargetDate()
	}
}

func playable(net *plan.Network, f *implementationv1.Forecast) error {
	open := 0
	for i := range net.Tasks {
		if t := &net.Tasks[i]; t.Task != nil && !t.Done {
			open++
		}
	}
	f.TaskCount = int32(open)
	if open == 0 {
		return fault.Precondition(ReasonEmpty, "the plan has no task that is not done; there is nothing to forecast")
	}
	if draws := len(net.Tasks) * int(f.GetIterations()); draws > mostDraws {
		return fault.Precondition(ReasonTooLarge, "%d iterations of %d tasks are more than %d draws; ask for %d iterations at most",
			f.GetIterations(), len(net.Tasks), mostDraws, mostDraws/len(net.Tasks)).
			Subject("FORECAST_SIZE", "forecast.iterations", "is too much for the size of the plan")
	}
	return nil
}

// dates fills in what the iterations say of the finish.
func (g *game) dates(o *outcome, f *implementationv1.Forecast) {
	by := func(share float64) *timestamppb.Timestamp { return g.stamp(quantile(o.finish, share)) }
	f.P50Time, f.P80Time, f.P90Time = by(.5), by(.8), by(.9)
	for percent := 1; percent <= 99; percent++ {
		if percent%5 == 0 || percent == 1 || percent == 99 {
			p := float64(percent) / 100
			f.Points = append(f.Points, &implementationv1.Forecast_Point{Probability: p, Time: by(p)})
		}
	}
	f.MeanTime = moment(g.after(o.mean))
	f.StandardDeviationMinutes = o.deviation
	schedule := g.schedule()
	f.ScheduleFinishTime = g.stamp(schedule)
	f.ScheduleProbability = share(o.finish, schedule)
	if target := f.GetTargetTime(); target.IsValid() {
		p := share(o.finish, g.onAxis(calendar.MinuteOf(target.AsTime())))
		f.TargetProbability = &p
		f.TargetProbabilityError = math.Sqrt(p * (1 - p) / float64(len(o.finish)))
	}
}

// schedule is the finish where every task takes its likely time.
func (g *game) schedule() int64 {
	certain := *g
	certain.tables = make([]*quantiles, len(g.tables))
	b := certain.newBoard()
	b.size(1)
	certain.playBlock(b, 0)
	return b.finish[0]
}

// after is so many working minutes of the plan after it begins.
func (g *game) after(minutes float64) calendar.Minute {
	return g.net.Calendar.Shift(g.net.Begin, int64(math.Round(minutes)))
}

// stamp is a time of the game. What is done may have been done when nobody works.
func (g *game) stamp(at int64) *timestamppb.Timestamp {
	m := g.moment(at)
	for i := range g.net.Tasks {
		if t := &g.net.Tasks[i]; g.uniform && t.Done && g.onAxis(t.Finish) == at {
			m = max(m, t.Finish)
		}
	}
	return moment(m)
}

func moment(m calendar.Minute) *timestamppb.Timestamp { return timestamppb.New(m.Time()) }

// histogram sorts the finishes into bins that are equally wide in working minutes.
func (g *game) histogram(o *outcome, f *implementationv1.Forecast) {
	const most = 40
	first, last := g.worked(o.finish[0]), g.worked(o.finish[len(o.finish)-1])
	width := max(1, (last-first)/most+1)
	for from := first; from <= last; from += width {
		f.Bins = append(f.Bins, &implementationv1.Forecast_Bin{
			StartTime: moment(g.after(float64(from))), EndTime: moment(g.after(float64(min(from+width, last)))),
		})
	}
	for _, at := range o.finish {
		f.Bins[(g.worked(at)-first)/width].Count++
	}
}

func (g *game) sensitivities(o *outcome, f *implementationv1.Forecast) {
	for i, t := range o.tasks {
		node := &g.net.Tasks[i]
		if node.Task == nil || node.Done {
			continue
		}
		if g.tables[i] != nil {
			f.UncertainTaskCount++
		}
		f.Sensitivities = append(f.Sensitivities, &implementationv1.Forecast_Sensitivity{
			Task: node.Name, Criticality: t.critical, Sensitivity: t.sensitive, Cruciality: t.crucial,
			MeanMinutes: t.mean, StandardDeviationMinutes: t.deviation,
		})
	}
	slices.SortStableFunc(f.GetSensitivities(), func(a, b *implementationv1.Forecast_Sensitivity) int {
		return cmp.Or(cmp.Compare(b.GetSensitivity(), a.GetSensitivity()), cmp.Compare(b.GetCriticality(), a.GetCriticality()))
	})
}

func (g *game) milestones(o *outcome, f *implementationv1.Forecast) {
	for n, i := range g.watched {
		by := func(share float64) *timestamppb.Timestamp { return moment(g.moment(quantile(o.reached[n], share))) }
		f.Milestones = append(f.Milestones, &implementationv1.Forecast_Milestone{
			Task: g.net.Tasks[i].Name, P50Time: by(.5), P80Time: by(.8), P90Time: by(.9),
		})
	}
	slices.SortStableFunc(f.GetMilestones(), func(a, b *implementationv1.Forecast_Milestone) int {
		return a.GetP80Time().AsTime().Compare(b.GetP80Time().AsTime())
	})
}

func (g *game) classical(f *implementationv1.Forecast) {
	p := g.pert()
	out := &implementationv1.Forecast_ClassicalPert{
		Label: label, ExpectedMinutes: p.expected, Variance: p.variance, FinishTime: moment(g.after(p.expected)),
	}
	if target := f.GetTargetTime(); target.IsValid() && p.variance > 0 {
		z := (float64(g.net.Calendar.Count(g.net.Begin, calendar.MinuteOf(target.AsTime()))) - p.expected) / math.Sqrt(p.variance)
		out.TargetProbability = new(math.Erfc(-z/math.Sqrt2) / 2)
	}
	for i, r := range p.rows {
		if g.net.Tasks[i].Task != nil {
			out.Rows = append(out.Rows, &implementationv1.Forecast_ClassicalPert_Row{
				Task: g.net.Tasks[i].Name, ExpectedMinutes: r.expected, Variance: r.variance, FloatMinutes: r.float, Critical: r.critical,
			})
		}
	}
	f.ClassicalPert = out
}

// warn says what limits the numbers.
func warn(f *implementationv1.Forecast, net *plan.Network) {
	add := func(reason, format string, args ...any) {
		f.Warnings = append(f.Warnings, &implementationv1.Forecast_Warning{Reason: reason, Message: fmt.Sprintf(format, args...)})
	}
	work := int32(0)
	for i := range net.Tasks {
		if net.Tasks[i].Left > 0 {
			work++
		}
	}
	switch n := f.GetUncertainTaskCount(); {
	case n == 0:
		add(WarnMissing, "no task has an optimistic or pessimistic estimate, so this is the schedule and says nothing of risk; give estimates of three points")
	case 2*n < work:
		add(WarnPartial, "only %d of %d tasks have an optimistic or pessimistic estimate; the others count as certain, which is optimistic", n, work)
	}
	if f.GetCorrelation() == 0 && f.GetUncertainTaskCount() > 1 {
		add(WarnIndependent, "every task has luck of its own, which makes long plans look safer than they are")
	}
	if !f.GetTargetTime().IsValid() {
		add(WarnTarget, "there is no target date, so there is no probability of it; set target_time or the target date of the implementation")
	}
}
