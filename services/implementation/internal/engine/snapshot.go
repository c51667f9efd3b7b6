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
	// snapshotEvery is how often scorecards are looked for that nobody has kept yet.
	snapshotEvery = time.Minute
	// snapshotBatch is how many are computed at once.
	snapshotBatch = 20
	// snapshotLate is how long after the end of the day a scorecard waits for the deployment service. From then on it is kept
	// without it, and says that it was written late.
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

// Keep keeps what is missing of yesterday and says how many that were. One that cannot be computed does not keep the others waiting.
func (s *Snapshots) Keep(ctx context.Context) (kept int, err error) {
	yesterday := s.store.Now().Truncate(24*time.Hour).AddDate(0, 0, -1)
	for after := ""; ; {
		names, err := s.store.WithoutSnapshot(ctx, yesterday, after, snapshotBatch)
		if err != nil || len(names) == 0 {
			return kept, err
		}
		after = names[len(names)-1]
		for workspace, names := range byWorkspace(names) {
			some, err := s.keep(ctx, workspace, names, yesterday)
			if err != nil && len(names) > 1 {
				some, err = s.keepEach(ctx, workspace, names, yesterday)
			}
			if kept += some; err != nil {
				return kept, err
			}
		}
	}
}

// keepEach tries one after the other, and tells of those that cannot be computed.
func (s *Snapshots) keepEach(ctx context.Context, workspace string, names []string, day time.Time) (kept int, err error) {
	for _, name := range names {
		some, err := s.keep(ctx, workspace, []string{name}, day)
		if kept += some; err != nil {
			if ctx.Err() != nil {
				return kept, ctx.Err()
			}
			s.logger.Warn("a scorecard was not kept; trying again", zap.String("implementation", name), zap.Error(err))
		}
	}
	return kept, nil
}

// keep computes scorecards as they were in the last microsecond of a day. While the deployment service is silent it waits for
// it, up to an hour: what is kept is never changed.
func (s *Snapshots) keep(ctx context.Context, workspace string, names []string, day time.Time) (kept int, err error) {
	end := day.AddDate(0, 0, 1)
	late := s.store.Now().Sub(end)
	compute := s.cards.computeHeard
	if late >= snapshotLate {
		compute = s.cards.compute
	}
	cards, err := compute(ctx, workspace, names, end.Add(-time.Microsecond))
	if err != nil {
		return 0, fmt.Errorf("scorecards of %s on %s: %w", workspace, day.Format(time.DateOnly), err)
	}
	for _, one := range cards {
		if late >= snapshotLate {
			writtenLate(one.card, late)
		}
		fresh, err := s.store.KeepScorecard(ctx, day.Format(time.DateOnly), one.card)
		if err != nil {
			return kept, err
		}
		if fresh {
			kept++
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
