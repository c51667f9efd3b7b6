package simulator

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// phase is where an agent is with the newest command; idle when there is nothing to finish.
type phase string

const (
	idle       phase = ""
	staging    phase = "staging"
	activating phase = "activating"
	probing    phase = "probing"
	reverting  phase = "reverting"
	sealing    phase = "sealing"
)

// slot is what an agent's journal says of its place. A copy of it is in memory while the
// agent lives, and what was not journalled is gone when it dies.
type slot struct {
	phase                 phase
	live, candidate, back int
	down                  string
	unproven              bool
	hook                  bool
	cause                 string
	numbers               int
	instances             map[int]instance
	command               *agentv1.Command
	last                  *agentv1.Report
}

// instance is a release made ready.
type instance struct {
	installation, release, sha256, digest string
	attempt                               int32
}

func (s *slot) clone() *slot {
	c := *s
	c.instances = maps.Clone(s.instances)
	return &c
}

// agent is services/agent between two journal entries.
type agent struct {
	*world
	name, id, target string
	host             *host
	// old agents speak another version of the protocol, and are refused.
	old bool

	// The journal: what survives.
	disk     *slot
	pending  map[int64]*agentv1.Report
	sequence int64

	// The process: what does not.
	up      bool
	boots   int
	slot    *slot
	next    *agentv1.Command
	working bool
	// interruptible work ends when a newer command comes; op names the work at hand.
	interruptible bool
	op            int
	seenHealthy   bool
	restarts      int32

	session        *session
	cutUp, cutDown bool
	dialling       bool
	// doom counts down to the journal entry at which it dies, before or after it is written.
	doom   int
	doomed moment
}

func (w *world) newAgent(n int) *agent {
	name := fmt.Sprintf("t%d", n)
	h := &host{world: w, name: name, procs: map[int]*process{}, content: map[string]bool{}, activated: map[try]int{}, slow: 1}
	a := &agent{world: w, name: name, id: agentName(n), target: targetName(n), host: h, disk: &slot{instances: map[int]instance{}}, pending: map[int64]*agentv1.Report{}}
	return a
}

// start is what happens when the process does: it reads its journal, reports and goes on.
func (a *agent) start() {
	a.boots++
	a.up, a.next, a.working, a.interruptible, a.session, a.dialling = true, nil, false, false, nil, false
	a.op++
	a.slot = a.disk.clone()
	a.note("%s starts in %q", a.name, a.slot.phase)
	a.recover()
	a.dial(0)
}

// die ends the process. Its applications go on.
func (a *agent) die(why string) {
	if !a.up {
		return
	}
	a.note("%s dies %s", a.name, why)
	a.up, a.doom = false, 0
	a.op++
	if s := a.session; s != nil {
		a.session = nil
		a.in(a.between(time.Millisecond, 200*time.Millisecond), func() { // the kernel closes the stream
			if !a.cutUp {
				s.server.end(s)
			}
		})
	}
	away := a.between(time.Second, 30*time.Second)
	if a.faulty && a.chance(a.faults.longAbsence) {
		away = a.between(time.Minute, 6*time.Minute)
	}
	a.in(away, a.start)
}

// later goes on with the work at hand, unless something else has taken its place.
func (a *agent) later(d time.Duration, then func()) {
	op := a.op
	a.in(d, func() {
		if a.up && a.op == op {
			then()
		}
	})
}

// journal makes the slot durable, with a report if there is one. It is false when the agent
// died on the way: then nothing more happens in this life.
func (a *agent) journal(report *agentv1.Report) bool {
	dies := a.doom == 1
	if a.doom > 0 {
		a.doom--
	}
	if dies && a.doomed == beforeCommit {
		a.die("before a journal entry")
		return false
	}
	a.disk = a.slot.clone()
	if report != nil {
		a.sequence++
		report.Sequence = a.sequence
		a.disk.last, a.slot.last = report, report
		a.pending[report.GetSequence()] = report
		a.note("%s reports #%d %s %s %s", a.name, report.GetSequence(), report.GetState(), report.GetHealth(), report.GetCause())
	}
	if dies {
		a.die("after a journal entry")
		return false
	}
	if report != nil {
		a.send(report)
	}
	return true
}

func (a *agent) report(state deploymentv1.Installation_State) *agentv1.Report {
	c := a.slot.command
	return &agentv1.Report{
		Installation: c.GetInstallation(), Attempt: c.GetAttempt(), Epoch: c.GetEpoch(), State: state,
		Steps: []*deploymentv1.InstallationStep{{State: state, Step: "step", Succeeded: true}},
	}
}

// send puts a report on the stream, if there is one.
func (a *agent) send(report *agentv1.Report) {
	s := a.session
	if s == nil {
		return
	}
	copied := proto.CloneOf(report)
	a.world.up(s, func() { s.server.receive(s, copied) })
}

func (a *agent) acknowledge(sequence int64) { delete(a.pending, sequence) }

// inventory is what Hello tells of the place.
func (a *agent) inventory() []*agentv1.Inventory {
	s := a.slot
	if s.command == nil {
		return nil
	}
	return []*agentv1.Inventory{{
		Target: a.target, Application: application, Installation: s.command.GetInstallation(), Epoch: s.command.GetEpoch(),
		ActiveSha256: s.instances[s.live].sha256, Interrupted: s.phase != idle,
	}}
}

// dial tries to reach a server until one takes it.
func (a *agent) dial(after time.Duration) {
	if a.dialling {
		return
	}
	a.dialling = true
	boot := a.boots
	a.in(after+a.between(0, time.Second), func() {
		if !a.up || a.boots != boot {
			return
		}
		a.dialling = false
		alive := a.alive()
		if a.session != nil {
			return
		}
		if a.cutUp || a.cutDown || len(alive) == 0 || a.old && a.faulty {
			a.dial(2 * time.Second)
			return
		}
		s := alive[a.pick(len(alive))].admit(a)
		if s == nil || !s.open {
			a.dial(2 * time.Second)
			return
		}
		a.note("%s is connected to %s", a.name, s.server.name)
		a.session = s
		for _, sequence := range slices.Sorted(maps.Keys(a.pending)) {
			a.send(a.pending[sequence])
		}
	})
}

// lostSession is how the agent learns that its stream is over.
func (a *agent) lostSession(s *session) {
	if a.up && a.session == s {
		a.session = nil
		a.dial(a.between(0, 2*time.Second))
	}
}

// offer judges a command that arrives: only the epoch orders commands.
func (a *agent) offer(c *agentv1.Command) {
	if !a.up {
		return
	}
	newest := a.slot.command
	if a.next != nil {
		newest = a.next
	}
	switch {
	case newest != nil && keyOf(newest) == keyOf(c):
		if a.slot.last != nil && a.next == nil {
			a.send(a.slot.last)
		}
	case c.GetEpoch() > newest.GetEpoch():
		a.note("%s accepts %s of %s, attempt %d, epoch %d", a.name, c.GetAction(), short(c.GetInstallation()), c.GetAttempt(), c.GetEpoch())
		a.next = c
		if !a.working || a.interruptible {
			a.begin()
		}
	default:
		a.note("%s refuses epoch %d after %d", a.name, c.GetEpoch(), newest.GetEpoch())
	}
}
