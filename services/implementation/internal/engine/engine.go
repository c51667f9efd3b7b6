// Package engine keeps the verdicts on cohort plans current: it judges again
// what an event may have changed, and everything now and then, because time alone
// changes readiness too: completions expire, memberships begin and end.
//
// It is a convenience for those who watch. Whoever asks gets a verdict computed
// then, so nothing is wrong while the engine is behind or does not run, and any number of
// replicas may run it: a verdict is replaced by compare-and-swap.
package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// batch is how many plans are judged at once.
	batch = 200
	// retryAfter is how long a plan that could not be judged waits.
	retryAfter = time.Second
)

// Engine judges cohort plans. One a process.
type Engine struct {
	store   *store.Store
	logger  *zap.Logger
	sweep   time.Duration
	metrics metrics
}

// New makes an engine that judges everything every sweep; as often as a verdict lives when 0.
func New(s *store.Store, logger *zap.Logger, sweep time.Duration) *Engine {
	if sweep <= 0 {
		sweep = readiness.TTL
	}
	return &Engine{store: s, logger: logger, sweep: sweep, metrics: newMetrics()}
}

// Run works until ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		watcher, err := e.store.WatchFacts(ctx)
		if err != nil {
			return ended(ctx, err)
		}
		// What was missed before the watcher began, or while it was cut, is in the sweep.
		if err := e.follow(ctx, watcher); err != nil && !errors.Is(err, feed.ErrSlow) {
			return ended(ctx, err)
		}
	}
	return nil
}

// ended is nil when the engine was told to stop: by its context, or with the log.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil && !errors.Is(err, feed.ErrStopped) {
		return err
	}
	return nil
}

// follow judges what each event may have changed, until the watcher ends.
func (e *Engine) follow(ctx context.Context, watcher *feed.Watcher) error {
	sweep := time.NewTicker(e.sweep)
	defer sweep.Stop()
	retry := time.NewTimer(0) // the first look at everything
	defer retry.Stop()
	dirty, all := map[string]bool{}, true
	for {
		select {
		case event, open := <-watcher.C:
			if !open {
				return watcher.Err()
			}
			dirty[event.GetResource()] = true
			if !drain(watcher, dirty) {
				return watcher.Err()
			}
		case <-sweep.C:
			all = true
		case <-retry.C:
		}
		began := time.Now()
		err := e.judge(ctx, dirty, all)
		e.metrics.round(began, all, err)
		if err != nil {
			if ctx.Err() == nil {
				e.logger.Warn("readiness not judged; trying again", zap.Error(err))
			}
			retry.Reset(retryAfter)
			continue
		}
		clear(dirty)
		all = false
	}
}

// drain takes what has come meanwhile, so that a burst is judged once; false when the watcher ended.
func drain(watcher *feed.Watcher, dirty map[string]bool) bool {
	for {
		select {
		case event, open := <-watcher.C:
			if !open {
				return false
			}
			dirty[event.GetResource()] = true
		default:
			return true
		}
	}
}

func (e *Engine) judge(ctx context.Context, dirty map[string]bool, all bool) error {
	if all {
		return e.judgeAll(ctx)
	}
	plans, err := e.store.Affected(ctx, slices.Collect(maps.Keys(dirty)))
	if err != nil {
		return err
	}
	for part := range slices.Chunk(plans, batch) {
		if _, err := e.store.Verdicts(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) judgeAll(ctx context.Context) error {
	last := ""
	for {
		plans, err := e.store.PlansAfter(ctx, last, batch)
		if err != nil || len(plans) == 0 {
			return err
		}
		if _, err := e.store.Verdicts(ctx, plans); err != nil {
			return err
		}
		last = plans[len(plans)-1]
	}
}
