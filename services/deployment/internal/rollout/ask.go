package rollout

import (
	"cmp"
	"net/url"
	"time"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// How long the word of somebody else is good for.
const (
	// startFreshness is how old a verdict may be when it starts a wave. Older ones are asked again first.
	startFreshness = 3 * time.Second
	// AskEvery is how often a closed gate is asked again where no hint comes.
	AskEvery = 30 * time.Second
	// askSilentEvery is how often a service that did not answer is tried again.
	askSilentEvery = 5 * time.Second
	// closedFresh is how long a closed answer counts as fresh at least: it opens nothing, and one that is repeated for
	// weeks would otherwise be written again, event and all, whenever it had become old.
	closedFresh = 10 * time.Minute
	// DefaultVerdictTTL is taken where a verdict does not say how long it is good for.
	DefaultVerdictTTL = 30 * time.Second
)

const (
	// implementationService is who moves what the other service does not say an owner of.
	implementationService = "services/implementation"
	// deploymentService is this one.
	deploymentService = "services/deployment"
)

// Asked reports whether a gate has to be asked over the network, between transactions. All others
// are judged by what the database says in the transaction that decides.
func Asked(rule *deploymentv1.GateRule) bool {
	switch t := rule.GetType().(type) {
	case *deploymentv1.GateRule_Readiness, *deploymentv1.GateRule_Decision, *deploymentv1.GateRule_Webhook, *deploymentv1.GateRule_Integrity:
		return true
	case *deploymentv1.GateRule_Capacity:
		return t.Capacity.GetPeakPerInstance() == 0
	case *deploymentv1.GateRule_PriorEnvironment:
		return t.PriorEnvironment.GetAvailability() > 0 // the history is in another database
	default:
		return false
	}
}

// AskOf is the question of a gate that has to be asked.
func AskOf(w *deploymentv1.Wave, rule *deploymentv1.GateRule) Ask {
	return Ask{Wave: w.GetName(), Gate: rule.GetId(), Resource: cmp.Or(AskedOf(rule), w.GetName())}
}

// AskedOf is the resource of the implementation service that a gate asks about: a cohort plan or a decision. Empty for all other gates.
func AskedOf(rule *deploymentv1.GateRule) string {
	return cmp.Or(rule.GetReadiness().GetCohortPlan(), rule.GetDecision().GetDecision())
}

// asked uses the last answer while it is fresh, and asks for a new one when it is not. To start
// a wave it must have been asked just now: silence never opens.
func asked(w *deploymentv1.Wave, rule *deploymentv1.GateRule, status *deploymentv1.GateStatus, f *Facts, e *Effects) bool {
	ask := AskOf(w, rule)
	if status.GetAskTime() == nil {
		e.ask(ask)
		return false
	}
	age := f.Now.Sub(status.GetAskTime().AsTime())
	stale := !f.Now.Before(status.GetFreshUntil().AsTime())
	if stale && opens(status.GetVerdict().GetState()) { // what is closed keeps its reasons until it is answered anew
		status.Verdict = Unheard(rule, ask.Resource, "the last answer is too old", f.Now)
	}
	if opens(status.GetVerdict().GetState()) {
		if age <= startFreshness && age >= 0 {
			return true
		}
		e.ask(ask)
		return false
	}
	// An answer that is good for less is asked for again sooner.
	good := orDefault(status.GetVerdict().GetTtl(), DefaultVerdictTTL)
	every := min(Patience(status.GetVerdict()), max(good, askSilentEvery))
	if f.Answered[ask] {
		e.wakeAt(f.Now.Add(every))
		return false
	}
	if age >= every || age < 0 || stale && age >= askSilentEvery {
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

// latest is how late an answer comes at most. One that seems later shows that the clock was put back.
const latest = 10 * time.Second

// Answer records what was said when a gate was asked at a moment. An answer that was
// overtaken by a later one is dropped. Where the clock was put back it is the newest
// all the same: the one before would hold until the clock has caught up, and then pass for fresh.
func Answer(w *deploymentv1.Wave, gate string, verdict *gatev1.Verdict, asked time.Time) {
	w.Gates = align(w)
	for i, status := range w.GetGates() {
		late := status.GetAskTime().AsTime().Sub(asked)
		if status.GetId() != gate || late > 0 && late <= latest {
			continue
		}
		ttl := orDefault(verdict.GetTtl(), DefaultVerdictTTL)
		if !opens(verdict.GetState()) {
			ttl = max(ttl, closedFresh)
		}
		if late <= 0 && sameClosed(status.GetVerdict(), verdict) && asked.Add(ttl/2).Before(status.GetFreshUntil().AsTime()) {
			return // a gate that stays closed for weeks is not written again with every answer
		}
		since := sinceOf(status.GetVerdict().GetReasons())
		status.Verdict = proto.CloneOf(verdict)
		if !opens(verdict.GetState()) && len(verdict.GetReasons()) == 0 {
			status.Verdict.Reasons = []*gatev1.BlockedBy{{}} // what is closed says why, whoever forgot to
		}
		for _, reason := range status.GetVerdict().GetReasons() {
			complete(reason, w.GetRule().GetGates()[i], cmp.Or(verdict.GetResource(), w.GetName()))
			if reason.GetSince() == nil {
				reason.Since = stamp(since.get(reason, asked))
			}
		}
		status.AskTime, status.FreshUntil = stamp(asked), stamp(asked.Add(ttl))
	}
}

// complete fills in what the other service left out of a reason, so that none is without
// a thing that is waited for and somebody who can move it.
func complete(r *gatev1.BlockedBy, rule *deploymentv1.GateRule, resource string) {
	if r.GetKind() == gatev1.BlockedBy_KIND_UNSPECIFIED {
		r.Kind = gatev1.BlockedBy_READINESS
		if rule.GetDecision() != nil {
			r.Kind = gatev1.BlockedBy_DECISION
		}
	}
	if r.GetKind() == gatev1.BlockedBy_DECISION && r.GetCommand() == "" {
		r.Command = decideCommand(resource)
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

// Unanswered is the verdict where the implementation service could not be asked: it is UNKNOWN, which does not open.
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

// Undecided is the verdict where the implementation service could not be asked about a decision.
func Undecided(decision, why string, now time.Time) *gatev1.Verdict {
	return &gatev1.Verdict{
		Resource: decision, Purpose: gatev1.Purpose_PURPOSE_ALL, State: gatev1.Verdict_UNKNOWN, EvaluatedAt: stamp(now),
		Reasons: []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_DECISION, Resource: decision, Current: why,
			Required: "a fresh word of the implementation service that it goes", Owner: implementationService, Command: "golive decide show " + decision,
		}},
		WaitingOn: []string{decision},
	}
}

func decideCommand(decision string) string { return "golive decide " + decision + " go --reason …" }

// Unheard is the verdict where whoever a gate asks could not be heard.
func Unheard(rule *deploymentv1.GateRule, resource, why string, now time.Time) *gatev1.Verdict {
	reason := &gatev1.BlockedBy{Resource: resource, Current: why, Owner: "operators"}
	switch t := rule.GetType().(type) {
	case *deploymentv1.GateRule_Webhook:
		reason.Kind, reason.Required, reason.Owner = gatev1.BlockedBy_WEBHOOK, "a fresh answer of the webhook", HostOf(t.Webhook.GetUrl())
	case *deploymentv1.GateRule_Capacity:
		reason.Kind, reason.Required = gatev1.BlockedBy_CAPACITY, "a fresh load test"
	case *deploymentv1.GateRule_Integrity:
		reason.Kind, reason.Required = gatev1.BlockedBy_INTEGRITY, "every artifact read and found right"
	case *deploymentv1.GateRule_PriorEnvironment:
		reason.Kind, reason.Required = gatev1.BlockedBy_ENVIRONMENT, "its history read"
	case *deploymentv1.GateRule_Readiness:
		return Unanswered(resource, why, now)
	case *deploymentv1.GateRule_Decision:
		return Undecided(resource, why, now)
	default:
		reason.Kind, reason.Required = gatev1.BlockedBy_SERVICE, "a version of the deployment service that does"
	}
	return &gatev1.Verdict{Resource: resource, State: gatev1.Verdict_UNKNOWN, EvaluatedAt: stamp(now), Reasons: []*gatev1.BlockedBy{reason}}
}

// HostOf names a webhook without what its address may keep secret.
func HostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "the webhook"
	}
	return u.Host
}
