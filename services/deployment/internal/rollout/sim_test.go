package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

const (
	simDeployment = "workspaces/w/applications/a/deployments/d"
	simPlans      = "workspaces/w/implementations/crm/cohortPlans/"
	simDecisions  = "workspaces/w/implementations/crm/decisions/"
)

// member is one target of a simulated deployment with its installation.
type member struct {
	name, wave string
	state      InstallationState
	health     deploymentv1.Installation_Health
	// away targets cannot be worked on; those that run the release already are skipped.
	away, runs, prestaged bool
	// calledBack is set once its agent has been told to stop.
	calledBack bool
}

// sim is a deployment and all that is around it: targets whose installations move as
// the store and agents move them, the other service, and a clock. It does with the effects
// of a decision what the engine does, in the same order.
type sim struct {
	State
	members   []*member
	now       time.Time
	approvals map[string][]*deploymentv1.Approval
	problems  []string
	// ahead and growing are what other deployments keep a deployment waiting for.
	ahead   []Ahead
	growing string
	// analyses holds what was measured, by wave.
	analyses map[string]*gatev1.Verdict
	// verdicts holds what the other service would say, by cohort plan; it is silent about all others.
	verdicts map[string]*gatev1.Verdict
	// gates holds what somebody else, or facts that are read, would say about a gate, by wave/gate.
	gates map[string]*gatev1.Verdict
	// told records what was asked and answered last, by gate, to judge what a gate opened on.
	told map[Ask]told
	// last is the effect of the last decision.
	last Effects
	// note hears what happens; decided is called after every decision, before its effects.
	note    func(format string, args ...any)
	decided func(f *Facts, e Effects)
	// bind says what policies and overrides there are; nil for none.
	bind func() *policy.Set
}

type told struct {
	at    time.Time
	state gatev1.Verdict_State
}

// newSim creates a deployment over targets, given as the cohorts of each.
func newSim(r *deploymentv1.Rollout, cohorts map[string]string) (*sim, error) {
	expanded, err := Expand(r)
	if err != nil {
		return nil, err
	}
	var targets []*deploymentv1.Target
	for name, cohort := range cohorts {
		targets = append(targets, &deploymentv1.Target{Name: name, Cohorts: []string{cohort}})
	}
	s := &sim{
		State: State{Deployment: &deploymentv1.Deployment{
			Name: simDeployment, Release: "workspaces/w/applications/a/releases/v2", Rollout: expanded,
			State: deploymentv1.Deployment_PENDING, DesiredState: deploymentv1.Deployment_RUN,
		}},
		now: noon, approvals: map[string][]*deploymentv1.Approval{}, verdicts: map[string]*gatev1.Verdict{}, analyses: map[string]*gatev1.Verdict{}, told: map[Ask]told{}, gates: map[string]*gatev1.Verdict{},
		note: func(string, ...any) {}, decided: func(*Facts, Effects) {},
	}
	dealt := Assign(expanded.GetWaves(), targets)
	for i, rule := range expanded.GetWaves() {
		name := simDeployment + "/waves/" + rule.GetId()
		s.Waves = append(s.Waves, &deploymentv1.Wave{Name: name, Ordinal: int32(i + 1), Rule: rule, State: deploymentv1.Wave_PENDING})
		for _, t := range dealt.Waves[i] {
			s.members = append(s.members, &member{name: t.GetName(), wave: name, state: deploymentv1.Installation_QUEUED})
		}
	}
	return s, nil
}

// rollbackOf returns the deployment that takes another one back, as the engine makes it: the
// waves in reverse, with the targets that may run the new release.
func rollbackOf(old *sim) *sim {
	s := &sim{
		State: State{Deployment: &deploymentv1.Deployment{
			Name: old.Deployment.GetName(), RollbackOf: old.Deployment.GetName(), Release: "workspaces/w/applications/a/releases/v1",
			Rollout: Reverse(old.Deployment.GetRollout()), State: deploymentv1.Deployment_PENDING, DesiredState: deploymentv1.Deployment_RUN,
		}},
		now: old.now, approvals: map[string][]*deploymentv1.Approval{}, verdicts: map[string]*gatev1.Verdict{}, analyses: map[string]*gatev1.Verdict{}, told: map[Ask]told{}, gates: map[string]*gatev1.Verdict{},
		note: old.note, decided: func(*Facts, Effects) {}, bind: old.bind,
	}
	touched := append(Touched(), deploymentv1.Installation_SEALED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_REVERT_FAILED)
	for i, rule := range s.Deployment.GetRollout().GetWaves() {
		name := simDeployment + "/waves/" + rule.GetId()
		s.Waves = append(s.Waves, &deploymentv1.Wave{Name: name, Ordinal: int32(i + 1), Rule: rule, State: deploymentv1.Wave_PENDING})
		for _, m := range old.members {
			if m.wave == name && slices.Contains(touched, m.state) {
				s.members = append(s.members, &member{name: m.name, wave: name, state: deploymentv1.Installation_QUEUED, away: m.away})
			}
		}
	}
	return s
}

// run lets the deployment go as far as it goes now, asking the other service between decisions.
func (s *sim) run() Effects {
	var e Effects
	var preflight *Preflight
	answered := map[Ask]bool{}
	for range 6 {
		e = s.settle(preflight, answered)
		switch {
		case e.Preflight:
			preflight = &Preflight{Problems: s.problems}
		case len(e.Asks) > 0:
			answered = map[Ask]bool{}
			for _, a := range e.Asks {
				s.answer(a)
				answered[a] = true
			}
		default:
			return e
		}
	}
	return e
}

// answer asks the other service and records what it says.
func (s *sim) answer(a Ask) {
	about, v := lastSegment(a.Resource), s.verdicts[a.Resource]
	if a.Resource == a.Wave {
		about, v = gateOf(a), s.gates[gateOf(a)]
	}
	if v == nil {
		w := s.wave(lastSegment(a.Wave))
		at := slices.IndexFunc(w.GetRule().GetGates(), func(r *deploymentv1.GateRule) bool { return r.GetId() == a.Gate })
		v = Unheard(w.GetRule().GetGates()[at], a.Resource, "it cannot be reached", s.now)
	}
	s.note("ask %s: %s", about, v.GetState())
	s.told[a] = told{at: s.now, state: v.GetState()}
	for _, w := range s.Waves {
		if w.GetName() == a.Wave && !WaveEnded(w.GetState()) {
			Answer(w, a.Gate, v, s.now)
		}
	}
}

// gateOf names the gate of a question in a scenario.
func gateOf(a Ask) string { return lastSegment(a.Wave) + "/" + a.Gate }

// judge reads the facts of the gates that a decision wants judged.
func (s *sim) judge(asks []Ask) map[Ask]*gatev1.Verdict {
	out := map[Ask]*gatev1.Verdict{}
	for _, a := range asks {
		out[a] = s.gates[gateOf(a)]
		if out[a] == nil {
			out[a] = closedBy(a.Wave, gatev1.Verdict_WAIT, "nothing is known yet")
		}
	}
	return out
}

func closedBy(wave string, state gatev1.Verdict_State, current string) *gatev1.Verdict {
	v := &gatev1.Verdict{Resource: wave, State: state}
	if !opens(state) {
		v.Reasons = []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_RULE, Resource: wave, Current: current, Required: "that it is met", Owner: "operators"}}
	}
	return v
}

// settle decides, acts, and decides again on what the acting changed.
func (s *sim) settle(preflight *Preflight, answered map[Ask]bool) Effects {
	var e Effects
	for range 6 {
		f := s.facts()
		f.Preflight, f.Answered = preflight, answered
		f.Judged = s.judge(e.Judge)
		e = Advance(&s.State, f)
		s.decided(f, e)
		s.last = e
		changed := s.act(e)
		if Ended(s.Deployment.GetState()) {
			Recount(&s.State, s.facts())
			return e
		}
		if changed == 0 && len(e.Revert) == 0 && len(e.Judge) == 0 {
			return e
		}
	}
	return e
}

func (s *sim) facts() *Facts {
	f := &Facts{Now: s.now, Counts: map[string]*deploymentv1.InstallationCounts{}, Approvals: s.approvals, Analyses: s.analyses, Ahead: s.ahead, Growing: s.growing, Away: map[string][]string{}}
	if s.bind != nil {
		f.Policies = s.bind()
	}
	for _, m := range s.members {
		c := f.Counts[m.wave]
		if c == nil {
			c = &deploymentv1.InstallationCounts{}
			f.Counts[m.wave] = c
		}
		Count(c, m.state, m.health, m.prestaged, 1)
		if m.away && m.state == deploymentv1.Installation_QUEUED {
			c.Unavailable++
			f.Away[m.wave] = append(f.Away[m.wave], m.name)
		}
		if inFlight(m.state) || m.state == deploymentv1.Installation_LOST {
			f.InFlight = append(f.InFlight, m.name)
		}
	}
	return f
}

func inFlight(s InstallationState) bool {
	return slices.Contains(InProgress(), s) || s == deploymentv1.Installation_UNKNOWN || s == deploymentv1.Installation_REVERTING
}

// act does what a decision asks for, as the store does it.
func (s *sim) act(e Effects) (changed int) {
	move := func(what string, limit int, of func(m *member) bool, to func(m *member)) {
		var names []string
		for _, m := range s.members {
			if len(names) < limit && of(m) {
				to(m)
				names = append(names, m.name)
			}
		}
		if changed += len(names); len(names) > 0 {
			s.note("%s: %s", what, strings.Join(names, " "))
		}
	}
	all := len(s.members)
	queued := func(m *member) bool { return m.state == deploymentv1.Installation_QUEUED }
	become := func(state InstallationState) func(*member) { return func(m *member) { m.state = state } }
	if c := e.Claim; c != nil {
		in := func(m *member) bool { return queued(m) && m.wave == c.Wave }
		move("skip", all, func(m *member) bool { return in(m) && m.runs }, become(deploymentv1.Installation_SKIPPED))
		move("claim", int(c.Limit), func(m *member) bool { return in(m) && !m.away }, become(deploymentv1.Installation_CLAIMED))
	}
	if e.Prestage != "" {
		before := changed
		move("prestage", all, func(m *member) bool { return queued(m) && m.wave == e.Prestage && !m.away && !m.prestaged }, func(m *member) { m.prestaged = true })
		changed = before // no second decision
	}
	for _, w := range e.Seal {
		move("seal", all, func(m *member) bool { return m.wave == w && m.state == deploymentv1.Installation_HEALTHY }, become(deploymentv1.Installation_SEALED))
		move("leave behind", all, func(m *member) bool { return m.wave == w && queued(m) }, become(deploymentv1.Installation_CANCELLED))
	}
	for _, w := range e.SealReached {
		move("seal", all, func(m *member) bool { return m.wave == w && m.state == deploymentv1.Installation_HEALTHY }, become(deploymentv1.Installation_SEALED))
	}
	for _, w := range e.Revert {
		move("revert", all, func(m *member) bool { return m.wave == w && slices.Contains(Touched(), m.state) }, become(deploymentv1.Installation_REVERTING))
	}
	if e.CallBack {
		move("call back", all, func(m *member) bool {
			return !m.calledBack && (slices.Contains(InProgress(), m.state) || m.state == deploymentv1.Installation_UNKNOWN || m.state == deploymentv1.Installation_LOST)
		}, func(m *member) { m.calledBack = true })
	}
	if e.DropQueued {
		move("drop", all, queued, become(deploymentv1.Installation_CANCELLED))
	}
	return changed
}

func (s *sim) wave(id string) *deploymentv1.Wave {
	for _, w := range s.Waves {
		if w.GetRule().GetId() == id {
			return w
		}
	}
	return nil
}

func (s *sim) member(name string) *member {
	for _, m := range s.members {
		if m.name == name {
			return m
		}
	}
	return nil
}

// of returns the members of a wave.
func (s *sim) of(w *deploymentv1.Wave) []*member {
	var out []*member
	for _, m := range s.members {
		if m.wave == w.GetName() {
			out = append(out, m)
		}
	}
	return out
}

// retry puts an installation back in the queue, where the engine would allow it.
func (s *sim) retry(m *member) bool {
	switch s.wave(lastSegment(m.wave)).GetState() {
	case deploymentv1.Wave_RUNNING, deploymentv1.Wave_BAKING, deploymentv1.Wave_HELD:
	default:
		return false
	}
	switch m.state {
	case deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTED, deploymentv1.Installation_LOST:
		m.state, m.health = deploymentv1.Installation_QUEUED, 0
		return true
	default:
		return false
	}
}

// skip leaves out a wave with its members, where the engine would allow it.
func (s *sim) skip(w *deploymentv1.Wave, reason string) error {
	if err := Skip(w, "users/alice", reason, s.now); err != nil {
		return err
	}
	for _, m := range s.of(w) {
		if m.state == deploymentv1.Installation_QUEUED {
			m.state = deploymentv1.Installation_CANCELLED
		}
	}
	return nil
}

// say lets the other service give a verdict about a cohort plan from now on.
func (s *sim) say(plan string, state gatev1.Verdict_State, ttl time.Duration) {
	v := &gatev1.Verdict{Resource: simPlans + plan, State: state, Ttl: durationpb.New(ttl)}
	if !opens(state) {
		v.Reasons = []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_CRITERION, Resource: simPlans + plan, Current: "12 of 20 trained", Required: "at least 90 %", Owner: "users/carol",
		}}
	}
	s.verdicts[simPlans+plan] = v
}

// sayDecided lets the other service say from now on what has become of a decision.
func (s *sim) sayDecided(id string, state gatev1.Verdict_State, current string) {
	v := &gatev1.Verdict{Resource: simDecisions + id, State: state, Ttl: durationpb.New(time.Minute), Revision: s.verdicts[simDecisions+id].GetRevision() + 1}
	if !opens(state) && current != "" {
		v.Reasons = []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_DECISION, Resource: simDecisions + id, Current: current, Required: "GO", Owner: "users/ada"}}
	}
	s.verdicts[simDecisions+id] = v
}

// states draws where everything is, for people who look for what differs.
func (s *sim) states() string {
	var b strings.Builder
	fmt.Fprintf(&b, "deployment %s desired %s\n", s.Deployment.GetState(), s.Deployment.GetDesiredState())
	for _, w := range s.Waves {
		fmt.Fprintf(&b, "  wave %s %s:", w.GetRule().GetId(), w.GetState())
		for _, m := range s.of(w) {
			fmt.Fprintf(&b, " %s=%s", m.name, m.state)
		}
		b.WriteString("\n")
	}
	for _, plan := range slices.Sorted(maps.Keys(s.verdicts)) {
		fmt.Fprintf(&b, "  %s says %s\n", lastSegment(plan), s.verdicts[plan].GetState())
	}
	return b.String()
}
