package gate

import (
	"context"
	"fmt"

	"golang.org/x/mod/semver"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// DependencyFacts is where the other application stands.
type DependencyFacts struct {
	// Standing is what of it stands in the environment.
	Standing []store.Standing
	// Targets are those of the wave; read only where each of them must have it.
	Targets []string
}

func dependency(ctx context.Context, q sqldb.Queryer, ask Question, gate *deploymentv1.DependencyGate) (*gatev1.Verdict, error) {
	var f DependencyFacts
	var err error
	if f.Standing, err = store.Standings(ctx, q, gate.GetApplication(), ask.Deployment.GetEnvironment()); err != nil {
		return nil, err
	}
	if gate.GetOnEachTarget() {
		if f.Targets, err = store.WaveTargetNames(ctx, q, ask.Wave.GetName()); err != nil {
			return nil, err
		}
	}
	return JudgeDependency(ask, gate, f), nil
}

// JudgeDependency opens once the other application runs at or above the version, healthy, on every target that is asked:
// those of the wave, or all that run it at all.
func JudgeDependency(ask Question, gate *deploymentv1.DependencyGate, f DependencyFacts) *gatev1.Verdict {
	on := make(map[string]store.Standing, len(f.Standing))
	asked := f.Targets
	for _, s := range f.Standing {
		on[s.Target] = s
		if !gate.GetOnEachTarget() {
			asked = append(asked, s.Target)
		}
	}
	var behind []string
	for _, t := range asked {
		if s, there := on[t]; !there || !s.Well || semver.Compare("v"+s.Version, "v"+gate.GetVersion()) < 0 {
			behind = append(behind, t+" ("+standing(s, there)+")")
		}
	}
	where := lastSegment(ask.Deployment.GetEnvironment())
	evidence := counted("targets", gate.GetApplication(), len(asked)-len(behind), len(asked), max(len(asked), 1))
	evidence.Detail = fmt.Sprintf("%d of %d run %s %s or newer", len(asked)-len(behind), len(asked), lastSegment(gate.GetApplication()), gate.GetVersion())
	reason := &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_DEPENDENCY, Resource: gate.GetApplication(), Owner: operators,
		Required: fmt.Sprintf("%s %s or newer, healthy, on %s in %s", lastSegment(gate.GetApplication()), gate.GetVersion(), every(gate.GetOnEachTarget()), where),
		Command:  "golive list deployments --parent " + gate.GetApplication(),
	}
	switch {
	case len(asked) == 0:
		reason.Current = lastSegment(gate.GetApplication()) + " runs nowhere in " + where
	case len(behind) > 0:
		reason.Current = fmt.Sprintf("%d of %d do not: %s", len(behind), len(asked), few(behind))
	default:
		return judged(ask.Wave, gatev1.Verdict_WAIT, nil, evidence)
	}
	return judged(ask.Wave, gatev1.Verdict_WAIT, []*gatev1.BlockedBy{reason}, evidence)
}

func standing(s store.Standing, there bool) string {
	switch {
	case !there:
		return "does not run it"
	case !s.Well:
		return s.Version + ", not healthy"
	default:
		return s.Version
	}
}

func every(each bool) string {
	if each {
		return "every target of the wave"
	}
	return "every target that runs it"
}
