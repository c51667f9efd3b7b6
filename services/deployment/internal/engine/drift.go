package engine

import (
	"context"
	"slices"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// drift keeps what a host says was changed around a release that runs there. A report about a live release that
// says nothing of it says that all is as it was installed.
func (b *batch) drift(ctx context.Context, row *store.Installation, r *agentv1.Report) error {
	if !lives(r.GetState()) || r.GetAttempt() != row.GetAttempt() {
		return nil
	}
	if row.GetState() == deploymentv1.Installation_CANCELLED {
		// Another deployment holds the target and has not begun there: this is still what answers, or does not.
		return store.SetSlotHealth(ctx, b.tx, b.now, row.GetName(), r.GetHealth())
	}
	if !lives(row.GetState()) {
		return nil
	}
	if r.GetDrift() == "" {
		known, err := b.knownDrift(ctx)
		if err != nil || !slices.Contains(known, row.GetName()) {
			return err
		}
	}
	return store.SetDrift(ctx, b.tx, b.now, row.GetName(), r.GetDrift(), r.GetMessage())
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
