package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// migrations does what a command says has to be migrated, up to the first that does not succeed.
func (h *hosts) migrations(c *agentv1.Command) (told []*agentv1.MigrationOutcome, cause string) {
	for _, step := range c.GetMigrations() {
		verb := "up"
		if step.GetDown() {
			verb = "down"
		}
		h.done[fmt.Sprintf("%s %s %s", verb, step.GetId(), c.GetTarget()[strings.LastIndex(c.GetTarget(), "/")+1:])]++
		state := agentv1.MigrationOutcome_SUCCEEDED
		if h.migrate != nil {
			if s := h.migrate(c, step); s != 0 {
				state = s
			}
		}
		told = append(told,
			&agentv1.MigrationOutcome{Id: step.GetId(), Down: step.GetDown(), State: agentv1.MigrationOutcome_STARTED},
			&agentv1.MigrationOutcome{Id: step.GetId(), Down: step.GetDown(), State: state, Message: "as the test says"})
		switch state {
		case agentv1.MigrationOutcome_FAILED:
			return told, "MIGRATION_FAILED"
		case agentv1.MigrationOutcome_INTERRUPTED:
			return told, "INTERRUPTED"
		default:
		}
	}
	return told, ""
}

func (h *hosts) answer(migrate func(c *agentv1.Command, step *agentv1.MigrationStep) agentv1.MigrationOutcome_State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.migrate = migrate
}

func always(state agentv1.MigrationOutcome_State) func(*agentv1.Command, *agentv1.MigrationStep) agentv1.MigrationOutcome_State {
	return func(*agentv1.Command, *agentv1.MigrationStep) agentv1.MigrationOutcome_State { return state }
}

func migration(id string, phase deploymentv1.Migration_Phase, scope deploymentv1.Migration_Scope, reversible bool) *deploymentv1.Migration {
	m := &deploymentv1.Migration{Id: id, Phase: phase, Scope: scope, Reversible: reversible, Up: &deploymentv1.Hook{Command: []string{"up"}}}
	if reversible {
		m.Down = &deploymentv1.Hook{Command: []string{"down"}}
	}
	return m
}

const (
	expand   = deploymentv1.Migration_EXPAND
	contract = deploymentv1.Migration_CONTRACT
	once     = deploymentv1.Migration_ONCE_PER_ENVIRONMENT
	each1    = deploymentv1.Migration_PER_TARGET
)

// release makes one more release with migrations.
func (w *world) release(id string, migrations ...*deploymentv1.Migration) {
	w.t.Helper()
	_, err := store.Releases.Create(w.ctx, w.store.Resources, &deploymentv1.CreateReleaseRequest{Parent: app, ReleaseId: id, Release: &deploymentv1.Release{
		Version: strings.TrimPrefix(id, "v") + ".0.0", Run: &deploymentv1.RunSpec{Command: []string{"bin/app"}}, Migrations: migrations,
		Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: strings.Repeat("a", 64), SizeBytes: 1}},
	}})
	require.NoError(w.t, err)
}

func (w *world) run(id string) *deploymentv1.MigrationRun {
	w.t.Helper()
	run, err := store.MigrationRuns.Load(w.ctx, w.store.DB.Read(), env+"/migrationRuns/shop."+id)
	require.NoError(w.t, err)
	return run
}

func (w *world) resolve(id string, resolution deploymentv1.ResolveMigrationRunRequest_Resolution) error {
	_, err := w.engine.ResolveMigration(as(w.ctx, "users/bob"), &deploymentv1.ResolveMigrationRunRequest{
		Name: env + "/migrationRuns/shop." + id, Resolution: resolution, Reason: "looked at it",
	})
	return err
}

func blocked(kind gatev1.BlockedBy_Kind) func(*deploymentv1.Deployment) bool {
	return func(d *deploymentv1.Deployment) bool {
		return len(d.GetBlockedBy()) > 0 && d.GetBlockedBy()[0].GetKind() == kind
	}
}

func TestOneTargetMigratesForAll(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.release("v4", migration("add", expand, once, false), migration("mine", expand, each1, false), migration("drop", contract, once, false), migration("tidy", contract, each1, false))
		w.hosts.keep("t0", true)
		d := w.deploy("second", "v4", nil).GetName()
		waiting := w.until(d, blocked(gatev1.BlockedBy_MIGRATION))
		require.Equal(t, "t0 is running it", waiting.GetBlockedBy()[0].GetCurrent())
		require.EqualValues(t, 1, waiting.GetCounts().GetInProgress(), "all others wait")
		require.Equal(t, deploymentv1.RollbackPath_FREEZE, waiting.GetRollbackPath().GetRule())
		require.Equal(t, []string{"migration drop is CONTRACT and not reversible", "migration tidy is CONTRACT and not reversible"}, waiting.GetRollbackPath().GetReasons())
		require.EqualValues(t, 6, waiting.GetRollbackPath().GetRetained())
		require.Zero(t, w.hosts.count("INSTALL t1 4"))
		require.Equal(t, deploymentv1.MigrationRun_RUNNING, w.run("add").GetState())
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(w.resolve("add", deploymentv1.ResolveMigrationRunRequest_DONE)))

		w.hosts.keep("t0", false)
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, 1, w.hosts.count("up add"))
		require.Equal(t, 6, w.hosts.count("up mine"))
		require.Equal(t, 1, w.hosts.count("up drop"))
		require.Equal(t, 6, w.hosts.count("up tidy"))
		for _, id := range []string{"add", "drop", "tidy"} {
			require.Equal(t, deploymentv1.MigrationRun_DONE, w.run(id).GetState(), id)
		}
		require.Equal(t, d+"/installations/t0", w.run("add").GetRunner())

		w.release("v5", migration("add", expand, once, false), migration("drop", contract, once, false), migration("more", expand, once, false))
		third := w.reach(w.deploy("third", "v5", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, 1, w.hosts.count("up add"), "what was made is made")
		require.Equal(t, 1, w.hosts.count("up more"))
		require.Equal(t, deploymentv1.RollbackPath_AUTO, third.GetRollbackPath().GetRule(), "what was made before is no burden of this release")
	})
}

func TestAFailedMigrationStopsTheWave(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.release("v4", migration("add", expand, once, false))
		w.hosts.answer(always(agentv1.MigrationOutcome_FAILED))
		generous := &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_AllAtOnce{AllAtOnce: &deploymentv1.AllAtOnce{Budget: &deploymentv1.FailureBudget{MaxFailed: 5}}}}
		d := w.reach(w.deploy("second", "v4", generous).GetName(), deploymentv1.Deployment_FAILED)
		require.Equal(t, "MIGRATION_FAILED", d.GetStateReason())
		require.Contains(t, d.GetStateMessage(), "migration add failed: t0: as the test says")
		require.Equal(t, all, w.runs())
		require.Equal(t, 1, w.hosts.count("up add"), "the budget is for installations")
		require.Equal(t, deploymentv1.MigrationRun_FAILED, w.run("add").GetState())

		w.hosts.answer(nil)
		w.reach(w.deploy("third", "v4", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.EqualValues(t, 2, w.run("add").GetAttempt(), "a new deployment is the decision to try again")
	})
}

func TestAnInterruptedMigrationWaitsForAPerson(t *testing.T) {
	t.Parallel()
	for resolution, want := range map[deploymentv1.ResolveMigrationRunRequest_Resolution]int{
		deploymentv1.ResolveMigrationRunRequest_DONE: 1, deploymentv1.ResolveMigrationRunRequest_NOT_RUN: 2, deploymentv1.ResolveMigrationRunRequest_RETRY: 2,
	} {
		t.Run(resolution.String(), func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
				w.release("v4", migration("add", expand, once, false))
				w.hosts.answer(always(agentv1.MigrationOutcome_INTERRUPTED))
				d := w.deploy("second", "v4", nil).GetName()
				held := w.until(d, func(d *deploymentv1.Deployment) bool {
					return blocked(gatev1.BlockedBy_MIGRATION)(d) && d.GetBlockedBy()[0].GetOwner() == "operators"
				})
				require.Equal(t, deploymentv1.Deployment_RUNNING, held.GetState(), "it has spent no budget")
				require.Equal(t, "golive resolve "+env+"/migrationRuns/shop.add", held.GetBlockedBy()[0].GetCommand())
				require.EqualValues(t, 6, held.GetCounts().GetQueued())
				w.hosts.answer(nil)
				require.NoError(t, w.engine.Advance(w.ctx, d), "looking again changes nothing")
				require.Equal(t, 1, w.hosts.count("up add"))

				require.NoError(t, w.resolve("add", resolution))
				w.reach(d, deploymentv1.Deployment_SUCCEEDED)
				require.Equal(t, want, w.hosts.count("up add"))
				require.Equal(t, deploymentv1.MigrationRun_DONE, w.run("add").GetState())
				require.Equal(t, "users/bob", w.run("add").GetResolver())
			})
		})
	}
}

func TestARunnerThatNeverBeganIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.release("v4", migration("add", expand, once, false))
		w.hosts.keep("t0", true)
		budget := &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_AllAtOnce{AllAtOnce: &deploymentv1.AllAtOnce{Budget: &deploymentv1.FailureBudget{MaxFailed: 1}}}}
		d := w.deploy("second", "v4", budget).GetName()
		w.until(d, blocked(gatev1.BlockedBy_MIGRATION))
		epoch := w.run("add").GetEpoch()
		fails := &agentv1.Report{Sequence: 900, Installation: d + "/installations/t0", Attempt: 1, Epoch: epoch, State: deploymentv1.Installation_FAILED, Cause: "FETCH_FAILED"}
		stale := &agentv1.Report{
			Sequence: 901, Installation: d + "/installations/t0", Attempt: 1, Epoch: epoch, State: deploymentv1.Installation_FAILED,
			Migrations: []*agentv1.MigrationOutcome{{Id: "add", State: agentv1.MigrationOutcome_FAILED}},
		}
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{fails}))
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		run := w.run("add")
		require.Equal(t, d+"/installations/t1", run.GetRunner())
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{stale}))
		require.Equal(t, deploymentv1.MigrationRun_DONE, w.run("add").GetState(), "a fenced runner is not believed")
		require.Equal(t, 1, w.hosts.count("up add"))
	})
}

func TestALastMigrationWaitsForEveryTarget(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.release("v4", migration("drop", contract, once, true))
		pilots := &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{{Id: "pilot", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: "pilot"}}}}}
		d := w.deploy("second", "v4", pilots).GetName()
		held := w.until(d, blocked(gatev1.BlockedBy_TARGET))
		require.Equal(t, deploymentv1.Deployment_FINALIZING, held.GetState())
		require.Contains(t, held.GetBlockedBy()[0].GetCurrent(), "4 targets run another release, t2 among them")
		require.Zero(t, w.hosts.count("up drop"))
		for _, id := range []string{"t2", "t3", "t4", "t5"} {
			_, err := store.Targets.Update(w.ctx, w.store.Resources, &deploymentv1.UpdateTargetRequest{
				Target: &deploymentv1.Target{Name: env + "/targets/" + id, Maintenance: true},
			})
			require.NoError(t, err)
		}
		require.NoError(t, w.engine.Advance(w.ctx, d))
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, 1, w.hosts.count("up drop"))
	})
}

func TestALastMigrationThatFailsWaitsForAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.release("v4", migration("drop", contract, once, true))
		w.hosts.answer(always(agentv1.MigrationOutcome_FAILED))
		d := w.deploy("first", "v4", nil).GetName()
		held := w.until(d, func(d *deploymentv1.Deployment) bool {
			return blocked(gatev1.BlockedBy_MIGRATION)(d) && d.GetBlockedBy()[0].GetOwner() == "operators"
		})
		require.Equal(t, deploymentv1.Deployment_FINALIZING, held.GetState())
		require.EqualValues(t, 6, held.GetCounts().GetSealed(), "the release stays as it is")
		w.hosts.answer(nil)
		require.NoError(t, w.resolve("drop", deploymentv1.ResolveMigrationRunRequest_RETRY))
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, 2, w.hosts.count("up drop"))
	})
}

func TestARollbackTakesBackWhatWasContractedFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.release("v4", migration("add", expand, once, true), migration("drop", contract, once, true), migration("tidy", contract, each1, true))
		d := w.deploy("second", "v4", nil).GetName()
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		path, err := w.engine.PreviewRollback(w.ctx, d)
		require.NoError(t, err)
		require.Equal(t, []string{"tidy", "drop"}, path.GetMigrationsDown())
		require.EqualValues(t, 6, path.GetRetained())
		require.Empty(t, path.GetBlocked())

		var order []string
		w.hosts.answer(func(c *agentv1.Command, step *agentv1.MigrationStep) agentv1.MigrationOutcome_State {
			order = append(order, step.GetId()+" "+c.GetAction().String())
			return 0
		})
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: d})
		require.NoError(t, err)
		require.Equal(t, []string{"tidy", "drop"}, back.GetRollbackPath().GetMigrationsDown())
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
		require.Equal(t, 1, w.hosts.count("down drop"))
		require.Equal(t, 6, w.hosts.count("down tidy"))
		require.Zero(t, w.hosts.count("down add"), "the old version works with what was expanded")
		w.hosts.mu.Lock()
		require.Equal(t, []string{"tidy INSTALL", "drop INSTALL"}, order[:2], "before anything else goes back")
		w.hosts.mu.Unlock()
		require.Equal(t, deploymentv1.MigrationRun_REVERTED, w.run("drop").GetState())

		w.reach(w.deploy("third", "v4", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, 2, w.hosts.count("up drop"), "it was taken back, so it is made again")
		require.Equal(t, 12, w.hosts.count("up tidy"))
	})
}

func TestWhatCannotBeTakenBackBlocksTheRollback(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.release("v4", migration("drop", contract, once, false))
		d := w.deploy("second", "v4", nil).GetName()
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		path, err := w.engine.PreviewRollback(w.ctx, d)
		require.NoError(t, err)
		require.Equal(t, []string{"migration drop was made and is not reversible"}, path.GetBlocked())
		_, err = w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: d})
		require.Equal(t, "MIGRATION_IRREVERSIBLE", fault.ReasonOf(err))

		require.NoError(t, w.resolve("drop", deploymentv1.ResolveMigrationRunRequest_NOT_RUN), "a person restored the data by hand")
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: d})
		require.NoError(t, err)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
	})
}

func TestAReleaseThatCannotGoBackFreezes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.release("v4", migration("drop", contract, once, false))
		w.hosts.mu.Lock()
		w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
			if c.GetWorkload().GetVersion() == "4.0.0" {
				require.False(t, c.GetRevertOnFailure())
				return deploymentv1.Installation_FAILED
			}
			return 0
		}
		w.hosts.mu.Unlock()
		d := w.reach(w.deploy("second", "v4", nil).GetName(), deploymentv1.Deployment_FROZEN)
		require.Equal(t, "BUDGET_SPENT", d.GetStateReason())
		require.Zero(t, w.hosts.count("REVERT"))
	})
}

func TestWithoutAWayBackNothingStarts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.blobs.gone.Store(strings.Repeat("1", 64), true)
		second := w.reach(w.deploy("second", "v2", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.EqualValues(t, 6, second.GetRollbackPath().GetRetained(), "the archive is gone, but the release runs there")
		require.Empty(t, second.GetRollbackPath().GetBlocked())

		require.Eventually(t, func() bool { // the answers to the seals tell of health too
			n, err := store.SelectInstallations(w.ctx, w.store.DB.Read(), `parent = $1 AND action <> 0`, second.GetName())
			return err == nil && len(n) == 0
		}, 20*time.Second, 10*time.Millisecond)

		// Where the server does not know that the release before is on the host still, it must be there to be fetched.
		require.NoError(t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE slots SET settled = 0, health = $1 WHERE target = $2`, int64(deploymentv1.Installation_UNHEALTHY), env+"/targets/t0")
			return err
		}))
		third := w.reach(w.deploy("third", "v3", nil).GetName(), deploymentv1.Deployment_FAILED)
		require.Equal(t, "PREFLIGHT_FAILED", third.GetStateReason())
		require.Contains(t, third.GetStateMessage(), "there is no way back: 1 targets, "+env+"/targets/t0 among them: the archive "+strings.Repeat("1", 64))
		frozen := &deploymentv1.Rollout{OnFailure: deploymentv1.Rollout_FREEZE}
		w.reach(w.deploy("fourth", "v3", frozen).GetName(), deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestARunnerThatIsNotHeardInTimeMayBeHeardLate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.release("v4", migration("add", expand, once, false))
		w.hosts.keep("t0", true)
		d := w.deploy("first", "v4", nil).GetName()
		w.until(d, blocked(gatev1.BlockedBy_MIGRATION))
		lease := w.run("add").GetLeaseUntil().AsTime()
		w.ahead.Store(int64(time.Until(lease) + time.Second))
		require.NoError(t, w.engine.Advance(w.ctx, d))
		w.ahead.Store(0)
		run := w.run("add")
		require.Equal(t, deploymentv1.MigrationRun_INTERRUPTED, run.GetState())
		require.Equal(t, "its runner was not heard in time", run.GetMessage())
		w.hosts.keep("t0", false)
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, deploymentv1.MigrationRun_DONE, w.run("add").GetState(), "its journal decided")
		require.Equal(t, 1, w.hosts.count("up add"))
	})
}

func TestAPersonWhoDecidesFencesTheRunner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.release("v4", migration("add", expand, once, false))
		w.hosts.keep("t0", true)
		d := w.deploy("first", "v4", nil).GetName()
		w.until(d, blocked(gatev1.BlockedBy_MIGRATION))
		run := w.run("add")
		w.ahead.Store(int64(time.Until(run.GetLeaseUntil().AsTime()) + time.Second))
		require.NoError(t, w.engine.Advance(w.ctx, d))
		w.ahead.Store(0)
		require.NoError(t, w.resolve("add", deploymentv1.ResolveMigrationRunRequest_DONE))
		w.until(d, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
			Sequence: 900, Installation: run.GetRunner(), Attempt: 1, Epoch: run.GetEpoch(), State: deploymentv1.Installation_FAILED,
			Migrations: []*agentv1.MigrationOutcome{{Id: "add", State: agentv1.MigrationOutcome_FAILED}},
		}}))
		require.Equal(t, deploymentv1.MigrationRun_DONE, w.run("add").GetState(), "the person has decided")
		w.hosts.keep("t0", false)
		w.reach(d, deploymentv1.Deployment_SUCCEEDED)
		require.Zero(t, w.hosts.count("up add"))
	})
}

func TestARunnerThatIsCalledBackLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.release("v4", migration("add", expand, once, false))
		w.hosts.keep("t0", true)
		d := w.deploy("first", "v4", nil).GetName()
		w.until(d, blocked(gatev1.BlockedBy_MIGRATION))
		_, err := w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: d}, rollout.Cancel)
		require.NoError(t, err)
		w.hosts.keep("t0", false) // it hears of the cancellation alone
		w.reach(d, deploymentv1.Deployment_CANCELLED)
		require.Equal(t, deploymentv1.MigrationRun_NOT_RUN, w.run("add").GetState())
		require.Zero(t, w.hosts.count("up add"))
		w.reach(w.deploy("second", "v4", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, 1, w.hosts.count("up add"))
	})
}
