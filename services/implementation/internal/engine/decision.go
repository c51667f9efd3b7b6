package engine

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// decisionSweep is how often every open decision is held against its evidence, whatever was heard.
	decisionSweep = 10 * time.Second
	// decisionDue is how often it is looked whether the time of one is over.
	decisionDue = time.Second
)

// Decisions ends decisions whose evidence became worse, whose time is over or whose conditions are overdue. Events are
// hints; the sweep finds what they missed. Any number of replicas may run it: a decision is changed by compare-and-swap.
// Nobody waits for it: who asks a decision gets what it says then.
type Decisions struct {
	store  *store.Store
	sweep  time.Duration
	logger *zap.Logger
}

// NewDecisions looks at everything every sweep; 10 s when 0.
func NewDecisions(s *store.Store, sweep time.Duration, logger *zap.Logger) *Decisions {
	return &Decisions{store: s, sweep: cmp.Or(sweep, decisionSweep), logger: logger}
}

// Run works until ctx ends.
func (e *Decisions) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		watcher, err := e.store.WatchDecisionFacts(ctx)
		if err != nil {
			return ended(ctx, err)
		}
		if err := e.follow(ctx, watcher); err != nil && !errors.Is(err, feed.ErrSlow) {
			return ended(ctx, err)
		}
	}
	return nil
}

// follow checks what each event is about, until the watcher ends.
func (e *Decisions) follow(ctx context.Context, watcher *feed.Watcher) error {
	sweep, due := time.NewTicker(e.sweep), time.NewTicker(decisionDue)
	defer sweep.Stop()
	defer due.Stop()
	dirty := map[string]bool{}
	e.try(ctx, e.checkAll)
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
			e.try(ctx, func(ctx context.Context) error { return e.checkAbout(ctx, dirty) })
			clear(dirty) // what failed is in the sweep
		case <-sweep.C:
			e.try(ctx, e.checkAll)
		case <-due.C:
			e.try(ctx, e.checkDue)
		}
	}
}

func (e *Decisions) try(ctx context.Context, check func(context.Context) error) {
	if err := check(ctx); err != nil && ctx.Err() == nil {
		e.logger.Warn("decisions not held against their evidence; trying again", zap.Error(err))
	}
}

func (e *Decisions) checkAbout(ctx context.Context, dirty map[string]bool) error {
	names, err := e.store.DecisionsAbout(ctx, slices.Collect(maps.Keys(dirty)))
	if err != nil {
		return err
	}
	return e.store.CheckDecisions(ctx, names)
}

func (e *Decisions) checkDue(ctx context.Context) error {
	names, err := e.store.DecisionsDue(ctx)
	if err != nil {
		return err
	}
	return e.store.CheckDecisions(ctx, names)
}

// checkAll checks all there are; what cannot be judged holds up none of those after it.
func (e *Decisions) checkAll(ctx context.Context) error {
	var failed []error
	for last := ""; ; {
		names, err := e.store.DecisionsAfter(ctx, last, batch)
		if err != nil || len(names) == 0 {
			return errors.Join(append(failed, err)...)
		}
		failed = append(failed, e.store.CheckDecisions(ctx, names))
		last = names[len(names)-1]
	}
}
