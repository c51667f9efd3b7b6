package simulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// What the server's agent port does in time, as package fleet has it.
const (
	lease     = 30 * time.Second
	tickEvery = 10 * time.Second
	missed    = 15 * time.Second
	sendAgain = time.Minute
)

// replica is one server process: an engine, and the streams of some agents.
type replica struct {
	*world
	name   string
	boot   int
	began  time.Time
	skew   time.Duration
	store  *store.Store
	engine *engine.Engine
	// dead is set at the commit where it dies; doom counts down to it.
	dead   bool
	doom   int
	doomed moment
	// buried is the boot that has ended: who was asked meanwhile may be what it dies of, and then two calls find it dead.
	buried int

	sessions []*session
	inbox    []arrival
	applying bool
}

type arrival struct {
	session *session
	report  *agentv1.Report
}

// session is one stream of an agent.
type session struct {
	agent  *agent
	server *replica
	boot   int // of the server
	open   bool
	heard  time.Time
	asked  time.Time
	sent   map[commandKey]time.Time
}

type commandKey struct {
	installation string
	attempt      int32
	epoch        int64
	action       agentv1.Command_Action
}

func keyOf(c *agentv1.Command) commandKey {
	return commandKey{c.GetInstallation(), c.GetAttempt(), c.GetEpoch(), c.GetAction()}
}

func (w *world) newReplica(n int) *replica {
	r := &replica{world: w, name: fmt.Sprintf("s%d", n)}
	r.start()
	return r
}

// clock is what this server takes for the time.
func (r *replica) clock() time.Time { return r.now.Add(r.skew) }

// start is what happens when the process does.
func (r *replica) start() {
	r.boot++
	r.began, r.outage = r.now, r.now
	r.dead, r.doom, r.sessions, r.inbox, r.applying = false, 0, nil, nil, false
	r.store = r.bench.newStore(resource.Config{Now: r.clock})
	var err error
	r.engine, err = engine.New(engine.Config{Store: r.store, Blobs: blobs{r.world}, Gate: r.gate, Jobs: &wakes{r}, NewID: r.newID})
	if err != nil {
		panic(err) // it opens nothing that could fail
	}
	r.engine.HintTo(r)
	boot := r.boot
	r.tick(boot)
	r.serveAt(r.now)
}

// do lets the server work. It is false when that failed; a server that died is gone by then.
func (r *replica) do(what string, fn func(ctx context.Context) error) (err error) {
	if r.dead {
		return errCrashed
	}
	before := r.bench.disk.user
	r.bench.disk.user, r.last = r, r
	defer func() {
		if panicked := recover(); panicked != nil {
			r.fail(fmt.Errorf("%s panicked: %v", what, panicked))
			err = errors.New("panic")
		}
		r.bench.disk.user = before
		if r.dead {
			r.die()
		}
		if before == nil {
			r.check()
		}
	}()
	err = fn(r.bench.ctx)
	if err != nil {
		r.note("%s %s: %v", r.name, what, err)
	}
	return err
}

// die cuts what the process held; it comes back later.
func (r *replica) die() {
	if r.buried == r.boot {
		return
	}
	r.buried = r.boot
	r.note("%s dies", r.name)
	r.outage = r.now
	for _, s := range r.sessions {
		s.open = false
		s.agent.lostSession(s)
	}
	r.sessions, r.inbox = nil, nil
	r.in(r.between(time.Second, 20*time.Second), func() {
		r.note("%s starts", r.name)
		r.start()
	})
}

// tick renews leases, ends streams that are silent, and asks where hints may have been lost.
func (r *replica) tick(boot int) {
	r.in(tickEvery, func() {
		if r.boot != boot || r.dead {
			return
		}
		r.tick(boot)
		_ = r.do("renew presence", func(ctx context.Context) error {
			if len(r.sessions) > 0 {
				if _, err := r.store.RenewPresence(ctx, r.name, lease); err != nil {
					return err
				}
			}
			gone, err := r.store.ExpirePresence(ctx)
			if err == nil && len(gone) > 0 {
				r.engine.Presence(ctx, gone, false)
			}
			return err
		})
		var ask []*session
		for _, s := range slices.Clone(r.sessions) {
			if s.agent.up && s.agent.session == s && !s.agent.cutUp {
				s.heard = r.now
			}
			switch {
			case r.now.Sub(s.heard) > missed:
				r.end(s)
			case r.now.Sub(s.asked) >= missed:
				ask = append(ask, s)
			}
		}
		r.dispatch(ask...)
	})
}

// admit opens a stream.
func (r *replica) admit(a *agent) *session {
	s := &session{agent: a, server: r, boot: r.boot, open: true, heard: r.now, sent: map[commandKey]time.Time{}}
	err := r.do("admit "+a.name, func(ctx context.Context) error {
		err := r.store.SavePresence(ctx, r.name, lease, []store.Presence{{Agent: a.id, Connected: true, BootID: fmt.Sprintf("%s-%08d", a.name, a.boots), Targets: []string{a.target}, Seen: r.clock()}})
		if err == nil {
			err = r.engine.Inventory(ctx, a.inventory())
		}
		if err == nil {
			r.engine.Presence(ctx, []string{a.target}, true)
		}
		return err
	})
	if err != nil {
		return nil
	}
	r.sessions = slices.DeleteFunc(r.sessions, func(other *session) bool {
		if other.agent == a {
			other.open = false
		}
		return other.agent == a
	})
	r.sessions = append(r.sessions, s)
	r.in(r.between(0, 20*time.Millisecond), func() { r.dispatch(s) })
	return s
}

// end closes a stream from the server's side.
func (r *replica) end(s *session) {
	if !s.open || s.boot != r.boot {
		return
	}
	r.note("%s gives up on %s", r.name, s.agent.name)
	s.open = false
	r.sessions = slices.DeleteFunc(r.sessions, func(other *session) bool { return other == s })
	_ = r.do("end of "+s.agent.name, func(ctx context.Context) error {
		err := r.store.SavePresence(ctx, r.name, lease, []store.Presence{{Agent: s.agent.id, Seen: r.clock()}})
		if err == nil {
			r.engine.Presence(ctx, []string{s.agent.target}, false)
		}
		return err
	})
	r.in(r.between(0, time.Second), func() { s.agent.lostSession(s) })
}

// Hint implements engine.Hinter: the streams concerned ask, unless the hint is lost.
func (r *replica) Hint(hinted []string) {
	var some []*session
	for _, s := range r.sessions {
		if slices.Contains(hinted, s.agent.target) && !r.chance(r.faults.lostHints) {
			some = append(some, s)
		}
	}
	if len(some) > 0 {
		r.in(r.between(0, 20*time.Millisecond), func() { r.dispatch(some...) })
	}
}

// dispatch asks what is pending for some streams and sends what was not sent just now.
func (r *replica) dispatch(sessions ...*session) {
	byTarget := map[string]*session{}
	var asked []string
	for _, s := range sessions {
		if s.open && s.boot == r.boot {
			byTarget[s.agent.target] = s
			asked = append(asked, s.agent.target)
			s.asked = r.now
		}
	}
	if len(asked) == 0 || r.dead {
		return
	}
	r.ask(asked, byTarget)
}

// ask asks for all at once, and where that fails for each half, as package fleet does: one target
// that cannot be answered keeps nobody else waiting.
func (r *replica) ask(asked []string, byTarget map[string]*session) {
	err := r.do("pending", func(ctx context.Context) error {
		commands, err := r.engine.Pending(ctx, asked)
		if err != nil {
			return err
		}
		before := map[*session]map[commandKey]time.Time{}
		for _, target := range asked {
			s := byTarget[target]
			before[s], s.sent = s.sent, map[commandKey]time.Time{} // what is not pending any more is forgotten
		}
		for _, c := range commands {
			s := byTarget[c.GetTarget()]
			at, sent := before[s][keyOf(c)]
			if s.sent[keyOf(c)] = at; sent && r.now.Sub(at) < sendAgain {
				continue
			}
			s.sent[keyOf(c)] = r.now
			r.down(s, func() { s.agent.offer(c) })
		}
		return nil
	})
	if half := len(asked) / 2; err != nil && half > 0 && !r.dead && !r.bench.disk.gone {
		r.ask(asked[:half], byTarget)
		r.ask(asked[half:], byTarget)
	}
}

// receive takes a report in; those that come within a moment are one batch.
func (r *replica) receive(s *session, report *agentv1.Report) {
	if s.boot != r.boot || r.dead {
		return
	}
	r.inbox = append(r.inbox, arrival{s, report})
	r.applySoon(2 * time.Millisecond)
}

func (r *replica) applySoon(after time.Duration) {
	if r.applying {
		return
	}
	r.applying = true
	boot := r.boot
	r.in(after, func() {
		if r.boot == boot && !r.dead {
			r.applying = false
			r.apply()
		}
	})
}

// apply makes reports durable and acknowledges them; what fails is tried again.
func (r *replica) apply() {
	batch := r.inbox
	if len(batch) == 0 {
		return
	}
	reports := make([]*agentv1.Report, 0, len(batch))
	for _, one := range batch {
		reports = append(reports, one.report)
	}
	err := r.do("apply", func(ctx context.Context) error { return r.engine.Apply(ctx, reports) })
	switch {
	case r.dead:
	case err != nil:
		r.applySoon(5 * time.Second)
	default:
		r.inbox = r.inbox[len(batch):]
		for _, one := range batch {
			r.down(one.session, func() { one.session.agent.acknowledge(one.report.GetSequence()) })
		}
		if len(r.inbox) > 0 {
			r.applySoon(2 * time.Millisecond)
		}
	}
}

// wakes is package jobs in the world's time: the rows are the truth, whoever serves them reads them again.
type wakes struct{ r *replica }

// Run implements engine.Jobs; nothing runs by itself here.
func (*wakes) Run(context.Context) error { return nil }

// Wake implements engine.Jobs.
func (j *wakes) Wake(ctx context.Context, tx *sqldb.Tx, kind, name string, at time.Time) error {
	due := j.r.now.Add(max(0, at.Sub(j.r.clock())))
	_, err := tx.ExecContext(ctx, `INSERT INTO wakes (kind, name, due_at, generation, attempts, holder, held_until) VALUES ($1, $2, $3, 1, 0, '', 0)
		ON CONFLICT (kind, name) DO UPDATE SET generation = wakes.generation + 1, due_at = MIN(wakes.due_at, excluded.due_at)`, kind, name, due.UnixMicro())
	tx.AfterCommit(func() { j.r.serveAt(due) })
	return err
}

// serveAt looks at the wakes at a time, unless that is going to happen before.
func (w *world) serveAt(at time.Time) {
	if !w.serving.IsZero() && !w.serving.After(at) {
		return
	}
	w.serving = at
	w.at(at, func() {
		if !w.serving.Equal(at) {
			return // another look took its place
		}
		w.serving = time.Time{}
		w.serve()
	})
}

type wake struct {
	kind, name      string
	due, generation int64
	attempts        int
}

// serve runs what is due, each by some server, now and then by two at once.
func (w *world) serve() {
	alive := w.alive()
	if len(alive) == 0 || w.bench.disk.gone {
		return // whoever starts, and the return of the database, looks again
	}
	next := w.now.Add(time.Minute)
	for _, one := range w.wakes() {
		if due := time.UnixMicro(one.due); due.After(w.now) {
			if due.Before(next) {
				next = due
			}
			break
		}
		r := alive[w.pick(len(alive))]
		if r.dead {
			continue
		}
		w.note("%s advances %s", r.name, short(one.name))
		err := r.handle(one)
		if w.chance(w.faults.twice) {
			_ = alive[w.pick(len(alive))].handle(one)
		}
		w.served(one, err)
	}
	w.serveAt(next)
}

// handle does what is due.
func (r *replica) handle(one wake) error {
	return r.do(one.kind+" "+short(one.name), func(ctx context.Context) error {
		if one.kind == "analysis" {
			return r.engine.Analyze(as(ctx, engine.Principal), one.name)
		}
		return r.engine.Advance(as(ctx, engine.Principal), one.name)
	})
}

// served takes the wake away, unless another came meanwhile; after a failure it comes again.
func (w *world) served(one wake, err error) {
	w.trusted(func(ctx context.Context) error {
		if err != nil {
			wait := min(50*time.Millisecond<<min(one.attempts, 10), 30*time.Second)
			if errors.Is(err, errCrashed) {
				wait = 5 * time.Second // the lease of the dead
			}
			w.serveAt(w.now.Add(wait))
			_, err := w.bench.db.Writer().ExecContext(ctx, `UPDATE wakes SET due_at = $3, attempts = attempts + 1 WHERE kind = $1 AND name = $2`, one.kind, one.name, w.now.Add(wait).UnixMicro())
			return err
		}
		_, err := w.bench.db.Writer().ExecContext(ctx, `DELETE FROM wakes WHERE kind = $1 AND name = $2 AND generation = $3`, one.kind, one.name, one.generation)
		return err
	})
}
