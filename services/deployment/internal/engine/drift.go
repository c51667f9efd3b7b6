package engine

import (
	"context"
	"maps"
	"slices"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// drift keeps what a host says was changed around a release that runs there, and whether that answers. A report about
// a live release that says nothing of a change says that all is as it was installed. It is written when the batch ends,
// after what runs: an agent that was away tells of both at once.
func (b *batch) drift(row *store.Installation, r *agentv1.Report) {
	if r.GetAttempt() != row.GetAttempt() {
		return
	}
	back := r.GetState() == deploymentv1.Installation_REVERTED || r.GetState() == deploymentv1.Installation_REVERT_FAILED
	if lives(r.GetState()) && (lives(row.GetState()) || row.GetState() == deploymentv1.Installation_CANCELLED) ||
		back && row.GetState() == r.GetState() && r.GetHealth() != 0 {
		b.told[row.GetName()] = r
	}
}

// keepDrift writes what the batch told of changes on hosts.
func (b *batch) keepDrift(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(b.told)) { // in one order, so that two batches never wait for each other
		row, r := b.rows[name], b.told[name]
		if !lives(row.GetState()) {
			// What a revert brought back, or, where another deployment holds the target and has not begun there, what
			// a cancelled one left: this is still what answers, or does not.
			if err := store.SetSlotHealth(ctx, b.tx, b.now, name, r.GetHealth()); err != nil {
				return err
			}
		}
		if row.GetState() == deploymentv1.Installation_CANCELLED {
			continue
		}
		if r.GetDrift() == "" {
			known, err := b.knownDrift(ctx)
			if err != nil {
				return err
			}
			if !slices.Contains(known, name) {
				continue
			}
		}
		if err := store.SetDrift(ctx, b.tx, b.now, name, r.GetDrift(), r.GetMessage()); err != nil {
			return err
		}
	}
	return nil
}

// knownDrift names those installations of the batch whose slot has drifted, so that a fleet in order costs one
// query a batch and not a statement a report.
func (b *batch) knownDrift(ctx context.Context) ([]string, error) {
	if b.drifted != nil {
		return *b.drifted, nil
	}
	names := make([]string, 0, len(b.rows))
	for name := range b.rows {
		names = append(names, name)
	}
	slices.Sort(names)
	known, err := store.DriftedSlots(ctx, b.tx, names)
	if err == nil {
		b.drifted = &known
	}
	return known, err
}
