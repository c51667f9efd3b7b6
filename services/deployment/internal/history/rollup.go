package history

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	rollupEvery = 15 * time.Second
	purgeEvery  = time.Hour
)

// Run adds up what probes saw, and forgets what is old, until ctx ends. Any number of
// replicas may: the store lets one compute at a time.
func Run(ctx context.Context, s *store.Store, logger *zap.Logger) error {
	rollup, purge := time.NewTicker(rollupEvery), time.NewTicker(purgeEvery)
	defer rollup.Stop()
	defer purge.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-rollup.C:
			err = s.Rollup(ctx)
		case <-purge.C:
			err = s.PurgeBuckets(ctx)
		}
		if err != nil && ctx.Err() == nil {
			logger.Warn("history not brought up to date; trying again", zap.Error(err))
		}
	}
}
