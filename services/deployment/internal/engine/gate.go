package engine

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
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

// watchGates keeps a watch on every gate that a wave waits for, one stream a workspace. What
// comes is a hint: the deployments concerned ask for themselves.
func (e *Engine) watchGates(ctx context.Context) {
	var streams sync.WaitGroup
	defer streams.Wait()
	running := map[string]*gateStream{}
	look := time.NewTicker(sweep)
	defer look.Stop()
	for {
		wanted, err := e.gatesWanted(ctx)
		if err != nil && ctx.Err() == nil {
			e.logger.Warn("look for gates to watch", zap.Error(err))
		}
		for workspace, s := range running {
			if w := wanted[workspace]; err == nil && (w == nil || !slices.Equal(w.resources(), s.resources)) {
				s.stop()
				delete(running, workspace)
			}
		}
		for workspace, w := range wanted {
			if running[workspace] == nil {
				streamCtx, stop := context.WithCancel(ctx)
				running[workspace] = &gateStream{resources: w.resources(), stop: stop}
				streams.Go(func() { e.watchWorkspace(streamCtx, workspace, w) })
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
	resources []string
	stop      context.CancelFunc
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

// gatesWanted returns what waves wait for, by workspace.
func (e *Engine) gatesWanted(ctx context.Context) (map[string]watch, error) {
	waves, err := store.GatedWaves(ctx, e.store.DB.Read())
	if err != nil {
		return nil, err
	}
	out := map[string]watch{}
	for _, w := range waves {
		deployment, _, _ := strings.Cut(w.GetName(), "/waves/")
		for _, rule := range w.GetRule().GetGates() {
			plan := rule.GetReadiness().GetCohortPlan()
			if plan == "" {
				continue
			}
			workspace := store.WorkspaceOf(plan)
			if out[workspace] == nil {
				out[workspace] = watch{}
			}
			out[workspace][plan] = append(out[workspace][plan], deployment)
		}
	}
	return out, nil
}

// watchWorkspace follows one stream, and joins again when it breaks.
func (e *Engine) watchWorkspace(ctx context.Context, workspace string, w watch) {
	for broken := false; ctx.Err() == nil; {
		stream, err := e.gate.WatchGates(ctx, &gatev1.WatchGatesRequest{Parent: workspace, Resources: w.resources(), Purpose: gatev1.Purpose_PURPOSE_READINESS})
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
			e.logger.Info("watch of gates ended; joining again", zap.String("workspace", workspace), zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(rejoin/4 + rand.N(rejoin*3/4)): //nolint:gosec // G404: jitter is no secret
		}
	}
}

// turned asks again about people for deployments whose gate may have turned.
func (e *Engine) turned(ctx context.Context, deployments []string) {
	for _, name := range deployments {
		if err := e.reask(ctx, name, func(rule *deploymentv1.GateRule) bool { return rule.GetReadiness() != nil }); err != nil && ctx.Err() == nil {
			e.logger.Warn("ask gates after a hint", zap.String("deployment", name), zap.Error(err))
		}
	}
}
