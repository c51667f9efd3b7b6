package rollout

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"pgregory.net/rapid"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

var (
	walks    = flag.Int("walks", 20_000, "how many random walks to take")
	walkSeed = flag.Int64("walk.seed", -1, "take this walk alone, and tell every step of it")
)

const walkShards = 4

// TestWalks takes random walks through random rollouts: facts, people, agents, the other
// service and time do what they like. After every decision all invariants hold, and once
// everything around it is benign, every deployment ends. A walk is its seed:
// run with -walk.seed to see one again.
func TestWalks(t *testing.T) {
	t.Parallel()
	if *walkSeed >= 0 {
		w := newWalk(seeded(*walkSeed))
		w.note = t.Logf
		if err := w.take(); err != nil {
			t.Fatalf("%v\n%s", err, w.states())
		}
		return
	}
	for shard := range walkShards {
		t.Run(fmt.Sprintf("shard %d", shard), func(t *testing.T) {
			t.Parallel()
			for seed := int64(shard); seed < int64(*walks); seed += walkShards {
				w := newWalk(seeded(seed))
				if err := w.take(); err != nil {
					t.Fatalf("walk %d: %v; see it with -run TestWalks -walk.seed=%d -v\n%s", seed, err, seed, w.states())
				}
			}
		})
	}
}

// TestShrinkingWalks takes fewer walks, and makes one that fails as short as it can be.
func TestShrinkingWalks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") })
		w.note = t.Logf
		if err := w.take(); err != nil {
			t.Fatalf("%v\n%s", err, w.states())
		}
	})
}

// dice makes choices: it returns a number from 0 to n-1.
type dice func(n int) int

func seeded(seed int64) dice {
	return rand.New(rand.NewPCG(uint64(seed), 0)).IntN
}

// walk is a simulated deployment, those who act on it, and what has to hold.
type walk struct {
	*sim
	pick dice
	// broken is the first invariant that did not hold.
	broken error
	// before and started are the states, and which waves had begun, before the last decision.
	before    DeploymentState
	waves     []WaveState
	started   []bool
	decisions int
	// calm is set once nothing bad happens any more.
	calm bool
}

func newWalk(pick dice) *walk {
	w := &walk{pick: pick}
	cohorts := map[string]string{}
	for i := range 1 + pick(5) {
		cohorts[fmt.Sprintf("t%d", i)] = fmt.Sprintf("c%d", pick(3))
	}
	s, err := newSim(w.rollout(), cohorts)
	if err != nil {
		panic(err) // the walk makes legal rollouts
	}
	w.sim = s
	if pick(5) == 0 {
		s.Deployment.Kind = deploymentv1.Deployment_CATCH_UP
		for _, wave := range s.Waves {
			wave.Rule = CatchUp(wave.GetRule())
		}
	}
	w.watch()
	return w
}

func (w *walk) watch() {
	w.decided = w.judge
	w.remember()
}

func (w *walk) remember() {
	w.before, w.waves, w.started = w.Deployment.GetState(), w.waves[:0], w.started[:0]
	for _, wave := range w.Waves {
		w.waves, w.started = append(w.waves, wave.GetState()), append(w.started, wave.GetStartTime() != nil)
	}
}

func (w *walk) chance(percent int) bool { return w.pick(100) < percent }

func (w *walk) seconds(most int) *durationpb.Duration {
	return durationpb.New(time.Duration(w.pick(most)) * time.Second)
}

// rollout makes a plan of one to three waves.
func (w *walk) rollout() *deploymentv1.Rollout {
	r := &deploymentv1.Rollout{CancelTimeout: durationpb.New(time.Duration(1+w.pick(60)) * time.Second)}
	if w.chance(40) {
		r.OnFailure = deploymentv1.Rollout_FREEZE
	}
	n := 1 + w.pick(3)
	for i := range n {
		rule := &deploymentv1.WaveRule{
			Id: fmt.Sprintf("w%d", i), Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: fmt.Sprintf("c%d", i)}},
			MaxParallel: int32(w.pick(3)), Bake: w.seconds(60),
			Budget: &deploymentv1.FailureBudget{MaxFailed: int32(w.pick(2)), MaxLost: int32(w.pick(2))},
		}
		if i == n-1 {
			rule.Members = rest()
		}
		if w.chance(30) {
			rule.MinCoverage = 0.5
		}
		if w.chance(30) {
			rule.Analysis = &deploymentv1.AnalysisRule{Metrics: []*deploymentv1.MetricRule{{Id: "errors"}}, MaxDuration: durationpb.New(time.Duration(1+w.pick(100)) * time.Second)}
		}
		for j := range w.pick(3) {
			rule.Gates = append(rule.Gates, w.gate(fmt.Sprintf("g%d", j)))
		}
		r.Waves = append(r.Waves, rule)
	}
	return r
}

func (w *walk) gate(id string) *deploymentv1.GateRule {
	g := &deploymentv1.GateRule{Id: id}
	switch w.pick(4) {
	case 0:
		g.Type = &deploymentv1.GateRule_Readiness{Readiness: &deploymentv1.ReadinessGate{CohortPlan: simPlans + fmt.Sprintf("p%d", w.pick(2))}}
	case 1:
		g.Type = &deploymentv1.GateRule_Decision{Decision: &deploymentv1.DecisionGate{Decision: simPlans + fmt.Sprintf("p%d", w.pick(2))}}
	case 2:
		g.Type = &deploymentv1.GateRule_Approval{Approval: &deploymentv1.ApprovalGate{Required: int32(w.pick(3))}}
	default:
		if w.chance(50) {
			g.Type = &deploymentv1.GateRule_Bake{Bake: &deploymentv1.BakeGate{Duration: durationpb.New(time.Minute)}}
		} else {
			g.Type = &deploymentv1.GateRule_PriorWave{PriorWave: &deploymentv1.PriorWaveGate{}}
		}
	}
	if w.chance(15) {
		g.ExpiresAfter = durationpb.New(2 * time.Minute)
	}
	return g
}

// take walks until the deployment ends, then perhaps takes it back.
func (w *walk) take() error {
	if err := w.toTheEnd(); err != nil {
		return err
	}
	if back := rollbackOf(w.sim); w.chance(30) && len(back.members) > 0 {
		w.sim, w.calm = back, false
		w.watch()
		return w.toTheEnd()
	}
	return nil
}

func (w *walk) toTheEnd() error {
	w.run()
	for range 4 + w.pick(24) {
		if w.broken != nil || Ended(w.Deployment.GetState()) {
			break
		}
		w.something()
		w.run()
	}
	if w.broken == nil && !Ended(w.Deployment.GetState()) && w.chance(15) {
		return w.takenBack()
	}
	w.calm = true
	for round := 0; w.broken == nil && !Ended(w.Deployment.GetState()); round++ {
		if round == 60 {
			return fmt.Errorf("it does not end although everything is well: %v", w.Deployment.GetBlockedBy())
		}
		w.benign()
		w.run()
	}
	if w.broken == nil {
		w.broken = w.ended()
	}
	return w.broken
}

// takenBack ends it by a rollback in the middle of whatever it does.
func (w *walk) takenBack() error {
	f := w.facts()
	e := TakeBack(&w.State, f, "taken back")
	w.act(e)
	if !e.Free || w.Deployment.GetState() != deploymentv1.Deployment_ROLLED_BACK {
		return fmt.Errorf("taken back, it is %s and frees=%t", w.Deployment.GetState(), e.Free)
	}
	return w.ended()
}

// something happens.
func (w *walk) something() {
	switch w.pick(11) {
	case 0, 1, 2, 3:
		w.agent(w.members[w.pick(len(w.members))])
	case 4, 5:
		d := time.Duration(w.pick(90)) * time.Second
		w.note("now +%s", d)
		w.now = w.now.Add(d)
	case 6:
		states := []gatev1.Verdict_State{gatev1.Verdict_PASS, gatev1.Verdict_PASS, gatev1.Verdict_WAIVED, gatev1.Verdict_WAIT, gatev1.Verdict_FAIL, gatev1.Verdict_UNDECIDED, gatev1.Verdict_UNKNOWN, 99}
		plan, state := fmt.Sprintf("p%d", w.pick(2)), states[w.pick(len(states))]
		w.note("%s says %s", plan, state)
		w.say(plan, state, time.Duration(w.pick(40))*time.Second)
		if w.chance(20) {
			delete(w.verdicts, simPlans+plan)
		}
	case 7:
		w.approver()
	case 8:
		w.operator()
	case 9:
		w.measure(w.Waves[w.pick(len(w.Waves))], []gatev1.Verdict_State{gatev1.Verdict_UNDECIDED, gatev1.Verdict_PASS, gatev1.Verdict_FAIL}[w.pick(3)])
	default:
		m := w.members[w.pick(len(w.members))]
		m.away = w.chance(50)
		w.note("%s away=%t", m.name, m.away)
	}
}

// measure says something of a wave under way; what has failed stays so.
func (w *walk) measure(wave *deploymentv1.Wave, state gatev1.Verdict_State) {
	if name := wave.GetName(); waveStarted(wave.GetState()) && w.analyses[name].GetState() != gatev1.Verdict_FAIL {
		w.analyses[name] = &gatev1.Verdict{Resource: name, State: state}
		w.note("%s is measured: %s", wave.GetRule().GetId(), state)
	}
}

// agent lets an installation do something that its state allows.
func (w *walk) agent(m *member) {
	switch {
	case m.state == deploymentv1.Installation_HEALTHY || m.state == deploymentv1.Installation_SEALED:
		m.health = deploymentv1.Installation_Health(1 + w.pick(2))
	case w.chance(10) && w.retry(m):
	default:
		var to []InstallationState
		for _, s := range installationStates() {
			silence := inFlight(m.state) && m.state != deploymentv1.Installation_UNKNOWN && s == deploymentv1.Installation_UNKNOWN ||
				m.state == deploymentv1.Installation_UNKNOWN && s == deploymentv1.Installation_LOST
			if s != m.state && (Reported(m.state, s) || silence) {
				to = append(to, s)
			}
		}
		if slices.Contains(to, deploymentv1.Installation_HEALTHY) && w.chance(60) {
			to = []InstallationState{deploymentv1.Installation_HEALTHY}
		}
		if len(to) > 0 {
			m.state = to[w.pick(len(to))]
		}
	}
	w.note("%s is %s %s", m.name, m.state, m.health)
}

func (w *walk) approver() {
	wave := w.Waves[w.pick(len(w.Waves))]
	if s := wave.GetState(); s != deploymentv1.Wave_PENDING && s != deploymentv1.Wave_GATED {
		return
	}
	a := &deploymentv1.Approval{Principal: fmt.Sprintf("users/%d", len(w.approvals[wave.GetName()])), Approved: w.chance(90), Time: stamp(w.now)}
	w.approvals[wave.GetName()] = append(slices.Clone(w.approvals[wave.GetName()]), a)
	w.note("%s says %t of %s", a.GetPrincipal(), a.GetApproved(), wave.GetRule().GetId())
}

func (w *walk) operator() {
	if wave := w.Waves[w.pick(len(w.Waves))]; w.chance(20) {
		if w.skip(wave, "not this one") == nil {
			w.note("skip %s", wave.GetRule().GetId())
		}
		return
	}
	if w.chance(3) {
		w.Deployment.SupersededBy = "a newer one"
		w.note("superseded")
	}
	often := []Command{Pause, Pause, Pause, Resume, Resume, Resume, Resume, Cancel, Abandon}
	c := often[w.pick(len(often))]
	if (c == Cancel || c == Abandon) && w.chance(50) {
		return
	}
	if Give(w.Deployment, c, "users/alice", "", w.now) == nil {
		w.note("%s", c)
	}
}

// benign lets everything around the deployment go well.
func (w *walk) benign() {
	w.now = w.now.Add(30 * time.Second)
	for i := range 2 {
		w.say(fmt.Sprintf("p%d", i), gatev1.Verdict_PASS, time.Minute)
	}
	switch w.Deployment.GetState() {
	case deploymentv1.Deployment_PAUSED, deploymentv1.Deployment_PAUSING, deploymentv1.Deployment_FROZEN:
		_ = Give(w.Deployment, Resume, "users/alice", "", w.now) // these three accept it
	default:
	}
	for _, wave := range w.Waves {
		w.measure(wave, gatev1.Verdict_PASS)
		if wave.GetState() == deploymentv1.Wave_GATED && len(w.approvals[wave.GetName()]) < 3 {
			w.approvals[wave.GetName()] = append(slices.Clone(w.approvals[wave.GetName()]), &deploymentv1.Approval{Principal: fmt.Sprintf("users/c%d", len(w.approvals[wave.GetName()])), Approved: true})
		}
	}
	for _, m := range w.members {
		m.away = false
		switch {
		case m.state == deploymentv1.Installation_REVERTING, m.calledBack && inFlight(m.state):
			m.state = deploymentv1.Installation_REVERTED
		case inFlight(m.state):
			m.state = deploymentv1.Installation_HEALTHY
		}
		if m.health != 0 {
			m.health = deploymentv1.Installation_HEALTHY_NOW
		}
	}
}

// judge checks every invariant after a decision, before its effects.
func (w *walk) judge(f *Facts, e Effects) {
	for _, check := range []func(*Facts, Effects) error{w.endIsEnd, w.reasons, w.order, w.gates, w.claims, w.seals, w.rollbacks, w.idempotent} {
		if err := check(f, e); err != nil && w.broken == nil {
			w.broken = err
			w.note("BROKEN: %v", err)
		}
	}
	w.remember()
}

func (w *walk) endIsEnd(_ *Facts, e Effects) error {
	if Ended(w.before) {
		return errors.New("a decision about what has ended")
	}
	for i, wave := range w.Waves {
		if was := w.waves[i]; WaveEnded(was) && was != wave.GetState() {
			return fmt.Errorf("wave %s was %s and is %s", wave.GetRule().GetId(), was, wave.GetState())
		}
	}
	if Ended(w.Deployment.GetState()) != e.Free {
		return fmt.Errorf("%s, but frees=%t", w.Deployment.GetState(), e.Free)
	}
	return nil
}

func (w *walk) reasons(*Facts, Effects) error {
	if err := explained(w.Deployment.GetBlockedBy(), Ended(w.Deployment.GetState())); err != nil {
		return fmt.Errorf("deployment %s: %w", w.Deployment.GetState(), err)
	}
	for _, wave := range w.Waves {
		if err := explained(wave.GetBlockedBy(), WaveEnded(wave.GetState())); err != nil {
			return fmt.Errorf("wave %s %s of %s: %w", wave.GetRule().GetId(), wave.GetState(), w.Deployment.GetState(), err)
		}
	}
	return nil
}

func explained(reasons []*gatev1.BlockedBy, ended bool) error {
	if ended != (len(reasons) == 0) {
		return fmt.Errorf("blocked by %v", reasons)
	}
	for _, r := range reasons {
		if r.GetKind() == 0 || r.GetResource() == "" || r.GetCurrent() == "" || r.GetRequired() == "" || r.GetOwner() == "" || r.GetSince() == nil || r.GetCommand() == "" {
			return fmt.Errorf("half a reason: %v", r)
		}
	}
	return nil
}

// order: no wave begins, and none claims, before all earlier ones have ended; those of a catch-up go one at a time.
func (w *walk) order(*Facts, Effects) error {
	for i, wave := range w.Waves {
		if !waveStarted(wave.GetState()) {
			continue
		}
		for _, earlier := range w.Waves[:i] {
			if !WaveEnded(earlier.GetState()) && (!w.catchUp() || waveStarted(earlier.GetState())) {
				return fmt.Errorf("wave %s is %s while %s is %s", wave.GetRule().GetId(), wave.GetState(), earlier.GetRule().GetId(), earlier.GetState())
			}
		}
	}
	return nil
}

// gates: whatever began in this decision had all its gates open, on answers of just now.
func (w *walk) gates(f *Facts, _ Effects) error {
	for i, wave := range w.Waves {
		again := w.waves[i] == deploymentv1.Wave_GATED && waveStarted(wave.GetState()) // another round
		if w.started[i] && !again || wave.GetStartTime() == nil {
			continue
		}
		for _, g := range wave.GetRule().GetGates() {
			if why := w.closed(i, g, f); why != "" {
				return fmt.Errorf("wave %s began with gate %s closed: %s", wave.GetRule().GetId(), g.GetId(), why)
			}
		}
	}
	return nil
}

// closed judges a gate by what the walk itself knows.
func (w *walk) closed(i int, g *deploymentv1.GateRule, f *Facts) string {
	wave := w.Waves[i]
	switch t := g.GetType().(type) {
	case *deploymentv1.GateRule_Readiness, *deploymentv1.GateRule_Decision:
		last := w.told[Ask{Wave: wave.GetName(), Gate: g.GetId(), Resource: AskedOf(g)}]
		if !opens(last.state) || f.Now.Sub(last.at) > startFreshness {
			return fmt.Sprintf("%s, %s ago", last.state, f.Now.Sub(last.at))
		}
	case *deploymentv1.GateRule_Approval:
		approved := 0
		for _, a := range w.approvals[wave.GetName()] {
			if !a.GetApproved() {
				return "rejected"
			}
			approved++
		}
		if approved < max(1, int(t.Approval.GetRequired())) {
			return "too few approve"
		}
	case *deploymentv1.GateRule_Bake:
		for _, earlier := range w.Waves[:i] {
			if earlier.GetState() == deploymentv1.Wave_SEALED && f.Now.Sub(earlier.GetEndTime().AsTime()) < t.Bake.GetDuration().AsDuration() {
				return "too early"
			}
		}
	case *deploymentv1.GateRule_PriorWave:
		for _, earlier := range slices.Backward(w.Waves[:i]) {
			if earlier.GetState() == deploymentv1.Wave_SEALED {
				reason, _ := spent(earlier, f.counts(earlier))
				return reason
			}
		}
	}
	return ""
}

// claims: work begins only in a running wave, and never more at once than the plan allows.
func (w *walk) claims(f *Facts, e Effects) error {
	if e.Claim == nil {
		return nil
	}
	wave := w.wave(lastSegment(e.Claim.Wave))
	if wave.GetState() != deploymentv1.Wave_RUNNING || w.Deployment.GetState() != deploymentv1.Deployment_RUNNING {
		return fmt.Errorf("a claim for wave %s that is %s in a deployment that is %s", wave.GetRule().GetId(), wave.GetState(), w.Deployment.GetState())
	}
	limit := wave.GetRule().GetMaxParallel()
	if c := f.counts(wave); limit > 0 && busy(c)+e.Claim.Limit > limit || e.Claim.Limit > c.GetQueued()-c.GetUnavailable() || e.Claim.Limit < 1 {
		return fmt.Errorf("%d claimed while %d are on their way, of %d allowed: %v", e.Claim.Limit, busy(c), limit, c)
	}
	return nil
}

// seals: a wave is sealed with nobody on the way, within its budget, after its bake, and in a deployment that runs.
func (w *walk) seals(f *Facts, e Effects) error {
	for _, name := range e.Seal {
		wave := w.wave(lastSegment(name))
		c := f.counts(wave)
		reason, _ := spent(wave, c)
		if busy(c) > 0 || reason != "" || wave.GetState() != deploymentv1.Wave_SEALED || w.Deployment.GetDesiredState() != deploymentv1.Deployment_RUN {
			return fmt.Errorf("wave %s %s is sealed: %s %v", wave.GetRule().GetId(), wave.GetState(), reason, c)
		}
		if baked := f.Now.Sub(wave.GetBakeStartTime().AsTime()); baked < wave.GetRule().GetBake().AsDuration() {
			return fmt.Errorf("wave %s is sealed after %s of bake", wave.GetRule().GetId(), baked)
		}
		if measured := f.Analyses[name].GetState(); wave.GetRule().GetAnalysis() != nil && measured != gatev1.Verdict_PASS && !wave.GetAnalysisAccepted() {
			return fmt.Errorf("wave %s is sealed although its analysis says %s", wave.GetRule().GetId(), measured)
		}
	}
	return nil
}

// rollbacks wait for nobody: no question, no check, no gate, no bake, and no way to fail on the way.
func (w *walk) rollbacks(_ *Facts, e Effects) error {
	if !w.rollback() {
		return nil
	}
	if len(e.Asks) > 0 || e.Preflight || e.Prestage != "" {
		return fmt.Errorf("a rollback asks: %+v", e)
	}
	for _, wave := range w.Waves {
		switch wave.GetState() {
		case deploymentv1.Wave_GATED, deploymentv1.Wave_BAKING, deploymentv1.Wave_FAILED, deploymentv1.Wave_REVERTING:
			if w.Deployment.GetState() != deploymentv1.Deployment_PAUSED {
				return fmt.Errorf("wave %s of a rollback is %s", wave.GetRule().GetId(), wave.GetState())
			}
		default:
		}
	}
	return nil
}

// idempotent: without new facts a second decision changes nothing, unless the first asked for
// effects that are facts. It is the costly check, so it is made now and then.
func (w *walk) idempotent(f *Facts, e Effects) error {
	w.decisions++
	if w.decisions%6 != 1 || len(e.Seal)+len(e.SealReached)+len(e.Revert) > 0 || e.DropQueued || Ended(w.Deployment.GetState()) {
		return nil
	}
	before := State{Deployment: proto.CloneOf(w.Deployment)}
	for _, wave := range w.Waves {
		before.Waves = append(before.Waves, proto.CloneOf(wave))
	}
	again := Advance(&w.State, f)
	if !proto.Equal(before.Deployment, w.Deployment) {
		return fmt.Errorf("again, the deployment changes: %v → %v", before.Deployment, w.Deployment)
	}
	for i, was := range before.Waves {
		if !proto.Equal(was, w.Waves[i]) {
			return fmt.Errorf("again, a wave changes: %v → %v", was, w.Waves[i])
		}
	}
	if fmt.Sprint(e.Asks, e.Claim != nil, e.Prestage) != fmt.Sprint(again.Asks, again.Claim != nil, again.Prestage) {
		return fmt.Errorf("again, the effects are others: %+v → %+v", e, again)
	}
	return nil
}

// ended checks what an ended deployment leaves behind.
func (w *walk) ended() error {
	if w.Deployment.GetEndTime() == nil {
		return errors.New("it ended at no time")
	}
	if len(w.Deployment.GetBlockedBy()) > 0 {
		return fmt.Errorf("ended, and blocked by %v", w.Deployment.GetBlockedBy())
	}
	for _, wave := range w.Waves {
		if !WaveEnded(wave.GetState()) {
			return fmt.Errorf("wave %s stays %s", wave.GetRule().GetId(), wave.GetState())
		}
	}
	for _, m := range w.members {
		switch {
		case m.state == deploymentv1.Installation_QUEUED:
			return fmt.Errorf("%s stays queued", m.name)
		case w.Deployment.GetState() != deploymentv1.Deployment_SUCCEEDED:
		case inFlight(m.state) && w.wave(lastSegment(m.wave)).GetState() != deploymentv1.Wave_SEALED: // else it was lost, and came back too late
			return fmt.Errorf("it succeeded while %s is %s", m.name, m.state)
		case w.rollback() && !slices.Contains([]InstallationState{deploymentv1.Installation_SEALED, deploymentv1.Installation_SKIPPED, deploymentv1.Installation_HEALTHY}, m.state):
			return fmt.Errorf("the rollback succeeded, but %s is %s", m.name, m.state)
		}
	}
	return nil
}
