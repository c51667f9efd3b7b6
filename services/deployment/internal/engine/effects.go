package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// act does what a decision asks for and returns how many installations it changed.
func (e *Engine) act(ctx context.Context, tx *sqldb.Tx, deployment string, effects rollout.Effects, now time.Time) (changed int, err error) {
	do := func(verb string, move func() ([]*store.Installation, error)) error {
		moved, err := move()
		if err != nil {
			return fmt.Errorf("installations %s: %w", verb, err)
		}
		changed += len(moved)
		return e.record(ctx, tx, moved, verb, now)
	}
	if effects.Begin {
		if err := do("cancelled", func() ([]*store.Installation, error) { return store.TakeTargets(ctx, tx, now, deployment) }); err != nil {
			return 0, err
		}
	}
	if c := effects.Claim; c != nil {
		claimed, skipped, err := store.Claim(ctx, tx, now, c.Wave, c.Limit)
		if err != nil {
			return 0, err
		}
		changed += len(claimed) + len(skipped)
		if err := e.record(ctx, tx, skipped, "skipped", now); err != nil {
			return 0, err
		}
		if err := e.record(ctx, tx, claimed, "claimed", now); err != nil {
			return 0, err
		}
		if c.Elect && len(claimed) > 0 {
			if err := e.elect(ctx, tx, deployment, claimed[0], now); err != nil {
				return 0, fmt.Errorf("elect a runner: %w", err)
			}
		}
	}
	if effects.Prestage != "" {
		staged, err := store.Prestage(ctx, tx, now, effects.Prestage)
		if err != nil {
			return 0, fmt.Errorf("prestage %s: %w", effects.Prestage, err)
		}
		e.hint(tx, staged) // no change of state, so no event and no second decision
	}
	for _, wave := range effects.Seal {
		if err := do("sealed", func() ([]*store.Installation, error) { return store.SealWave(ctx, tx, now, wave) }); err != nil {
			return 0, err
		}
	}
	for _, wave := range effects.SealReached {
		if err := do("sealed", func() ([]*store.Installation, error) { return store.SealReached(ctx, tx, now, wave) }); err != nil {
			return 0, err
		}
	}
	if effects.Migrate != "" {
		told, err := e.contract(ctx, tx, deployment, effects.Migrate, now)
		if err != nil {
			return 0, fmt.Errorf("migrate %s: %w", effects.Migrate, err)
		}
		changed += told
	}
	for _, wave := range effects.Revert {
		if err := do("reverting", func() ([]*store.Installation, error) { return store.RevertWave(ctx, tx, now, wave) }); err != nil {
			return 0, err
		}
	}
	if effects.CallBack {
		if err := do("called_back", func() ([]*store.Installation, error) { return store.CallBack(ctx, tx, now, deployment) }); err != nil {
			return 0, err
		}
	}
	if effects.DropQueued {
		if err := do("cancelled", func() ([]*store.Installation, error) { return store.DropQueued(ctx, tx, now, deployment) }); err != nil {
			return 0, err
		}
	}
	if effects.Free {
		return changed, store.Free(ctx, tx, deployment)
	}
	return changed, nil
}

// record appends the events of changed installations and hints their agents.
func (e *Engine) record(ctx context.Context, tx *sqldb.Tx, changed []*store.Installation, verb string, now time.Time) error {
	if len(changed) == 0 {
		return nil
	}
	e.hint(tx, changed)
	return e.store.Log.Append(ctx, tx, store.InstallationEvents(changed, verb, Principal, now)...)
}
