package engine

import (
	"context"
	"fmt"
	"maps"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// migrated takes in what a report says of migrations. waits says that the installation has nothing to
// answer for: its migration was cut off, and it stands in the queue again until a person has decided.
func (b *batch) migrated(ctx context.Context, row *store.Installation, r *agentv1.Report) (waits bool, err error) {
	ends := endsRun(row, r)
	if len(r.GetMigrations()) == 0 && !ends {
		return false, nil
	}
	runs, err := b.runsOf(ctx, row, r)
	if err != nil || len(runs) == 0 {
		return false, err
	}
	e := b.engine
	changed := false
	for _, o := range r.GetMigrations() {
		run := runs[o.GetId()]
		if run == nil || o.GetDown() != run.GetDown() {
			continue
		}
		switch o.GetState() {
		case agentv1.MigrationOutcome_STARTED:
			if run.GetStartTime() != nil {
				continue
			}
			run.StartTime = timestamppb.New(b.now)
			err = e.store.PutMigrationRun(ctx, b.tx, run, "")
		case agentv1.MigrationOutcome_SUCCEEDED:
			if run.GetRunner() == "" {
				continue // one of many; the last one ends it
			}
			state := deploymentv1.MigrationRun_DONE
			if run.GetDown() {
				state = deploymentv1.MigrationRun_REVERTED
			}
			err = e.endRun(ctx, b.tx, run, state, o.GetMessage(), b.now)
		case agentv1.MigrationOutcome_FAILED:
			err = e.endRun(ctx, b.tx, run, deploymentv1.MigrationRun_FAILED, told(row, o), b.now)
		case agentv1.MigrationOutcome_INTERRUPTED:
			waits = run.GetRunner() != "" && row.Active && row.Action == agentv1.Command_INSTALL && r.GetEpoch() == row.GetEpoch()
			err = e.endRun(ctx, b.tx, run, deploymentv1.MigrationRun_INTERRUPTED, told(row, o), b.now)
		default:
			continue
		}
		if err != nil {
			return false, err
		}
		changed = true
	}
	if ends {
		released, err := b.release(ctx, runs, row, r)
		if err != nil {
			return false, err
		}
		changed = changed || released
	}
	if changed {
		return waits, b.wakeWaiting(ctx, row)
	}
	return waits, nil
}

// told is what an outcome says, with who said it where many could have.
func told(row *store.Installation, o *agentv1.MigrationOutcome) string {
	return row.GetTarget()[len(environmentOf(row.GetTarget()))+len("/targets/"):] + ": " + o.GetMessage()
}

// endsRun tells whether a report says that the work on the command is over, so that a
// migration which it says nothing of was not begun.
func endsRun(row *store.Installation, r *agentv1.Report) bool {
	switch r.GetState() {
	case deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED, deploymentv1.Installation_CANCELLED:
		return r.GetEpoch() == row.GetEpoch()
	default:
		return false
	}
}

// runsOf returns the migrations that an installation may speak of, by id: those it is the runner of,
// by its epoch, and those that every target of the deployment runs. One that is believed to be cut
// off counts too, until a person has decided: its runner may be heard late.
func (b *batch) runsOf(ctx context.Context, row *store.Installation, r *agentv1.Report) (map[string]*store.MigrationRun, error) {
	out := map[string]*store.MigrationRun{}
	var names []string
	environment := environmentOf(row.GetTarget())
	for _, o := range r.GetMigrations() {
		names = append(names, store.MigrationRunName(environment, row.Application, o.GetId()))
	}
	all, err := store.OpenMigrations(ctx, b.tx, []string{row.GetName()})
	if err != nil {
		return nil, fmt.Errorf("read running migrations: %w", err)
	}
	if len(names) > 0 {
		named, err := store.LoadMigrationRuns(ctx, b.tx, names)
		if err != nil {
			return nil, fmt.Errorf("read reported migrations: %w", err)
		}
		maps.Copy(all, named)
	}
	for _, run := range all {
		open := run.GetState() == deploymentv1.MigrationRun_RUNNING || run.GetState() == deploymentv1.MigrationRun_INTERRUPTED
		// An outcome is of the very command; that all is over may be the answer to a later one.
		mine := run.GetRunner() == row.GetName() && (r.GetEpoch() == run.GetEpoch() || len(names) == 0 && r.GetEpoch() > run.GetEpoch())
		everywhere := run.GetRunner() == "" && run.GetDeployment() == row.Deployment && run.GetState() == deploymentv1.MigrationRun_RUNNING
		if open && (mine || everywhere) {
			out[run.GetMigrationId()] = run
		}
	}
	return out, nil
}

// release gives back what a runner was to do and ended without. What it had begun is INTERRUPTED.
func (b *batch) release(ctx context.Context, runs map[string]*store.MigrationRun, row *store.Installation, r *agentv1.Report) (released bool, err error) {
	for _, run := range runs {
		if run.GetState() != deploymentv1.MigrationRun_RUNNING || run.GetRunner() != row.GetName() {
			continue
		}
		state, message := deploymentv1.MigrationRun_NOT_RUN, "its runner ended before it began: "+r.GetMessage()
		switch {
		case run.GetStartTime() != nil:
			state, message = deploymentv1.MigrationRun_INTERRUPTED, "its runner ended without saying how it went"
		case row.Action == agentv1.Command_MIGRATE:
			state = deploymentv1.MigrationRun_FAILED // it was its only task; to ask again would get the same answer
		}
		if err := b.engine.endRun(ctx, b.tx, run, state, message, b.now); err != nil {
			return false, err
		}
		released = true
	}
	return released, nil
}

// wakeWaiting lets every deployment of the application in the environment look again.
func (b *batch) wakeWaiting(ctx context.Context, row *store.Installation) error {
	names, err := store.ActiveIn(ctx, b.tx, row.Application, environmentOf(row.GetTarget()))
	for _, name := range names {
		b.woken[name] = true
	}
	return err
}

// putBack lets an installation stand in the queue again whose migration was cut off before
// anything live was touched.
func putBack(row *store.Installation) {
	row.State, row.Action, row.Health = deploymentv1.Installation_QUEUED, agentv1.Command_ACTION_UNSPECIFIED, deploymentv1.Installation_HEALTH_UNSPECIFIED
	row.Cause = "MIGRATION_INTERRUPTED"
}

// ResolveMigration takes the word of a person on a migration, and lets go on what waits for it.
func (e *Engine) ResolveMigration(ctx context.Context, req *deploymentv1.ResolveMigrationRunRequest) (*deploymentv1.MigrationRun, error) {
	return resource.Do(ctx, e.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.MigrationRun, error) {
		row, err := store.MigrationRuns.LockRow(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		now, run := e.store.Now(), &store.MigrationRun{MigrationRun: row.Message, Revision: row.Revision}
		if err := checkEtag(req.GetName(), req.GetEtag(), run.GetEtag()); err != nil {
			return nil, err
		}
		if run.GetState() == deploymentv1.MigrationRun_RUNNING && run.GetRunner() != "" && now.Before(run.GetLeaseUntil().AsTime()) {
			return nil, fault.Precondition(rollout.ReasonStateForbids, "%s is running it until %s; wait for its outcome",
				run.GetRunner(), run.GetLeaseUntil().AsTime().Format("15:04:05"))
		}
		state := deploymentv1.MigrationRun_NOT_RUN
		if req.GetResolution() == deploymentv1.ResolveMigrationRunRequest_DONE {
			state = deploymentv1.MigrationRun_DONE
		}
		if req.GetResolution() == deploymentv1.ResolveMigrationRunRequest_RETRY && run.GetDown() {
			state = deploymentv1.MigrationRun_DONE // to be taken back again, it has to be there
		} else {
			run.Down = false
		}
		back, err := store.PutBack(ctx, tx, now, run.GetRunner(), run.GetEpoch())
		if err != nil {
			return nil, fmt.Errorf("put the runner back: %w", err)
		}
		if err := e.record(ctx, tx, back, "put_back", now); err != nil {
			return nil, err
		}
		// Whatever its runner says from now on is too late.
		run.Resolver, run.Epoch = auth.Actor(ctx), 0
		if err := e.endRun(ctx, tx, run, state, req.GetReason(), now); err != nil {
			return nil, err
		}
		waiting, err := store.ActiveIn(ctx, tx, run.GetApplication(), environmentOf(run.GetName()))
		if err != nil {
			return nil, err
		}
		for _, name := range waiting {
			if err := e.wake(ctx, tx, name, now); err != nil {
				return nil, err
			}
		}
		return run.MigrationRun, nil
	})
}
