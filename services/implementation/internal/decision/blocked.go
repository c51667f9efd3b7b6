package decision

import (
	"cmp"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// BlockedBy is why a decision waits: never empty while it is PENDING or EXPIRED, or has conditions that are not met.
// What ended it by now is said before it is written down.
func BlockedBy(d *implementationv1.Decision, now Now, at time.Time) []*gatev1.BlockedBy {
	if _, over := Ending(d, now, at); over || d.GetState() == pending || d.GetState() == expired || len(silent(counting(d), now)) > 0 {
		return reasons(d, now, at)
	}
	return conditions(d)
}

// reasons is why a decision does not open now.
func reasons(d *implementationv1.Decision, now Now, at time.Time) []*gatev1.BlockedBy {
	if why, over := Ending(d, now, at); over {
		return []*gatev1.BlockedBy{again(d, "expired: "+why, timestamppb.New(at))}
	}
	switch d.GetState() {
	case pending:
		return append([]*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_DECISION, Resource: d.GetName(), Owner: owner(d), Since: d.GetStateTime(), Eta: d.GetDueTime(),
			Current: "is to be decided by " + owner(d) + due(d.GetDueTime()), Required: "a go",
			Command: "golive decide " + d.GetName() + " go --reason REASON",
		}}, unmet(d, now)...)
	case expired:
		return []*gatev1.BlockedBy{again(d, "expired: "+d.GetStateReason(), d.GetStateTime())}
	case goes, conditional:
		var all []*gatev1.BlockedBy
		for _, e := range silent(counting(d), now) {
			all = append(all, waits(d, e.GetResource(), e.GetPurpose(), now[e.GetResource()]))
		}
		return all
	case withdrawn:
		return []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_DECISION, Resource: d.GetName(), Owner: owner(d), Since: d.GetStateTime(),
			Current: "was withdrawn: " + d.GetStateReason(), Required: "another decision", Command: "golive describe decision " + d.GetName(),
		}}
	default:
		return []*gatev1.BlockedBy{again(d, d.GetState().String()+": "+d.GetStateReason(), d.GetStateTime())}
	}
}

// again is the reason of what has to be opened and decided anew.
func again(d *implementationv1.Decision, current string, since *timestamppb.Timestamp) *gatev1.BlockedBy {
	return &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_DECISION, Resource: d.GetName(), Owner: owner(d), Since: since,
		Current: current, Required: "a go on the evidence of now", Command: "golive decide reopen " + d.GetName() + " --reason REASON",
	}
}

// unmet is the evidence of a decision to come that does not pass yet.
func unmet(d *implementationv1.Decision, now Now) (all []*gatev1.BlockedBy) {
	for _, plan := range d.GetCohortPlans() {
		if v := now[plan]; !opens(v.GetState()) {
			all = append(all, waits(d, plan, gatev1.Purpose_PURPOSE_READINESS, v))
		}
	}
	for _, resource := range d.GetTechnical() {
		if v := now[resource]; !opens(v.GetState()) {
			all = append(all, waits(d, resource, gatev1.Purpose_PURPOSE_TECHNICAL, v))
		}
	}
	return all
}

// waits is one piece of evidence that is waited for.
func waits(d *implementationv1.Decision, resource string, purpose gatev1.Purpose, v *gatev1.Verdict) *gatev1.BlockedBy {
	b := &gatev1.BlockedBy{
		Kind: gatev1.BlockedBy_READINESS, Resource: resource, Owner: owner(d), Required: "PASS",
		Current: fmt.Sprintf("%s of %s is %s%s", half(purpose), short(resource), v.GetState(), because(v)),
		Command: "golive why " + resource,
	}
	if purpose == gatev1.Purpose_PURPOSE_TECHNICAL {
		b.Kind, b.Required = gatev1.BlockedBy_TECHNICAL, "PASS from the deployment service"
	}
	if v == nil || v.GetState() == gatev1.Verdict_STATE_UNSPECIFIED {
		b.Current = half(purpose) + " of " + short(resource) + " is not known"
		if purpose == gatev1.Purpose_PURPOSE_TECHNICAL {
			b.Kind, b.Current = gatev1.BlockedBy_SERVICE, b.GetCurrent()+": the deployment service has not answered"
		}
	}
	for _, r := range v.GetReasons() {
		if r.GetSince() != nil && (b.GetSince() == nil || r.GetSince().AsTime().Before(b.GetSince().AsTime())) {
			b.Since = r.GetSince()
		}
		b.Owner = cmp.Or(r.GetOwner(), b.GetOwner())
	}
	b.Since = cmp.Or(b.GetSince(), d.GetStateTime())
	return b
}

// conditions are those of a conditional go that are not met.
func conditions(d *implementationv1.Decision) (all []*gatev1.BlockedBy) {
	r := counting(d)
	for _, c := range r.GetConditions() {
		if c.GetMetTime() == nil {
			all = append(all, &gatev1.BlockedBy{
				Kind: gatev1.BlockedBy_CONFIRMATION, Resource: d.GetName(), Owner: cmp.Or(c.GetOwner(), owner(d)), Since: r.GetTime(), Eta: c.GetDueTime(),
				Current: "condition " + c.GetId() + " is not met: " + c.GetDisplayName(), Required: "that it is met by " + clock(c.GetDueTime().AsTime()),
				Command: "golive decide confirm " + d.GetName() + " " + c.GetId(),
			})
		}
	}
	return all
}

// counting is the record that lets something go; nil for none.
func counting(d *implementationv1.Decision) *implementationv1.DecisionRecord {
	if !lets(d) {
		return nil
	}
	return Record(d)
}

// owner is who decides: the principal named, or whoever has the role.
func owner(d *implementationv1.Decision) string { return cmp.Or(d.GetOwner(), "an approver") }

func due(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return ", due " + clock(t.AsTime())
}
