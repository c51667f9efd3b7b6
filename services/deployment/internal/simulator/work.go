package simulator

import (
	"time"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// announceAfter is how long a state must last to be worth a report of its own.
	announceAfter  = 250 * time.Millisecond
	healthDeadline = 20 * time.Second
)

// begin accepts the command that waits and does it.
func (a *agent) begin() {
	c := a.next
	a.next, a.working, a.interruptible = nil, true, false
	a.op++
	s := a.slot
	s.phase, s.candidate, s.hook, s.cause, s.command, s.last = staging, 0, false, "", c, nil
	if c.GetAction() == agentv1.Command_SEAL {
		s.phase = sealing
	}
	if a.journal(nil) {
		a.act()
	}
}

// done is the end of a command.
func (a *agent) done() {
	a.working, a.interruptible = false, false
	if a.next != nil {
		a.begin()
		return
	}
	a.observe()
}

// act does the newest command from its begin.
func (a *agent) act() {
	a.working = true
	switch c := a.slot.command; c.GetAction() {
	case agentv1.Command_PRESTAGE:
		a.fetch(c.GetWorkload(), func(cause string) {
			a.slot.phase = idle
			r := a.report(0)
			r.Prestaged, r.Cause = cause == "", cause
			if a.journal(r) {
				a.done()
			}
		})
	case agentv1.Command_INSTALL:
		a.install()
	case agentv1.Command_REVERT, agentv1.Command_CANCEL:
		a.goBack()
	case agentv1.Command_SEAL:
		a.seal()
	default:
		a.fail("UNSUPPORTED")
	}
}

// work makes something take its time; what lasts is announced, and may be ended by a newer command.
func (a *agent) work(d time.Duration, announced deploymentv1.Installation_State, interruptible bool, then func()) {
	a.interruptible = interruptible
	if interruptible && a.next != nil {
		a.begin()
		return
	}
	rest := d
	if d > announceAfter && announced != 0 {
		rest -= announceAfter
		a.later(announceAfter, func() {
			if a.journal(a.report(announced)) {
				a.later(rest, func() { a.interruptible = false; then() })
			}
		})
		return
	}
	a.later(rest, func() { a.interruptible = false; then() })
}

// fetch brings the content of a workload.
func (a *agent) fetch(w *agentv1.Workload, then func(cause string)) {
	b := a.behaviour(w.GetRelease())
	sha := w.GetArtifact().GetSha256()
	d := time.Duration(a.host.slow) * a.between(20*time.Millisecond, 3*time.Second)
	switch {
	case b.noArtifact || sha == "":
		then("UNSUPPORTED")
	case a.host.content[sha]:
		then("")
	case b.wrongDigest:
		a.work(d, deploymentv1.Installation_FETCHING, true, func() { then("DIGEST_MISMATCH") })
	default:
		// A truncated download is taken up where it ended.
		d += time.Duration(b.truncated) * a.between(time.Second, 10*time.Second)
		a.work(d, deploymentv1.Installation_FETCHING, true, func() {
			a.host.content[sha] = true
			then("")
		})
	}
}

func (a *agent) install() {
	w := a.slot.command.GetWorkload()
	if w == nil {
		a.slot.candidate = 0
		a.activate(true)
		return
	}
	a.stage(w, func(cause string) {
		if cause != "" {
			a.fail(cause)
			return
		}
		a.activate(true)
	})
}

// stage makes an instance of a workload ready; it becomes the candidate.
func (a *agent) stage(w *agentv1.Workload, then func(cause string)) {
	a.fetch(w, func(cause string) {
		if cause != "" {
			then(cause)
			return
		}
		s := a.slot
		s.numbers++
		s.candidate = s.numbers
		s.instances[s.candidate] = instance{
			installation: s.command.GetInstallation(), attempt: s.command.GetAttempt(), release: w.GetRelease(),
			sha256: w.GetArtifact().GetSha256(), digest: w.GetConfigDigest(),
		}
		if !a.behaviour(w.GetRelease()).hookCut {
			then("")
			return
		}
		s.hook = true // that it was begun is in the journal; an agent that dies now does not run it again
		if a.journal(nil) {
			a.work(a.between(10*time.Millisecond, 2*time.Second), 0, true, func() {
				s.hook = false
				then("")
			})
		}
	})
}

// fail ends a command before anything live was touched.
func (a *agent) fail(cause string) {
	s := a.slot
	delete(s.instances, s.candidate)
	s.phase, s.candidate, s.hook = idle, 0, false
	r := a.report(deploymentv1.Installation_FAILED)
	r.Cause = cause
	if a.journal(r) {
		a.done()
	}
}

// activate replaces what is live: intent, stop, switch, start, done.
func (a *agent) activate(fresh bool) {
	a.working = true
	s := a.slot
	old := s.live
	s.phase = activating
	if fresh && !a.journal(nil) {
		return
	}
	took := time.Millisecond
	if old != 0 && old != s.candidate {
		var stopped bool
		if took, stopped = a.host.stop(old, a.behaviour(s.instances[old].release)); !stopped {
			a.work(took, deploymentv1.Installation_ACTIVATING, false, func() { a.failActive("STOP_FAILED") })
			return
		}
	}
	a.work(took, deploymentv1.Installation_ACTIVATING, false, func() {
		if !s.unproven {
			s.back = old
		}
		s.live, s.candidate, s.down = s.candidate, 0, ""
		if s.live == 0 {
			s.down, s.phase = s.command.GetInstallation(), idle
			if a.journal(a.report(deploymentv1.Installation_HEALTHY)) {
				a.done()
			}
			return
		}
		s.unproven = true
		a.bringUp(s.live, true)
		s.phase = probing
		if a.journal(nil) {
			a.probation()
		}
	})
}

// bringUp starts an instance. It counts what is new, so that nothing is brought up twice for one try.
func (a *agent) bringUp(n int, counts bool) {
	i := a.slot.instances[n]
	if p := a.host.procs[n]; counts && (p == nil || !p.running) {
		a.host.activated[try{i.installation, i.attempt}]++
		a.note("%s brings up %s for %s, attempt %d", a.name, short(i.release), short(i.installation), i.attempt)
	}
	boot := a.boots
	p := a.host.spawn(n, i, a.behaviour(i.release), func() {
		if a.up && a.boots == boot {
			a.observe()
		}
	})
	a.restarts = p.restarts
}

// probation waits until what was started is healthy.
func (a *agent) probation() {
	s := a.slot
	b := a.behaviour(s.instances[s.live].release)
	p := a.host.procs[s.live]
	switch {
	case p != nil && p.healthy:
		a.healthy()
	case b.crashes:
		a.work(a.between(50*time.Millisecond, time.Second), deploymentv1.Installation_PROBING, true, func() {
			if p != nil {
				p.running = false
			}
			a.failActive("CRASHED")
		})
	case b.neverHealthy:
		a.work(healthDeadline, deploymentv1.Installation_PROBING, true, func() { a.failActive("PROBE_FAILED") })
	default:
		a.work(b.healthyAfter+10*time.Millisecond, deploymentv1.Installation_PROBING, true, a.healthy)
	}
}

func (a *agent) healthy() {
	s := a.slot
	s.phase, s.unproven = idle, false
	r := a.report(deploymentv1.Installation_HEALTHY)
	r.Health = deploymentv1.Installation_HEALTHY_NOW
	a.seenHealthy = true
	if a.journal(r) {
		a.done()
	}
}

// failActive goes back at once, or leaves the new version in place, as the command says.
func (a *agent) failActive(cause string) {
	s := a.slot
	s.hook = false
	if !s.command.GetRevertOnFailure() {
		s.phase, s.candidate = idle, 0
		r := a.report(deploymentv1.Installation_FAILED)
		r.Cause, r.Health = cause, deploymentv1.Installation_UNHEALTHY
		a.seenHealthy = false
		if a.journal(r) {
			a.done()
		}
		return
	}
	if s.candidate != 0 { // it was never started
		s.live, s.back, s.candidate, s.unproven = s.candidate, s.live, 0, true
	}
	if s.command.GetWorkload() == nil && s.live != 0 {
		s.back = s.live
	}
	s.phase, s.cause = reverting, cause
	r := a.report(deploymentv1.Installation_REVERTING)
	r.Cause, r.Health = cause, deploymentv1.Installation_UNHEALTHY
	if a.journal(r) {
		a.revert()
	}
}

// revert makes back live again. Done twice it comes out the same.
func (a *agent) revert() {
	a.working, a.interruptible = true, false
	s := a.slot
	bad, good := s.live, s.back
	took := time.Millisecond
	if bad != good && bad != 0 {
		var stopped bool
		if took, stopped = a.host.stop(bad, a.behaviour(s.instances[bad].release)); !stopped {
			a.work(took, deploymentv1.Installation_REVERTING, false, func() { a.reverted("STOP_FAILED", true) })
			return
		}
	}
	if good == 0 {
		a.work(took, deploymentv1.Installation_REVERTING, false, func() { a.reverted("", false) })
		return
	}
	b := a.behaviour(s.instances[good].release)
	a.work(took, deploymentv1.Installation_REVERTING, false, func() {
		a.bringUp(good, false)
		if b.crashes || b.neverHealthy {
			a.work(healthDeadline, 0, false, func() { a.reverted("PROBE_FAILED", false) })
			return
		}
		a.work(b.healthyAfter+10*time.Millisecond, 0, false, func() { a.reverted("", false) })
	})
}

func (a *agent) reverted(cause string, stillRuns bool) {
	s := a.slot
	state, because, good := deploymentv1.Installation_REVERTED, s.cause, s.back
	if cause != "" {
		state, because = deploymentv1.Installation_REVERT_FAILED, cause
	}
	if !stillRuns {
		s.live, s.back, s.unproven, s.down = good, 0, false, ""
	}
	s.phase, s.candidate, s.cause = idle, 0, ""
	r := a.report(state)
	r.Cause = because
	if good != 0 {
		r.Health = deploymentv1.Installation_HEALTHY_NOW
		if cause != "" {
			r.Health = deploymentv1.Installation_UNHEALTHY
		}
	}
	a.seenHealthy = cause == ""
	if a.journal(r) {
		a.done()
	}
}

// goBack does REVERT and CANCEL: what the installation activated is replaced by what ran before.
func (a *agent) goBack() {
	c := a.slot.command
	to, known := a.before(c)
	if !known && a.touched(c.GetInstallation()) {
		a.stage(c.GetPrevious(), func(cause string) {
			s := a.slot
			if cause != "" {
				s.phase, s.candidate = idle, 0
				r := a.report(deploymentv1.Installation_REVERT_FAILED)
				r.Cause = cause
				if a.journal(r) {
					a.done()
				}
				return
			}
			n := s.candidate
			s.candidate = 0
			i := s.instances[n]
			i.installation = "" // it is what ran before this installation, not its work
			s.instances[n] = i
			a.restore(n)
		})
		return
	}
	if !a.touched(c.GetInstallation()) {
		state := deploymentv1.Installation_REVERTED
		if c.GetAction() == agentv1.Command_CANCEL {
			state = deploymentv1.Installation_CANCELLED
		}
		a.slot.phase = idle
		if a.journal(a.report(state)) {
			a.done()
		}
		return
	}
	a.restore(to)
}

func (a *agent) restore(to int) {
	a.slot.back, a.slot.phase = to, reverting
	if a.journal(nil) {
		a.revert()
	}
}

// touched tells whether an installation changed what is live.
func (a *agent) touched(installation string) bool {
	s := a.slot
	if s.live != 0 {
		return s.instances[s.live].installation == installation
	}
	return s.back != 0 && s.down == installation
}

// before returns the instance that ran before the installation.
func (a *agent) before(c *agentv1.Command) (n int, known bool) {
	s := a.slot
	if c.GetPrevious() == nil {
		if s.back != s.live {
			return s.back, true
		}
		return 0, true
	}
	same := func(i instance) bool {
		return i.sha256 == c.GetPrevious().GetArtifact().GetSha256() && i.digest == c.GetPrevious().GetConfigDigest()
	}
	if back, ok := s.instances[s.back]; ok && same(back) {
		return s.back, true
	}
	for m, i := range s.instances {
		if m != s.candidate && m > n && same(i) {
			n = m
		}
	}
	return n, n != 0 && n != s.live
}

// seal forgets what no way leads back to.
func (a *agent) seal() {
	s := a.slot
	for n := range s.instances {
		if n != s.live && n != s.back {
			delete(s.instances, n)
		}
	}
	s.phase = idle
	r := a.report(deploymentv1.Installation_SEALED)
	if s.live != 0 {
		r.Health = a.healthNow()
	}
	if a.journal(r) {
		a.done()
	}
}

// recover goes on where the journal ends, and stops what should not run.
func (a *agent) recover() {
	s := a.slot
	for n, p := range a.host.procs {
		if n != s.live && (s.phase != activating || n != s.candidate) && (s.phase != reverting || n != s.back) {
			p.running, p.healthy = false, false
		}
	}
	if s.command == nil {
		return
	}
	a.seenHealthy = s.last.GetHealth() == deploymentv1.Installation_HEALTHY_NOW
	switch {
	case s.phase == staging && s.hook:
		a.reassert()
		a.working = true
		a.fail("INTERRUPTED")
	case s.phase == staging, s.phase == sealing:
		a.reassert()
		a.act()
	case s.hook:
		a.working = true
		a.failActive("INTERRUPTED")
	case s.phase == activating:
		a.activate(false)
	case s.phase == probing:
		a.working = true
		a.bringUp(s.live, true)
		a.probation()
	case s.phase == reverting:
		a.revert()
	default:
		a.reassert()
		a.observe()
	}
}

// reassert makes what is live run.
func (a *agent) reassert() {
	if a.slot.live != 0 {
		a.bringUp(a.slot.live, false)
	}
}

func (a *agent) healthNow() deploymentv1.Installation_Health {
	if p := a.host.procs[a.slot.live]; p != nil && p.healthy {
		return deploymentv1.Installation_HEALTHY_NOW
	}
	return deploymentv1.Installation_UNHEALTHY
}

// observe reports a change of the live instance's health.
func (a *agent) observe() {
	s := a.slot
	p := a.host.procs[s.live]
	if a.working || s.live == 0 || s.last == nil || p == nil {
		return
	}
	if p.healthy == a.seenHealthy && p.restarts == a.restarts {
		return
	}
	a.seenHealthy, a.restarts = p.healthy, p.restarts
	r := a.report(s.last.GetState())
	r.Attempt, r.Epoch, r.Installation, r.Prestaged = s.last.GetAttempt(), s.last.GetEpoch(), s.last.GetInstallation(), s.last.GetPrestaged()
	r.Steps, r.Health, r.Restarts = nil, a.healthNow(), p.restarts
	if r.GetHealth() == deploymentv1.Installation_UNHEALTHY {
		r.Cause = "PROBE_FAILED"
	}
	a.journal(r)
}
