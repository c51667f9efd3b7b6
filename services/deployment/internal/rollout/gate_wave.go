package rollout

import (
	"fmt"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// The gates about earlier waves of the same deployment: time and health. That about its analysis is in analysis.go.

// soak waits until some time has passed since the wave before was sealed.
func soak(s *State, w *deploymentv1.Wave, gate *deploymentv1.BakeGate, f *Facts, e *Effects) *gatev1.Verdict {
	from := w.GetGatedTime()
	if prior := s.before(w, ""); prior.GetEndTime() != nil {
		from = prior.GetEndTime()
	}
	until := from.AsTime().Add(gate.GetDuration().AsDuration())
	v := &gatev1.Verdict{Resource: w.GetName(), State: gatev1.Verdict_PASS}
	if f.Now.Before(until) {
		e.wakeAt(until)
		v.State = gatev1.Verdict_WAIT
		v.Reasons = []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_BAKE, Resource: w.GetName(), Eta: stamp(until),
			Current: "waiting until " + until.UTC().Format(time.RFC3339), Required: gate.GetDuration().AsDuration().String() + " after the wave before", Owner: "time",
		}}
	}
	v.Evidence = []*gatev1.Evidence{{
		Criterion: "bake", State: v.GetState(), Threshold: gate.GetDuration().AsDuration().Seconds(), AsOf: stamp(f.Now), Resource: w.GetName(),
		Detail: "from " + from.AsTime().UTC().Format(time.RFC3339) + " to " + until.UTC().Format(time.RFC3339),
	}}
	return v
}

// priorWave waits until an earlier wave is sealed and still within its budget.
func priorWave(s *State, w *deploymentv1.Wave, gate *deploymentv1.PriorWaveGate, f *Facts) *gatev1.Verdict {
	v := &gatev1.Verdict{Resource: w.GetName(), State: gatev1.Verdict_PASS}
	prior := s.before(w, gate.GetWave())
	if prior == nil || prior.GetState() == deploymentv1.Wave_SKIPPED {
		return v
	}
	v.WaitingOn = []string{prior.GetName()}
	c := f.counts(prior)
	reason, message := spent(prior, c)
	well := done(c) - c.GetUnhealthy()
	v.Evidence = []*gatev1.Evidence{{
		Criterion: "prior_wave", State: passIf(prior.GetState() == deploymentv1.Wave_SEALED && reason == ""), AsOf: stamp(f.Now), Resource: prior.GetName(),
		Numerator: int64(well), Denominator: int64(c.GetTotal()), Value: share(int64(well), int64(c.GetTotal())),
		Detail: fmt.Sprintf("%s with %d of %d healthy", prior.GetState(), well, c.GetTotal()),
	}}
	if prior.GetState() == deploymentv1.Wave_SEALED && reason == "" {
		return v
	}
	v.State = gatev1.Verdict_WAIT
	current := fmt.Sprintf("wave %s is %s", prior.GetRule().GetId(), prior.GetState())
	if reason != "" {
		current = fmt.Sprintf("wave %s is sealed, but %s", prior.GetRule().GetId(), message)
	}
	v.Reasons = []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_PRIOR_WAVE, Resource: prior.GetName(), Current: current,
		Required: "sealed and healthy", Owner: "operators", Command: "golive describe " + prior.GetName(),
	}}
	return v
}

func share(part, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}
