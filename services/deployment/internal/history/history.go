// Package history says how well something ran: which share of a time it was up and how
// fast it answered. What it adds up comes from the agents' probes (store/bucket.go); what
// it expects comes from the record of what ran where (store/run.go). It is pure.
package history

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	// DefaultLast is the length of a window that names no begin.
	DefaultLast = 24 * time.Hour
	// DefaultMinCoverage is the coverage below which an objective is not judged.
	DefaultMinCoverage = 0.9
	// MaxPoints bounds a series.
	MaxPoints = 2000
)

// Window is a half-open stretch of time and the length of the buckets it is read in.
type Window struct {
	Start, End time.Time
	Resolution time.Duration
	// Untold is the time inside the window, summed over what ran, of which nothing can be known yet.
	Untold time.Duration
}

// Telling is how often agents tell what their probes saw.
const Telling = 10 * time.Second

// Told is the window of somebody who asks at a moment: agents have not told of the last seconds before it, and longer
// buckets are added up a little later than they are told.
func (w Window) Told(runs []store.Run, now time.Time) Window {
	known := now.Add(-Telling)
	if w.Resolution > store.Minute {
		known = known.Add(-rollupEvery)
	}
	if known.Before(w.Start) {
		known = w.Start
	}
	w.Untold, _ = Expected(runs, Window{Start: known, End: w.End})
	return w
}

// NewWindow finds the finest resolution that is kept for all of the window and cuts it into
// no more than MaxPoints, and widens the window to whole buckets. It never ends after now.
func NewWindow(start, end *timestamppb.Timestamp, last *durationpb.Duration, now time.Time) (Window, error) {
	w := Window{End: now}
	if end != nil {
		w.End = end.AsTime()
	}
	if w.End.After(now) {
		w.End = now
	}
	length := DefaultLast
	if last != nil {
		length = last.AsDuration()
	}
	if w.Start = w.End.Add(-length); start != nil {
		w.Start = start.AsTime()
	}
	if !w.Start.Before(w.End) {
		return w, fault.Invalid("INVALID_WINDOW", "the window ends at %s, which is not after its begin at %s; correct one of them",
			w.End.UTC().Format(time.RFC3339), w.Start.UTC().Format(time.RFC3339)).Field("end_time", "must be after start_time, and start_time in the past")
	}
	for _, r := range []time.Duration{store.Minute, store.Hour, store.Day} {
		if now.Sub(w.Start) <= store.Kept(r) && w.End.Sub(w.Start) <= MaxPoints*r {
			w.Resolution = r
			w.Start = w.Start.Truncate(r)
			return w, nil
		}
	}
	return w, fault.Invalid("WINDOW_TOO_OLD", "the window begins at %s, and nothing is kept for longer than %.0f days; ask for a later begin",
		w.Start.UTC().Format(time.RFC3339), store.Kept(store.Day).Hours()/24).Field("start_time", "is older than what is kept")
}

// Expected is how long runs lasted inside the window, summed, and on how many targets.
func Expected(runs []store.Run, w Window) (total time.Duration, targets int) {
	seen := map[string]bool{}
	for _, r := range runs {
		lo, hi := r.From, r.To
		if lo.Before(w.Start) {
			lo = w.Start
		}
		if hi.IsZero() || hi.After(w.End) {
			hi = w.End
		}
		if hi.After(lo) {
			total += hi.Sub(lo)
			seen[r.Target] = true
		}
	}
	return total, len(seen)
}

// Objective is what is asked of an availability; a Share of 0 asks nothing.
type Objective struct{ Share, MinCoverage float64 }

// Judge makes the answer out of what was expected and what was seen.
func Judge(o store.Observation, expected time.Duration, targets int, w Window, objective Objective) *deploymentv1.Availability {
	// A summary belongs to the bucket in which it begins, so at the edges a little more may be seen than was expected.
	if o.Observed > expected && o.Observed > 0 {
		o.Good = time.Duration(float64(o.Good) * float64(expected) / float64(o.Observed))
		o.Observed = expected
	}
	a := &deploymentv1.Availability{
		Good: durationpb.New(o.Good), Observed: durationpb.New(o.Observed), Expected: durationpb.New(expected),
		ProbesSucceeded: o.Succeeded, ProbesFailed: o.Failed, StartTime: timestamppb.New(w.Start), EndTime: timestamppb.New(w.End),
		Resolution: durationpb.New(w.Resolution), Targets: int32(targets), //nolint:gosec // G115: a count of targets
	}
	if o.Observed > 0 {
		a.Availability = float64(o.Good) / float64(o.Observed)
	}
	if due := expected - w.Untold; due > 0 {
		a.Coverage = min(1, float64(o.Observed)/float64(due))
	}
	if o.Succeeded > 0 {
		a.LatencyMean = durationpb.New(o.LatencySum / time.Duration(o.Succeeded))
		a.LatencyP50, a.LatencyP95, a.LatencyP99 = quantile(o, 0.5), quantile(o, 0.95), quantile(o, 0.99)
	}
	a.State, a.Reason = verdict(a, objective)
	return a
}

func verdict(a *deploymentv1.Availability, objective Objective) (gatev1.Verdict_State, string) {
	seen := fmt.Sprintf("%.3f %% up over %s on %s", 100*a.GetAvailability(), span(a.GetEndTime().AsTime().Sub(a.GetStartTime().AsTime())), count(a.GetTargets(), "target"))
	least := objective.MinCoverage
	if least == 0 {
		least = DefaultMinCoverage
	}
	switch {
	case a.GetExpected().AsDuration() == 0:
		return undecided(objective), "nothing of it ran in this time"
	case a.GetCoverage() < least:
		return undecided(objective), fmt.Sprintf("%s, but only %.1f %% of the time was observed and %.1f %% are needed to judge", seen, 100*a.GetCoverage(), 100*least)
	case objective.Share == 0:
		return gatev1.Verdict_STATE_UNSPECIFIED, seen
	case a.GetAvailability() >= objective.Share:
		return gatev1.Verdict_PASS, fmt.Sprintf("%s, objective %.3f %%", seen, 100*objective.Share)
	default:
		return gatev1.Verdict_FAIL, fmt.Sprintf("%s, objective %.3f %%", seen, 100*objective.Share)
	}
}

func undecided(objective Objective) gatev1.Verdict_State {
	if objective.Share == 0 {
		return gatev1.Verdict_STATE_UNSPECIFIED
	}
	return gatev1.Verdict_UNDECIDED
}

func count(n int32, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// span writes a duration in the largest unit that fits it whole.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	default:
		return d.Round(time.Second).String()
	}
}

// quantile estimates a quantile of the latency, linear inside the class in which it lies; what is
// above the last bound is taken to lie between it and the largest that was seen. It is not set
// where agents sent no histogram.
func quantile(o store.Observation, q float64) *durationpb.Duration {
	bounds := canary.LatencyBounds()
	if len(o.Within) != len(bounds) || slices.Max(o.Within) == 0 {
		return nil
	}
	rank := q * float64(o.Succeeded)
	var below time.Duration
	var before int64
	for i, n := range o.Within {
		if float64(n) >= rank {
			return durationpb.New(below + time.Duration(float64(bounds[i]-below)*share(rank, before, n)))
		}
		below, before = bounds[i], n
	}
	return durationpb.New(below + time.Duration(float64(max(o.LatencyMax-below, 0))*share(rank, before, o.Succeeded)))
}

// share is how far a rank lies between two counts, 0 to 1.
func share(rank float64, from, to int64) float64 {
	if to <= from {
		return 1
	}
	return (rank - float64(from)) / float64(to-from)
}

// Series makes a chart of what was seen in each bucket.
func Series(seen map[time.Time]store.Observation, w Window) *deploymentv1.AvailabilitySeries {
	s := &deploymentv1.AvailabilitySeries{Resolution: durationpb.New(w.Resolution)}
	starts := make([]time.Time, 0, len(seen))
	for at := range seen {
		starts = append(starts, at)
	}
	slices.SortFunc(starts, time.Time.Compare)
	for _, at := range starts {
		o := seen[at]
		p := &deploymentv1.AvailabilityPoint{
			StartTime: timestamppb.New(at), Observed: durationpb.New(o.Observed), ProbesSucceeded: o.Succeeded, ProbesFailed: o.Failed,
		}
		if o.Observed > 0 {
			p.Availability = float64(o.Good) / float64(o.Observed)
		}
		if o.Succeeded > 0 {
			p.LatencyMean, p.LatencyP95 = durationpb.New(o.LatencySum/time.Duration(o.Succeeded)), quantile(o, 0.95)
		}
		s.Points = append(s.Points, p)
	}
	return s
}
