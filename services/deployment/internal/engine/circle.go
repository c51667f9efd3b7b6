package engine

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/circle"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Two things that wait for each other wait for ever: a wave for a decision whose evidence is the wave. Such circles are refused when
// a deployment is created, by following what each thing waits for by its plan through both services. Where the other service is
// silent, or the circle is closed there later, a search every few seconds finds it and says so at the waves.

const (
	// ReasonCircle refuses a deployment that would wait for itself.
	ReasonCircle = "WAITING_CYCLE"

	circleMost     = 200             // things in one search
	circlePatience = 2 * time.Second // of whoever creates a deployment
	circleEvery    = 10 * time.Second
	circleRound    = 5 * time.Second // of one search over all waves
)

// edges is what waits for what by its plan, through both services.
func (e *Engine) edges() *circle.Graph {
	g := &circle.Graph{Elsewhere: isElsewhere, Here: func(ctx context.Context, name string) ([]string, error) {
		return dependsOn(e.store.ExplainWaiting(ctx, name))
	}}
	if e.waiting != nil {
		g.There = func(ctx context.Context, name string) ([]string, error) {
			return dependsOn(e.waiting.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: name}))
		}
	}
	return g
}

// dependsOn reads an answer. What is not there, or of a kind that never waits, waits for nothing.
func dependsOn(said *waitingv1.Explanation, err error) ([]string, error) {
	if fault.Is(err, fault.KindNotFound) || fault.Is(err, fault.KindInvalid) {
		return nil, nil
	}
	return said.GetDependsOn(), err
}

// isElsewhere tells the implementation service's things by their names.
func isElsewhere(name string) bool {
	parts := strings.SplitN(name, "/", 4)
	return len(parts) == 4 && parts[2] == "implementations"
}

// refuseCircle refuses a deployment that would wait for itself, if that can be found out in time. What is wrong with it otherwise is for
// others to say.
func (e *Engine) refuseCircle(ctx context.Context, parent, id string, given *deploymentv1.Deployment) error {
	d := proto.CloneOf(given)
	if d == nil {
		return nil
	}
	if id == "" {
		id = "new" // nothing can wait for a name that nobody knows yet
	}
	d.Name = parent + "/deployments/" + id
	expanded, err := plan(ctx, e.store.DB.Read(), d)
	if err != nil {
		return nil // whoever creates it finds the same, and says so
	}
	ctx, cancel := context.WithTimeout(ctx, circlePatience)
	defer cancel()
	g, err := e.prospect(ctx, d, expanded)
	if g == nil || err != nil {
		return nil // it waits for nobody else; or as above
	}
	starts := []string{d.GetName()}
	for _, rule := range expanded.GetWaves() {
		starts = append(starts, d.GetName()+"/waves/"+rule.GetId())
	}
	for _, start := range starts {
		path, err := g.Find(ctx, start, circleMost)
		if err != nil {
			e.logger.Info("whether a deployment waits for itself is found out later", zap.String("deployment", d.GetName()), zap.Error(err))
			return nil
		}
		if path != nil {
			return circleFault(path)
		}
	}
	return nil
}

// prospect is the edges with those of a deployment that is not stored yet; nil where it waits for nobody but itself.
func (e *Engine) prospect(ctx context.Context, d *deploymentv1.Deployment, expanded *deploymentv1.Rollout) (*circle.Graph, error) {
	q, g := e.store.DB.Read(), e.edges()
	waves := make([]*deploymentv1.Wave, 0, len(expanded.GetWaves()))
	for i, rule := range expanded.GetWaves() {
		waves = append(waves, newWave(d, rule, i))
	}
	outside, names := false, []string(nil)
	for i, w := range waves {
		to, err := store.WaveDependsOn(ctx, q, d, w, waves)
		if err != nil {
			return nil, err
		}
		outside = outside || len(to) > i // besides those before it
		g.Set(w.GetName(), to...)
		names = append(names, w.GetName())
	}
	g.Set(d.GetName(), names...)
	if !outside {
		return nil, nil //nolint:nilnil // no edges are no error
	}
	inNeed, err := store.WavesInNeed(ctx, q, d)
	if err != nil {
		return nil, err
	}
	for _, name := range append(inNeed, d.GetEnvironment(), applicationOf(d.GetName())) {
		g.Add(name, d.GetName())
	}
	return g, nil
}

func circleFault(path []string) error {
	f := fault.Precondition(ReasonCircle, "it would wait for itself, and never begin: %s; take one of these out: a gate of the wave, a resource of the "+
		"decision's or the readiness's evidence, or what the stage waits for", strings.Join(path, " → "))
	for i, name := range path[:len(path)-1] {
		f = f.Subject(ReasonCircle, name, "waits for "+path[i+1])
	}
	return f
}

// seekCircles looks for circles among the waves that wait, and marks and clears them, until ctx ends. Any number of servers may do so.
func (e *Engine) seekCircles(ctx context.Context) {
	run.Every(ctx, circleEvery, func(ctx context.Context) {
		if err := e.SeekCircles(ctx); err != nil && ctx.Err() == nil {
			e.logger.Warn("look for waves that wait for themselves; trying again later", zap.Error(err))
		}
	})
}

// SeekCircles looks once. Where the other service does not answer, what was found before stands.
func (e *Engine) SeekCircles(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, circleRound)
	defer cancel()
	waves, err := store.GatedWaves(ctx, e.store.DB.Read())
	if err != nil {
		return err
	}
	marked, err := store.WaveCircles(ctx, e.store.DB.Read(), "")
	if err != nil {
		return err
	}
	g := e.edges()
	for _, w := range waves {
		was := marked[w.GetName()]
		delete(marked, w.GetName())
		path, err := g.Find(ctx, w.GetName(), circleMost)
		if err != nil {
			return err
		}
		if path == nil && g.Deaf() {
			continue
		}
		if err := e.markCircle(ctx, w.GetName(), path, was); err != nil {
			return err
		}
	}
	for name, was := range marked { // it began, or is gone
		if err := e.markCircle(ctx, name, nil, was); err != nil {
			return err
		}
	}
	return nil
}

// markCircle keeps what was found of a wave, and has its deployment say so.
func (e *Engine) markCircle(ctx context.Context, wave string, path []string, was *rollout.Circle) error {
	if strings.Join(path, "\n") == strings.Join(was.GetPath(), "\n") {
		return nil
	}
	deployment := rollout.DeploymentOf(wave)
	return e.store.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := store.PutWaveCircle(ctx, tx, e.store.Now(), wave, path); err != nil {
			return err
		}
		return e.wake(ctx, tx, deployment, e.store.Now())
	})
}
