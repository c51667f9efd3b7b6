package rollout

import (
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

// Reasons of what policies hold.
const (
	// ReasonPolicyClosed holds a wave that had begun when a policy closed.
	ReasonPolicyClosed = "POLICY_CLOSED"
	// ReasonStopTheLine pauses a deployment whose line was stopped.
	ReasonStopTheLine = "STOP_THE_LINE"
)

// policies asks whether the wave may begin, or begin any more of its installations. A
// rollback waits for no policy.
func (f *Facts) policies(s *State, w *deploymentv1.Wave) policy.Answer {
	if s.rollback() || f.Policies == nil {
		return policy.Answer{}
	}
	return f.Policies.Ask(policy.Question{
		Verb: deploymentv1.Verb_START_WAVE, Deployment: s.Deployment, Wave: w, Counts: f.counts(w), Principal: deploymentService, Now: f.Now,
	})
}

// allowed is policies, and comes back when time may change the answer.
func (s *State) allowed(w *deploymentv1.Wave, f *Facts, e *Effects) policy.Answer {
	a := f.policies(s, w)
	if !a.Next.IsZero() {
		e.wakeAt(a.Next)
	}
	return a
}

// closed keeps a running wave from beginning anything while a policy says no, and reports
// whether that is all there is to do. What has begun goes on to its end.
func closed(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) bool {
	a, c := s.allowed(w, f, e), f.counts(w)
	if a.Allowed() || claimable(w, c) == 0 {
		return false
	}
	if reason, message := broken(w, c); reason != "" {
		s.moveWave(w, f, deploymentv1.Wave_FAILED, reason, message)
		return true
	}
	w.HeldFrom, w.HeldTime = w.GetState(), stamp(f.Now)
	s.moveWave(w, f, deploymentv1.Wave_HELD, ReasonPolicyClosed, currents(a.Reasons))
	return true
}

// reopen lets a wave go on that a policy held, once it agrees. It may fail meanwhile: what has begun is watched.
func reopen(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) {
	if w.GetStateReason() != ReasonPolicyClosed {
		return
	}
	if reason, message := broken(w, f.counts(w)); reason != "" {
		s.moveWave(w, f, deploymentv1.Wave_FAILED, reason, message)
		return
	}
	if s.allowed(w, f, e).Allowed() {
		s.unhold(w, f)
	}
}

// stopped reports whether a line was stopped that the deployment is on, and what to tell people.
func (s *State) stopped(w *deploymentv1.Wave, f *Facts, e *Effects) (message string, stopped bool) {
	if w == nil {
		return "", false
	}
	a := s.allowed(w, f, e)
	return currents(a.Reasons), a.LineStopped
}

// lineReasons says what a deployment waits for that is paused although a person wants it to run.
func lineReasons(s *State, w *deploymentv1.Wave, f *Facts) []*gatev1.BlockedBy {
	if w != nil && s.Deployment.GetDesiredState() == deploymentv1.Deployment_RUN {
		return f.policies(s, w).Reasons
	}
	return nil
}

func currents(reasons []*gatev1.BlockedBy) string {
	out := make([]string, 0, len(reasons))
	for _, r := range reasons {
		out = append(out, r.GetCurrent())
	}
	return strings.Join(out, "; ")
}

// waived opens a gate that an override names, for as long as the override lives. When it ends the gate is
// closed until it is judged anew.
func waived(s *State, w *deploymentv1.Wave, rule *deploymentv1.GateRule, status *deploymentv1.GateStatus, f *Facts, e *Effects) bool {
	o := f.Policies.Waiver(s.Deployment, w, rule, f.Now)
	if o == nil {
		if status.GetOverride() != "" {
			status.Override, status.Verdict, status.AskTime, status.FreshUntil = "", nil, nil, nil
		}
		return false
	}
	e.wakeAt(o.GetExpireTime().AsTime())
	if status.GetOverride() == o.GetName() {
		return true
	}
	status.Override = o.GetName()
	status.Verdict = &gatev1.Verdict{
		Resource: w.GetName(), State: gatev1.Verdict_WAIVED, EvaluatedAt: stamp(f.Now), ValidUntil: o.GetExpireTime(),
		Evidence: []*gatev1.Evidence{{
			Criterion: "override", State: gatev1.Verdict_WAIVED, AsOf: o.GetCreateTime(), Resource: o.GetName(), Detail: o.GetPerson() + ": " + o.GetReason(),
		}},
	}
	return true
}
