package engine

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// surveysEvery is how often surveys are looked after unless told otherwise.
const surveysEvery = 10 * time.Second

// Surveys opens and closes waves by their times, shuffles answers and purges old
// ones. Any number of replicas may run it: each step locks the row that it is about.
type Surveys struct {
	store  *store.Store
	logger *zap.Logger
	every  time.Duration
}

// NewSurveys looks after surveys every so often; every 10 s when 0.
func NewSurveys(s *store.Store, logger *zap.Logger, every time.Duration) *Surveys {
	if every <= 0 {
		every = surveysEvery
	}
	return &Surveys{store: s, logger: logger, every: every}
}

// Run works until ctx ends.
func (s *Surveys) Run(ctx context.Context) error {
	run.Every(ctx, s.every, func(ctx context.Context) {
		if err := s.store.SweepSurveys(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("surveys not looked after; trying again", zap.Error(err))
		}
	})
	return nil
}
