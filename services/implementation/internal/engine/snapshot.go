package engine

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/run"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// snapshotEvery is how often is looked for scorecards that nobody has kept yet.
	snapshotEvery = time.Minute
	// snapshotBatch is how many are computed at once.
	snapshotBatch = 20
	// snapshotLate is from when on a scorecard says that it was written late.
	snapshotLate = time.Hour
)

// Snapshots keeps the scorecard of every implementation that is under way at the end of each day in UTC. Where nobody ran at that
// time, it computes the day that ended last as soon as somebody does; of days before that nothing is made up.
type Snapshots struct {
	store  *store.Store
	cards  *Scorecards
	logger *zap.Logger
}

// NewSnapshots keeps what cards computes.
func NewSnapshots(s *store.Store, cards *Scorecards, logger *zap.Logger) *Snapshots {
	return &Snapshots{store: s, cards: cards, logger: logger}
}

// Run keeps scorecards until ctx ends. Any number of replicas may.
func (s *Snapshots) Run(ctx context.Context) error {
	run.Every(ctx, snapshotEvery, func(ctx context.Context) {
		if _, err := s.Keep(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("scorecards of yesterday not kept; trying again", zap.Error(err))
		}
	})
	return nil
}

// Keep keeps what is missing of yesterday and says how many that were.
func (s *Snapshots) Keep(ctx context.Context) (kept int, err error) {
	today := s.store.Now().Truncate(24 * time.Hour)
	yesterday := today.AddDate(0, 0, -1)
	for {
		names, err := s.store.WithoutSnapshot(ctx, yesterday, snapshotBatch)
		if err != nil || len(names) == 0 {
			return kept, err
		}
		some, err := s.keep(ctx, names, yesterday)
		if kept += some; err != nil {
			return kept, err
		}
	}
}

// keep computes scorecards as they were in the last microsecond of a day, one workspace after the other.
func (s *Snapshots) keep(ctx context.Context, names []string, day time.Time) (kept int, err error) {
	end := day.AddDate(0, 0, 1)
	late := s.store.Now().Sub(end)
	for workspace, names := range byWorkspace(names) {
		cards, err := s.cards.computeAt(ctx, workspace, names, end.Add(-time.Microsecond))
		if err != nil {
			return kept, fmt.Errorf("scorecards of %s on %s: %w", workspace, day.Format(time.DateOnly), err)
		}
		for _, card := range cards {
			if late >= snapshotLate {
				writtenLate(card, late)
			}
			fresh, err := s.store.KeepScorecard(ctx, day.Format(time.DateOnly), card)
			if err != nil {
				return kept, err
			}
			if fresh {
				kept++
			}
		}
	}
	return kept, nil
}

// writtenLate says so in each measure.
func writtenLate(card *implementationv1.Scorecard, late time.Duration) {
	for _, m := range card.GetMeasures() {
		m.Message += fmt.Sprintf("; written %d h after the end of the day", int(late.Hours()))
	}
}

func byWorkspace(names []string) map[string][]string {
	all := map[string][]string{}
	for _, name := range names {
		all[store.Workspace(name)] = append(all[store.Workspace(name)], name)
	}
	return all
}
