package waits

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// unknownFor is for how long the word that nobody answered may be used.
const unknownFor = time.Minute

// operators is whom the machines belong to, where nobody is named.
const operators = "operators"

// Judge is how a condition stands now: by the last answer, by how long it has held, and by who let it pass. From is since when the
// stage waits, for a condition of which nobody has heard anything yet.
func Judge(c *implementationv1.StageCondition, a Answer, h Hold, overrides []*implementationv1.StageOverride, from, now time.Time) *implementationv1.StageConditionStatus {
	status := &implementationv1.StageConditionStatus{Id: c.GetId()}
	if a.Verdict != nil {
		status.AskTime, status.FreshUntil = timestamppb.New(a.Asked), timestamppb.New(a.FreshUntil())
	}
	switch {
	case !a.Fresh(now):
		status.Verdict = silent(c.GetResource(), a, now)
		if a.Verdict == nil {
			status.Verdict.Reasons[0].Since = timestamppb.New(from)
		}
	default:
		status.Verdict = heard(c, a, h, now)
		if !h.Held.IsZero() {
			status.HeldSince = timestamppb.New(h.Held)
		}
	}
	status.Verdict.Reasons = complete(c, status.GetVerdict().GetReasons())
	if o := holding(overrides, c.GetId(), now); o != nil && !Open(status.GetVerdict().GetState()) {
		waive(status.GetVerdict(), o, now)
	}
	return status
}

// complete gives reasons what the condition asks.
func complete(c *implementationv1.StageCondition, reasons []*gatev1.BlockedBy) []*gatev1.BlockedBy {
	for _, r := range reasons {
		r.Required = required(c)
	}
	return reasons
}

// heard is the verdict on a condition whose answer is good.
func heard(c *implementationv1.StageCondition, a Answer, h Hold, now time.Time) *gatev1.Verdict {
	f := find(c, a.Verdict)
	v := verdictOn(c.GetResource(), f.state, now, a.FreshUntil().Sub(now))
	v.Revision, v.Evidence = a.Verdict.GetRevision(), f.evidence
	since := h.Since
	if since.IsZero() {
		since = a.Asked
	}
	reason := technical(c.GetResource(), f.current, since)
	if reasons := a.Verdict.GetReasons(); len(reasons) > 0 && reasons[0].GetOwner() != "" {
		reason.Owner = reasons[0].GetOwner()
	}
	if f.state == gatev1.Verdict_PASS {
		hold := c.GetHoldFor().AsDuration()
		if hold <= 0 {
			return v
		}
		held := h.Held
		if held.IsZero() {
			held = a.Asked
		}
		over := held.Add(hold)
		if !now.Before(over) {
			return v
		}
		v.State, reason.Eta, reason.Since = gatev1.Verdict_WAIT, timestamppb.New(over), timestamppb.New(held)
		reason.Current = "it has held since " + held.UTC().Format(time.RFC3339)
	}
	v.Reasons = []*gatev1.BlockedBy{reason}
	v.WaitingOn = waitingOn(c.GetResource(), a.Verdict)
	return v
}

// silent is the verdict where nobody answered, or too long ago.
func silent(resource string, a Answer, now time.Time) *gatev1.Verdict {
	v := verdictOn(resource, gatev1.Verdict_UNKNOWN, now, unknownFor)
	reason := technical(resource, "the deployment service has not answered yet", now)
	if a.Verdict != nil {
		reason.Current = "the deployment service last answered at " + a.Asked.UTC().Format(time.RFC3339) + ", which is too long ago"
		reason.Since = timestamppb.New(a.FreshUntil())
	}
	reason.Kind = gatev1.BlockedBy_SERVICE
	v.Reasons, v.WaitingOn = []*gatev1.BlockedBy{reason}, []string{resource}
	return v
}

// waive lets a verdict pass; what is behind it stays to be seen.
func waive(v *gatev1.Verdict, o *implementationv1.StageOverride, now time.Time) {
	v.Evidence = append(v.Evidence, &gatev1.Evidence{
		Criterion: "override", State: gatev1.Verdict_WAIVED, AsOf: o.GetCreateTime(), Resource: v.GetResource(),
		Detail: "waived by " + o.GetPerson() + " until " + o.GetExpireTime().AsTime().Format(time.RFC3339) + ": " + o.GetReason() + "; " + v.GetReasons()[0].GetCurrent(),
	})
	v.State, v.Reasons, v.WaitingOn = gatev1.Verdict_WAIVED, nil, nil
	good(v, now, o.GetExpireTime().AsTime().Sub(now))
}

func verdictOn(resource string, state gatev1.Verdict_State, now time.Time, ttl time.Duration) *gatev1.Verdict {
	v := &gatev1.Verdict{Resource: resource, Purpose: gatev1.Purpose_PURPOSE_TECHNICAL, State: state, EvaluatedAt: timestamppb.New(now)}
	good(v, now, ttl)
	return v
}

// good says for how long a verdict may be used.
func good(v *gatev1.Verdict, now time.Time, ttl time.Duration) {
	ttl = min(ttl, longest)
	v.Ttl, v.ValidUntil = durationpb.New(ttl), timestamppb.New(now.Add(ttl))
}

func technical(resource, current string, since time.Time) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_TECHNICAL, Resource: resource, Current: current, Owner: operators,
		Since: timestamppb.New(since), Command: "golive why " + resource,
	}
}

// waitingOn is the resource, and what the deployment service says that it waits for.
func waitingOn(resource string, v *gatev1.Verdict) []string {
	all := []string{resource}
	for _, name := range v.GetWaitingOn() {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
