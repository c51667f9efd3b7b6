package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

func byCohort(bake time.Duration) *deploymentv1.Rollout {
	return &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_ByCohort{ByCohort: &deploymentv1.ByCohort{
		Cohorts: []string{"pilot", "sales", "warehouse"}, Implementation: ws + "/implementations/crm", PilotWithoutGate: true, Bake: durationpb.New(bake),
	}}}
}

var all = map[string]string{"t0": "v1", "t1": "v1", "t2": "v1", "t3": "v1", "t4": "v1", "t5": "v1"}

func TestAWaveWaitsForPeopleAndGoesOnByItself(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())

		second := w.deploy("second", "v2", byCohort(10*time.Millisecond)).GetName()
		waiting := w.until(second, func(d *deploymentv1.Deployment) bool {
			return d.GetState() == deploymentv1.Deployment_WAITING && len(d.GetBlockedBy()) == 1 && d.GetBlockedBy()[0].GetKind() == gatev1.BlockedBy_CRITERION
		})
		require.Equal(t, "12 of 20 trained (60.0 %)", waiting.GetBlockedBy()[0].GetCurrent())
		require.NotNil(t, waiting.GetBlockedBy()[0].GetSince())
		require.Equal(t, deploymentv1.Wave_SEALED, w.wave(second, "pilot").GetState())
		require.Equal(t, deploymentv1.Wave_GATED, w.wave(second, "sales").GetState())
		require.Equal(t, "v2", w.runs()["t0"])
		require.Equal(t, "v1", w.runs()["t2"], "nobody of sales is touched before they are ready")

		turned := time.Now()
		w.gate.set(gatev1.Verdict_PASS, nil)
		w.reach(second, deploymentv1.Deployment_SUCCEEDED)
		require.Less(t, time.Since(turned), 2*time.Second)
		require.Equal(t, "v2", w.runs()["t5"])
		require.Equal(t, 12, w.hosts.count("INSTALL"), "each target installs each release once")
	})
}

func TestASilentServiceHoldsTheWaveAndNeverARollback(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.gate.set(gatev1.Verdict_PASS, fault.Unavailable("DOWN", "down"))
		second := w.deploy("second", "v2", byCohort(0)).GetName()
		held := w.until(second, func(d *deploymentv1.Deployment) bool {
			return d.GetState() == deploymentv1.Deployment_WAITING && d.GetBlockedBy()[0].GetKind() == gatev1.BlockedBy_SERVICE
		})
		require.Equal(t, "it cannot be reached", held.GetBlockedBy()[0].GetCurrent())

		back, err := w.engine.Rollback(as(w.ctx, "users/bob"), &deploymentv1.RollbackDeploymentRequest{Name: second, Reason: "the other service is down"})
		require.NoError(t, err)
		require.Equal(t, second, back.GetRollbackOf())
		require.Equal(t, app+"/releases/v1", back.GetRelease())
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
		require.Equal(t, deploymentv1.Deployment_ROLLED_BACK, w.reach(second, deploymentv1.Deployment_ROLLED_BACK).GetState())

		_, err = w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second})
		require.Equal(t, rollout.ReasonStateForbids, fault.ReasonOf(err))
	})
}

func TestABadReleaseIsCaughtWhileItBakesAndOnlyItsWaveGoesBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		third := w.deploy("third", "v3", byCohort(time.Hour)).GetName()
		w.until(third, func(*deploymentv1.Deployment) bool {
			return w.wave(third, "pilot").GetState() == deploymentv1.Wave_BAKING
		})
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
			Sequence: 1000, Installation: third + "/installations/t0", Attempt: 1, Epoch: 99, // the epoch of a report about health does not matter
			State: deploymentv1.Installation_HEALTHY, Health: deploymentv1.Installation_UNHEALTHY, Cause: "PROBE_FAILED", Message: "3 probes failed",
		}}))
		failed := w.reach(third, deploymentv1.Deployment_FAILED)
		require.Equal(t, "BUDGET_SPENT", failed.GetStateReason())
		require.Contains(t, failed.GetStateMessage(), "1 of 2 failed (1 of them unhealthy after they had been healthy), 0 allowed")
		require.Equal(t, deploymentv1.Wave_REVERTED, w.wave(third, "pilot").GetState())
		require.Equal(t, deploymentv1.Wave_CANCELLED, w.wave(third, "sales").GetState())
		require.Equal(t, all, w.runs())
		require.Equal(t, 2, w.hosts.count("REVERT"))
		require.Zero(t, w.hosts.count("INSTALL t2 3"))
		w.reach(w.deploy("fourth", "v2", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestAFailedProbeSpendsTheBudget(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
			if c.GetWorkload().GetVersion() == "3.0.0" {
				return deploymentv1.Installation_REVERTED
			}
			return 0
		}
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		d := w.reach(w.deploy("third", "v3", byCohort(0)).GetName(), deploymentv1.Deployment_FAILED)
		require.Contains(t, d.GetStateMessage(), "wave pilot")
		require.Equal(t, all, w.runs())
	})
}

func TestOneActiveDeploymentATarget(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.deploy("first", "v1", byCohort(time.Hour)).GetName()
		_, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: "second", Deployment: &deploymentv1.Deployment{Release: app + "/releases/v2", Environment: env}})
		require.Equal(t, "TARGET_BUSY", fault.ReasonOf(err))
		require.ErrorContains(t, err, "6 of 6 targets")
		_, err = w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: first, Reason: "make room"}, rollout.Cancel)
		require.NoError(t, err)
		w.reach(first, deploymentv1.Deployment_CANCELLED)
		w.reach(w.deploy("second", "v2", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestCancelEndsByItsDeadlineAndNamesWhoDidNotAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.keep("t1", true)
		first := w.deploy("first", "v1", &deploymentv1.Rollout{CancelTimeout: durationpb.New(time.Second)}).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		began := time.Now()
		cancelling, err := w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: first}, rollout.Cancel)
		require.NoError(t, err)
		require.Equal(t, deploymentv1.Deployment_CANCELLING, cancelling.GetState())
		require.NotEmpty(t, cancelling.GetBlockedBy())
		ended := w.reach(first, deploymentv1.Deployment_CANCELLED)
		require.GreaterOrEqual(t, time.Since(began), time.Second)
		require.Less(t, time.Since(began), 3*time.Second)
		require.Equal(t, []string{env + "/targets/t1"}, ended.GetUnconfirmedTargets())

		w.hosts.keep("t1", false) // the agent that returns is still told to stop
		require.Eventually(t, func() bool { return w.hosts.count("CANCEL t1") == 1 }, 5*time.Second, 10*time.Millisecond)
	})
}

func TestPauseHoldsAndResumeGoesOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.gate.set(gatev1.Verdict_PASS, nil)
		w.hosts.keep("t0", true)
		name := w.deploy("first", "v1", byCohort(0)).GetName()
		w.until(name, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 1 })
		pausing, err := w.engine.Command(w.ctx, &deploymentv1.PauseDeploymentRequest{Name: name, Reason: "lunch"}, rollout.Pause)
		require.NoError(t, err)
		require.Equal(t, deploymentv1.Deployment_PAUSING, pausing.GetState(), "what has begun reaches its end first")
		w.hosts.keep("t0", false)
		paused := w.reach(name, deploymentv1.Deployment_PAUSED)
		require.Equal(t, "paused by users/alice", paused.GetBlockedBy()[0].GetCurrent())
		require.Equal(t, deploymentv1.Wave_HELD, w.wave(name, "pilot").GetState())
		_, err = w.engine.Command(w.ctx, &deploymentv1.ResumeDeploymentRequest{Name: name}, rollout.Resume)
		require.NoError(t, err)
		w.reach(name, deploymentv1.Deployment_SUCCEEDED)
		_, err = w.engine.Command(w.ctx, &deploymentv1.PauseDeploymentRequest{Name: name}, rollout.Pause)
		require.Equal(t, rollout.ReasonStateForbids, fault.ReasonOf(err))
	})
}

func TestApprovalNeedsASecondPersonAndOneRejectionEndsIt(t *testing.T) {
	gated := &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{{
		Id: "all", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}},
		Gates: []*deploymentv1.GateRule{{Id: "ok", Type: &deploymentv1.GateRule_Approval{Approval: &deploymentv1.ApprovalGate{}}}},
	}}}
	each(t, func(t *testing.T, w *world) {
		first := w.deploy("first", "v1", gated).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool {
			return d.GetState() == deploymentv1.Deployment_WAITING && d.GetBlockedBy()[0].GetKind() == gatev1.BlockedBy_APPROVAL
		})
		_, err := w.engine.Decide(w.ctx, &deploymentv1.ApproveWaveRequest{Name: first + "/waves/all"}, true)
		require.Equal(t, "SELF_APPROVAL", fault.ReasonOf(err))
		_, err = w.engine.Decide(as(w.ctx, "users/bob"), &deploymentv1.ApproveWaveRequest{Name: first + "/waves/all"}, true)
		require.NoError(t, err)
		w.reach(first, deploymentv1.Deployment_SUCCEEDED)
		_, err = w.engine.Decide(as(w.ctx, "users/carol"), &deploymentv1.ApproveWaveRequest{Name: first + "/waves/all"}, true)
		require.Equal(t, rollout.ReasonStateForbids, fault.ReasonOf(err))

		second := w.deploy("second", "v2", gated).GetName()
		_, err = w.engine.Decide(as(w.ctx, "users/bob"), &deploymentv1.RejectWaveRequest{Name: second + "/waves/all", Reason: "not before the audit"}, false)
		require.NoError(t, err)
		rejected := w.reach(second, deploymentv1.Deployment_REJECTED)
		require.Contains(t, rejected.GetStateMessage(), "users/bob rejected wave all: not before the audit")
		require.Equal(t, all, w.runs())
	})
}

func TestFrozenWaitsForAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.gate.set(gatev1.Verdict_PASS, nil)
		plan := byCohort(0)
		plan.OnFailure = deploymentv1.Rollout_FREEZE
		w.hosts.ends = func(c *agentv1.Command) deploymentv1.Installation_State {
			if c.GetTarget() == env+"/targets/t0" {
				return deploymentv1.Installation_FAILED
			}
			return 0
		}
		name := w.deploy("first", "v1", plan).GetName()
		frozen := w.reach(name, deploymentv1.Deployment_FROZEN)
		require.NotEmpty(t, frozen.GetBlockedBy())
		require.Zero(t, w.hosts.count("REVERT"))
		_, err := w.engine.Command(w.ctx, &deploymentv1.ResumeDeploymentRequest{Name: name, Reason: "t0 is broken hardware"}, rollout.Resume)
		require.NoError(t, err)
		w.reach(name, deploymentv1.Deployment_SUCCEEDED)
		require.Len(t, w.runs(), 5)
	})
}

func TestATargetThatIsAwayIsWaitedForByName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.target(6, "pilot", false)
		name := w.deploy("first", "v1", &deploymentv1.Rollout{}).GetName()
		waiting := w.until(name, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 6 })
		require.Equal(t, gatev1.BlockedBy_TARGET, waiting.GetBlockedBy()[0].GetKind())
		require.EqualValues(t, 1, waiting.GetCounts().GetUnavailable())
		w.connect("t6", time.Hour)
		w.reach(name, deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestAnAgentThatFallsSilentIsUnknownThenLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.keep("t0", true)
		name := w.deploy("first", "v1", &deploymentv1.Rollout{LostAfter: durationpb.New(time.Second), OnFailure: deploymentv1.Rollout_FREEZE}).GetName()
		w.until(name, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		w.connect("t0", -time.Second)
		w.until(name, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetUnknown() == 1 })
		frozen := w.reach(name, deploymentv1.Deployment_FROZEN)
		require.Equal(t, "LOST_BUDGET_SPENT", frozen.GetStateReason())
		w.connect("t0", time.Hour)
		w.hosts.keep("t0", false) // it comes back, and its journal says that it had done it
		w.until(name, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 6 })
	})
}

func TestWhatIsThereAlreadyIsSkipped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		again := w.reach(w.deploy("again", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.EqualValues(t, 6, again.GetCounts().GetSkipped())
		require.Equal(t, 6, w.hosts.count("INSTALL"))
	})
}

func TestReportsOfOldEpochsAndStrangersAreAbsorbed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.deploy("first", "v1", nil).GetName()
		w.reach(first, deploymentv1.Deployment_SUCCEEDED)
		for _, r := range []*agentv1.Report{
			{Sequence: 1, Installation: first + "/installations/t0", Attempt: 1, Epoch: 0, State: deploymentv1.Installation_FAILED, Cause: "LATE"},
			{Sequence: 2, Installation: first + "/installations/nobody", Attempt: 1, Epoch: 1, State: deploymentv1.Installation_HEALTHY},
		} {
			require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{r, r}))
		}
		d := w.reach(first, deploymentv1.Deployment_SUCCEEDED)
		require.EqualValues(t, 6, d.GetCounts().GetSealed())
	})
}

func TestAReplayedCreateIsOneDeployment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		req := &deploymentv1.CreateDeploymentRequest{Parent: app, RequestId: "r1", Deployment: &deploymentv1.Deployment{Release: app + "/releases/v1", Environment: env}}
		a, err := w.engine.Create(w.ctx, req)
		require.NoError(t, err)
		b, err := w.engine.Create(w.ctx, req)
		require.NoError(t, err)
		require.Equal(t, a.GetName(), b.GetName())
		req.Deployment.Reason = "other"
		_, err = w.engine.Create(w.ctx, req)
		require.Equal(t, "REQUEST_ID_REUSED", fault.ReasonOf(err))
	})
}

// A target in the middle of an activation may run either version, so nobody may say that
// it runs the old one already.
func TestARollbackReachesWhatIsInTheMiddleOfIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.hosts.keep("t0", true)
		second := w.deploy("second", "v2", nil).GetName()
		w.until(second, func(d *deploymentv1.Deployment) bool {
			return d.GetCounts().GetHealthy() == 5 && d.GetCounts().GetInProgress() == 1
		})
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second})
		require.NoError(t, err)
		w.hosts.keep("t0", false)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
		require.Equal(t, 2, w.hosts.count("INSTALL t0 1"), "the second time because it may run version 2")
		old := w.reach(second, deploymentv1.Deployment_ROLLED_BACK)
		require.Zero(t, old.GetCounts().GetInProgress(), "nothing of it is on its way for ever")
		require.EqualValues(t, 6, old.GetCounts().GetCancelled(), "nor holds on to what is another's")
	})
}

func TestANewerDeploymentOutdatesCommandsThatNobodyAnswered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.keep("t1", true)
		first := w.deploy("first", "v1", &deploymentv1.Rollout{CancelTimeout: durationpb.New(100 * time.Millisecond)}).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		_, err := w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: first}, rollout.Cancel)
		require.NoError(t, err)
		w.reach(first, deploymentv1.Deployment_CANCELLED)
		second := w.deploy("second", "v2", nil).GetName()
		w.until(second, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		pending, err := w.engine.Pending(w.ctx, []string{env + "/targets/t1"})
		require.NoError(t, err)
		require.Len(t, pending, 1)
		require.Equal(t, second+"/installations/t1", pending[0].GetInstallation())
		w.hosts.keep("t1", false)
		w.reach(second, deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestAServiceThatFallsSilentIsNamedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		name := w.deploy("first", "v1", byCohort(0)).GetName()
		blockedBy := func(kind gatev1.BlockedBy_Kind) func(*deploymentv1.Deployment) bool {
			return func(d *deploymentv1.Deployment) bool {
				return len(d.GetBlockedBy()) == 1 && d.GetBlockedBy()[0].GetKind() == kind
			}
		}
		w.until(name, blockedBy(gatev1.BlockedBy_CRITERION))
		w.gate.set(gatev1.Verdict_PASS, fault.Unavailable("DOWN", "down"))
		began := time.Now()
		w.until(name, blockedBy(gatev1.BlockedBy_SERVICE))
		require.Less(t, time.Since(began), 5*time.Second, "the last verdict would have been fresh for minutes")
		w.gate.set(gatev1.Verdict_PASS, nil)
		w.reach(name, deploymentv1.Deployment_SUCCEEDED)
		require.Less(t, time.Since(began), 15*time.Second, "healed by itself")
	})
}

func TestWhatWasLeftInPlaceIsWhatRuns(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.hosts.keep("t0", true)
		name := w.deploy("second", "v2", &deploymentv1.Rollout{OnFailure: deploymentv1.Rollout_FREEZE}).GetName()
		w.until(name, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetHealthy() == 5 })
		pending, err := w.engine.Pending(w.ctx, []string{env + "/targets/t0"})
		require.NoError(t, err)
		require.NoError(t, w.engine.Apply(w.ctx, []*agentv1.Report{{
			Sequence: 9000, Installation: name + "/installations/t0", Attempt: 1, Epoch: pending[0].GetEpoch(), State: deploymentv1.Installation_FAILED, Cause: "PROBE_FAILED",
			Steps: []*deploymentv1.InstallationStep{{State: deploymentv1.Installation_PROBING, Step: "probe"}},
		}}))
		w.reach(name, deploymentv1.Deployment_FROZEN)
		require.Equal(t, "v2", w.runs()["t0"], "the host was left with the new version")
		trial, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, ValidateOnly: true, Deployment: &deploymentv1.Deployment{Release: app + "/releases/v3", Environment: env}})
		require.Equal(t, "TARGET_BUSY", fault.ReasonOf(err), "%v", trial)
		w.hosts.keep("t0", false)
		_, err = w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: name}, rollout.Cancel)
		require.NoError(t, err)
		w.reach(name, deploymentv1.Deployment_CANCELLED)
		third := w.deploy("third", "v3", &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{{
			Id: "none", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}},
			Gates: []*deploymentv1.GateRule{{Id: "ok", Type: &deploymentv1.GateRule_Approval{Approval: &deploymentv1.ApprovalGate{}}}},
		}}}).GetName()
		found, err := store.SelectInstallations(w.ctx, w.store.DB.Read(), `name = $1`, third+"/installations/t0")
		require.NoError(t, err)
		require.Equal(t, app+"/releases/v1", found[0].GetFromRelease(), "a failure of the next one brings back what ran well")
		_, err = w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: third}, rollout.Cancel)
		require.NoError(t, err)
		w.reach(third, deploymentv1.Deployment_CANCELLED)
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: name})
		require.NoError(t, err)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
	})
}

// Waves in which nothing is left to do follow each other at once, however many they are.
func TestManyWavesThatHaveNothingToDoEndAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		plan := &deploymentv1.Rollout{}
		for i := range 6 {
			plan.Waves = append(plan.Waves, &deploymentv1.WaveRule{Id: fmt.Sprintf("w%d", i), Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Count{Count: 1}}})
		}
		again := w.deploy("again", "v1", plan)
		done := w.reach(again.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Less(t, done.GetEndTime().AsTime().Sub(done.GetCreateTime().AsTime()), 4*time.Second, "it is not left to the sweep")
	})
}
