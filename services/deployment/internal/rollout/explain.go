package rollout

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// explain says for the deployment and each wave why it waits. since is kept as long as
// the same thing holds it up.
func explain(s *State, f *Facts) {
	for _, w := range s.Waves {
		w.BlockedBy = keepSince(w.GetBlockedBy(), waveReasons(s, w, f), f.Now)
	}
	s.Deployment.BlockedBy = keepSince(s.Deployment.GetBlockedBy(), deploymentReasons(s, f), f.Now)
}

// Explain says why a deployment and its waves wait that no decision has been made about yet.
func Explain(d *deploymentv1.Deployment, waves []*deploymentv1.Wave, now time.Time) {
	s := &State{Deployment: d, Waves: waves}
	for _, w := range waves {
		w.BlockedBy = keepSince(nil, pendingReason(s, w), now)
	}
	d.BlockedBy = keepSince(nil, []*gatev1.BlockedBy{engineReason(d.GetName(), "its turn comes within seconds")}, now)
}

func deploymentReasons(s *State, f *Facts) []*gatev1.BlockedBy {
	d := s.Deployment
	switch d.GetState() {
	case deploymentv1.Deployment_PENDING:
		if len(f.Ahead) > 0 {
			return []*gatev1.BlockedBy{aheadReason(f.Ahead)}
		}
		return []*gatev1.BlockedBy{engineReason(d.GetName(), "checked within seconds")}
	case deploymentv1.Deployment_PREFLIGHT:
		return []*gatev1.BlockedBy{engineReason(d.GetName(), "checked within seconds")}
	case deploymentv1.Deployment_FINALIZING:
		return finalReasons(s, f)
	case deploymentv1.Deployment_WAITING, deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_REVERTING:
		if w := s.current(); w != nil {
			return waveReasons(s, w, f)
		}
		if s.catchUp() && f.Growing != "" {
			return []*gatev1.BlockedBy{growingReason(f)}
		}
		return []*gatev1.BlockedBy{engineReason(d.GetName(), "going on within seconds")}
	case deploymentv1.Deployment_PAUSING:
		return []*gatev1.BlockedBy{installationReason(d.GetName(), d.GetCounts(), "the end of what has begun")}
	case deploymentv1.Deployment_PAUSED:
		if line := lineReasons(s, s.current(), f); len(line) > 0 {
			return line
		}
		if w := s.current(); pausedFor(w) == ReasonAnalysisUndecided {
			return waveReasons(s, w, f)
		}
		return []*gatev1.BlockedBy{pausedReason(d)}
	case deploymentv1.Deployment_FROZEN:
		return []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_OPERATOR, Resource: d.GetName(), Current: d.GetStateMessage(),
			Required: "a decision: roll back, go on or cancel", Owner: "operators", Command: "golive rollback " + d.GetName(),
		}}
	case deploymentv1.Deployment_CANCELLING:
		reason := installationReason(d.GetName(), d.GetCounts(), "every target confirms, or the deadline")
		reason.Eta = d.GetCancelDeadline()
		return []*gatev1.BlockedBy{reason}
	default:
		return nil
	}
}

func waveReasons(s *State, w *deploymentv1.Wave, f *Facts) []*gatev1.BlockedBy {
	c := f.counts(w)
	switch w.GetState() {
	case deploymentv1.Wave_PENDING, deploymentv1.Wave_GATED:
		return turnReasons(s, w, f)
	case deploymentv1.Wave_RUNNING, deploymentv1.Wave_REVERTING:
		return runningReasons(s, w, f)
	case deploymentv1.Wave_BAKING:
		until := w.GetBakeStartTime().AsTime().Add(w.GetRule().GetBake().AsDuration())
		measured := analysisReasons(w)
		if !f.Now.Before(until) && len(measured) > 0 {
			return measured
		}
		return append([]*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_BAKE, Resource: w.GetName(), Eta: stamp(until), Owner: "time", Command: "golive describe " + w.GetName(),
			Current:  fmt.Sprintf("%d of %d healthy", c.GetHealthy()-c.GetUnhealthy(), c.GetTotal()),
			Required: fmt.Sprintf("healthy for %s, until %s", w.GetRule().GetBake().AsDuration(), until.UTC().Format(time.RFC3339)),
		}}, measured...)
	case deploymentv1.Wave_HELD, deploymentv1.Wave_FAILED:
		if w.GetStateReason() == ReasonPolicyClosed || w.GetStateReason() == ReasonStopTheLine {
			if policies := f.policies(s, w).Reasons; len(policies) > 0 {
				return policies
			}
		}
		if pausedFor(w) == ReasonAnalysisUndecided {
			return append([]*gatev1.BlockedBy{undecidedReason(w)}, analysisReasons(w)...)
		}
		return []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_OPERATOR, Resource: DeploymentOf(w.GetName()), Current: strings.ToLower(w.GetState().String()) + ": " + w.GetStateMessage(),
			Required: "a decision by an operator", Owner: "operators", Command: "golive describe " + DeploymentOf(w.GetName()),
		}}
	default:
		return nil
	}
}

// turnReasons says why a wave has not begun.
func turnReasons(s *State, w *deploymentv1.Wave, f *Facts) []*gatev1.BlockedBy {
	switch {
	case w == s.current() && s.Deployment.GetState() == deploymentv1.Deployment_PAUSED:
		if line := lineReasons(s, w, f); len(line) > 0 {
			return line
		}
		return []*gatev1.BlockedBy{pausedReason(s.Deployment)} // its gates are not even looked at
	case s.catchUp() && reached(f.counts(w)) <= 0 && f.counts(w).GetUnavailable() > 0:
		return []*gatev1.BlockedBy{awayReason(w, f)}
	case w.GetState() == deploymentv1.Wave_GATED && len(circleReasons(w, f)) > 0:
		return append(circleReasons(w, f), closedGates(w)...) // nothing else that it waits for can help
	case w.GetState() == deploymentv1.Wave_GATED:
		if policies := f.policies(s, w).Reasons; len(policies) > 0 {
			return append(policies, closedGates(w)...)
		}
		return gateReasons(w)
	default:
		return pendingReason(s, w)
	}
}

func pausedReason(d *deploymentv1.Deployment) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_OPERATOR, Resource: d.GetName(), Current: "paused by " + d.GetCommandedBy(),
		Required: "resume, roll back or cancel", Owner: d.GetCommandedBy(), Command: "golive resume " + d.GetName(),
	}
}

func pendingReason(s *State, w *deploymentv1.Wave) []*gatev1.BlockedBy {
	prior := s.before(w, "")
	if s.catchUp() {
		prior = s.current()
	}
	if prior == nil || w == s.current() {
		return []*gatev1.BlockedBy{engineReason(w.GetName(), "its gates are asked within seconds")}
	}
	// The wave right before it, whatever that one waits for: a wave that waits its turn stays as it
	// is while others move, and is not written again with each of their steps.
	return []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_PRIOR_WAVE, Resource: prior.GetName(), Owner: "operators",
		Current:  fmt.Sprintf("wave %s is not sealed", prior.GetRule().GetId()),
		Required: fmt.Sprintf("wave %s sealed", prior.GetRule().GetId()), Command: "golive why " + prior.GetName(),
	}}
}

func gateReasons(w *deploymentv1.Wave) []*gatev1.BlockedBy {
	if out := closedGates(w); len(out) > 0 {
		return out
	}
	return []*gatev1.BlockedBy{engineReason(w.GetName(), "its gates are asked within seconds")}
}

// closedGates says what the closed gates wait for. Where nothing can be done about that, such as time, the
// command is the one with which a person takes it on themselves not to wait.
func closedGates(w *deploymentv1.Wave) []*gatev1.BlockedBy {
	var out []*gatev1.BlockedBy
	for _, g := range w.GetGates() {
		if opens(g.GetVerdict().GetState()) {
			continue
		}
		for _, r := range g.GetVerdict().GetReasons() {
			if r.GetCommand() == "" {
				r = proto.CloneOf(r)
				r.Command = "golive override " + w.GetName() + " --gate " + g.GetId() + " --reason …"
			}
			out = append(out, r)
		}
	}
	return out
}

func runningReasons(s *State, w *deploymentv1.Wave, f *Facts) []*gatev1.BlockedBy {
	out := beforeReasons(w, f)
	c := f.counts(w)
	if n := c.GetUnavailable(); n > 0 && !s.catchUp() && w.GetState() == deploymentv1.Wave_RUNNING {
		out = append(out, &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_TARGET, Resource: w.GetName(), Owner: "operators",
			Current:  fmt.Sprintf("%d of %d targets are not connected or in maintenance", n, c.GetTotal()),
			Required: "connected, or a lower min_coverage in the plan",
			Command:  "golive list installations --parent " + DeploymentOf(w.GetName()) + ` --filter 'state = QUEUED'`,
		})
	}
	if busy(c) > 0 || len(out) == 0 {
		required := "all of them healthy"
		if w.GetState() == deploymentv1.Wave_REVERTING {
			required = "all of them back"
		}
		out = append(out, installationReason(w.GetName(), c, required))
	}
	return out
}

func installationReason(resource string, c *deploymentv1.InstallationCounts, required string) *gatev1.BlockedBy {
	current := fmt.Sprintf("%d of %d on their way, %d done", busy(c), c.GetTotal(), done(c)+c.GetReverted())
	command := "golive list installations --parent " + DeploymentOf(resource)
	if c.GetUnknown() > 0 {
		current += fmt.Sprintf(", %d silent", c.GetUnknown())
		command += " --filter 'state = UNKNOWN'" // names the targets, each with why
	}
	return &gatev1.BlockedBy{Kind: gatev1.BlockedBy_INSTALLATION, Resource: resource, Current: current, Required: required, Owner: "agents", Command: command}
}

func engineReason(resource, current string) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{Kind: gatev1.BlockedBy_ENGINE, Resource: resource, Current: current, Required: "nothing by a person", Owner: deploymentService, Command: "golive describe " + resource}
}

// DeploymentOf returns the deployment that a wave belongs to.
func DeploymentOf(wave string) string {
	if i := strings.LastIndex(wave, "/waves/"); i >= 0 {
		return wave[:i]
	}
	return wave
}

// since remembers from when each thing has been holding something up. What is true of it
// may change meanwhile, what is required of it makes it another thing.
type since map[hurdle]*timestamppb.Timestamp

type hurdle struct {
	kind               gatev1.BlockedBy_Kind
	resource, required string
}

func hurdleOf(r *gatev1.BlockedBy) hurdle {
	return hurdle{kind: r.GetKind(), resource: r.GetResource(), required: r.GetRequired()}
}

func sinceOf(reasons []*gatev1.BlockedBy) since {
	out := make(since, len(reasons))
	for _, r := range reasons {
		out[hurdleOf(r)] = r.GetSince()
	}
	return out
}

func (s since) get(r *gatev1.BlockedBy, now time.Time) time.Time {
	if t := s[hurdleOf(r)]; t != nil {
		return t.AsTime()
	}
	return now
}

func keepSince(old, reasons []*gatev1.BlockedBy, now time.Time) []*gatev1.BlockedBy {
	known := sinceOf(old)
	for _, r := range reasons {
		if r.GetSince() == nil {
			r.Since = stamp(known.get(r, now))
		}
	}
	return reasons
}
