// Package run starts what is long-lived in a process and stops it in order.
//
// Each part is a [Func]: it returns when its context ends or when it breaks.
// [All] starts the parts in the order given, what others stand on first. When
// the context ends, or the first part breaks, it stops them one after the other in the
// reverse order, so that the server stops taking calls before the workers behind it stop,
// and those before the database closes. It returns when all have returned, and its error names who broke.
//
//	ctx, stop := run.Signals(context.Background())
//	defer stop()
//	return run.All(ctx,
//		run.Part{Name: "event log", Run: log.Run},
//		run.Part{Name: "api", Run: server.Run},
//	)
package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Func runs until ctx ends or it breaks.
type Func func(ctx context.Context) error

// Part is a Func with the name that errors carry.
type Part struct {
	Name string
	Run  Func
}

// running is a part that was started.
type running struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // valid once done is closed
}

// All runs the parts until ctx ends or one fails, then stops them in reverse
// order and waits for each. A part that returns nil is over and stops nobody.
// The end of ctx is no error; a part that answers it with context.Canceled did as told.
func All(ctx context.Context, parts ...Part) error {
	// Each part has a context that outlives ctx, so that the order of stopping is ours.
	base := context.WithoutCancel(ctx)
	started := make([]*running, 0, len(parts))
	failed := make(chan struct{}, len(parts))
	over := make(chan struct{}, len(parts))
	for _, p := range parts {
		started = append(started, start(base, p, failed, over))
	}
	wait(ctx, len(parts), failed, over)

	var errs []error
	for _, r := range slices.Backward(started) {
		r.cancel()
		<-r.done
		if r.err != nil && !errors.Is(r.err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s: %w", r.name, r.err))
		}
	}
	return errors.Join(errs...)
}

func start(base context.Context, p Part, failed, over chan<- struct{}) *running {
	ctx, cancel := context.WithCancel(base)
	r := &running{name: p.Name, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		if r.err = p.Run(ctx); r.err != nil {
			failed <- struct{}{}
			return
		}
		over <- struct{}{}
	}()
	return r
}

func wait(ctx context.Context, parts int, failed, over <-chan struct{}) {
	for range parts {
		select {
		case <-ctx.Done():
			return
		case <-failed:
			return
		case <-over:
		}
	}
}

// Signals returns a context that ends with SIGINT or SIGTERM. A second signal
// kills the process at once, for operators who do not want to wait.
func Signals(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // back to the default, which kills
	return ctx, stop
}
