package implementation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// purgeUsageEvery is how often usage is looked for that is older than it may be.
const purgeUsageEvery = 6 * time.Hour

// metricsBeside is where usage is kept when nothing else is said: implementation.metrics.db beside implementation.db, a schema
// of its own on PostgreSQL. It may lose its last second when the power fails, so that usage, which comes by the
// thousand, never waits for a disk that an approval needs.
func metricsBeside(main sqldb.Config) sqldb.Config {
	main.Synchronous, main.Schema = "NORMAL", main.Schema+"_metrics"
	if file, ok := strings.CutPrefix(main.URL, "sqlite:"); ok {
		main.URL = "sqlite:" + strings.TrimSuffix(file, ".db") + ".metrics.db"
	}
	return main
}

// openMetrics opens the database of usage.
func (s *Service) openMetrics(ctx context.Context, cfg Config) (*sqldb.DB, error) {
	if cfg.Metrics.URL == "" {
		cfg.Metrics = metricsBeside(cfg.Database)
	}
	db, err := sqldb.Open(ctx, cfg.Metrics)
	if err != nil {
		return nil, fmt.Errorf("open the database of usage: %w", err)
	}
	if err := s.store.UseMetrics(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate the database of usage: %w", err), db.Close())
	}
	return db, nil
}

// purgeUsage makes counts out of usage that is older than it may be, until ctx ends.
func (s *Service) purgeUsage(ctx context.Context) error {
	run.Every(ctx, purgeUsageEvery, func(ctx context.Context) {
		if err := s.store.PurgeUsage(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("old usage not purged; trying again later", zap.Error(err))
		}
	})
	return nil
}
