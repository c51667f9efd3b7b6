package rollout

import (
	"cmp"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// How long the word of the other service is good for.
const (
	// startFreshness is how old a verdict may be when it starts a wave. Older ones are asked again first.
	startFreshness = 3 * time.Second
	// AskEvery is how often a closed gate is asked again where no hint comes.
	AskEvery = 30 * time.Second
	// askSilentEvery is how often a service that did not answer is tried again.
	askSilentEvery = 5 * time.Second
	// DefaultVerdictTTL is taken where a verdict does not say how long it is good for.
	DefaultVerdictTTL = 30 * time.Second
)

const (
	// implementationService is who moves what the other service does not say an owner of.
	implementationService = "services/implementation"
	// deploymentService is this one.
	deploymentService = "services/deployment"
)

type gatesAnswer int

const (
	gatesClosed gatesAnswer = iota
	gatesOpen
	gatesRejected
	gatesExpired
)

// evaluate brings the gates of a wave up to date and says whether it may start.
func evaluate(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) gatesAnswer {
	w.Gates = align(w)
	open := true
	for i, rule := range w.GetRule().GetGates() {
		status := w.GetGates()[i]
		switch t := rule.GetType().(type) {
		case *deploymentv1.GateRule_Readiness:
			open = readiness(w, rule, t.Readiness, status, f, e) && open
		case *deploymentv1.GateRule_Approval:
			status.Approvals = f.Approvals[w.GetName()]
			if rejected(status.GetApprovals()) {
				return gatesRejected
			}
			setVerdict(status, approval(w, t.Approval, status.GetApprovals()), f)
			open = opens(status.GetVerdict().GetState()) && open
		case *deploymentv1.GateRule_Bake:
			setVerdict(status, soak(s, w, t.Bake, f, e), f)
			open = opens(status.GetVerdict().GetState()) && open
		case *deploymentv1.GateRule_PriorWave:
			setVerdict(status, priorWave(s, w, t.PriorWave, f), f)
			open = opens(status.GetVerdict().GetState()) && open
		case *deploymentv1.GateRule_Analysis:
			setVerdict(status, analysisGate(s, w, t.Analysis), f)
			open = opens(status.GetVerdict().GetState()) && open
		default:
			// A plan of a newer version of the service: what is not understood does not open.
			setVerdict(status, notUnderstood(w, rule), f)
			open = false
		}
		if expired(w, rule, status, f, e) {
			return gatesExpired
		}
	}
	if open {
		return gatesOpen
	}
	return gatesClosed
}

// expired reports whether a gate has had its time. One that is about to be asked again is
// not judged by its old answer: it may be open, and only the age of the answer is against it.
func expired(w *deploymentv1.Wave, rule *deploymentv1.GateRule, status *deploymentv1.GateStatus, f *Facts, e *Effects) bool {
	if rule.GetExpiresAfter() == nil || opens(status.GetVerdict().GetState()) || e.asks(w.GetName(), rule.GetId()) {
		return false
	}
	deadline := w.GetGatedTime().AsTime().Add(rule.GetExpiresAfter().AsDuration())
	if !f.Now.Before(deadline) {
		return true
	}
	e.wakeAt(deadline)
	return false
}

func notUnderstood(w *deploymentv1.Wave, rule *deploymentv1.GateRule) *gatev1.Verdict {
	return &gatev1.Verdict{
		Resource: w.GetName(), State: gatev1.Verdict_UNKNOWN,
		Reasons: []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_SERVICE, Resource: w.GetName(), Current: "gate " + rule.GetId() + " is of a kind that this version does not know",
			Required: "a version of the deployment service that does", Owner: "operators", Command: "golive version",
		}},
	}
}

// align returns one status for each gate rule, keeping those that are there.
func align(w *deploymentv1.Wave) []*deploymentv1.GateStatus {
	have := map[string]*deploymentv1.GateStatus{}
	for _, g := range w.GetGates() {
		have[g.GetId()] = g
	}
	out := make([]*deploymentv1.GateStatus, 0, len(w.GetRule().GetGates()))
	for _, rule := range w.GetRule().GetGates() {
		status := have[rule.GetId()]
		if status == nil {
			status = &deploymentv1.GateStatus{Id: rule.GetId()}
		}
		out = append(out, status)
	}
	return out
}

// readiness uses the last word of the other service while it is fresh, and asks for a
// new one when it is not. To start a wave it must have been asked just now: silence never opens.
func readiness(w *deploymentv1.Wave, rule *deploymentv1.GateRule, gate *deploymentv1.ReadinessGate, status *deploymentv1.GateStatus, f *Facts, e *Effects) bool {
	ask := Ask{Wave: w.GetName(), Gate: rule.GetId(), Resource: gate.GetCohortPlan()}
	if status.GetAskTime() == nil {
		e.ask(ask)
		return false
	}
	age := f.Now.Sub(status.GetAskTime().AsTime())
	if fresh := status.GetFreshUntil().AsTime(); !f.Now.Before(fresh) && status.GetVerdict().GetState() != gatev1.Verdict_UNKNOWN {
		status.Verdict = Unanswered(gate.GetCohortPlan(), "the last answer is too old", f.Now)
	}
	if opens(status.GetVerdict().GetState()) {
		if age <= startFreshness && age >= 0 {
			return true
		}
		e.ask(ask)
		return false
	}
	every := Patience(status.GetVerdict())
	if f.Answered[ask] {
		e.wakeAt(f.Now.Add(every))
		return false
	}
	if age >= every || age < 0 {
		e.ask(ask)
		return false
	}
	e.wakeAt(status.GetAskTime().AsTime().Add(every))
	return false
}

// Patience is how long to wait before a gate that gave this verdict is asked again without a hint.
func Patience(v *gatev1.Verdict) time.Duration {
	if v.GetState() == gatev1.Verdict_UNKNOWN {
		return askSilentEvery
	}
	return AskEvery
}

// Answer records what the other service said when it was asked at a moment. An answer
// that was overtaken by a later one is dropped.
func Answer(w *deploymentv1.Wave, gate string, verdict *gatev1.Verdict, asked time.Time) {
	w.Gates = align(w)
	for _, status := range w.GetGates() {
		if status.GetId() != gate || asked.Before(status.GetAskTime().AsTime()) {
			continue
		}
		ttl := orDefault(verdict.GetTtl(), DefaultVerdictTTL)
		if sameClosed(status.GetVerdict(), verdict) && asked.Add(ttl/2).Before(status.GetFreshUntil().AsTime()) {
			return // a gate that stays closed for weeks is not written again with every answer
		}
		since := sinceOf(status.GetVerdict().GetReasons())
		status.Verdict = proto.CloneOf(verdict)
		for _, reason := range status.GetVerdict().GetReasons() {
			complete(reason, verdict.GetResource())
			if reason.GetSince() == nil {
				reason.Since = stamp(since.get(reason, asked))
			}
		}
		status.AskTime, status.FreshUntil = stamp(asked), stamp(asked.Add(ttl))
	}
}

// complete fills in what the other service left out of a reason, so that none is without
// a thing that is waited for and somebody who can move it.
func complete(r *gatev1.BlockedBy, resource string) {
	if r.GetKind() == gatev1.BlockedBy_KIND_UNSPECIFIED {
		r.Kind = gatev1.BlockedBy_READINESS
	}
	r.Resource = cmp.Or(r.GetResource(), resource)
	r.Current = cmp.Or(r.GetCurrent(), "not met")
	r.Required = cmp.Or(r.GetRequired(), "what its plan asks for")
	r.Owner = cmp.Or(r.GetOwner(), implementationService)
}

// sameClosed reports whether two verdicts both keep a gate closed, for the same reasons.
func sameClosed(a, b *gatev1.Verdict) bool {
	if opens(a.GetState()) || a.GetState() != b.GetState() || len(a.GetReasons()) != len(b.GetReasons()) {
		return false
	}
	for i, r := range a.GetReasons() {
		other := b.GetReasons()[i]
		if r.GetKind() != other.GetKind() || r.GetResource() != other.GetResource() || r.GetCurrent() != other.GetCurrent() || r.GetRequired() != other.GetRequired() {
			return false
		}
	}
	return true
}

// Unanswered is the verdict where nobody could be asked: it is UNKNOWN, which does not open.
func Unanswered(resource, why string, now time.Time) *gatev1.Verdict {
	return &gatev1.Verdict{
		Resource: resource, Purpose: gatev1.Purpose_PURPOSE_READINESS, State: gatev1.Verdict_UNKNOWN, EvaluatedAt: stamp(now),
		Reasons: []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_SERVICE, Resource: resource, Current: why,
			Required: "a fresh answer of the implementation service", Owner: implementationService,
		}},
		WaitingOn: []string{resource},
	}
}

// setVerdict stores a verdict computed here; since is kept while the reason stays the same.
func setVerdict(status *deploymentv1.GateStatus, v *gatev1.Verdict, f *Facts) {
	since := sinceOf(status.GetVerdict().GetReasons())
	for _, reason := range v.GetReasons() {
		reason.Since = stamp(since.get(reason, f.Now))
	}
	if status.GetVerdict().GetState() == v.GetState() && status.GetVerdict().GetEvaluatedAt() != nil {
		v.EvaluatedAt = status.GetVerdict().GetEvaluatedAt() // an unchanged answer is no new revision
	} else {
		v.EvaluatedAt = stamp(f.Now)
	}
	status.Verdict = v
}

func approval(w *deploymentv1.Wave, gate *deploymentv1.ApprovalGate, have []*deploymentv1.Approval) *gatev1.Verdict {
	need := max(gate.GetRequired(), 1)
	got := int32(len(have)) //nolint:gosec // G115: approvals are unique by person, a handful
	v := &gatev1.Verdict{Resource: w.GetName(), State: gatev1.Verdict_PASS}
	if got < need {
		v.State = gatev1.Verdict_WAIT
		v.Reasons = []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_APPROVAL, Resource: w.GetName(),
			Current:  fmt.Sprintf("%d of %d approvals", got, need),
			Required: fmt.Sprintf("%d approvals by others than the creator", need),
			Owner:    "approvers", Command: "golive approve " + w.GetName(),
		}}
	}
	return v
}

func rejected(approvals []*deploymentv1.Approval) bool {
	for _, a := range approvals {
		if !a.GetApproved() {
			return true
		}
	}
	return false
}

func rejection(w *deploymentv1.Wave) string {
	for _, g := range w.GetGates() {
		for _, a := range g.GetApprovals() {
			if !a.GetApproved() {
				return fmt.Sprintf("%s rejected wave %s: %s", a.GetPrincipal(), w.GetRule().GetId(), a.GetReason())
			}
		}
	}
	return fmt.Sprintf("wave %s was rejected", w.GetRule().GetId())
}

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
