package rollout

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// A catch-up serves the stragglers of another deployment. It is the same machine with three
// differences: its waves do not wait for each other, because a host that is away for weeks must not
// keep one of a later wave waiting; a wave begins a round whenever somebody has come back and seals
// whom it reached (BAKING → GATED) as long as others are away; and it ends when nobody is awaited and
// the other deployment can leave nobody behind any more.

// namedAway is how many targets a reason names.
const namedAway = 5

func (s *State) catchUp() bool { return s.Deployment.GetKind() == deploymentv1.Deployment_CATCH_UP }

// reached counts the members that wait and can be worked on.
func reached(c *deploymentv1.InstallationCounts) int32 { return c.GetQueued() - c.GetUnavailable() }

// round returns the wave of a catch-up that is on: the one that has begun, else the first that
// somebody has come back for, else the first that has not ended.
func (s *State) round() *deploymentv1.Wave {
	var back, first *deploymentv1.Wave
	for _, w := range s.Waves {
		switch {
		case WaveEnded(w.GetState()):
			continue
		case waveStarted(w.GetState()):
			return w
		case back == nil && reached(w.GetCounts()) > 0:
			back = w
		case first == nil:
			first = w
		}
	}
	if back != nil {
		return back
	}
	return first
}

// awaits reports whether a gated wave of a catch-up waits for hosts, not for gates. The time of
// its gates begins when somebody is there.
func (s *State) awaits(w *deploymentv1.Wave, f *Facts) bool {
	if !s.catchUp() {
		return false
	}
	c := f.counts(w)
	if c.GetQueued() == 0 {
		s.moveWave(w, f, deploymentv1.Wave_SKIPPED, "EMPTY", "nobody is awaited any more")
		return true
	}
	if reached(c) <= 0 {
		w.GatedTime = nil
		return true
	}
	if w.GetGatedTime() == nil {
		w.GatedTime = stamp(f.Now)
	}
	return false
}

// nextRound seals whom a round reached and waits for the others.
func (s *State) nextRound(w *deploymentv1.Wave, f *Facts, e *Effects) {
	e.Claim = nil
	e.SealReached = append(e.SealReached, w.GetName())
	w.GatedTime, w.BakeStartTime = nil, nil
	s.moveWave(w, f, deploymentv1.Wave_GATED, "", "")
}

// CatchUp returns the rule of a wave for its stragglers: the same gates, bake and budget. What
// was decided about these very targets is not decided again (approvals), nor is what only the order of
// the waves asked for, and the release has been judged by those who were there (analysis).
func CatchUp(rule *deploymentv1.WaveRule) *deploymentv1.WaveRule {
	out := proto.CloneOf(rule)
	out.MinCoverage, out.Analysis, out.Gates = 0, nil, nil
	for _, g := range rule.GetGates() {
		if g.GetApproval() == nil && g.GetBake() == nil && g.GetPriorWave() == nil && g.GetAnalysis() == nil {
			out.Gates = append(out.Gates, g)
		}
	}
	return out
}

func awayReason(w *deploymentv1.Wave, f *Facts) *gatev1.BlockedBy {
	away := f.Away[w.GetName()]
	names := make([]string, 0, namedAway)
	for _, t := range away[:min(len(away), namedAway)] {
		names = append(names, lastSegment(t))
	}
	n := int(f.counts(w).GetUnavailable())
	current := fmt.Sprintf("%d away: %s", n, strings.Join(names, ", "))
	if more := n - len(names); more > 0 && len(names) > 0 {
		current += fmt.Sprintf(" and %d more", more)
	}
	resource := w.GetName()
	if len(away) == 1 && n == 1 {
		resource = away[0]
	}
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_TARGET, Resource: resource, Current: current, Required: "connected and not in maintenance", Owner: "operators",
		Command: "golive list installations --parent " + DeploymentOf(w.GetName()) + ` --filter 'state = QUEUED'`,
	}
}

// growingReason is why a catch-up that has served everybody goes on.
func growingReason(f *Facts) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_DEPLOYMENT, Resource: f.Growing, Current: "it may still leave targets behind", Required: "it has ended",
		Owner: "operators", Command: "golive why " + f.Growing,
	}
}
