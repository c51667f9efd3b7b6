package engine

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// rejoin is how long a broken watch is left alone at most.
const rejoin = 2 * time.Second

// rewatch lets the watcher look again at which gates matter.
func (e *Engine) rewatch() {
	select {
	case e.regate <- struct{}{}:
	default:
	}
}

// gatesChange reports whether a wave began or ceased to wait for its gates.
func gatesChange(before, after *deploymentv1.Wave) bool {
	return (before.GetState() == deploymentv1.Wave_GATED) != (after.GetState() == deploymentv1.Wave_GATED)
}

// watchGates keeps a watch on every gate that a wave waits for, one stream a workspace or more where
// it waits for many. What comes is a hint: the deployments concerned ask for themselves.
func (e *Engine) watchGates(ctx context.Context) {
	var streams sync.WaitGroup
	defer streams.Wait()
	running := map[part]*gateStream{}
	look := time.NewTicker(sweep)
	defer look.Stop()
	for {
		wanted, err := e.gatesWanted(ctx)
		if err != nil && ctx.Err() == nil {
			e.logger.Warn("look for gates to watch", zap.Error(err))
		}
		pieces := parts(wanted)
		for p, s := range running {
			if err == nil && !maps.EqualFunc(pieces[p], s.watch, slices.Equal) {
				s.stop()
				delete(running, p)
			}
		}
		for p, w := range pieces {
			if running[p] == nil {
				streamCtx, stop := context.WithCancel(ctx)
				running[p] = &gateStream{watch: w, stop: stop}
				streams.Go(func() { e.watchPart(streamCtx, p, w) })
			}
		}
		select {
		case <-ctx.Done():
			for _, s := range running {
				s.stop()
			}
			return
		case <-e.regate:
		case <-look.C:
		}
	}
}

type gateStream struct {
	watch watch
	stop  context.CancelFunc
}

// watchMost is how many gates the contract lets one stream watch.
const watchMost = 500

// part is what one stream watches of a workspace: cohort plans about the people alone, or decisions about all there is. What nothing
// was heard of is watched apart: a stream ends on one name that does not exist, and would take with it those that do.
type part struct {
	workspace string
	purpose   gatev1.Purpose
	unheard   bool
	nth       int
}

// partOf is the part to which a gate of a wave belongs that asks of a resource.
func partOf(w *deploymentv1.Wave, rule *deploymentv1.GateRule, resource string) part {
	p := part{workspace: store.WorkspaceOf(resource), purpose: gatev1.Purpose_PURPOSE_READINESS, unheard: true}
	if rule.GetDecision() != nil {
		p.purpose = gatev1.Purpose_PURPOSE_ALL
	}
	for _, kept := range w.GetGates() {
		if state := kept.GetVerdict().GetState(); kept.GetId() == rule.GetId() && state != gatev1.Verdict_STATE_UNSPECIFIED && state != gatev1.Verdict_UNKNOWN {
			p.unheard = false
		}
	}
	return p
}

// parts deals what is waited for out to streams. The parts of what is wanted have no number yet.
func parts(wanted map[part]watch) map[part]watch {
	out := map[part]watch{}
	for p, all := range wanted {
		p.nth = 0
		for some := range slices.Chunk(all.resources(), watchMost) {
			piece := watch{}
			for _, r := range some {
				slices.Sort(all[r])
				piece[r] = slices.Compact(all[r])
			}
			out[p] = piece
			p.nth++
		}
	}
	return out
}

// watch maps each resource that is waited for to the deployments that wait.
type watch map[string][]string

func (w watch) resources() []string {
	out := make([]string, 0, len(w))
	for r := range w {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}

// gatesWanted returns what waves wait for, by the parts that it is watched in.
func (e *Engine) gatesWanted(ctx context.Context) (map[part]watch, error) {
	waves, err := store.GatedWaves(ctx, e.store.DB.Read())
	if err != nil {
		return nil, err
	}
	out := map[part]watch{}
	for _, w := range waves {
		deployment, _, _ := strings.Cut(w.GetName(), "/waves/")
		for _, rule := range w.GetRule().GetGates() {
			resource := rollout.AskedOf(rule)
			if resource == "" {
				continue
			}
			p := partOf(w, rule, resource)
			if out[p] == nil {
				out[p] = watch{}
			}
			out[p][resource] = append(out[p][resource], deployment)
		}
	}
	return out, nil
}

// watchPart follows one stream, and joins again when it breaks.
func (e *Engine) watchPart(ctx context.Context, p part, w watch) {
	for broken := false; ctx.Err() == nil; {
		stream, err := e.gate.WatchGates(ctx, &gatev1.WatchGatesRequest{Parent: p.workspace, Resources: w.resources(), Purpose: p.purpose})
		for err == nil {
			var frame *gatev1.WatchGatesResponse
			if frame, err = stream.Recv(); err != nil {
				break
			}
			broken = false
			if frame.GetVerdict() != nil {
				e.turned(ctx, w[frame.GetVerdict().GetResource()])
			}
		}
		if ctx.Err() == nil && !broken {
			broken = true // whoever waits is told at once that nobody answers, not when the last verdict is too old
			for _, waiting := range w {
				e.turned(ctx, waiting)
			}
		}
		if ctx.Err() == nil && !errors.Is(err, io.EOF) {
			e.logger.Info("watch of gates ended; joining again", zap.String("workspace", p.workspace), zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(rejoin/4 + rand.N(rejoin*3/4)): //nolint:gosec // G404: jitter is no secret
		}
	}
}

// turned asks the implementation service again for deployments whose gate may have turned.
func (e *Engine) turned(ctx context.Context, deployments []string) {
	for _, name := range deployments {
		if err := e.reask(ctx, name, func(rule *deploymentv1.GateRule) bool { return rollout.AskedOf(rule) != "" }); err != nil && ctx.Err() == nil {
			e.logger.Warn("ask gates after a hint", zap.String("deployment", name), zap.Error(err))
		}
	}
}
