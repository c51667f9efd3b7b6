package gate

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/history"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// PriorEnvironmentFacts is what stands in the other environment. Environment is empty where there is none.
type PriorEnvironmentFacts struct {
	Environment string
	// Soak is for how long it must have stood, where the rule does not say.
	Soak time.Duration
	// Standing is what of the application stands there.
	Standing []store.Standing
	// Availability is how well the release ran there; nil where it is not asked.
	Availability *deploymentv1.Availability
}

// priorEnvironment judges where no availability is asked for.
func priorEnvironment(ctx context.Context, q sqldb.Queryer, ask Question, gate *deploymentv1.PriorEnvironmentGate, now time.Time) (*gatev1.Verdict, error) {
	facts, err := readPriorEnvironment(ctx, q, ask, gate)
	if err != nil {
		return nil, err
	}
	return JudgePriorEnvironment(ask, gate, facts, now), nil
}

// available judges where an availability is asked for: the history is in a database of its own, so it is read between transactions.
func (g *Gates) available(ctx context.Context, ask Question, gate *deploymentv1.PriorEnvironmentGate, now time.Time) (*gatev1.Verdict, error) {
	facts, err := readPriorEnvironment(ctx, g.cfg.Store.DB.Read(), ask, gate)
	if err != nil {
		return nil, err
	}
	if facts.Environment != "" {
		scope := history.Scope{Environment: facts.Environment, Application: applicationOf(ask.Deployment), Release: ask.Deployment.GetRelease()}
		length := cmp.Or(soakOf(gate, facts), history.DefaultLast)
		facts.Availability, err = history.Since(ctx, g.cfg.Store, scope, length, history.Objective{Share: gate.GetAvailability()})
		if err != nil {
			return nil, err
		}
	}
	return JudgePriorEnvironment(ask, gate, facts, now), nil
}

func readPriorEnvironment(ctx context.Context, q sqldb.Queryer, ask Question, gate *deploymentv1.PriorEnvironmentGate) (f PriorEnvironmentFacts, err error) {
	here, err := store.Environments.Load(ctx, q, ask.Deployment.GetEnvironment())
	if err != nil {
		return f, err
	}
	f.Environment, f.Soak = cmp.Or(gate.GetEnvironment(), here.GetPromotedFrom()), here.GetSoak().AsDuration()
	if f.Environment == "" {
		return f, nil
	}
	f.Standing, err = store.Standings(ctx, q, applicationOf(ask.Deployment), f.Environment)
	return f, err
}

func soakOf(gate *deploymentv1.PriorEnvironmentGate, f PriorEnvironmentFacts) time.Duration {
	if gate.GetHealthyFor() != nil {
		return gate.GetHealthyFor().AsDuration()
	}
	return f.Soak
}

// JudgePriorEnvironment opens once the release has stood sealed and healthy on enough targets, for long enough.
func JudgePriorEnvironment(ask Question, gate *deploymentv1.PriorEnvironmentGate, f PriorEnvironmentFacts, now time.Time) *gatev1.Verdict {
	if f.Environment == "" {
		return judged(ask.Wave, gatev1.Verdict_FAIL, []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_ENVIRONMENT, Resource: ask.Deployment.GetEnvironment(), Current: "it is promoted from no other environment",
			Required: "promoted_from in the environment, or environment in the gate", Owner: operators, Command: "golive describe " + ask.Deployment.GetEnvironment(),
		}})
	}
	soak, want := soakOf(gate, f), max(int(gate.GetInstallations()), 1)
	stand, long := 0, 0
	var ready []time.Time
	for _, s := range f.Standing {
		if s.Release != ask.Deployment.GetRelease() || !s.Well || !s.Sealed {
			continue
		}
		stand++
		ready = append(ready, s.Since.Add(soak))
		if !now.Before(s.Since.Add(soak)) {
			long++
		}
	}
	release := lastSegment(ask.Deployment.GetRelease())
	evidence := []*gatev1.Evidence{counted("installations", f.Environment, long, len(f.Standing), want)}
	evidence[0].Detail = fmt.Sprintf("%d sealed and healthy, %d of them for %s", stand, long, soak)
	var reasons []*gatev1.BlockedBy
	if long < want {
		reason := &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_ENVIRONMENT, Resource: f.Environment, Owner: operators,
			Current:  fmt.Sprintf("%s is sealed and healthy on %d of %d in %s, on %d for %s", release, stand, len(f.Standing), lastSegment(f.Environment), long, soak),
			Required: fmt.Sprintf("on %d for %s", want, soak), Command: "golive describe " + f.Environment,
		}
		if eta := nth(ready, want); !eta.IsZero() {
			reason.Eta, reason.Owner = timestamppb.New(eta), "time"
		}
		reasons = append(reasons, reason)
	}
	if gate.GetAvailability() > 0 {
		reasons, evidence = judgeAvailability(ask, gate, f, reasons, evidence)
	}
	return judged(ask.Wave, gatev1.Verdict_WAIT, reasons, evidence...)
}

func judgeAvailability(ask Question, gate *deploymentv1.PriorEnvironmentGate, f PriorEnvironmentFacts, reasons []*gatev1.BlockedBy, evidence []*gatev1.Evidence) ([]*gatev1.BlockedBy, []*gatev1.Evidence) {
	a := f.Availability
	evidence = append(evidence, &gatev1.Evidence{
		Criterion: "availability", State: a.GetState(), Value: a.GetAvailability(), Threshold: gate.GetAvailability(), Resource: f.Environment,
		Numerator: int64(a.GetGood().AsDuration().Seconds()), Denominator: int64(a.GetObserved().AsDuration().Seconds()), Detail: a.GetReason(),
	})
	if a.GetState() == gatev1.Verdict_PASS {
		return reasons, evidence
	}
	return append(reasons, &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_ENVIRONMENT, Resource: f.Environment, Current: cmp.Or(a.GetReason(), "nothing was observed there"),
		Required: fmt.Sprintf("%.3f %% up in %s", 100*gate.GetAvailability(), lastSegment(f.Environment)), Owner: operators,
		Command: "golive availability " + f.Environment + " " + applicationOf(ask.Deployment),
	}), evidence
}
