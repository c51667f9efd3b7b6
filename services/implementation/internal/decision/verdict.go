package decision

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// TTL is how long what a decision says may be used at most.
const TTL = time.Minute

// Verdict is what a decision tells a gate now. Only a go whose evidence still stands, and an override, open it:
//
//	PENDING, EXPIRED     WAIT, or WAIVED while an override holds
//	GO, CONDITIONAL_GO   PASS; UNKNOWN while a half is silent; WAIT from the moment it ends, written down or not
//	NO_GO, WITHDRAWN     FAIL; NO_GO is WAIVED while an override holds
//
// Its revision and the since of its reasons are for whoever keeps the verdict before.
func Verdict(d *implementationv1.Decision, now Now, at time.Time) *gatev1.Verdict {
	v := &gatev1.Verdict{Resource: d.GetName(), EvaluatedAt: timestamppb.New(at)}
	state, said, until := judge(d, now, at)
	v.State = state
	if !opens(state) {
		v.Reasons = reasons(d, now, at)
	}
	for _, r := range v.GetReasons() {
		if r.GetResource() != d.GetName() {
			v.WaitingOn = append(v.GetWaitingOn(), r.GetResource())
		}
	}
	slices.Sort(v.GetWaitingOn())
	v.WaitingOn = slices.Compact(v.GetWaitingOn())
	v.Evidence = append([]*gatev1.Evidence{{Criterion: "decision", State: state, Resource: d.GetName(), Detail: said}}, standing(d, now)...)
	ttl := TTL
	if !until.IsZero() {
		ttl = min(ttl, until.Sub(at))
	}
	v.Ttl, v.ValidUntil = durationpb.New(ttl), timestamppb.New(at.Add(ttl))
	return v
}

// Bound is the verdict for who is about to start: a decision opens what was named when the word was said, and nothing else.
func Bound(d *implementationv1.Decision, v *gatev1.Verdict, onBehalfOf string, at time.Time) *gatev1.Verdict {
	if onBehalfOf == "" || slices.Contains(opened(d, at), onBehalfOf) {
		return v
	}
	v.State, v.WaitingOn = gatev1.Verdict_FAIL, nil
	v.Reasons = []*gatev1.BlockedBy{{
		Kind: gatev1.BlockedBy_DECISION, Resource: d.GetName(), Owner: owner(d), Since: d.GetCreateTime(),
		Current: "the decision is not bound to " + onBehalfOf, Required: "a decision that names the wave among its waves",
		Command: "golive describe decision " + d.GetName(),
	}}
	v.Evidence = []*gatev1.Evidence{{Criterion: "decision", State: v.GetState(), Resource: d.GetName(), Detail: v.GetReasons()[0].GetCurrent()}}
	return v
}

// opened are the waves of the word that counts, or of the override that holds; where there is neither, those that the
// decision to come would open.
func opened(d *implementationv1.Decision, at time.Time) []string {
	if r := counting(d); r != nil {
		return r.GetWaves()
	}
	if o := Holding(d, at); o != nil {
		return o.GetWaves()
	}
	return d.GetWaves()
}

// judge is the state, what is said of it, and when time alone ends it (zero for never).
func judge(d *implementationv1.Decision, now Now, at time.Time) (state gatev1.Verdict_State, said string, until time.Time) {
	r := Record(d)
	if why, over := Ending(d, now, at); over {
		return gatev1.Verdict_WAIT, "expired: " + why, time.Time{}
	}
	if lets(d) && r != nil {
		said = fmt.Sprintf("%s by %s, revision %d: %s", d.GetState(), r.GetPerson(), d.GetRevision(), r.GetReason())
		if len(silent(r, now)) > 0 {
			return gatev1.Verdict_UNKNOWN, said, NextTime(d)
		}
		return gatev1.Verdict_PASS, said, NextTime(d)
	}
	if o := Holding(d, at); o != nil && slices.Contains(Overridden.from(), d.GetState()) {
		return gatev1.Verdict_WAIVED, fmt.Sprintf("overridden by %s until %s: %s", o.GetPerson(), clock(o.GetExpireTime().AsTime()), o.GetReason()), o.GetExpireTime().AsTime()
	}
	switch d.GetState() {
	case pending:
		return gatev1.Verdict_WAIT, "is to be decided", time.Time{}
	case expired:
		return gatev1.Verdict_WAIT, "expired: " + d.GetStateReason(), time.Time{}
	case stays, withdrawn:
		return gatev1.Verdict_FAIL, fmt.Sprintf("%s: %s", d.GetState(), d.GetStateReason()), time.Time{}
	default: // written by a newer server: what is not understood opens nothing
		return gatev1.Verdict_UNKNOWN, "this server does not know the state " + d.GetState().String(), time.Time{}
	}
}

// NextTime is when time alone ends what was decided: its date, or the nearest condition that is not met; zero where nothing counts.
func NextTime(d *implementationv1.Decision) (next time.Time) {
	r := Record(d)
	if !lets(d) || r == nil {
		return next
	}
	next = r.GetExpireTime().AsTime()
	for _, c := range r.GetConditions() {
		if due := c.GetDueTime().AsTime(); c.GetMetTime() == nil && due.Before(next) {
			next = due
		}
	}
	return next
}

// OverrideTime is when the last override that was not taken back ends; zero for none.
func OverrideTime(d *implementationv1.Decision) (until time.Time) {
	for _, o := range d.GetOverrides() {
		if at := o.GetExpireTime().AsTime(); o.GetRevokeTime() == nil && at.After(until) {
			until = at
		}
	}
	return until
}

// silent are the pieces of evidence of which nobody can say now how they are, though that was known once.
func silent(r *implementationv1.DecisionRecord, now Now) (all []*implementationv1.DecisionEvidence) {
	for _, e := range r.GetEvidence() {
		if known(e.GetVerdict().GetState()) && !known(now[e.GetResource()].GetState()) {
			all = append(all, e)
		}
	}
	return all
}

// standing is the evidence as it is now and the conditions, as a verdict shows them.
func standing(d *implementationv1.Decision, now Now) (all []*gatev1.Evidence) {
	r := Record(d)
	if !lets(d) || r == nil {
		return nil
	}
	for _, e := range r.GetEvidence() {
		is := now[e.GetResource()].GetState()
		all = append(all, &gatev1.Evidence{
			Criterion: half(e.GetPurpose()), Resource: e.GetResource(), State: cmp.Or(is, gatev1.Verdict_UNKNOWN),
			Detail: "decided on " + e.GetVerdict().GetState().String() + because(e.GetVerdict()),
		})
	}
	for _, c := range r.GetConditions() {
		e := &gatev1.Evidence{Criterion: "condition " + c.GetId(), Resource: d.GetName(), State: gatev1.Verdict_WAIT, Detail: c.GetDisplayName() + ", due " + clock(c.GetDueTime().AsTime())}
		if c.GetMetTime() != nil {
			e.State = gatev1.Verdict_PASS
		}
		all = append(all, e)
	}
	return all
}
