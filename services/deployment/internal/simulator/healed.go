package simulator

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// patience is how long a world in which all is well may take to come to its end.
const patience = 2 * time.Hour

// absence is how many tens of seconds an agent may still be away when all is well.
const absence = 48

// heal ends all faults; from then on everybody is benign, and everything ends.
func (w *world) heal() {
	if w.broken != nil {
		return
	}
	w.note("all is well from here on")
	// How releases behave stays as it was; what was drawn for it is part of what they are.
	badly, ill, deaf, unkillable := w.faults.badly, w.faults.ill, w.faults.deaf, w.faults.unkillable
	clocks := w.faults.clocks
	w.faults, w.faulty = faults{badly: badly, ill: ill, deaf: deaf, unkillable: unkillable, clocks: clocks}, false
	w.returnDatabase()
	w.bench.disk.collide = 0
	for _, r := range w.replicas {
		r.doom, r.skew = 0, 0
	}
	for _, a := range w.agents {
		a.doom, a.cutUp, a.cutDown, a.host.slow = 0, false, false, 1
		if a.session != nil {
			w.cut(a.session) // what the network still owes is lost
		}
	}
	w.outage = w.now
	for i := range 2 {
		w.gate.says[plans+fmt.Sprintf("p%d", i)] = gatev1.Verdict_PASS
		w.gate.says[decisions+fmt.Sprintf("p%d", i)] = gatev1.Verdict_PASS
	}
	w.gate.ill, w.gate.drift = well, 0
	w.metrics = metrics{pushing: w.metrics.pushing}
	end := w.now.Add(patience)
	for quiet := 0; w.broken == nil && quiet < absence; {
		w.benign()
		until := w.now.Add(10 * time.Second)
		for w.broken == nil && w.step(until) {
			w.steps++
		}
		switch {
		case len(w.book.running()) > 0:
			quiet = 0
		case len(w.owed()) == 0:
			quiet = absence
		default:
			quiet++
		}
		if w.now.After(end) {
			w.fail(fmt.Errorf("F5, F10: %w%s", errStuck, w.reasonsOf(w.book.running())))
		}
	}
	for _, holds := range []func(*world) error{everythingEnded, nothingIsOwed, slotsTellTheTruth, eventsReplay} {
		if w.broken == nil {
			if err := holds(w); err != nil {
				w.fail(err)
			}
		}
	}
}

// benign lets people do what is waited for.
func (w *world) benign() {
	alive := w.alive()
	if len(alive) == 0 {
		return
	}
	r := alive[w.pick(len(alive))]
	if w.policies.stopped || w.policies.doubtfulLine {
		w.stop(r, false)
	}
	if w.policies.doubtfulFreeze || w.now.Before(w.policies.frozen) {
		w.edit(r, 0)
	}
	for _, name := range w.book.running() {
		switch s := w.book.deployments[name].message.GetState(); s {
		case deploymentv1.Deployment_PAUSED, deploymentv1.Deployment_PAUSING:
			w.give(r, name, rollout.Resume)
		case deploymentv1.Deployment_FROZEN:
			switch w.pick(3) {
			case 0:
				w.give(r, name, rollout.Resume)
			case 1:
				w.give(r, name, rollout.Cancel)
			default:
				w.rollback(r, name)
			}
		case deploymentv1.Deployment_WAITING:
			for _, wave := range w.book.wavesOf(name) {
				if wave.GetState() == deploymentv1.Wave_GATED && slices.ContainsFunc(wave.GetRule().GetGates(), func(g *deploymentv1.GateRule) bool { return g.GetApproval() != nil }) {
					w.decide(r, wave.GetName(), fmt.Sprintf("users/q%d", w.pick(200)), true)
					w.decide(r, wave.GetName(), "users/p0", true)
				}
			}
		default:
		}
	}
}

// owed lists what somebody still has to hear: reports that are not acknowledged, commands that are not done.
func (w *world) owed() []string {
	var all []string
	served := map[string]bool{}
	for _, a := range w.agents {
		served[a.target] = true
		for _, sequence := range slices.Sorted(maps.Keys(a.pending)) {
			all = append(all, fmt.Sprintf("%s: report %d", a.name, sequence))
		}
		if a.working {
			all = append(all, a.name+" is at work")
		}
	}
	for _, i := range w.book.rows(nil, true) {
		if i.action != 0 && i.action != agentv1.Command_PRESTAGE && served[i.target] {
			all = append(all, fmt.Sprintf("%s is to %s", short(i.name), i.action))
		}
	}
	return all
}

// everythingEnded (F4, F5, F7, F10, F15, F20): once all is well every deployment comes to its end.
func everythingEnded(w *world) error {
	if left := w.book.running(); len(left) > 0 {
		return fmt.Errorf("F10: %w%s", errStuck, w.reasonsOf(left))
	}
	return nil
}

// nothingIsOwed (F16, F18): every report is acknowledged and every command answered.
func nothingIsOwed(w *world) error {
	if owed := w.owed(); len(owed) > 0 {
		return fmt.Errorf("F18: nobody hears of %v", owed)
	}
	return nil
}

// slotsTellTheTruth (F4, F17, F20, F26, F32): what the server says runs on a host is what runs there, and nothing else does.
func slotsTellTheTruth(w *world) error {
	type slot struct {
		target, release string
		settled         bool
	}
	said := map[string]slot{}
	for _, s := range query(w, func(rows *sql.Rows) (s slot, err error) { return s, rows.Scan(&s.target, &s.release, &s.settled) }, `SELECT target, release, settled FROM slots`) {
		said[s.target] = s
	}
	open := w.unheard()
	for _, a := range w.agents {
		runs := a.host.running()
		s, known := said[a.target]
		switch {
		case open[a.target] && len(runs) < 2:
		case len(runs) > 1:
			return fmt.Errorf("F20: %v run on %s at once", runs, a.name)
		case !known && len(runs) == 1:
			return fmt.Errorf("F17: %s runs on %s and the server knows of nothing", short(runs[0]), a.name)
		case known && s.settled && len(runs) == 0:
			return fmt.Errorf("F17: nothing runs on %s, and the server says %s", a.name, short(s.release))
		case known && s.settled && s.release != runs[0]:
			return fmt.Errorf("F17: %s runs on %s, and the server says %s", short(runs[0]), a.name, short(s.release))
		}
	}
	return nil
}

// unheard names the targets on which some work had no good end, so that what is there is for a person to say.
func (w *world) unheard() map[string]bool {
	open := map[string]bool{}
	for _, i := range w.book.rows(nil, true) {
		switch i.state {
		case deploymentv1.Installation_CANCELLED, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERT_FAILED, deploymentv1.Installation_LOST, deploymentv1.Installation_UNKNOWN:
			// Also one that nobody claimed: a rollback that leaves a target out leaves what was under way there.
			open[i.target] = true
		default:
		}
	}
	return open
}

// eventsReplay (promise 6): the event log alone tells the state of everything.
func eventsReplay(w *world) error {
	for _, i := range w.book.rows(nil, true) {
		told := w.book.replayed[i.name]
		if told == nil && i.state == deploymentv1.Installation_QUEUED {
			continue
		}
		if told.GetState() != i.state || told.GetAttempt() != i.attempt || told.GetHealth() != i.health {
			return fmt.Errorf("the events say that %s is %s %s, attempt %d; it is %s %s, attempt %d",
				i.name, told.GetState(), told.GetHealth(), told.GetAttempt(), i.state, i.health, i.attempt)
		}
	}
	type stored struct {
		name     string
		revision int64
		digest   []byte
	}
	scan := func(rows *sql.Rows) (s stored, err error) { return s, rows.Scan(&s.name, &s.revision, &s.digest) }
	for _, s := range query(w, scan, `SELECT name, revision, digest FROM deployments ORDER BY name`) {
		if e := w.book.deployments[s.name]; e == nil || e.revision != s.revision || string(e.digest[:]) != string(s.digest) {
			return fmt.Errorf("the newest event of %s is not what is stored", s.name)
		}
	}
	for _, s := range query(w, scan, `SELECT name, revision, digest FROM waves ORDER BY name`) {
		if e := w.book.waves[s.name]; e == nil || e.revision != s.revision || string(e.digest[:]) != string(s.digest) {
			return fmt.Errorf("the newest event of %s is not what is stored", s.name)
		}
	}
	return nil
}
