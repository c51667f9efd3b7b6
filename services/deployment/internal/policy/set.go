package policy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// ReasonViolated is the reason of everything that a policy refuses.
const ReasonViolated = "POLICY_VIOLATED"

// Set is all that binds one application in one environment at one moment. A nil set binds nothing.
type Set struct {
	// Application and Environment are their names.
	Application, Environment string
	// Facts holds what rules look at and a question does not bring: release, environment, application.
	Facts     Facts
	policies  []*Policy
	overrides []*deploymentv1.Override
}

// NewSet takes out of the policies and overrides of a workspace those that are about the
// application in the environment, both by name.
func NewSet(policies []*Policy, overrides []*deploymentv1.Override, application, environment string) *Set {
	s := &Set{Application: application, Environment: environment, overrides: overrides}
	for _, p := range policies {
		if p.covers(lastSegment(application), lastSegment(environment)) {
			s.policies = append(s.policies, p)
		}
	}
	return s
}

// HasRules reports whether any of the policies has rules, which look at Facts.
func (s *Set) HasRules() bool {
	for _, p := range s.policies {
		if len(p.rules) > 0 {
			return true
		}
	}
	return false
}

// Question is what is asked: may this be done now?
type Question struct {
	Verb       deploymentv1.Verb
	Deployment *deploymentv1.Deployment
	Wave       *deploymentv1.Wave
	Counts     *deploymentv1.InstallationCounts
	// Principal is who wants it.
	Principal string
	Now       time.Time
}

// Answer is what all policies say together.
type Answer struct {
	// Reasons is why not; empty means yes.
	Reasons []*gatev1.BlockedBy
	// LineStopped says that a stopped line is among the reasons.
	LineStopped bool
	// Overrides names those without which it would be no.
	Overrides []string
	// Next is when time alone may change the answer; zero when it cannot.
	Next time.Time
}

// Allowed reports whether nothing forbids it.
func (a Answer) Allowed() bool { return len(a.Reasons) == 0 }

// Ask asks every policy. All have to agree; one that is set aside by an override does.
func (s *Set) Ask(q Question) Answer {
	var a Answer
	if s == nil {
		return a
	}
	for _, p := range s.policies {
		if !p.binds(q.Verb) {
			continue
		}
		one := s.ask(p, q)
		if one.Allowed() {
			a.Next = sooner(a.Next, one.Next)
			continue
		}
		if o := s.override(p, q); o != nil {
			a.Overrides = append(a.Overrides, o.GetName())
			a.Next = sooner(a.Next, o.GetExpireTime().AsTime())
			continue
		}
		a.Next = sooner(a.Next, one.Next)
		a.Reasons = append(a.Reasons, one.Reasons...)
		a.LineStopped = a.LineStopped || one.LineStopped
	}
	return a
}

// ask asks one policy, whatever is overridden.
func (s *Set) ask(p *Policy, q Question) Answer {
	var a Answer
	no := func(current, required string, eta time.Time) *gatev1.BlockedBy {
		b := &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_POLICY, Resource: p.spec.GetName(), Current: current, Required: required,
			Owner: p.overriders(), Command: s.command(p, q),
		}
		if !eta.IsZero() {
			b.Eta = timestamppb.New(eta)
		}
		a.Reasons = append(a.Reasons, b)
		return b
	}
	if p.broken != nil {
		no("the policy cannot be understood: "+p.broken.Error(), "a policy that can", time.Time{})
		return a
	}
	if line := p.spec.GetStopLine(); line.GetEngaged() && (!line.GetHotfixExempt() || !q.Deployment.GetHotfix()) {
		b := no(fmt.Sprintf("%s stopped the line: %s", line.GetEngagedBy(), line.GetReason()), "the line released, or an override", time.Time{})
		b.Command = fmt.Sprintf("golive policy release-line %s --reason …", lastSegment(p.spec.GetName()))
		a.LineStopped = true
	}
	if frozen, next, which := p.freezes.at(q.Now); len(p.freezes) > 0 {
		a.Next = sooner(a.Next, next)
		if frozen {
			no("frozen"+which.describe()+until(next, which), "a time outside the freezes of the policy", next)
		}
	}
	if open, next, which := p.allows.at(q.Now); len(p.allows) > 0 {
		a.Next = sooner(a.Next, next)
		if !open {
			no("outside the allowed windows"+until(next, which), "a time inside the allowed windows of the policy", next)
		}
	}
	for i, rule := range p.rules {
		if holds, why := rule.Holds(s.facts(q)); !holds {
			spec := p.spec.GetRules()[i]
			no("rule "+spec.GetId()+": "+cmp.Or(why, spec.GetMessage(), "it is not true"), "to be true: "+spec.GetExpression(), time.Time{})
		}
	}
	return a
}

func (s *Set) facts(q Question) Facts {
	f := s.Facts
	f.Verb, f.Deployment, f.Wave, f.Counts, f.Principal, f.Now = q.Verb, q.Deployment, q.Wave, q.Counts, q.Principal, q.Now
	return f
}

// sooner returns the earlier of two moments, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Fault is the refusal of what was asked; nil where it is allowed.
func (a Answer) Fault(verb deploymentv1.Verb) error {
	if a.Allowed() {
		return nil
	}
	first := a.Reasons[0]
	f := fault.Precondition(ReasonViolated, "%s is refused by policy %s: %s; if it cannot wait, open it with `%s`",
		verb, lastSegment(first.GetResource()), first.GetCurrent(), first.GetCommand()).Meta("policy", first.GetResource())
	for _, r := range a.Reasons {
		f = f.Subject(ReasonViolated, r.GetResource(), r.GetCurrent())
	}
	if !a.Next.IsZero() {
		f = f.Meta("next_change", a.Next.UTC().Format(time.RFC3339))
	}
	return f
}

// overriders is who may set the policy aside, for people.
func (p *Policy) overriders() string {
	if roles := p.spec.GetOverrideRoles(); len(roles) > 0 {
		return strings.Join(roles, " or ")
	}
	return "approver or admin"
}

// command is what opens it: for a deployment that is there already, or for what is to be created.
func (s *Set) command(p *Policy, q Question) string {
	subject := cmp.Or(q.Deployment.GetName(), s.Application)
	if q.Verb == deploymentv1.Verb_CREATE || q.Verb == deploymentv1.Verb_PROMOTE {
		subject = s.Application
	}
	return fmt.Sprintf("golive override %s --policy %s --reason …", subject, lastSegment(p.spec.GetName()))
}

func (w *Window) describe() string {
	if w.label == "" {
		return ""
	}
	return ": " + w.label
}

// until says a moment as clocks of the window's zone show it.
func until(t time.Time, w *Window) string {
	if t.IsZero() {
		return ", and time will not change it"
	}
	return ", until " + t.In(w.zone).Format("Mon 2006-01-02 15:04 ") + w.zone.String()
}

func lastSegment(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
