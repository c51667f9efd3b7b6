package engine

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// detectTick is how often it is looked which implementation is due to be judged by the detectors.
// One is due once a day, and a rule decides about a subject once a week.
const detectTick = 10 * time.Minute

// Detectors judges every implementation once a day. One a process; any number of
// processes share the work, because whoever moves the due time of an implementation judges it.
type Detectors struct {
	store  *store.Store
	logger *zap.Logger
	tick   time.Duration
}

// NewDetectors makes one that looks every tick; every ten minutes when 0.
func NewDetectors(s *store.Store, logger *zap.Logger, tick time.Duration) *Detectors {
	if tick <= 0 {
		tick = detectTick
	}
	return &Detectors{store: s, logger: logger, tick: tick}
}

// Run works until ctx ends.
func (d *Detectors) Run(ctx context.Context) error {
	run.Every(ctx, d.tick, d.round)
	return nil
}

// round judges all that is due. What fails is due again in a while, so one bad plan does not keep the others waiting.
func (d *Detectors) round(ctx context.Context) {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = d.store.DetectNext(ctx); err != nil && ctx.Err() == nil {
			d.logger.Warn("detectors not run; trying again later", zap.Error(err))
		}
	}
}
