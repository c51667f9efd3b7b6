package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Preview says when policies refuse by time alone that a wave starts or a
// deployment is created: the stretches from start until before end, by their
// begin, and at most a number of them; more says that there are others. A policy counts where it is
// about any of the applications in any of the environments, by id. Overrides, lines and rules are left out.
func Preview(policies []*Policy, applications, environments []string, start, end time.Time, most int) (freezes []*deploymentv1.Freeze, more bool) {
	for _, p := range policies {
		if !p.coversAny(applications, environments) || !p.binds(deploymentv1.Verb_START_WAVE) && !p.binds(deploymentv1.Verb_CREATE) {
			continue
		}
		all, cut := p.preview(start, end, most)
		freezes, more = append(freezes, all...), more || cut
	}
	slices.SortStableFunc(freezes, func(a, b *deploymentv1.Freeze) int {
		return cmp.Or(a.GetStartTime().AsTime().Compare(b.GetStartTime().AsTime()), strings.Compare(a.GetPolicy(), b.GetPolicy()),
			a.GetEndTime().AsTime().Compare(b.GetEndTime().AsTime()))
	})
	if len(freezes) > most {
		return freezes[:most], true
	}
	return freezes, more
}

// coversAny is covers for several. What is not named is about everything or not covered.
func (p *Policy) coversAny(applications, environments []string) bool {
	if len(applications) == 0 {
		applications = []string{""}
	}
	if len(environments) == 0 {
		environments = []string{""}
	}
	return slices.ContainsFunc(applications, func(application string) bool {
		return slices.ContainsFunc(environments, func(environment string) bool { return p.covers(application, environment) })
	})
}

func (p *Policy) preview(start, end time.Time, most int) (freezes []*deploymentv1.Freeze, more bool) {
	say := func(s stretch, reason string) {
		if s.end.IsZero() || s.end.After(end) {
			s.end = end
		}
		freezes = append(freezes, &deploymentv1.Freeze{
			Policy: p.spec.GetName(), StartTime: timestamppb.New(s.start), EndTime: timestamppb.New(s.end), Reason: reason,
		})
	}
	if p.broken != nil {
		say(stretch{start: start}, "the policy cannot be understood: "+p.broken.Error())
		return freezes, false
	}
	frozen, more := p.freezes.stretches(start, end, true, most)
	for _, s := range frozen {
		say(s, "frozen"+s.which.describe())
	}
	if len(p.allows) == 0 {
		return freezes, more
	}
	shut, cut := p.allows.stretches(start, end, false, most)
	for _, s := range shut {
		say(s, "outside the allowed windows")
	}
	return freezes, more || cut
}

// stretch is a time in which windows are open, or in which none is; end is zero where time never changes it.
type stretch struct {
	start, end time.Time
	which      *Window
}

// stretches are the longest times within the span in which any window is open, or none is.
func (ws Windows) stretches(start, end time.Time, open bool, most int) (all []stretch, more bool) {
	for at := start; len(ws) > 0 && !at.IsZero() && at.Before(end); {
		is, next, which := ws.at(at)
		if is == open {
			last := len(all) - 1
			switch {
			case last >= 0 && all[last].end.Equal(at):
				all[last].end = next
			case len(all) == most:
				return all, true
			default:
				all = append(all, stretch{start: at, end: next, which: which})
			}
		}
		at = next
	}
	return all, false
}
