package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
	"github.com/golive-dev/golive/services/agent/internal/render"
)

const migrating = deploymentv1.Installation_MIGRATING

// migrate runs what the command says has to be migrated here, in its order. Nothing live is touched.
//
//	intent   the journal says that it began, and the server hears of it
//	run      to its end or its deadline: a newer command waits, and so does the end of the agent
//	outcome  in the journal with the report that says so
//
// What was begun is never run again for the same command: an agent that finds an intent without an
// outcome says INTERRUPTED, and a person decides.
func (w *Worker) migrate(ctx context.Context) error {
	steps := w.slot.Command.GetMigrations()
	if len(steps) == 0 {
		return nil
	}
	for _, step := range steps {
		if err := w.migrateOne(ctx, step); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next != nil {
		return errSuperseded
	}
	return nil
}

func (w *Worker) migrateOne(ctx context.Context, step *agentv1.MigrationStep) error {
	if m := w.slot.Migrated(step); m != nil {
		if m.State == agentv1.MigrationOutcome_SUCCEEDED {
			return nil
		}
		w.notes.outcome(*m)
		return migrationFailure(*m)
	}
	m := ledger.Migration{ID: step.GetId(), Down: step.GetDown(), State: agentv1.MigrationOutcome_STARTED}
	if w.slot.Settled(step) {
		m.State, m.Message = agentv1.MigrationOutcome_SUCCEEDED, "it stood so before"
		w.slot.Migrations = append(w.slot.Migrations, m)
		w.notes.outcome(m)
		return w.host.Ledger.Put(w.slot, w.report(migrating))
	}
	command, instance, n, err := w.migration(step)
	if err != nil {
		return err
	}
	w.slot.Migrations, w.slot.Hook = append(w.slot.Migrations, m), "migration "+step.GetId()
	w.notes.outcome(m)
	if err := w.host.Ledger.Put(w.slot, w.report(migrating)); err != nil {
		return err
	}
	return w.runMigration(context.WithoutCancel(ctx), step, command, instance, n)
}

// runMigration runs the command and writes down how it ended.
func (w *Worker) runMigration(ctx context.Context, step *agentv1.MigrationStep, command hook.Command, instance *render.Instance, n int) error {
	name := w.slot.Hook
	out := w.output(instance)
	command.Marker = w.marker(n)
	err := w.notes.step(migrating, name, "", func() error {
		return hook.Run(ctx, command, func(line string) { out.line(name, line, time.Now()) })
	})
	out.flush()
	m := &w.slot.Migrations[len(w.slot.Migrations)-1]
	m.State, w.slot.Hook = agentv1.MigrationOutcome_SUCCEEDED, ""
	if err != nil {
		m.State, m.Message = agentv1.MigrationOutcome_FAILED, w.notes.mask(err.Error())
		// How it ended is kept at once, the report comes with the end of the command.
		if err := w.host.Ledger.Put(w.slot, nil); err != nil {
			return err
		}
		w.notes.outcome(*m)
		return migrationFailure(*m)
	}
	w.slot.Remember(step)
	w.notes.outcome(*m)
	return w.host.Ledger.Put(w.slot, w.report(migrating))
}

// migration makes a step concrete: up is a command of the release that comes, down of the one that is there.
func (w *Worker) migration(step *agentv1.MigrationStep) (hook.Command, *render.Instance, int, error) {
	workload, n := w.slot.Command.GetWorkload(), w.slot.Candidate
	if step.GetDown() {
		workload = w.slot.Command.GetPrevious()
	}
	if n == 0 || step.GetDown() {
		n = w.slot.Live
	}
	instance, _, err := w.load(n)
	if err == nil && workload == nil {
		err = errors.New("there is no release whose command it is")
	}
	if err != nil {
		return hook.Command{}, nil, 0, &failure{cause: "MIGRATION_FAILED", err: fmt.Errorf("migration %s cannot be run: %w", step.GetId(), err)}
	}
	argv, err := render.Command(workload, render.Scope{
		Target: w.slot.Target, Facts: w.host.Facts(), Release: instance.Dir, Config: w.place.Config(n), Shared: w.place.Shared(),
		Getenv: w.host.Getenv, Port: w.slot.Instances[n].Port,
	}, "migration "+step.GetId(), step.GetCommand().GetCommand())
	return hook.Command{Argv: argv, Dir: instance.Dir, Env: instance.Env, Timeout: orElse(step.GetCommand().GetTimeout(), defaultHookTimeout)}, instance, n, err
}

func migrationFailure(m ledger.Migration) *failure {
	if m.State == agentv1.MigrationOutcome_INTERRUPTED {
		return &failure{cause: "INTERRUPTED", err: fmt.Errorf("the agent was stopped while migration %s ran; whether it was made is not known", m.ID)}
	}
	return &failure{cause: "MIGRATION_FAILED", err: fmt.Errorf("migration %s: %s", m.ID, m.Message)}
}

// migrateOnly does MIGRATE: what is live stays as it is, whatever becomes of the migration.
func (w *Worker) migrateOnly(ctx context.Context) error {
	defer w.announce(migrating)()
	return w.endMigrate(ctx, w.migrate(ctx))
}

func (w *Worker) endMigrate(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stopped(err) {
		return errSuperseded
	}
	w.slot.Phase, w.slot.Hook = ledger.Idle, ""
	report := w.sealed()
	if err != nil {
		f := failureOf(err)
		report.Cause, report.Message = f.cause, f.message(w)
	}
	return w.host.Ledger.Put(w.slot, report)
}

// failCut ends a command in whose middle an agent died, before anything live was touched.
func (w *Worker) failCut(ctx context.Context, cut string) error {
	f := interrupted(cut)
	if m := w.slot.CutMigration(); m != nil {
		m.State = agentv1.MigrationOutcome_INTERRUPTED
		m.Message = migrationFailure(*m).Error()
		w.logger.Warn("a migration was cut off", zap.String("migration", m.ID))
		w.notes.outcome(*m)
		f = migrationFailure(*m)
	}
	if w.slot.Command.GetAction() == agentv1.Command_MIGRATE {
		return w.endMigrate(ctx, f)
	}
	return w.fail(f)
}

// outcome notes how a migration stands, for the next report.
func (n *notes) outcome(m ledger.Migration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.outcomes = append(n.outcomes, &agentv1.MigrationOutcome{Id: m.ID, Down: m.Down, State: m.State, Message: m.Message})
}

// takeOutcomes returns what was not told yet of migrations.
func (n *notes) takeOutcomes() []*agentv1.MigrationOutcome {
	n.mu.Lock()
	defer n.mu.Unlock()
	outcomes := n.outcomes
	n.outcomes = nil
	return outcomes
}
