package rollout

import (
	"fmt"
	"strings"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

// Reasons of a wave that its analysis stops.
const (
	ReasonAnalysisFailed    = "ANALYSIS_FAILED"
	ReasonAnalysisUndecided = "ANALYSIS_UNDECIDED"
)

// measure takes over what the analyses of the waves say.
func measure(s *State, f *Facts) {
	for _, w := range s.Waves {
		if v := f.Analyses[w.GetName()]; v != nil && analysed(w) {
			w.Analysis = v
		}
	}
}

// analysed reports whether the analysis of a wave has a say: there is one, and no person has accepted it as it is.
func analysed(w *deploymentv1.Wave) bool {
	return canary.Critical(w.GetRule().GetAnalysis()) > 0 && waveStarted(w.GetState()) && !w.GetAnalysisAccepted()
}

// broken returns why a wave has failed, by its budget or by its analysis, or "" if it has not.
func broken(w *deploymentv1.Wave, c *deploymentv1.InstallationCounts) (reason, message string) {
	if reason, message = spent(w, c); reason == "" && analysed(w) && w.GetAnalysis().GetState() == gatev1.Verdict_FAIL {
		return ReasonAnalysisFailed, findings(w)
	}
	return reason, message
}

// findings says what is in the way of the metrics of a wave.
func findings(w *deploymentv1.Wave) string {
	var out []string
	for _, r := range w.GetAnalysis().GetReasons() {
		out = append(out, r.GetCurrent())
	}
	if len(out) == 0 {
		return "nothing was measured yet"
	}
	return strings.Join(out, "; ")
}

// undecided reports whether a wave whose bake is over must wait for its analysis still.
func undecided(w *deploymentv1.Wave) bool {
	return analysed(w) && w.GetAnalysis().GetState() != gatev1.Verdict_PASS
}

// decidedBy is when an analysis that is undecided still is given to a person.
func decidedBy(w *deploymentv1.Wave) time.Time {
	return w.GetBakeStartTime().AsTime().Add(max(w.GetRule().GetBake().AsDuration(), canary.MaxDuration(w.GetRule().GetAnalysis())))
}

// giveToPerson holds a wave whose analysis could not decide in its time, and with it the deployment: to resume
// is to accept the release as it is.
func (s *State) giveToPerson(w *deploymentv1.Wave, f *Facts) {
	d := s.Deployment
	message := fmt.Sprintf("wave %s is not decided after %s: %s", w.GetRule().GetId(), f.Now.Sub(w.GetBakeStartTime().AsTime()).Round(time.Second), findings(w))
	d.DesiredState, d.CommandedBy, d.CommandTime = deploymentv1.Deployment_PAUSE, deploymentService, stamp(f.Now)
	d.StateMessage = message
	w.HeldFrom, w.HeldTime = w.GetState(), stamp(f.Now)
	s.moveWave(w, f, deploymentv1.Wave_HELD, ReasonAnalysisUndecided, message)
}

// pausedFor is the reason of a pause: a person's wish, unless it is the analysis that waits for a person.
func pausedFor(w *deploymentv1.Wave) string {
	if w.GetState() == deploymentv1.Wave_HELD && w.GetStateReason() == ReasonAnalysisUndecided {
		return ReasonAnalysisUndecided
	}
	return ReasonPausedByOperator
}

// analysisReasons says what an analysis waits for; none where it is not in the way.
func analysisReasons(w *deploymentv1.Wave) []*gatev1.BlockedBy {
	if !undecided(w) {
		return nil
	}
	if len(w.GetAnalysis().GetReasons()) > 0 {
		out := make([]*gatev1.BlockedBy, 0, len(w.GetAnalysis().GetReasons()))
		for _, r := range w.GetAnalysis().GetReasons() {
			out = append(out, &gatev1.BlockedBy{
				Kind: r.GetKind(), Resource: r.GetResource(), Current: r.GetCurrent(), Required: r.GetRequired(), Owner: r.GetOwner(), Command: r.GetCommand(),
			})
		}
		return out
	}
	return []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_ANALYSIS, Resource: w.GetName(), Current: findings(w), Required: "every critical metric has passed", Owner: "time",
		Command: "golive analysis " + w.GetName(),
	}}
}

// undecidedReason says what a person is asked for.
func undecidedReason(w *deploymentv1.Wave) *gatev1.BlockedBy {
	deployment := DeploymentOf(w.GetName())
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_OPERATOR, Resource: deployment, Current: w.GetStateMessage(),
		Required: "resume to accept the release as it is, or roll back", Owner: "operators", Command: "golive resume " + deployment,
	}
}

// analysisGate waits until the analysis of an earlier wave has passed.
func analysisGate(s *State, w *deploymentv1.Wave, gate *deploymentv1.AnalysisGate) *gatev1.Verdict {
	v := &gatev1.Verdict{Resource: w.GetName(), State: gatev1.Verdict_PASS}
	prior := s.before(w, gate.GetWave())
	if prior == nil || prior.GetState() == deploymentv1.Wave_SKIPPED {
		return v
	}
	v.WaitingOn, v.Evidence = []string{prior.GetName()}, prior.GetAnalysis().GetEvidence()
	switch {
	case prior.GetAnalysisAccepted():
		v.State = gatev1.Verdict_WAIVED
	case prior.GetAnalysis().GetState() != gatev1.Verdict_PASS:
		v.State = gatev1.Verdict_WAIT
		v.Reasons = []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_ANALYSIS, Resource: prior.GetName(), Current: findings(prior),
			Required: fmt.Sprintf("the analysis of wave %s has passed", prior.GetRule().GetId()), Owner: "time", Command: "golive analysis " + prior.GetName(),
		}}
	}
	return v
}

// checkAnalysis refuses an analysis that cannot be made, and a gate on one that there is not.
func checkAnalysis(waves []*deploymentv1.WaveRule, i int) error {
	w := waves[i]
	if err := canary.Check(fmt.Sprintf("rollout.waves[%d].analysis", i), w.GetAnalysis()); err != nil {
		return err
	}
	for j, g := range w.GetGates() {
		if g.GetAnalysis() == nil {
			continue
		}
		field, found := fmt.Sprintf("rollout.waves[%d].gates[%d].analysis.wave", i, j), false
		for k, prior := range waves[:i] {
			if wanted := g.GetAnalysis().GetWave(); wanted == prior.GetId() || wanted == "" && k == i-1 {
				found = canary.Critical(prior.GetAnalysis()) > 0
			}
		}
		if !found {
			return invalid(field, "gate %q waits for the analysis of a wave before %q, and there is none", g.GetId(), w.GetId())
		}
	}
	return nil
}
