package rollout

import (
	"slices"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

type gatesAnswer int

const (
	gatesClosed gatesAnswer = iota
	gatesOpen
	gatesExpired
)

// evaluate brings the gates of a wave up to date and says whether it may start.
func evaluate(s *State, w *deploymentv1.Wave, f *Facts, e *Effects) gatesAnswer {
	w.Gates = align(w)
	open := true
	for i, rule := range w.GetRule().GetGates() {
		status := w.GetGates()[i]
		open = judge(s, w, rule, status, f, e) && open
		if expired(w, rule, status, f, e) {
			return gatesExpired
		}
	}
	if open {
		return gatesOpen
	}
	return gatesClosed
}

// judge brings one gate up to date and says whether it is open. There are three sorts: what this
// package knows by itself, what is read in the transaction of the decision, and what has to be
// asked of somebody else before it.
func judge(s *State, w *deploymentv1.Wave, rule *deploymentv1.GateRule, status *deploymentv1.GateStatus, f *Facts, e *Effects) bool {
	if waived(s, w, rule, status, f, e) {
		return true
	}
	if Asked(rule) {
		return asked(w, rule, status, f, e)
	}
	switch t := rule.GetType().(type) {
	case *deploymentv1.GateRule_Approval:
		setVerdict(status, approval(w, t.Approval, f, e), f)
	case *deploymentv1.GateRule_Bake:
		setVerdict(status, soak(s, w, t.Bake, f, e), f)
	case *deploymentv1.GateRule_PriorWave:
		setVerdict(status, priorWave(s, w, t.PriorWave, f), f)
	case *deploymentv1.GateRule_Analysis:
		setVerdict(status, analysisGate(s, w, t.Analysis), f)
	case nil:
		// A plan of a newer version of the service: what is not understood does not open.
		setVerdict(status, notUnderstood(w, rule), f)
	default:
		a := Ask{Wave: w.GetName(), Gate: rule.GetId(), Resource: w.GetName()}
		v := f.Judged[a]
		if v == nil {
			e.Judge = append(e.Judge, a)
			return false
		}
		for _, reason := range v.GetReasons() {
			if reason.GetEta().AsTime().After(f.Now) {
				e.wakeAt(reason.GetEta().AsTime())
			}
		}
		setVerdict(status, v, f)
	}
	return opens(status.GetVerdict().GetState())
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

// setVerdict stores a verdict computed here. One that says nothing new is not stored again,
// so that a gate which stays closed for weeks makes no revisions; since is kept while a reason stays the same.
func setVerdict(status *deploymentv1.GateStatus, v *gatev1.Verdict, f *Facts) {
	old := status.GetVerdict()
	if old.GetEvaluatedAt() != nil && SameVerdict(old, v) {
		return
	}
	since := sinceOf(old.GetReasons())
	for _, reason := range v.GetReasons() {
		reason.Since = stamp(since.get(reason, f.Now))
	}
	if old.GetState() != v.GetState() || old.GetEvaluatedAt() == nil {
		v.EvaluatedAt = stamp(f.Now)
	} else {
		v.EvaluatedAt = old.GetEvaluatedAt()
	}
	status.Verdict = v
}

// SameVerdict reports whether two verdicts say the same on the same grounds, whenever they did.
func SameVerdict(a, b *gatev1.Verdict) bool {
	return a.GetState() == b.GetState() && slices.Equal(a.GetWaitingOn(), b.GetWaitingOn()) &&
		slices.EqualFunc(a.GetReasons(), b.GetReasons(), func(x, y *gatev1.BlockedBy) bool {
			x, y = proto.CloneOf(x), proto.CloneOf(y)
			x.Since, y.Since = nil, nil
			return proto.Equal(x, y)
		}) &&
		slices.EqualFunc(a.GetEvidence(), b.GetEvidence(), func(x, y *gatev1.Evidence) bool {
			x, y = proto.CloneOf(x), proto.CloneOf(y)
			x.AsOf, y.AsOf = nil, nil
			return proto.Equal(x, y)
		})
}
