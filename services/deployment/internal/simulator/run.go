package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Result is what became of a seed.
type Result struct {
	Seed uint64
	// Err is the first invariant that did not hold.
	Err error
	// Trace is all that happened, a line each; Digest is its SHA-256.
	Trace, Digest string
	// Ends tells the state of each deployment; of lives that show one thing.
	Ends map[string]string
	// Steps counts the events, Commits the transactions, Lasted the world's time.
	Steps, Commits int
	Lasted         time.Duration
}

// String says how to see it again.
func (r Result) String() string {
	return fmt.Sprintf("seed %d: %v; see it again with SEED=%d go test -run TestSeed ./services/deployment/internal/simulator", r.Seed, r.Err, r.Seed)
}

// Run lives the life of a seed: a time of faults, then one in which all is well and everything has to end.
func (b *Bench) Run(seed uint64) Result {
	if err := b.reset(); err != nil {
		return Result{Seed: seed, Err: fmt.Errorf("reset the bench: %w", err)}
	}
	w := b.newWorld(seed)
	from := w.now
	w.trouble(from.Add(w.between(90*time.Second, 6*time.Minute)))
	w.heal()
	sum := sha256.Sum256([]byte(w.trace.String()))
	return Result{
		Seed: seed, Err: w.broken, Trace: w.trace.String(), Digest: hex.EncodeToString(sum[:]), Steps: w.steps, Commits: b.disk.commits, Lasted: w.now.Sub(from),
	}
}

// trouble lets people act and faults happen until a time.
func (w *world) trouble(until time.Time) {
	w.in(w.between(0, 3*time.Second), func() {
		if alive := w.alive(); len(alive) > 0 {
			w.create(alive[0])
		}
	})
	for range 6 + w.pick(20) {
		w.at(w.now.Add(w.between(0, until.Sub(w.now))), func() {
			if w.faulty {
				w.operator()
			}
		})
	}
	w.drawTrouble(until)
	for w.broken == nil && w.step(until) {
		w.steps++
	}
}

// drawTrouble puts the faults of the seed down at their times.
func (w *world) drawTrouble(until time.Time) {
	often := func(most int, do func()) {
		for range most {
			w.at(w.now.Add(w.between(0, until.Sub(w.now))), func() {
				if w.faulty {
					do()
				}
			})
		}
	}
	often(w.faults.agentDies, func() {
		a := w.agents[w.pick(len(w.agents))]
		a.doom, a.doomed = 1+w.pick(6), moment(1+w.pick(2))
	})
	often(w.faults.serverDies, func() {
		r := w.replicas[w.pick(len(w.replicas))]
		r.doom, r.doomed = 1+w.pick(4), moment(1+w.pick(2))
	})
	often(w.faults.partition, w.partition)
	often(w.faults.databaseGone, w.loseDatabase)
	often(1+w.pick(3), w.gate.turn)
	if w.chance(w.faults.slowDisk) {
		w.agents[w.pick(len(w.agents))].host.slow = 20
	}
	if w.faults.clocks {
		often(2, func() {
			r := w.replicas[w.pick(len(w.replicas))]
			r.skew = w.between(-time.Hour, time.Hour)
			w.note("the clock of %s is off by %s", r.name, r.skew)
			w.outage = w.now
		})
	}
}

// partition cuts one way between an agent and all servers, or both.
func (w *world) partition() {
	a := w.agents[w.pick(len(w.agents))]
	up, down := w.chance(600), w.chance(600)
	w.note("%s is cut off: up %t, down %t", a.name, up, down)
	a.cutUp, a.cutDown = up, down
	s := a.session
	w.in(w.between(5*time.Second, 3*time.Minute), func() {
		a.cutUp, a.cutDown = false, false
		if s != nil { // what was under way is lost
			w.cut(s)
		}
	})
	if s != nil && down { // the agent hears nothing, and takes up another stream when it notices
		w.in(30*time.Second, func() { a.lostSession(s) })
	}
}

// loseDatabase takes the database away, for up to five minutes, or lets another process be in the way.
func (w *world) loseDatabase() {
	if w.chance(400) {
		w.bench.disk.collide = 1 + w.pick(3)
		return
	}
	w.note("the database is gone")
	w.bench.disk.gone = true
	w.in(w.between(time.Second, 5*time.Minute), w.returnDatabase)
}

func (w *world) returnDatabase() {
	if !w.bench.disk.gone {
		return
	}
	w.note("the database is back")
	w.bench.disk.gone = false
	w.outage = w.now
	w.serveAt(w.now)
}
