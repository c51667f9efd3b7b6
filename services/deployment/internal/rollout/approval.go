package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// ReasonRejected is the state reason of a deployment that an approver ended.
const ReasonRejected = "REJECTED"

// approval counts who has approved what this wave is now. The word of a person counts with the
// roles that were held when it was said: tokens are not asked again, so one that is revoked
// later does not take it back.
func approval(w *deploymentv1.Wave, gate *deploymentv1.ApprovalGate, f *Facts, e *Effects) *gatev1.Verdict {
	var counted []*deploymentv1.Approval
	v := &gatev1.Verdict{Resource: w.GetName(), State: gatev1.Verdict_PASS}
	for _, a := range f.Approvals[w.GetName()] {
		why := Void(w, gate, a, f.Now)
		if why == "" {
			counted = append(counted, a)
			if gate.GetValidFor() != nil {
				e.wakeAt(a.GetTime().AsTime().Add(gate.GetValidFor().AsDuration()))
			}
		}
		v.Evidence = append(v.Evidence, said(a, why))
	}
	need := max(int(gate.GetRequired()), len(gate.GetApprovers()), 1)
	v.Evidence = append(v.Evidence, &gatev1.Evidence{
		Criterion: "approvals", State: passIf(len(counted) >= need), Value: float64(len(counted)), Numerator: int64(len(counted)),
		Denominator: int64(need), Threshold: float64(need), AsOf: stamp(f.Now), Resource: w.GetName(),
	})
	if len(counted) < need {
		v.Reasons = append(v.Reasons, approvalReason(w, fmt.Sprintf("%d of %s", len(counted), plural(need, "approval")),
			plural(need, "approval")+" by others than the creator", "approvers"))
	}
	for _, person := range gate.GetApprovers() {
		if !slices.ContainsFunc(counted, func(a *deploymentv1.Approval) bool { return a.GetPrincipal() == person }) {
			v.Reasons = append(v.Reasons, approvalReason(w, person+" has not approved", "an approval by "+person, person))
		}
	}
	for _, role := range gate.GetRoles() {
		if !slices.ContainsFunc(counted, func(a *deploymentv1.Approval) bool { return slices.Contains(a.GetRoles(), role) }) {
			v.Reasons = append(v.Reasons, approvalReason(w, "nobody with the role "+role+" has approved", "an approval by the role "+role, "roles/"+role))
		}
	}
	if len(v.GetReasons()) > 0 {
		v.State = gatev1.Verdict_WAIT
	}
	return v
}

// Void says why an approval does not count for a gate of the wave at a time, or "" when it does.
func Void(w *deploymentv1.Wave, gate *deploymentv1.ApprovalGate, a *deploymentv1.Approval, now time.Time) string {
	switch {
	case !a.GetApproved():
		return "rejected"
	case a.GetDigest() != w.GetApprovalDigest():
		return "was about something else: it has changed since"
	case gate.GetValidFor() != nil && !now.Before(a.GetTime().AsTime().Add(gate.GetValidFor().AsDuration())):
		return "has expired: it held for " + gate.GetValidFor().AsDuration().String()
	default:
		return ""
	}
}

func said(a *deploymentv1.Approval, void string) *gatev1.Evidence {
	detail := "approved"
	if len(a.GetRoles()) > 0 {
		detail += " as " + strings.Join(a.GetRoles(), ", ")
	}
	if void != "" {
		detail += "; does not count: " + void
	}
	if a.GetReason() != "" {
		detail += "; " + a.GetReason()
	}
	return &gatev1.Evidence{Criterion: "approval", State: passIf(void == ""), AsOf: a.GetTime(), Resource: a.GetPrincipal(), Detail: detail}
}

func approvalReason(w *deploymentv1.Wave, current, required, owner string) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_APPROVAL, Resource: w.GetName(), Current: current, Required: required, Owner: owner, Command: "golive approve " + w.GetName(),
	}
}

// reject ends the deployment when an approver has said no to any wave that has not started, whoever's
// turn it is. What an earlier wave has begun is called back first. rules means that nothing else may happen in this pass.
func reject(s *State, f *Facts, e *Effects) (moved, rules bool) {
	message := s.rejection(f)
	if message == "" {
		return false, false
	}
	d := s.Deployment
	switch d.GetState() {
	case deploymentv1.Deployment_PENDING, deploymentv1.Deployment_WAITING:
		return s.move(f, deploymentv1.Deployment_REJECTED, ReasonRejected, message), true
	case deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_PAUSING, deploymentv1.Deployment_PAUSED, deploymentv1.Deployment_FROZEN:
		e.DropQueued, e.CallBack = true, true
		d.CancelDeadline = stamp(f.Now.Add(orDefault(d.GetRollout().GetCancelTimeout(), DefaultCancelTimeout)))
		return s.move(f, deploymentv1.Deployment_CANCELLING, ReasonRejected, message), true
	default: // it is ending already, or about to wait
		return false, false
	}
}

// rejection says who rejected which wave that has not started, or "".
func (s *State) rejection(f *Facts) string {
	for _, w := range s.Waves {
		if w.GetState() != deploymentv1.Wave_PENDING && w.GetState() != deploymentv1.Wave_GATED {
			continue
		}
		for _, a := range f.Approvals[w.GetName()] {
			if !a.GetApproved() {
				return fmt.Sprintf("%s rejected wave %s: %s", a.GetPrincipal(), w.GetRule().GetId(), a.GetReason())
			}
		}
	}
	return ""
}

// showApprovals lets every wave that has not started show what approvers said, also before its turn.
func showApprovals(s *State, f *Facts) {
	for _, w := range s.Waves {
		have := f.Approvals[w.GetName()]
		if len(have) == 0 || w.GetState() != deploymentv1.Wave_PENDING && w.GetState() != deploymentv1.Wave_GATED {
			continue
		}
		w.Gates = align(w)
		for i, rule := range w.GetRule().GetGates() {
			if rule.GetApproval() != nil {
				w.GetGates()[i].Approvals = have
			}
		}
	}
}

func passIf(met bool) gatev1.Verdict_State {
	if met {
		return gatev1.Verdict_PASS
	}
	return gatev1.Verdict_WAIT
}

// plural counts a thing: `1 approval`, `2 approvals`.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
