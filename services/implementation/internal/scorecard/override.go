package scorecard

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// overrides are all that hold now, of both halves, the first to end first.
func (f Facts) overrides() []*implementationv1.ScorecardOverride {
	var all []*implementationv1.ScorecardOverride
	add := func(o *implementationv1.ScorecardOverride, revoked *timestamppb.Timestamp) {
		if revoked == nil && o.GetExpireTime().AsTime().After(f.Now) {
			all = append(all, o)
		}
	}
	for _, plan := range f.Plans {
		for _, o := range plan.GetOverrides() {
			add(&implementationv1.ScorecardOverride{Resource: plan.GetName(), Subject: o.GetCriterion(), Person: o.GetPerson(), Reason: o.GetReason(), ExpireTime: o.GetExpireTime()}, o.GetRevokeTime())
		}
	}
	for _, stage := range f.Stages {
		for _, o := range stage.GetOverrides() {
			add(&implementationv1.ScorecardOverride{Resource: stage.GetName(), Subject: o.GetCondition(), Person: o.GetPerson(), Reason: o.GetReason(), ExpireTime: o.GetExpireTime()}, o.GetRevokeTime())
		}
	}
	for _, d := range f.Decisions {
		for _, o := range d.GetOverrides() {
			add(&implementationv1.ScorecardOverride{Resource: d.GetName(), Person: o.GetPerson(), Reason: o.GetReason(), ExpireTime: o.GetExpireTime()}, o.GetRevokeTime())
		}
	}
	for _, o := range f.Machines.Now.GetOverrides() {
		add(&implementationv1.ScorecardOverride{Resource: o.GetOverride(), Subject: o.GetSubject(), Person: o.GetPerson(), Reason: o.GetReason(), ExpireTime: o.GetExpireTime()}, nil)
	}
	slices.SortStableFunc(all, func(a, b *implementationv1.ScorecardOverride) int {
		return cmp.Or(a.GetExpireTime().AsTime().Compare(b.GetExpireTime().AsTime()), cmp.Compare(a.GetResource(), b.GetResource()))
	})
	return all
}

// lastDecision is the one whose state changed last; nil where there is none.
func (f Facts) lastDecision() *implementationv1.Decision {
	if len(f.Decisions) == 0 {
		return nil
	}
	return slices.MaxFunc(f.Decisions, func(a, b *implementationv1.Decision) int {
		return cmp.Or(changed(a).Compare(changed(b)), cmp.Compare(a.GetName(), b.GetName()))
	})
}

func changed(d *implementationv1.Decision) time.Time { return d.GetStateTime().AsTime() }
