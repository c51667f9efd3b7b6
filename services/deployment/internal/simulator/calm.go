package simulator

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// Lives of which the seed says little: each shows one thing.

// calm makes a world without faults.
func (b *Bench) calm(seed uint64, servers int) (*world, error) {
	if err := b.reset(); err != nil {
		return nil, fmt.Errorf("reset the bench: %w", err)
	}
	w := b.newWorld(seed)
	w.faults, w.faulty = faults{}, false
	for _, r := range w.replicas {
		r.boot++ // whoever the seed began is no more
	}
	w.replicas = nil
	for n := range servers {
		w.replicas = append(w.replicas, w.newReplica(n))
	}
	for _, a := range w.agents {
		a.old = false
	}
	return w, nil
}

// end tells how the deployments of a world ended.
func (w *world) end(seed uint64) Result {
	r := Result{Seed: seed, Err: w.broken, Trace: w.trace.String(), Ends: map[string]string{}}
	for name, d := range w.book.deployments {
		r.Ends[short(name)] = d.message.GetState().String()
	}
	return r
}

// deploy creates a deployment of all targets.
func (w *world) deploy(id string, release int, of *deploymentv1.Rollout) {
	r := w.replicas[0]
	err := r.do("create "+id, func(ctx context.Context) error {
		_, err := r.engine.Create(as(ctx, "users/alice"), &deploymentv1.CreateDeploymentRequest{Parent: application, DeploymentId: id, Deployment: &deploymentv1.Deployment{
			Release: releaseName(release), Environment: environment, Rollout: of,
		}})
		return err
	})
	if err != nil {
		w.fail(fmt.Errorf("create %s: %w", id, err))
	}
}

// settle lets the world go on until a deployment has ended, or an hour has passed.
func (w *world) settle(id string) {
	d := w.book.deployments[application+"/deployments/"+id]
	if d == nil {
		w.fail(fmt.Errorf("there is no %s", id))
		return
	}
	for end := w.now.Add(time.Hour); w.broken == nil && !rollout.Ended(w.book.deployments[d.message.GetName()].message.GetState()) && w.now.Before(end); {
		w.step(end)
	}
}

// Calm rolls out two releases with that many servers at work.
func (b *Bench) Calm(seed uint64, servers int) Result {
	w, err := b.calm(seed, servers)
	if err != nil {
		return Result{Seed: seed, Err: err}
	}
	w.faults.twice = 1000 * (servers - 1) // every decision is made by both
	w.deploy("first", 0, nil)
	w.settle("first")
	w.deploy("second", 1, &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{
		{Id: "one", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Count{Count: 1}}, Bake: seconds(5)},
		{Id: "rest", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}, MaxParallel: 1},
	}})
	w.settle("second")
	return w.end(seed)
}

// Poisoned makes one deployment unreadable while another one of other targets rolls out: its own row,
// or what one of its installations brings.
func (b *Bench) Poisoned(seed uint64, poison string) Result {
	w, err := b.calm(seed, 1)
	if err != nil {
		return Result{Seed: seed, Err: err}
	}
	cohort := func(n int) *deploymentv1.Rollout {
		return &deploymentv1.Rollout{LostAfter: seconds(30), Waves: []*deploymentv1.WaveRule{
			{Id: "all", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: fmt.Sprintf("c%d", n)}}, Bake: seconds(20)},
		}}
	}
	w.deploy("poisoned", 0, cohort(0))
	w.deploy("healthy", 0, cohort(1))
	w.trusted(func(ctx context.Context) error {
		_, err := b.db.Writer().ExecContext(ctx, poison, application+"/deployments/poisoned")
		return err
	})
	w.settle("healthy")
	return w.end(seed)
}

// The poisons.
const (
	PoisonedRow     = `UPDATE deployments SET message = X'FF' WHERE name = $1`
	PoisonedOverlay = `UPDATE installations SET overlay = X'FF' WHERE parent = $1`
)

// Lost rolls out a second release when the archive of the first is gone, goes back from it, and tries
// to bring the first one to hosts again.
func (b *Bench) Lost(seed uint64) Result {
	w, err := b.calm(seed, 1)
	if err != nil {
		return Result{Seed: seed, Err: err}
	}
	w.deploy("first", 0, nil)
	w.settle("first")
	w.lostArchive = true
	w.deploy("second", 1, nil)
	w.settle("second")
	w.rollback(w.replicas[0], application+"/deployments/second")
	w.settle("rollback-" + fmt.Sprintf("%04d", w.ids))
	w.deploy("third", 1, nil)
	w.settle("third")
	w.deploy("fourth", 0, nil)
	w.settle("fourth")
	return w.end(seed)
}

// Samples is how many samples of the heap a soak takes.
const Samples = 10

// Soak has one server roll out so many deployments, and tells the live heap after each tenth of them.
func (b *Bench) Soak(seed uint64, n int) (Result, []uint64) {
	w, err := b.calm(seed, 1)
	if err != nil {
		return Result{Seed: seed, Err: err}, nil
	}
	var heaps []uint64
	for i := range n {
		id := fmt.Sprintf("d%d", i)
		w.deploy(id, i%2, nil)
		w.settle(id)
		for until := w.now.Add(time.Second); w.step(until); { // so that hosts hear of the seal, and clean up
		}
		if d := w.book.deployments[application+"/deployments/"+id]; w.broken == nil && d.message.GetState() != deploymentv1.Deployment_SUCCEEDED {
			w.fail(fmt.Errorf("%s is %s", id, d.message.GetState()))
		}
		if w.broken != nil {
			break
		}
		w.forget()
		if (i+1)%max(1, n/Samples) == 0 && len(heaps) < Samples {
			heaps = append(heaps, liveHeap())
		}
	}
	return w.end(seed), heaps
}

// forget drops what the simulator itself remembers of deployments that have ended, and their rows.
func (w *world) forget() {
	w.trace.Reset()
	for _, a := range w.agents {
		clear(a.host.activated)
		maps.DeleteFunc(a.host.procs, func(_ int, p *process) bool { return !p.running })
	}
	clear(w.book.plans)
	clear(w.book.replayed)
	if len(w.book.deployments) < 50 {
		return
	}
	clear(w.book.deployments)
	clear(w.book.waves)
	clear(w.book.installations)
	w.trusted(func(ctx context.Context) error {
		for _, table := range []string{"deployments", "waves", "events", "installation_steps"} {
			if _, err := w.bench.db.Writer().ExecContext(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}
		_, err := w.bench.db.Writer().ExecContext(ctx, `DELETE FROM installations WHERE action = 0 AND epoch < (SELECT MAX(h.epoch) FROM installations h WHERE h.target = installations.target)`)
		return err
	})
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
