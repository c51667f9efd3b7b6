package rollout_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

func step(id string, phase deploymentv1.Migration_Phase, reversible bool) *deploymentv1.Migration {
	return &deploymentv1.Migration{Id: id, Phase: phase, Reversible: reversible}
}

func TestTheRuleOfAFailedWave(t *testing.T) {
	t.Parallel()
	const expand, contract = deploymentv1.Migration_EXPAND, deploymentv1.Migration_CONTRACT
	freeze := &deploymentv1.Rollout{OnFailure: deploymentv1.Rollout_FREEZE}
	for _, test := range []struct {
		name       string
		plan       *deploymentv1.Rollout
		migrations []*deploymentv1.Migration
		done       []string
		want       deploymentv1.RollbackPath_Rule
		reasons    int
	}{
		{"nothing to migrate", nil, nil, nil, deploymentv1.RollbackPath_AUTO, 1},
		{"the plan says so", freeze, nil, nil, deploymentv1.RollbackPath_FREEZE, 1},
		{"EXPAND leaves the old version working", nil, []*deploymentv1.Migration{step("a", expand, false)}, nil, deploymentv1.RollbackPath_AUTO, 1},
		{"CONTRACT that goes back", nil, []*deploymentv1.Migration{step("a", contract, true)}, nil, deploymentv1.RollbackPath_AUTO, 1},
		{"CONTRACT that does not", nil, []*deploymentv1.Migration{step("a", expand, true), step("b", contract, false)}, nil, deploymentv1.RollbackPath_FREEZE, 1},
		{"CONTRACT that was made before", nil, []*deploymentv1.Migration{step("b", contract, false)}, []string{"b"}, deploymentv1.RollbackPath_AUTO, 1},
		{"another that was made before", nil, []*deploymentv1.Migration{step("b", contract, false), step("c", contract, false)}, []string{"b"}, deploymentv1.RollbackPath_FREEZE, 1},
		{"both reasons are said", freeze, []*deploymentv1.Migration{step("b", contract, false)}, nil, deploymentv1.RollbackPath_FREEZE, 2},
	} {
		done := map[string]bool{}
		for _, id := range test.done {
			done[id] = true
		}
		rule, reasons := rollout.RollbackRule(test.plan, test.migrations, done)
		require.Equal(t, test.want, rule, test.name)
		require.Len(t, reasons, test.reasons, test.name)
	}
}

func TestWhatARollbackTakesBack(t *testing.T) {
	t.Parallel()
	const expand, contract = deploymentv1.Migration_EXPAND, deploymentv1.Migration_CONTRACT
	all := []*deploymentv1.Migration{step("a", expand, true), step("b", contract, true), step("c", contract, false), step("d", contract, true), step("e", contract, true)}
	down, never := rollout.TakenBack(all, map[string]bool{"a": true, "b": true, "c": true, "d": true})
	require.Equal(t, []string{"d", "b"}, []string{down[0].GetId(), down[1].GetId()}, "newest first, EXPAND stays, what was not made needs nothing")
	require.Len(t, down, 2)
	require.Len(t, never, 1)
	require.Equal(t, "c", never[0].GetId())
}

// TestMigrationsHoldAWave walks every state a migration can be in when a wave wants to begin.
func TestMigrationsHoldAWave(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	lease := now.Add(time.Minute)
	for _, test := range []struct {
		name      string
		before    []rollout.Migration
		available int32
		claim     *rollout.Claim
		wave      deploymentv1.Wave_State
		kind      gatev1.BlockedBy_Kind
		command   bool
	}{
		{"nothing to migrate", nil, 5, &rollout.Claim{Wave: "w", Limit: 5}, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_INSTALLATION, false},
		{"nobody was asked", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_NOT_RUN}}, 5, &rollout.Claim{Wave: "w", Limit: 1, Elect: true}, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_INSTALLATION, false},
		{"taken back before", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_REVERTED}}, 5, &rollout.Claim{Wave: "w", Limit: 1, Elect: true}, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_INSTALLATION, false},
		{"failed for another deployment", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_FAILED}}, 5, &rollout.Claim{Wave: "w", Limit: 1, Elect: true}, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_INSTALLATION, false},
		{"to be taken back", []rollout.Migration{{ID: "a", Down: true, State: deploymentv1.MigrationRun_DONE}}, 5, &rollout.Claim{Wave: "w", Limit: 1, Elect: true}, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_INSTALLATION, false},
		{"nobody is there", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_NOT_RUN}}, 0, nil, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_TARGET, true},
		{"a runner is at work", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_RUNNING, Runner: "d/installations/t0", LeaseUntil: lease}}, 5, nil, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_MIGRATION, false},
		{"the first is made, the second runs", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_NOT_RUN}, {ID: "b", State: deploymentv1.MigrationRun_RUNNING, Runner: "t", LeaseUntil: lease}}, 5, nil, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_MIGRATION, false},
		{"cut off", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_INTERRUPTED}}, 5, nil, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_MIGRATION, true},
		{"cut off for another deployment", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_INTERRUPTED, Ours: false}}, 5, nil, deploymentv1.Wave_RUNNING, gatev1.BlockedBy_MIGRATION, true},
		{"failed", []rollout.Migration{{ID: "a", State: deploymentv1.MigrationRun_FAILED, Ours: true, Message: "exit 1"}}, 5, nil, deploymentv1.Wave_REVERTING, gatev1.BlockedBy_INSTALLATION, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := &deploymentv1.Wave{Name: "w", Ordinal: 1, Rule: &deploymentv1.WaveRule{Id: "w"}, State: deploymentv1.Wave_RUNNING}
			s := &rollout.State{
				Deployment: &deploymentv1.Deployment{Name: "d", State: deploymentv1.Deployment_RUNNING, DesiredState: deploymentv1.Deployment_RUN},
				Waves:      []*deploymentv1.Wave{w},
			}
			f := &rollout.Facts{
				Now: now, Migrations: &rollout.Migrations{Before: test.before},
				Counts: map[string]*deploymentv1.InstallationCounts{"w": {Total: 5, Queued: 5, Unavailable: 5 - test.available, Prestaged: 5}},
			}
			effects := rollout.Advance(s, f)
			require.Equal(t, test.claim, effects.Claim)
			require.Equal(t, test.wave, w.GetState())
			require.Equal(t, test.kind, w.GetBlockedBy()[0].GetKind(), "%v", w.GetBlockedBy())
			if test.kind == gatev1.BlockedBy_MIGRATION {
				require.Equal(t, test.command, strings.HasPrefix(w.GetBlockedBy()[0].GetCommand(), "golive resolve "), "only a person resolves: %v", w.GetBlockedBy())
			}
			if test.name == "a runner is at work" {
				require.Equal(t, lease, effects.WakeAt)
			}
		})
	}
}

func TestTheLastMigrationsHoldTheEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name    string
		run     rollout.Migration
		behind  []string
		migrate string
		kind    gatev1.BlockedBy_Kind
	}{
		{"its turn", rollout.Migration{ID: "a"}, nil, "a", gatev1.BlockedBy_MIGRATION},
		{"a target is behind", rollout.Migration{ID: "a"}, []string{"t"}, "", gatev1.BlockedBy_TARGET},
		{"it runs", rollout.Migration{ID: "a", State: deploymentv1.MigrationRun_RUNNING, Runner: "t", LeaseUntil: now.Add(time.Hour)}, nil, "", gatev1.BlockedBy_MIGRATION},
		{"it runs everywhere", rollout.Migration{ID: "a", State: deploymentv1.MigrationRun_RUNNING}, nil, "", gatev1.BlockedBy_MIGRATION},
		{"it failed", rollout.Migration{ID: "a", State: deploymentv1.MigrationRun_FAILED, Ours: true}, nil, "", gatev1.BlockedBy_MIGRATION},
		{"it was cut off", rollout.Migration{ID: "a", State: deploymentv1.MigrationRun_INTERRUPTED}, []string{"t"}, "", gatev1.BlockedBy_MIGRATION},
	} {
		s := &rollout.State{Deployment: &deploymentv1.Deployment{Name: "d", State: deploymentv1.Deployment_FINALIZING, DesiredState: deploymentv1.Deployment_RUN}}
		effects := rollout.Advance(s, &rollout.Facts{Now: now, Migrations: &rollout.Migrations{After: []rollout.Migration{test.run}, Behind: test.behind}})
		require.Equal(t, test.migrate, effects.Migrate, test.name)
		require.Equal(t, deploymentv1.Deployment_FINALIZING, s.Deployment.GetState(), test.name)
		require.Equal(t, test.kind, s.Deployment.GetBlockedBy()[0].GetKind(), test.name)
	}
	s := &rollout.State{Deployment: &deploymentv1.Deployment{Name: "d", State: deploymentv1.Deployment_FINALIZING, DesiredState: deploymentv1.Deployment_RUN}}
	rollout.Advance(s, &rollout.Facts{Now: now, Migrations: &rollout.Migrations{}})
	require.Equal(t, deploymentv1.Deployment_SUCCEEDED, s.Deployment.GetState())
}

func TestNothingStartsWithoutAWayBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		onFailure deploymentv1.Rollout_OnFailure
		want      deploymentv1.Deployment_State
	}{{deploymentv1.Rollout_ON_FAILURE_UNSPECIFIED, deploymentv1.Deployment_FAILED}, {deploymentv1.Rollout_FREEZE, deploymentv1.Deployment_SUCCEEDED}} {
		s := &rollout.State{Deployment: &deploymentv1.Deployment{
			Name: "d", State: deploymentv1.Deployment_PREFLIGHT, DesiredState: deploymentv1.Deployment_RUN, Rollout: &deploymentv1.Rollout{OnFailure: test.onFailure},
		}}
		rollout.Advance(s, &rollout.Facts{Preflight: &rollout.Preflight{Path: &deploymentv1.RollbackPath{Blocked: []string{"an archive is gone"}}}})
		require.Equal(t, test.want, s.Deployment.GetState())
	}
}
