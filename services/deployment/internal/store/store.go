package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/jobs"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
)

//go:embed migrations metrics_migrations
var migrations embed.FS

// Store is everything that the service keeps.
type Store struct {
	// DB holds what must never be lost.
	DB *sqldb.DB
	// Metrics holds what comes often and may lose its last second: log lines, probe summaries, heartbeats.
	Metrics *sqldb.DB
	// Log is the event log.
	Log *feed.Log
	// Resources writes the kinds of this package.
	Resources *resource.Store
}

// Config says where the store is.
type Config struct {
	Database, Metrics sqldb.Config
	Logger            *zap.Logger
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Open opens both databases and brings their tables up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	db, err := sqldb.Open(ctx, cfg.Database)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	metrics, err := sqldb.Open(ctx, cfg.Metrics)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the metrics database: %w", err), db.Close())
	}
	s, err := Over(ctx, db, metrics, cfg)
	if err != nil {
		return nil, errors.Join(err, db.Close(), metrics.Close())
	}
	return s, nil
}

// Over is Open on databases that are open already; they may be one and the same.
func Over(ctx context.Context, db, metrics *sqldb.DB, cfg Config) (*Store, error) {
	s := &Store{DB: db, Metrics: metrics, Log: feed.New(db, feed.Config{Logger: cfg.Logger})}
	s.Resources = resource.NewStore(db, s.Log, resource.Config{Now: cfg.Now, Actor: auth.Actor})
	return s, s.migrate(ctx)
}

func (s *Store) migrate(ctx context.Context) error {
	if err := s.DB.Migrate(ctx, feed.Source(), resource.Source(), jobs.Source(), auth.Source(), sqldb.NewSource("deployment", migrations, "migrations")); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	if err := s.backfillWaiting(ctx); err != nil {
		return fmt.Errorf("fill columns that are new: %w", err)
	}
	if err := s.Metrics.Migrate(ctx, sqldb.NewSource("deployment_metrics", migrations, "metrics_migrations")); err != nil {
		return fmt.Errorf("migrate the metrics database: %w", err)
	}
	return nil
}

// Now is the server's clock, in UTC and whole microseconds, as it is stored.
func (s *Store) Now() time.Time { return s.Resources.Now() }

// Close closes both databases.
func (s *Store) Close() error { return errors.Join(s.DB.Close(), s.Metrics.Close()) }
