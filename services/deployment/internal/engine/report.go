package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Apply makes reports durable in one transaction. What comes from an old attempt or epoch,
// or cannot follow from the state, is absorbed: it changes nothing and is acknowledged, because
// sending it again would not change that. An error means that nothing of it is durable.
func (e *Engine) Apply(ctx context.Context, reports []*agentv1.Report) error {
	if len(reports) == 0 {
		return nil
	}
	names := make([]string, 0, len(reports))
	for _, r := range reports {
		names = append(names, r.GetInstallation())
	}
	return e.store.DB.Tx(asEngine(ctx), func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := store.LoadInstallations(ctx, tx, distinct(slices.Clone(names)))
		if err != nil {
			return fmt.Errorf("load reported installations: %w", err)
		}
		b := &batch{
			engine: e, tx: tx, now: e.store.Now(), rows: map[string]*store.Installation{}, read: map[string]int64{},
			woken: map[string]bool{}, slots: map[slotOf]*store.Slot{}, told: map[string]*agentv1.Report{},
		}
		for _, row := range rows {
			b.rows[row.GetName()] = row
			b.read[row.GetName()] = row.GetRevision()
		}
		var known []*agentv1.Report
		for _, r := range reports {
			if b.rows[r.GetInstallation()] != nil {
				known = append(known, r)
			}
		}
		if err := store.InsertSteps(ctx, tx, known); err != nil {
			return fmt.Errorf("append steps: %w", err)
		}
		for _, r := range known {
			if err := b.apply(ctx, r); err != nil {
				return fmt.Errorf("report %d on %s: %w", r.GetSequence(), r.GetInstallation(), err)
			}
		}
		return b.finish(ctx)
	})
}

// batch is the state of one Apply: the rows as the reports make them one after the other, which are
// written once each at the end.
type batch struct {
	engine *Engine
	tx     *sqldb.Tx
	now    time.Time
	rows   map[string]*store.Installation
	read   map[string]int64 // their revisions before
	events []feed.Record
	woken  map[string]bool
	slots  map[slotOf]*store.Slot // what runs now, of each target the last that was heard
	// told holds the newest report about what runs, by installation.
	told map[string]*agentv1.Report
	// drifted names the rows whose slot is known to have drifted; nil until it was read.
	drifted *[]string
}

// slotOf names a slot.
type slotOf struct{ target, application string }

func (b *batch) apply(ctx context.Context, r *agentv1.Report) error {
	row := b.rows[r.GetInstallation()]
	before, health := row.GetState(), row.GetHealth()
	waits, err := b.migrated(ctx, row, r)
	if err != nil {
		return err
	}
	b.drift(row, r)
	if !absorb(row, r) {
		return nil
	}
	if waits {
		putBack(row)
	}
	row.Revision++
	row.UpdateTime = timestamppb.New(b.now)
	verb := verbOf(before != row.GetState(), row.GetState())
	if verb == "" {
		verb = "updated"
	}
	for _, event := range store.InstallationEvents([]*store.Installation{row}, verb, Principal, b.now) {
		event.After = cloneOf(row)
		b.events = append(b.events, event)
	}
	b.woken[row.Deployment] = true
	if row.GetState() == before && row.GetHealth() == health {
		return nil // its files are in place, or it is sealed: what runs is what ran
	}
	return b.slot(ctx, row, before, r)
}

// slot keeps what runs on the target in step with the installation.
func (b *batch) slot(ctx context.Context, row *store.Installation, before deploymentv1.Installation_State, r *agentv1.Report) error {
	s := &store.Slot{
		Target: row.GetTarget(), Application: row.Application, Installation: row.GetName(), Health: row.GetHealth(), Since: b.now, Settled: true,
	}
	key := slotOf{s.Target, s.Application}
	switch {
	case row.GetState() == before:
		if known := b.slots[key]; known != nil && known.Installation == row.GetName() {
			known.Health = row.GetHealth()
			return nil
		}
		return store.SetSlotHealth(ctx, b.tx, b.now, row.GetName(), row.GetHealth())
	case row.GetState() == deploymentv1.Installation_HEALTHY:
		s.Release, s.Overlay, s.ConfigDigest = row.GetToRelease(), row.Overlay, row.ConfigDigest
	case row.GetState() == deploymentv1.Installation_REVERTED && before != deploymentv1.Installation_CANCELLED:
		s.Release, s.Overlay, s.ConfigDigest = row.GetFromRelease(), row.FromOverlay, row.FromConfigDigest
		s.Health = deploymentv1.Installation_HEALTHY_NOW
	case row.GetState() == deploymentv1.Installation_FAILED && activated(before, r):
		// It was left in place: this is what is there, and it does not work.
		s.Release, s.Overlay, s.ConfigDigest = row.GetToRelease(), row.Overlay, row.ConfigDigest
		if row.GetToRelease() == "" { // it was to go and could not be stopped
			s.Release, s.Overlay, s.ConfigDigest = row.GetFromRelease(), row.FromOverlay, row.FromConfigDigest
		}
		s.Health, s.Settled = deploymentv1.Installation_UNHEALTHY, false
	case row.GetState() == deploymentv1.Installation_REVERT_FAILED:
		// What was to come back is what should be there; nobody can say that it is.
		s.Release, s.Overlay, s.ConfigDigest = row.GetFromRelease(), row.FromOverlay, row.FromConfigDigest
		if s.Release == "" { // nothing was before, and what came could not be taken away
			s.Release, s.Overlay, s.ConfigDigest = row.GetToRelease(), row.Overlay, row.ConfigDigest
		}
		s.Health, s.Settled = deploymentv1.Installation_UNHEALTHY, false
	default:
		return nil
	}
	if !row.Active { // it may come late, when another one has the target
		if overtaken, err := store.Overtaken(ctx, b.tx, row); err != nil || overtaken {
			return err
		}
	}
	b.slots[key] = s
	return nil
}

// activated tells whether a failed installation had begun to replace what ran.
func activated(before deploymentv1.Installation_State, r *agentv1.Report) bool {
	live := []deploymentv1.Installation_State{deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_PROBING}
	return slices.Contains(live, before) || slices.ContainsFunc(r.GetSteps(), func(s *deploymentv1.InstallationStep) bool {
		return slices.Contains(live, s.GetState())
	})
}

func (b *batch) finish(ctx context.Context) error {
	changed := make([]store.Reported, 0, len(b.rows))
	for _, name := range slices.Sorted(maps.Keys(b.rows)) {
		if row := b.rows[name]; row.GetRevision() != b.read[name] {
			changed = append(changed, store.Reported{Installation: row, Read: b.read[name]})
		}
	}
	if err := store.SaveReported(ctx, b.tx, b.now, changed); err != nil {
		return err
	}
	if err := store.PutSlots(ctx, b.tx, inOrder(b.slots)); err != nil {
		return err
	}
	if err := b.keepDrift(ctx); err != nil {
		return err
	}
	if err := b.engine.store.Log.Append(ctx, b.tx, b.events...); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.woken)) { // in one order, so that two batches never wait for each other
		if err := b.engine.wake(ctx, b.tx, name, b.now); err != nil {
			return err
		}
	}
	return nil
}

// inOrder sorts slots, so that two batches never wait for each other.
func inOrder(slots map[slotOf]*store.Slot) []*store.Slot {
	return slices.SortedFunc(maps.Values(slots), func(a, b *store.Slot) int {
		return cmp.Or(strings.Compare(a.Target, b.Target), strings.Compare(a.Application, b.Application))
	})
}

// absorb takes what is news in a report into the row and tells whether there was any.
func absorb(row *store.Installation, r *agentv1.Report) bool {
	changed := false
	if r.GetPrestaged() {
		if row.Prestaged || r.GetEpoch() != row.GetEpoch() && row.Action == agentv1.Command_PRESTAGE {
			return false
		}
		row.Prestaged = true
		if row.Action == agentv1.Command_PRESTAGE {
			row.Action = agentv1.Command_ACTION_UNSPECIFIED
		}
		return true
	}
	if r.GetAttempt() != row.GetAttempt() {
		return false
	}
	if lives(row.GetState()) && lives(r.GetState()) && r.GetHealth() != 0 && r.GetHealth() != row.GetHealth() {
		// Whether it answers is true whatever the epoch: the seal has a newer one than the installation.
		row.Health, row.Restarts, changed = r.GetHealth(), r.GetRestarts(), true
		if r.GetMessage() != "" {
			row.Cause, row.Message = r.GetCause(), r.GetMessage()
		}
	}
	if r.GetEpoch() != row.GetEpoch() {
		return changed
	}
	if done(row.Action, r.GetState()) {
		if row.Action == agentv1.Command_SEAL && r.GetCause() != "" { // a warning: it stays sealed
			row.Cause, row.Message = r.GetCause(), r.GetMessage()
		}
		row.Action, changed = agentv1.Command_ACTION_UNSPECIFIED, true
	}
	if r.GetState() == row.GetState() || !rollout.Reported(row.GetState(), r.GetState()) {
		return changed
	}
	row.State, row.Health, row.Restarts = r.GetState(), r.GetHealth(), r.GetRestarts()
	if r.GetCause() != "" || row.GetCause() == "AGENT_SILENT" {
		row.Cause, row.Message = r.GetCause(), r.GetMessage()
	}
	return true
}

// lives reports whether the installation's release is what should be answering.
func lives(s deploymentv1.Installation_State) bool {
	return s == deploymentv1.Installation_HEALTHY || s == deploymentv1.Installation_SEALED
}

// done tells whether a state answers a command for good.
func done(action agentv1.Command_Action, s deploymentv1.Installation_State) bool {
	ended := s == deploymentv1.Installation_REVERTED || s == deploymentv1.Installation_REVERT_FAILED || s == deploymentv1.Installation_FAILED || s == deploymentv1.Installation_CANCELLED
	switch action {
	case agentv1.Command_INSTALL:
		return ended || s == deploymentv1.Installation_HEALTHY
	case agentv1.Command_REVERT:
		return s == deploymentv1.Installation_REVERTED || s == deploymentv1.Installation_REVERT_FAILED
	case agentv1.Command_SEAL:
		return s == deploymentv1.Installation_SEALED
	case agentv1.Command_CANCEL:
		return ended
	case agentv1.Command_MIGRATE:
		return s != deploymentv1.Installation_MIGRATING
	default:
		return false
	}
}
