package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	// leaseSlack is what a runner gets beyond the deadlines of its commands and steps.
	leaseSlack = time.Minute
	// hookTimeout is the deadline of a hook that says none, as the contract states it.
	hookTimeout = time.Minute
)

// chore is a migration that a deployment has to see to, with where it stands in the environment.
type chore struct {
	*deploymentv1.Migration

	down bool
	run  *store.MigrationRun // nil where nobody ever asked for it
}

func (c chore) state() deploymentv1.MigrationRun_State {
	if c.run == nil {
		return deploymentv1.MigrationRun_NOT_RUN
	}
	return c.run.GetState()
}

// chores returns what a deployment has to migrate, in order and without what is finished. A rollback takes
// back what the deployment it takes back has contracted; everything else makes what its release brings.
func (e *Engine) chores(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment) ([]chore, error) {
	release := d.GetRelease()
	if d.GetRollbackOf() != "" {
		if len(d.GetRollbackPath().GetMigrationsDown()) == 0 {
			return nil, nil
		}
		old, err := store.Deployments.Load(ctx, q, d.GetRollbackOf())
		if err != nil {
			return nil, err
		}
		release = old.GetRelease()
	}
	releases, err := e.releases.get(ctx, q, []string{release})
	if err != nil || len(releases[release].GetMigrations()) == 0 {
		return nil, err
	}
	migrations := releases[release].GetMigrations()
	runs, err := loadRuns(ctx, q, d, migrations)
	if err != nil {
		return nil, err
	}
	var out []chore
	if d.GetRollbackOf() != "" {
		down, _ := rollout.TakenBack(migrations, made(runs, d.GetName(), d.GetRollbackOf()))
		for _, m := range down {
			out = append(out, chore{Migration: m, down: true, run: runs[m.GetId()]})
		}
		return out, nil
	}
	for _, m := range migrations {
		if c := (chore{Migration: m, run: runs[m.GetId()]}); c.state() != deploymentv1.MigrationRun_DONE {
			out = append(out, c)
		}
	}
	return out, nil
}

// loadRuns returns where migrations stand in the environment of a deployment, by id.
func loadRuns(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment, migrations []*deploymentv1.Migration) (map[string]*store.MigrationRun, error) {
	byID := map[string]*store.MigrationRun{}
	if len(migrations) == 0 {
		return byID, nil
	}
	names := make([]string, 0, len(migrations))
	for _, m := range migrations {
		names = append(names, store.MigrationRunName(d.GetEnvironment(), applicationOf(d.GetName()), m.GetId()))
	}
	runs, err := store.LoadMigrationRuns(ctx, q, names)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	for _, run := range runs {
		byID[run.GetMigrationId()] = run
	}
	return byID, nil
}

// made returns the ids of migrations that these deployments have asked for and whose result is there: also while it is being taken back, and
// where that failed, a rollback has to see to them.
func made(runs map[string]*store.MigrationRun, by ...string) map[string]bool {
	out := map[string]bool{}
	for id, run := range runs {
		if !slices.Contains(by, run.GetDeployment()) {
			continue
		}
		out[id] = run.GetState() == deploymentv1.MigrationRun_DONE || run.GetDown() && run.GetState() != deploymentv1.MigrationRun_REVERTED && run.GetState() != deploymentv1.MigrationRun_NOT_RUN
	}
	return out
}

// migrations reads where the environment stands, after what time and reports have settled.
func (e *Engine) migrations(ctx context.Context, tx *sqldb.Tx, l *loaded, now time.Time) (*rollout.Migrations, error) {
	d := l.Deployment
	if rollout.Ended(d.GetState()) {
		return nil, nil //nolint:nilnil // nothing to migrate is the usual case
	}
	chores, err := e.chores(ctx, tx, d)
	if err != nil || len(chores) == 0 {
		return nil, err
	}
	out := &rollout.Migrations{}
	for _, c := range chores {
		if err := e.settleRun(ctx, tx, c.run, now); err != nil {
			return nil, err
		}
		if c.state() == deploymentv1.MigrationRun_DONE && !c.down {
			continue
		}
		fact := factOf(d, c)
		switch {
		case c.GetPhase() == deploymentv1.Migration_CONTRACT && !c.down:
			out.After = append(out.After, fact)
		case rollout.OncePerEnvironment(c.Migration): // those of each target travel with its installation
			out.Before = append(out.Before, fact)
		}
	}
	if len(out.After) > 0 {
		out.Behind, err = store.Behind(ctx, tx, applicationOf(d.GetName()), d.GetEnvironment(), d.GetRelease())
	}
	return out, err
}

func factOf(d *deploymentv1.Deployment, c chore) rollout.Migration {
	m := rollout.Migration{
		Name: store.MigrationRunName(d.GetEnvironment(), applicationOf(d.GetName()), c.GetId()), ID: c.GetId(), Down: c.down, State: c.state(),
	}
	if c.run != nil {
		m.Ours, m.Runner, m.Message = c.run.GetDeployment() == d.GetName(), c.run.GetRunner(), c.run.GetMessage()
		if c.run.GetLeaseUntil() != nil {
			m.LeaseUntil = c.run.GetLeaseUntil().AsTime()
		}
	}
	// What all targets were to run for a deployment that has ended is asked of them anew: each knows what it has done.
	if m.State == deploymentv1.MigrationRun_RUNNING && m.Runner == "" && !m.Ours {
		m.State = deploymentv1.MigrationRun_NOT_RUN
	}
	return m
}

// settleRun ends a run that nobody will report on any more: its runner fell silent, or every target has answered.
func (e *Engine) settleRun(ctx context.Context, tx *sqldb.Tx, run *store.MigrationRun, now time.Time) error {
	if run == nil || run.GetState() != deploymentv1.MigrationRun_RUNNING {
		return nil
	}
	if run.GetRunner() != "" {
		if run.GetStartTime() == nil {
			outlived, err := store.Outlived(ctx, tx, run.GetRunner(), run.GetEpoch())
			if err != nil {
				return fmt.Errorf("look for an answer of %s: %w", run.GetRunner(), err)
			}
			if outlived {
				return e.endRun(ctx, tx, run, deploymentv1.MigrationRun_NOT_RUN, "its runner was given something else to do before it began", now)
			}
		}
		if now.Before(run.GetLeaseUntil().AsTime()) {
			return nil
		}
		return e.endRun(ctx, tx, run, deploymentv1.MigrationRun_INTERRUPTED, "its runner was not heard in time", now)
	}
	waiting, err := store.Migrating(ctx, tx, run.GetDeployment())
	if err != nil || waiting > 0 {
		return err
	}
	return e.endRun(ctx, tx, run, deploymentv1.MigrationRun_DONE, "", now)
}

func (e *Engine) endRun(ctx context.Context, tx *sqldb.Tx, run *store.MigrationRun, state deploymentv1.MigrationRun_State, message string, now time.Time) error {
	run.State, run.Message, run.EndTime, run.LeaseUntil = state, message, timestamppb.New(now), nil
	if state == deploymentv1.MigrationRun_DONE || state == deploymentv1.MigrationRun_REVERTED {
		run.Down = false
	}
	return e.store.PutMigrationRun(ctx, tx, run, message)
}

// elect makes an installation the runner of all that has to be migrated first. Its epoch fences off
// whoever was told to before.
func (e *Engine) elect(ctx context.Context, tx *sqldb.Tx, deployment string, runner *store.Installation, now time.Time) error {
	d, err := store.Deployments.Load(ctx, tx, deployment)
	if err != nil {
		return err
	}
	chores, err := e.chores(ctx, tx, d)
	if err != nil {
		return err
	}
	lease := now.Add(2*stepTimeout(d.GetRollout()) + leaseSlack)
	for _, c := range chores {
		if !rollout.OncePerEnvironment(c.Migration) || c.GetPhase() == deploymentv1.Migration_CONTRACT && !c.down {
			continue
		}
		lease = lease.Add(timeoutOf(c))
		if err := e.startRun(ctx, tx, d, c, runner, lease, now); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) startRun(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, c chore, runner *store.Installation, lease, now time.Time) error {
	run := c.run
	if run == nil {
		application := applicationOf(d.GetName())
		run = &store.MigrationRun{MigrationRun: &deploymentv1.MigrationRun{
			Name: store.MigrationRunName(d.GetEnvironment(), application, c.GetId()), Application: application, MigrationId: c.GetId(),
		}}
	}
	run.Phase, run.Scope, run.Reversible = c.GetPhase(), c.GetScope(), c.GetReversible()
	run.State, run.Down, run.Deployment, run.Attempt = deploymentv1.MigrationRun_RUNNING, c.down, d.GetName(), run.GetAttempt()+1
	run.Runner, run.Epoch, run.LeaseUntil, run.StartTime = "", 0, nil, timestamppb.New(now)
	run.EndTime, run.Message = nil, ""
	if runner != nil {
		run.Runner, run.Epoch, run.LeaseUntil, run.StartTime = runner.GetName(), runner.GetEpoch(), timestamppb.New(lease), nil
	}
	return e.store.PutMigrationRun(ctx, tx, run, "")
}

// contract lets a migration be made that had to wait for every target, by one of them or by each, and
// returns how many are told to.
func (e *Engine) contract(ctx context.Context, tx *sqldb.Tx, deployment, id string, now time.Time) (int, error) {
	d, err := store.Deployments.Load(ctx, tx, deployment)
	if err != nil {
		return 0, err
	}
	chores, err := e.chores(ctx, tx, d)
	if err != nil {
		return 0, err
	}
	for _, c := range chores {
		if c.GetId() != id {
			continue
		}
		once := rollout.OncePerEnvironment(c.Migration)
		told, err := store.Migrate(ctx, tx, now, deployment, once)
		if err != nil || len(told) == 0 {
			return 0, err
		}
		e.hint(tx, told)
		if !once {
			return len(told), e.startRun(ctx, tx, d, c, nil, now, now)
		}
		return 1, e.startRun(ctx, tx, d, c, told[0], now.Add(stepTimeout(d.GetRollout())+timeoutOf(c)+leaseSlack), now)
	}
	return 0, nil
}

// environmentOf is the environment of what has a name below one.
func environmentOf(name string) string { return strings.Join(strings.SplitN(name, "/", 5)[:4], "/") }

func stepTimeout(r *deploymentv1.Rollout) time.Duration {
	if d := r.GetStepTimeout(); d != nil {
		return d.AsDuration()
	}
	return rollout.DefaultStepTimeout
}

func timeoutOf(c chore) time.Duration {
	if c.down {
		return hookDeadline(c.GetDown())
	}
	return hookDeadline(c.GetUp())
}

func hookDeadline(h *deploymentv1.Hook) time.Duration {
	if d := h.GetTimeout(); d != nil {
		return d.AsDuration()
	}
	return hookTimeout
}

// longestCommand is the longest that one command of a release may take.
func longestCommand(r *deploymentv1.Release) time.Duration {
	h := r.GetHooks()
	longest := time.Duration(0)
	for _, hook := range []*deploymentv1.Hook{h.GetConfigure(), h.GetPreInstall(), h.GetTest(), h.GetPreStop(), h.GetPostActivate()} {
		longest = max(longest, hook.GetTimeout().AsDuration())
	}
	for _, m := range r.GetMigrations() {
		longest = max(longest, hookDeadline(m.GetUp()), m.GetDown().GetTimeout().AsDuration())
	}
	return longest
}

// steps returns the migrations that the command of an installation carries.
func (c *composer) steps(row *store.Installation) []*agentv1.MigrationStep {
	d := c.deployments[row.Deployment]
	from, to := c.releases[row.GetFromRelease()], c.releases[row.GetToRelease()]
	var out []*agentv1.MigrationStep
	add := func(m *deploymentv1.Migration, down bool) {
		run := c.runs[store.MigrationRunName(d.GetEnvironment(), row.Application, m.GetId())]
		mine := run != nil && run.GetRunner() == row.GetName() && run.GetEpoch() == row.GetEpoch() && run.GetDown() == down
		everywhere := run != nil && run.GetRunner() == "" && run.GetDeployment() == d.GetName()
		if !rollout.OncePerEnvironment(m) {
			mine = row.Action == agentv1.Command_INSTALL || everywhere
		}
		if !mine {
			return
		}
		step := &agentv1.MigrationStep{Id: m.GetId(), Down: down, Command: m.GetUp(), PerTarget: !rollout.OncePerEnvironment(m)}
		if down {
			step.Command = m.GetDown()
		}
		out = append(out, step)
	}
	switch {
	case row.Action == agentv1.Command_INSTALL && d.GetRollbackOf() != "":
		for i := len(from.GetMigrations()) - 1; i >= 0; i-- {
			if m := from.GetMigrations()[i]; m.GetPhase() == deploymentv1.Migration_CONTRACT && m.GetReversible() {
				add(m, true)
			}
		}
	case row.Action == agentv1.Command_INSTALL, row.Action == agentv1.Command_MIGRATE:
		phase := deploymentv1.Migration_EXPAND
		if row.Action == agentv1.Command_MIGRATE {
			phase = deploymentv1.Migration_CONTRACT
		}
		for _, m := range to.GetMigrations() {
			if m.GetPhase() == phase {
				add(m, false)
			}
		}
	}
	return out
}
