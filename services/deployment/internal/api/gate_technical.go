package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/history"
	"github.com/golive-dev/golive/services/deployment/internal/store"
	"github.com/golive-dev/golive/services/deployment/internal/technical"
)

// gateWindow is over how long shares are counted where nobody says.
const gateWindow = time.Hour

// glance judges the machines by their states alone.
func (a *GateService) glance(ctx context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	v, _, err := a.technical(ctx, req.GetResource())
	return v, err
}

// technical judges the machines behind a wave, a deployment or an environment by its state.
func (a *GateService) technical(ctx context.Context, name string) (*gatev1.Verdict, history.Scope, error) {
	q, now := a.store.DB.Read(), a.store.Now()
	switch parts := strings.Split(name, "/"); {
	case len(parts) == 8 && parts[6] == "waves":
		w, err := store.Waves.Load(ctx, q, name)
		if err != nil {
			return nil, history.Scope{}, err
		}
		scope, err := a.scopeOf(ctx, strings.Join(parts[:6], "/"))
		return technical.Wave(w, now), scope, err
	case len(parts) == 6 && parts[4] == "deployments":
		d, err := store.Deployments.Load(ctx, q, name)
		if err != nil {
			return nil, history.Scope{}, err
		}
		return technical.Deployment(d, now), scopeOf(d.GetName(), d.GetEnvironment(), d.GetRelease()), nil
	case len(parts) == 4 && parts[2] == "environments":
		e, err := store.Environments.Load(ctx, q, name)
		if err != nil {
			return nil, history.Scope{}, err
		}
		standing, err := store.EnvironmentStanding(ctx, q, e)
		return technical.Environment(name, standing, now), history.Scope{Environment: name}, err
	default:
		return nil, history.Scope{}, fault.Invalid("GATE_UNSUPPORTED",
			"this service judges waves, deployments and environments; ask for one of those, not for %q", strings.ToValidUTF8(name[:min(len(name), 200)], "")).
			Field("resource", "is none of them")
	}
}

// measured is [GateService.glance] with the shares over a window as evidence; the default where the window is 0. However many
// targets there are, it costs the same number of queries, but for the observations of two hundred runs each.
func (a *GateService) measured(ctx context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	name, window := req.GetResource(), cmp.Or(req.GetWindow().AsDuration(), gateWindow)
	v, scope, err := a.technical(ctx, name)
	if err != nil {
		return nil, err
	}
	var targets []string
	if strings.Contains(name, "/waves/") {
		if targets, err = store.WaveTargetNames(ctx, a.store.DB.Read(), name); err != nil {
			return nil, err
		}
	}
	up, err := history.OnTargets(ctx, a.store, scope, window, func(target string) bool {
		if targets == nil {
			return true
		}
		_, found := slices.BinarySearch(targets, target)
		return found
	})
	if err != nil {
		return nil, err
	}
	now := v.GetEvaluatedAt().AsTime()
	tally, err := a.store.ErrorTally(ctx, scope.Environment, scope.Release, now.Add(-window), now)
	if err != nil {
		return nil, err
	}
	technical.Shares{
		Window: window, Good: up.GetGood().AsDuration(), Observed: up.GetObserved().AsDuration(), Expected: due(up),
		MinCoverage: history.DefaultMinCoverage, Requests: tally.Total, Errors: tally.Bad,
	}.Add(v)
	return v, nil
}

// due is how long something ran in a window, but for what its agents cannot have told yet.
func due(up *deploymentv1.Availability) time.Duration {
	if up.GetCoverage() == 0 {
		return up.GetExpected().AsDuration()
	}
	return time.Duration(float64(up.GetObserved().AsDuration()) / up.GetCoverage())
}

// scopeOf is what a deployment brings, and where.
func (a *GateService) scopeOf(ctx context.Context, deployment string) (history.Scope, error) {
	d, err := store.Deployments.Load(ctx, a.store.DB.Read(), deployment)
	return scopeOf(deployment, d.GetEnvironment(), d.GetRelease()), err
}

func scopeOf(deployment, environment, release string) history.Scope {
	application, _, _ := strings.Cut(deployment, "/deployments/")
	return history.Scope{Environment: environment, Application: application, Release: release}
}
