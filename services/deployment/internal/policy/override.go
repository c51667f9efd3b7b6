package policy

import (
	"slices"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// MaxOverride is how long an override may last.
const MaxOverride = 24 * time.Hour

// Live reports whether an override holds at a moment.
func Live(o *deploymentv1.Override, now time.Time) bool {
	return o.GetRevokeTime() == nil && now.Before(o.GetExpireTime().AsTime())
}

// override returns the override that sets a policy aside for what is asked, the one that lasts
// longest; nil where there is none.
func (s *Set) override(p *Policy, q Question) *deploymentv1.Override {
	return s.longest(q.Deployment, q.Wave, q.Now, func(o *deploymentv1.Override) bool {
		return o.GetPolicy() == p.spec.GetName() && (len(o.GetVerbs()) == 0 || slices.Contains(o.GetVerbs(), q.Verb))
	})
}

// Waiver returns the override that opens a gate of a wave, or nil. Who created a deployment does not
// open its approval gate: that would be to approve it.
func (s *Set) Waiver(d *deploymentv1.Deployment, w *deploymentv1.Wave, gate *deploymentv1.GateRule, now time.Time) *deploymentv1.Override {
	if s == nil {
		return nil
	}
	return s.longest(d, w, now, func(o *deploymentv1.Override) bool {
		return o.GetGate() != "" && o.GetGate() == gate.GetId() && (gate.GetApproval() == nil || o.GetPerson() != d.GetCreator())
	})
}

func (s *Set) longest(d *deploymentv1.Deployment, w *deploymentv1.Wave, now time.Time, wanted func(*deploymentv1.Override) bool) *deploymentv1.Override {
	var found *deploymentv1.Override
	for _, o := range s.overrides {
		if !Live(o, now) || !wanted(o) || !s.about(o.GetSubject(), d, w) {
			continue
		}
		if found == nil || o.GetExpireTime().AsTime().After(found.GetExpireTime().AsTime()) {
			found = o
		}
	}
	return found
}

// about reports whether a subject is the wave, its deployment, its application or its environment.
func (s *Set) about(subject string, d *deploymentv1.Deployment, w *deploymentv1.Wave) bool {
	switch subject {
	case "":
		return false
	case w.GetName(), d.GetName(), s.Application, s.Environment:
		return true
	default:
		return false
	}
}
