package engine

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Inventory compares what an agent that connects has accepted with what was given out. Where it is ahead, an
// older database was put back: it would refuse all that comes from here, so the epochs are raised above
// its own, and what runs there is not taken for known. The same where another archive is active than the slot says.
func (e *Engine) Inventory(ctx context.Context, inventory []*agentv1.Inventory) error {
	targets := make([]string, 0, len(inventory))
	for _, i := range inventory {
		targets = append(targets, i.GetTarget())
	}
	q := e.store.DB.Read()
	targets = distinct(targets)
	known, err := store.Epochs(ctx, q, targets)
	if err != nil {
		return err
	}
	strange, err := e.strange(ctx, q, targets, inventory)
	if err != nil {
		return err
	}
	for _, i := range inventory {
		place := store.Place{Target: i.GetTarget(), Application: i.GetApplication()}
		ahead := i.GetEpoch() > known[place]
		if !ahead && !strange[place] {
			continue
		}
		e.logger.Warn("what an agent has does not fit what is known here; it is not taken for known any more", zap.String("target", place.Target),
			zap.String("application", place.Application), zap.Int64("epoch", i.GetEpoch()), zap.Int64("known", known[place]))
		err := e.store.DB.Tx(asEngine(ctx), func(ctx context.Context, tx *sqldb.Tx) error {
			if ahead {
				return store.RaiseEpoch(ctx, tx, place, i.GetEpoch())
			}
			return store.Unsettle(ctx, tx, place)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// strange finds the places where another archive is active than that of the release which the slot says for sure.
func (e *Engine) strange(ctx context.Context, q sqldb.Queryer, targets []string, inventory []*agentv1.Inventory) (map[store.Place]bool, error) {
	slots, err := store.SlotsOn(ctx, q, targets)
	if err != nil {
		return nil, fmt.Errorf("load slots: %w", err)
	}
	var names []string
	settled := map[store.Place]string{}
	for _, on := range slots {
		for _, s := range on {
			if s.Settled {
				settled[store.Place{Target: s.Target, Application: s.Application}] = s.Release
				names = append(names, s.Release)
			}
		}
	}
	if len(names) == 0 {
		return nil, nil //nolint:nilnil // nothing is known, so nothing is strange
	}
	releases, err := e.releases.get(ctx, q, distinct(names))
	if err != nil {
		return nil, fmt.Errorf("load releases: %w", err)
	}
	hosts, err := store.Targets.LoadMany(ctx, q, targets)
	if err != nil {
		return nil, fmt.Errorf("load targets: %w", err)
	}
	strange := map[store.Place]bool{}
	for _, i := range inventory {
		place := store.Place{Target: i.GetTarget(), Application: i.GetApplication()}
		artifact := rollout.Artifact(releases[settled[place]], hosts[place.Target].GetFacts())
		strange[place] = artifact != nil && !i.GetInterrupted() && i.GetActiveSha256() != artifact.GetSha256()
	}
	return strange, nil
}
