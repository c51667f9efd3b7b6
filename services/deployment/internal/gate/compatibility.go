package gate

import (
	"context"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// CompatibilityFacts is the release and the targets that wait for it, with what their hosts report now.
type CompatibilityFacts struct {
	Release *deploymentv1.Release
	Targets []*deploymentv1.Target
}

func compatibility(ctx context.Context, q sqldb.Queryer, ask Question) (*gatev1.Verdict, error) {
	var f CompatibilityFacts
	var err error
	if f.Release, err = store.Releases.Load(ctx, q, ask.Deployment.GetRelease()); err != nil {
		return nil, err
	}
	if f.Targets, err = store.WaveTargets(ctx, q, ask.Wave.GetName()); err != nil {
		return nil, err
	}
	return JudgeCompatibility(ask, f), nil
}

// JudgeCompatibility opens while every target can run the release, and names each that cannot with why. A host that has
// not reported anything yet is not judged: its agent refuses what does not fit.
func JudgeCompatibility(ask Question, f CompatibilityFacts) *gatev1.Verdict {
	misfits := rollout.Incompatible(f.Release, f.Targets)
	fit := counted("targets", ask.Deployment.GetEnvironment(), len(f.Targets)-len(misfits), len(f.Targets), len(f.Targets))
	evidence := []*gatev1.Evidence{fit}
	var reasons []*gatev1.BlockedBy
	for i, m := range misfits {
		why := strings.Join(m.Reasons, "; ")
		if i == shown {
			reasons = append(reasons, &gatev1.BlockedBy{
				Kind: gatev1.BlockedBy_COMPATIBILITY, Resource: ask.Deployment.GetEnvironment(), Current: fmt.Sprintf("%d more targets cannot run it", len(misfits)-shown),
				Required: "every target of the wave can run " + lastSegment(f.Release.GetName()), Owner: operators, Command: "golive list gate-evaluations " + ask.Wave.GetName(),
			})
		}
		if i < shown {
			reasons = append(reasons, &gatev1.BlockedBy{
				Kind: gatev1.BlockedBy_COMPATIBILITY, Resource: m.Target, Current: why, Required: "what " + lastSegment(f.Release.GetName()) + " requires",
				Owner: operators, Command: "golive describe " + m.Target,
			})
		}
		if i < 100 { // the evidence is kept and names more than a person would read
			evidence = append(evidence, &gatev1.Evidence{Criterion: "target", State: gatev1.Verdict_WAIT, Resource: m.Target, Detail: why})
		}
	}
	return judged(ask.Wave, gatev1.Verdict_WAIT, reasons, evidence...)
}
