package history

import (
	"context"
	"slices"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// mostRuns bounds how many runs one question adds up: ten thousand targets with a deployment a day for a fortnight.
const mostRuns = 150_000

// Scope is whose history is asked for; Release and Target may be empty.
type Scope struct{ Environment, Application, Release, Target string }

func (s Scope) runs(ctx context.Context, st *store.Store, w Window) ([]store.Run, error) {
	return store.Runs(ctx, st.DB.Read(), store.RunQuery{
		Environment: s.Environment, Application: s.Application, Target: s.Target, Release: s.Release, Start: w.Start, End: w.End, Limit: mostRuns,
	})
}

// Availability answers how well a scope ran over a window.
func Availability(ctx context.Context, st *store.Store, s Scope, w Window, objective Objective) (*deploymentv1.Availability, error) {
	runs, err := s.runs(ctx, st, w)
	if err != nil {
		return nil, err
	}
	return seen(ctx, st, runs, w, objective)
}

func seen(ctx context.Context, st *store.Store, runs []store.Run, w Window, objective Objective) (*deploymentv1.Availability, error) {
	observed, err := st.Observe(ctx, runs, w.Resolution, w.Start, w.End)
	if err != nil {
		return nil, err
	}
	expected, targets := Expected(runs, w)
	return Judge(observed, expected, targets, w.Told(runs, st.Now()), objective), nil
}

// Since answers how well a release ran from a moment until now; it is what a gate asks.
func Since(ctx context.Context, st *store.Store, s Scope, length time.Duration, objective Objective) (*deploymentv1.Availability, error) {
	return Availability(ctx, st, s, until(st.Now(), length), objective)
}

// OnTargets answers how well a scope ran until now on those of its targets that are asked for.
func OnTargets(ctx context.Context, st *store.Store, s Scope, length time.Duration, asked func(target string) bool) (*deploymentv1.Availability, error) {
	w := until(st.Now(), length)
	runs, err := s.runs(ctx, st, w)
	if err != nil {
		return nil, err
	}
	return seen(ctx, st, slices.DeleteFunc(runs, func(r store.Run) bool { return !asked(r.Target) }), w, Objective{})
}

// until is the window of a length that ends now.
func until(now time.Time, length time.Duration) Window {
	w := Window{Start: now.Add(-length).Truncate(store.Minute), End: now, Resolution: store.Minute}
	for _, r := range []time.Duration{store.Minute, store.Hour, store.Day} {
		if length <= store.Kept(r) && length <= MaxPoints*r {
			w.Resolution, w.Start = r, now.Add(-length).Truncate(r)
			break
		}
	}
	return w
}

// Chart answers the same bucket by bucket.
func Chart(ctx context.Context, st *store.Store, s Scope, w Window) (*deploymentv1.AvailabilitySeries, error) {
	runs, err := s.runs(ctx, st, w)
	if err != nil {
		return nil, err
	}
	seen, err := st.ObserveSeries(ctx, runs, w.Resolution, w.Start, w.End)
	if err != nil {
		return nil, err
	}
	return Series(seen, w), nil
}
