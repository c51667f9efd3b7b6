// Package measure answers for many scopes at once how software runs: what an implementation asks for its scorecard, and for the
// technical half of a comparison. It reads each kind of row once for all scopes, eight statements in all, and deals what it read to
// the scopes that it belongs to.
//
//	runs, buckets of probes ──▶ uptime, coverage, latencies    (as package history counts them)
//	samples, else probes    ──▶ performance, errors            (see requests.go)
//	feedback                ──▶ the share of ratings 4 and 5
//	deployments, waves, incidents, overrides ──▶ what is on its way
package measure

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/history"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	// usualWindow is how far back is measured where nobody says.
	usualWindow = 28 * 24 * time.Hour
	// liked is the lowest rating that counts as good.
	liked = 4
)

// Compute measures every scope of a request.
func Compute(ctx context.Context, st *store.Store, req *deploymentv1.ComputeMeasuresRequest) (*deploymentv1.ComputeMeasuresResponse, error) {
	w, err := window(req, st.Now())
	if err != nil {
		return nil, err
	}
	f, err := gather(ctx, st, req, w)
	if err != nil {
		return nil, err
	}
	out := &deploymentv1.ComputeMeasuresResponse{}
	for _, s := range req.GetScopes() {
		scope := newScope(s)
		m := &deploymentv1.Measures{Key: s.GetKey(), StartTime: timestamppb.New(w.Start), EndTime: timestamppb.New(w.End)}
		f.availability(m, scope)
		f.feedbackOf(m, scope)
		if !req.GetNumbersOnly() {
			f.underWay(m, scope)
		}
		out.Measures = append(out.Measures, m)
	}
	return out, nil
}

// window is the stretch that is measured, widened to whole buckets: of days where it is longer than a week, of hours where it is longer
// than a day, so that a scorecard of twenty implementations reads thousands of rows and not millions.
func window(req *deploymentv1.ComputeMeasuresRequest, now time.Time) (history.Window, error) {
	w, length := history.Window{End: now}, usualWindow
	if req.GetEndTime() != nil && req.GetEndTime().AsTime().Before(now) {
		w.End = req.GetEndTime().AsTime()
	}
	if req.GetWindow() != nil {
		length = req.GetWindow().AsDuration()
	}
	start := w.End.Add(-length)
	for _, r := range []struct{ resolution, upTo time.Duration }{{store.Minute, store.Day}, {store.Hour, 7 * store.Day}, {store.Day, store.Kept(store.Day)}} {
		if length <= r.upTo && now.Sub(start) <= store.Kept(r.resolution) {
			w.Start, w.Resolution = start.Truncate(r.resolution), r.resolution
			return w, nil
		}
	}
	return w, fault.Invalid("WINDOW_TOO_OLD", "the window begins at %s, and nothing is kept for longer than %.0f days; ask for a later end",
		start.UTC().Format(time.RFC3339), store.Kept(store.Day).Hours()/24).Field("end_time", "is older than what is kept")
}

// scope is a scope that can be asked what belongs to it.
type scope struct {
	applications, environments map[string]bool // no environment means all
}

func newScope(s *deploymentv1.MeasureScope) scope {
	return scope{applications: set(s.GetApplications()), environments: set(s.GetEnvironments())}
}

func set(names []string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[name] = true
	}
	return all
}

func (s scope) in(environment string) bool {
	return len(s.environments) == 0 || s.environments[environment]
}

func (s scope) has(p store.Site) bool { return s.applications[p.Application] && s.in(p.Environment) }

// facts are what was read for all scopes.
type facts struct {
	window      history.Window
	now         time.Time
	runs        map[store.Site][]store.Run
	probed      map[store.Site]store.Probed
	requests    map[store.Site]requests
	opinions    map[string]opinion // by application
	deployments []*deploymentv1.Deployment
	waves       map[string][]*deploymentv1.Wave // by deployment
	incidents   []store.OpenIncident
	overrides   []*deploymentv1.Override
}

func gather(ctx context.Context, st *store.Store, req *deploymentv1.ComputeMeasuresRequest, w history.Window) (f *facts, err error) {
	applications := applicationsOf(req)
	f = &facts{window: w, now: st.Now(), runs: map[store.Site][]store.Run{}}
	runs, err := st.RunsOf(ctx, applications, w.Start, w.End)
	if err != nil {
		return f, err
	}
	for _, r := range runs {
		f.runs[r.Site()] = append(f.runs[r.Site()], r)
	}
	if f.probed, err = st.ObserveSites(ctx, runs, slices.Collect(maps.Keys(f.runs)), w.Resolution, w.Start, w.End); err != nil {
		return f, err
	}
	pushed, err := st.PushedRequests(ctx, req.GetParent(), w.Resolution, w.Start, w.End)
	if err != nil {
		return f, err
	}
	f.requests = bySite(pushed)
	said, err := st.FeedbackSince(ctx, applications, w.Start, w.End)
	if err != nil {
		return f, err
	}
	f.opinions = opinions(said)
	if req.GetNumbersOnly() {
		return f, nil
	}
	return f, f.gatherUnderWay(ctx, st, req.GetParent(), applications)
}

// applicationsOf are those of all scopes that are of the workspace: the caller's right is to that one only.
func applicationsOf(req *deploymentv1.ComputeMeasuresRequest) []string {
	all := map[string]bool{}
	for _, s := range req.GetScopes() {
		for _, a := range s.GetApplications() {
			if strings.HasPrefix(a, req.GetParent()+"/applications/") {
				all[a] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// availability fills in what probes and requests say.
func (f *facts) availability(m *deploymentv1.Measures, s scope) {
	var runs []store.Run
	var seen store.Probed
	var asked requests
	for site, some := range f.runs {
		if s.has(site) {
			runs = append(runs, some...)
			if p, ok := f.probed[site]; ok {
				seen.Add(p)
			}
		}
	}
	for site, r := range f.requests {
		if s.has(site) {
			asked.add(r)
		}
	}
	expected, targets := history.Expected(runs, f.window)
	a := history.Judge(seen.Observation, expected, targets, f.window.Told(runs, f.now), history.Objective{})
	m.Uptime = share(a.GetGood().AsDuration().Milliseconds(), a.GetObserved().AsDuration().Milliseconds())
	m.Coverage, m.Targets, m.LatencyP50, m.LatencyP95 = a.GetCoverage(), a.GetTargets(), a.GetLatencyP50(), a.GetLatencyP95()
	m.Performance, m.Errors = asked.shares(seen)
}

func share(part, whole int64) *deploymentv1.Share {
	return &deploymentv1.Share{Numerator: part, Denominator: whole}
}

// opinion counts people, and those who rate an application 4 or 5.
type opinion struct{ good, all int64 }

// opinions count the last word of each person on each application.
func opinions(said []*deploymentv1.Feedback) map[string]opinion {
	type author struct{ application, pseudonym string }
	last := make(map[author]*deploymentv1.Feedback, len(said))
	for _, f := range said {
		application, _, _ := strings.Cut(f.GetName(), "/feedback/")
		who := author{application, f.GetPseudonym()}
		if before := last[who]; before == nil || f.GetUpdateTime().AsTime().After(before.GetUpdateTime().AsTime()) {
			last[who] = f
		}
	}
	all := map[string]opinion{}
	for who, f := range last {
		o := all[who.application]
		o.all++
		if f.GetRating() >= liked {
			o.good++
		}
		all[who.application] = o
	}
	return all
}

func (f *facts) feedbackOf(m *deploymentv1.Measures, s scope) {
	var sum opinion
	for application := range s.applications {
		sum.good += f.opinions[application].good
		sum.all += f.opinions[application].all
	}
	m.Feedback = share(sum.good, sum.all)
}
