package gate

import (
	"cmp"
	"context"
	"fmt"

	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// DefaultHeadroom is asked for where a gate does not say.
const DefaultHeadroom = 1.2

// CapacityFacts is what carries the load now, and what the wave takes away for a while.
type CapacityFacts struct {
	// Instances is how many healthy ones there are in the environment, Touched how many of them the wave replaces.
	Instances, Touched int
	// BlueGreen is true where the new instance is up before the old one goes.
	BlueGreen bool
	// Peak is what one instance carries, in requests a second.
	Peak float64
	// Curve is how it was measured; nil where the rule says it.
	Curve *Load
}

// capacity judges with the peak of the rule, or the one that was measured.
func capacity(ctx context.Context, q sqldb.Queryer, ask Question, gate *deploymentv1.CapacityGate, curve *Load) (*gatev1.Verdict, error) {
	f := CapacityFacts{Peak: gate.GetPeakPerInstance(), Curve: curve}
	if curve != nil {
		f.Peak = curve.Peak
	}
	release, err := store.Releases.Load(ctx, q, ask.Deployment.GetRelease())
	if err != nil {
		return nil, err
	}
	f.BlueGreen = release.GetRun().GetBlueGreen() != nil
	standing, err := store.Standings(ctx, q, applicationOf(ask.Deployment), ask.Deployment.GetEnvironment())
	if err != nil {
		return nil, err
	}
	members, err := store.WaveTargetNames(ctx, q, ask.Wave.GetName())
	if err != nil {
		return nil, err
	}
	in := make(map[string]bool, len(members))
	for _, name := range members {
		in[name] = true
	}
	for _, s := range standing {
		if !s.Well {
			continue
		}
		f.Instances++
		if in[s.Target] {
			f.Touched++
		}
	}
	return JudgeCapacity(ask, gate, f), nil
}

// JudgeCapacity opens while headroom = peak of one instance x surviving instances / forecast peak is enough.
func JudgeCapacity(ask Question, gate *deploymentv1.CapacityGate, f CapacityFacts) *gatev1.Verdict {
	away := f.Touched
	if limit := int(ask.Wave.GetRule().GetMaxParallel()); limit > 0 {
		away = min(away, limit)
	}
	if f.BlueGreen {
		away = 0
	}
	surviving := f.Instances - away
	headroom, want := f.Peak*float64(surviving)/gate.GetForecastPeak(), cmp.Or(gate.GetMinHeadroom(), DefaultHeadroom)
	evidence := []*gatev1.Evidence{{
		Criterion: "headroom", State: passIf(headroom >= want), Value: headroom, Threshold: want, Numerator: int64(surviving), Denominator: int64(f.Instances),
		Resource: ask.Deployment.GetEnvironment(),
		Detail:   fmt.Sprintf("%.4g/s each x %d of %d that stay up / %.4g/s forecast", f.Peak, surviving, f.Instances, gate.GetForecastPeak()),
	}}
	evidence = append(evidence, f.Curve.evidence(gate.GetLoadTest())...)
	if headroom >= want {
		return judged(ask.Wave, gatev1.Verdict_WAIT, nil, evidence...)
	}
	reason := &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_CAPACITY, Resource: ask.Deployment.GetEnvironment(), Owner: operators,
		Current:  fmt.Sprintf("headroom %.2f: %d of %d instances stay up, %.4g/s each, for %.4g/s", headroom, surviving, f.Instances, f.Peak, gate.GetForecastPeak()),
		Required: fmt.Sprintf("headroom %.2f: more instances, or a smaller max_parallel", want),
		Command:  "golive describe " + ask.Deployment.GetEnvironment(),
	}
	if f.Curve != nil && f.Curve.Problem != "" {
		reason.Current = "the load test failed: " + f.Curve.Problem
	}
	return judged(ask.Wave, gatev1.Verdict_WAIT, []*gatev1.BlockedBy{reason}, evidence...)
}
