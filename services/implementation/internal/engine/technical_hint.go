package engine

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// watchMost is how many resources one stream may name.
	watchMost = 500
	// rejoinAfter is the first pause before a broken stream is joined again; it doubles to rejoinMost.
	rejoinAfter = time.Second
	rejoinMost  = 10 * time.Second
)

// watch follows the verdicts on all that the deployment service knows. What it does not know cannot be watched, and is
// asked about by the sweep until it exists.
func (t *Technical) watch(ctx context.Context) error {
	var watched []string
	leave := func() {}
	defer func() { leave() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case known := <-t.known:
			if slices.Equal(known, watched) {
				continue
			}
			leave()
			watched, leave = known, t.join(ctx, known)
		}
	}
}

// join opens the streams for the resources; the function it returns ends them, and waits for that.
func (t *Technical) join(ctx context.Context, resources []string) (leave func()) {
	byWorkspace := map[string][]string{}
	for _, name := range resources {
		byWorkspace[store.Workspace(name)] = append(byWorkspace[store.Workspace(name)], name)
	}
	ctx, cancel := context.WithCancel(ctx)
	var streams sync.WaitGroup
	for workspace, names := range byWorkspace {
		for part := range slices.Chunk(names, watchMost) {
			streams.Go(func() {
				t.stay(ctx, &gatev1.WatchGatesRequest{Parent: workspace, Resources: part, Purpose: gatev1.Purpose_PURPOSE_TECHNICAL})
			})
		}
	}
	return func() { cancel(); streams.Wait() }
}

// stay joins a stream again and again, with pauses that grow while nothing comes of it.
func (t *Technical) stay(ctx context.Context, req *gatev1.WatchGatesRequest) {
	pause := rejoinAfter
	for ctx.Err() == nil {
		heard, err := t.hear(ctx, req)
		if heard {
			pause = rejoinAfter
		}
		if ctx.Err() == nil && !errors.Is(err, io.EOF) {
			t.logger.Debug("watch of machines ended; joining again", zap.String("workspace", req.GetParent()), zap.Error(err))
		}
		wait := time.NewTimer(pause/2 + rand.N(pause/2)) //nolint:gosec // jitter is no secret
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
		pause = min(2*pause, rejoinMost)
	}
}

// hear passes on what one stream says, until it ends.
func (t *Technical) hear(ctx context.Context, req *gatev1.WatchGatesRequest) (heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := t.gate.WatchGates(ctx, req)
	if err != nil {
		return false, err
	}
	for {
		frame, err := stream.Recv()
		if err != nil {
			return heard, err
		}
		heard = true
		resource := frame.GetVerdict().GetResource()
		if !slices.Contains(req.GetResources(), resource) {
			continue // a heartbeat
		}
		select {
		case t.hints <- resource:
		case <-ctx.Done():
			return heard, ctx.Err()
		}
	}
}
