package simulator

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// world is one life of the engine and all that is around it.
type world struct {
	agenda
	bench *Bench
	seed  uint64
	rng   *rand.Rand
	trace strings.Builder
	steps int

	replicas []*replica
	agents   []*agent
	gate     *gateService
	people   people
	policies policies
	metrics  metrics
	faults   faults
	// faulty is true until the world heals.
	faulty  bool
	serving time.Time
	// nested is set while somebody acts in the middle of what a server does.
	nested bool
	// lostArchive is set when the archive of the first release is gone.
	lostArchive bool
	// last is the server that worked last.
	last *replica
	ids  int
	// outage is when a server, the database or the clock was last not as it should be.
	outage time.Time

	book   *book
	broken error
}

// faults is what a seed has in store, in parts of a thousand where it is a chance. Most seeds
// leave some of it out: a fault can hide another.
type faults struct {
	drop, duplicate, late, reorder int
	lostHints, twice               int
	longAbsence, slowDisk          int
	deaf, unkillable, ill, badly   int
	agentDies, serverDies          int
	partition, databaseGone        int
	clocks                         bool
	oldAgents                      int
	gateDown                       int
}

// begin is where every life begins, give or take a week.
var begin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant that Go cannot say

func (b *Bench) newWorld(seed uint64) *world {
	w := &world{bench: b, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), faulty: true} //nolint:gosec // a seed is to be told
	w.agenda = agenda{now: begin, rank: w.rng.Uint32}
	w.now = w.now.Add(w.between(0, 7*24*time.Hour)).Truncate(time.Millisecond)
	w.outage = w.now
	w.faults = w.drawFaults()
	w.gate = newGateService(w)
	w.book = newBook(w)
	w.people.retries, w.people.commanding = map[string]int32{}, map[string]int{}
	w.note("seed %d at %s: %+v", seed, w.now.Format(time.RFC3339), w.faults)
	for n := range 1 + w.pick(2) {
		w.replicas = append(w.replicas, w.newReplica(n))
	}
	hosts := 2 + w.pick(targets-1)
	w.trusted(func(ctx context.Context) error { return b.keep(ctx, hosts) })
	w.queue()
	for n := range hosts {
		a := w.newAgent(n)
		a.old = w.chance(w.faults.oldAgents)
		w.agents = append(w.agents, a)
		w.in(w.between(0, 2*time.Second), a.start)
	}
	return w
}

// queue says what becomes of a deployment that finds another one.
func (w *world) queue() {
	policy := []deploymentv1.QueuePolicy{deploymentv1.QueuePolicy_QUEUE_POLICY_UNSPECIFIED, deploymentv1.QueuePolicy_QUEUE, deploymentv1.QueuePolicy_SUPERSEDE, deploymentv1.QueuePolicy_REJECT}[w.pick(4)]
	w.note("queue policy %s", policy)
	w.trusted(func(ctx context.Context) error {
		resources := w.replicas[0].store.Resources
		return w.bench.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			row, err := store.Applications.LockRow(ctx, tx, application)
			if err != nil {
				return err
			}
			row.Message.QueuePolicies = map[string]deploymentv1.QueuePolicy{"*": policy}
			return store.Applications.Save(ctx, tx, resources, row.Message, row.Revision, resource.Meta{})
		})
	})
}

// drawFaults leaves out about half of what there is.
func (w *world) drawFaults() (f faults) {
	maybe := func(most int) int {
		if w.chance(500) {
			return 0
		}
		return 1 + w.pick(most)
	}
	f.drop, f.duplicate, f.late, f.reorder = maybe(150), maybe(200), maybe(30), maybe(300)
	f.lostHints, f.twice = maybe(600), maybe(200)
	f.longAbsence, f.slowDisk = maybe(400), maybe(300)
	f.deaf, f.unkillable, f.ill, f.badly = maybe(300), maybe(300), maybe(200), maybe(300)
	f.agentDies, f.serverDies, f.partition, f.databaseGone = maybe(10), maybe(4), maybe(6), maybe(2)
	f.clocks, f.oldAgents, f.gateDown = w.chance(150), maybe(100), maybe(400)
	return f
}

func (w *world) pick(n int) int           { return w.rng.IntN(n) }
func (w *world) chance(perMille int) bool { return perMille > w.rng.IntN(1000) }

func (w *world) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rng.Int64N(int64(to-from))).Truncate(time.Microsecond)
}

func (w *world) newID() string {
	w.ids++
	return fmt.Sprintf("%04d", w.ids)
}

func (w *world) note(format string, args ...any) {
	_, _ = fmt.Fprintf(&w.trace, "%s ", w.now.Format("15:04:05.000000"))
	_, _ = fmt.Fprintf(&w.trace, format, args...)
	w.trace.WriteByte('\n')
}

// fail records the first invariant that does not hold.
func (w *world) fail(err error) {
	if w.broken == nil {
		w.broken = err
		w.note("BROKEN: %v", err)
	}
}

func (w *world) alive() []*replica {
	var alive []*replica
	for _, r := range w.replicas {
		if !r.dead {
			alive = append(alive, r)
		}
	}
	return alive
}

// trusted lets the simulator work with the database whatever is the matter with it.
func (w *world) trusted(fn func(ctx context.Context) error) {
	w.bench.disk.trusted = true
	defer func() { w.bench.disk.trusted = false }()
	if err := fn(w.bench.ctx); err != nil {
		w.fail(fmt.Errorf("the simulator itself: %w", err))
	}
}

// query reads rows for the simulator.
func query[T any](w *world, scan func(*sql.Rows) (T, error), text string, args ...any) (all []T) {
	w.trusted(func(ctx context.Context) error {
		rows, err := w.bench.db.Read().QueryContext(ctx, text, args...)
		all, err = sqldb.Collect(rows, err, scan)
		return err
	})
	return all
}

func scanText(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) }

func (w *world) wakes() []wake {
	return query(w, func(rows *sql.Rows) (one wake, err error) {
		return one, rows.Scan(&one.kind, &one.name, &one.due, &one.generation, &one.attempts)
	}, `SELECT kind, name, due_at, generation, attempts FROM wakes ORDER BY due_at, kind, name`)
}

// behaviour says how a release does on a host. It hangs on the seed and the two names alone,
// so it is the same whenever it is asked for.
func (a *agent) behaviour(release string) behaviour {
	h := fnv.New64a()
	_, _ = h.Write([]byte(a.name + " " + release))
	dice := rand.New(rand.NewPCG(a.seed, h.Sum64())) //nolint:gosec // a seed is to be told
	chance := func(perMille int) bool { return perMille > dice.IntN(1000) }
	b := behaviour{
		crashes: chance(a.faults.badly / 3), neverHealthy: chance(a.faults.badly / 3), wrongDigest: chance(a.faults.badly / 4), noArtifact: chance(a.faults.badly / 8),
		deaf: chance(a.faults.deaf), unkillable: chance(a.faults.unkillable), hookCut: chance(300), recovers: chance(500),
		healthyAfter: 50*time.Millisecond + time.Duration(dice.Int64N(int64(3*time.Second))),
	}
	if chance(a.faults.ill) {
		b.illAfter = time.Duration(dice.Int64N(int64(90 * time.Second)))
	}
	if chance(a.faults.badly) {
		b.truncated = 1 + dice.IntN(3)
	}
	if strings.HasSuffix(release, "/v1") { // something has to be there that can be gone back to
		b.crashes, b.neverHealthy, b.wrongDigest, b.noArtifact = false, false, false, false
	}
	return b
}

// short is the last part of a name, for the trace.
func short(name string) string {
	if i := strings.LastIndex(name, "/deployments/"); i >= 0 {
		return name[i+len("/deployments/"):]
	}
	return name[strings.LastIndexByte(name, '/')+1:]
}
