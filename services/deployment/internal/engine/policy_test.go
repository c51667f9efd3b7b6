package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// holding is a person with a role in the workspace.
func holding(ctx context.Context, name string, role auth.Role) context.Context {
	return auth.NewContext(ctx, &auth.Principal{Name: name, Grants: map[string][]auth.Role{"default": {role}}})
}

func (w *world) policy(id string, p *deploymentv1.Policy) *deploymentv1.Policy {
	w.t.Helper()
	made, err := w.engine.CreatePolicy(holding(w.ctx, "users/root", auth.Admin), &deploymentv1.CreatePolicyRequest{Parent: ws, PolicyId: id, Policy: p})
	require.NoError(w.t, err)
	return made
}

func (w *world) override(ctx context.Context, o *deploymentv1.Override, lasts time.Duration) (*deploymentv1.Override, error) {
	w.t.Helper()
	o.ExpireTime = timestamppb.New(time.Now().Add(lasts))
	if o.GetReason() == "" {
		o.Reason = "the shop is down"
	}
	return w.engine.CreateOverride(ctx, &deploymentv1.CreateOverrideRequest{Parent: ws, Override: o})
}

// around is a window that began a while ago and ends after a time.
func around(ends time.Duration) []*deploymentv1.Window {
	now := time.Now().UTC()
	return []*deploymentv1.Window{{
		TimeZone: "UTC", DisplayName: "year-end close", Start: now.Add(-time.Hour).Format("2006-01-02T15:04:05"), End: now.Add(ends).Format("2006-01-02T15:04:05"),
	}}
}

func oneByOne() *deploymentv1.Rollout {
	return &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{{Id: "all", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}}, MaxParallel: 1}}}
}

func TestAFreezeHoldsAWaveUntilItEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		starting := []deploymentv1.Verb{deploymentv1.Verb_START_WAVE}
		p := w.policy("close", &deploymentv1.Policy{Verbs: starting, Freezes: around(3 * time.Second)})
		first := w.deploy("first", "v1", nil).GetName()
		held := w.until(first, func(d *deploymentv1.Deployment) bool {
			return d.GetState() == deploymentv1.Deployment_WAITING && len(d.GetBlockedBy()) > 0 && d.GetBlockedBy()[0].GetKind() == gatev1.BlockedBy_POLICY
		}).GetBlockedBy()[0]
		require.Equal(t, p.GetName(), held.GetResource())
		require.Contains(t, held.GetCurrent(), "frozen: year-end close, until ")
		require.WithinDuration(t, time.Now().Add(2*time.Second), held.GetEta().AsTime(), 3*time.Second)
		require.Equal(t, "golive override "+first+" --policy close --reason …", held.GetCommand())
		require.Zero(t, w.hosts.count("INSTALL"))
		require.Equal(t, deploymentv1.Wave_GATED, w.wave(first, "all").GetState())
		w.reach(first, deploymentv1.Deployment_SUCCEEDED)
		require.False(t, time.Now().Before(held.GetEta().AsTime()))
		require.Less(t, time.Since(held.GetEta().AsTime()), 2*time.Second, "the engine comes back by itself when it ends")
	})
}

func TestAFreezeThatBeginsMidWaveLetsWhatHasBegunEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.keep("t0", true)
		first := w.deploy("first", "v1", oneByOne()).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetInProgress() == 1 })
		p := w.policy("close", &deploymentv1.Policy{Freezes: around(time.Hour)})
		w.hosts.keep("t0", false)
		w.until(first, func(*deploymentv1.Deployment) bool {
			wave := w.wave(first, "all")
			return wave.GetState() == deploymentv1.Wave_HELD && wave.GetCounts().GetHealthy() == 1
		})
		wave := w.wave(first, "all")
		require.Equal(t, rollout.ReasonPolicyClosed, wave.GetStateReason())
		require.Equal(t, gatev1.BlockedBy_POLICY, wave.GetBlockedBy()[0].GetKind())
		d, err := store.Deployments.Load(w.ctx, w.store.DB.Read(), first)
		require.NoError(t, err)
		require.Equal(t, deploymentv1.Deployment_RUNNING, d.GetState())
		require.Equal(t, gatev1.BlockedBy_POLICY, d.GetBlockedBy()[0].GetKind())
		require.Equal(t, 1, w.hosts.count("INSTALL"), "nothing new begins")

		_, err = w.engine.DeletePolicy(w.ctx, &deploymentv1.DeletePolicyRequest{Name: p.GetName()})
		require.NoError(t, err)
		w.reach(first, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
	})
}

func TestARollbackWaitsForNoPolicy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		second := w.deploy("second", "v2", &deploymentv1.Rollout{Preset: &deploymentv1.Rollout_AllAtOnce{AllAtOnce: &deploymentv1.AllAtOnce{Bake: durationpb.New(time.Hour)}}}).GetName()
		w.until(second, func(*deploymentv1.Deployment) bool {
			return w.wave(second, "all").GetState() == deploymentv1.Wave_BAKING
		})
		p := w.policy("everything", &deploymentv1.Policy{Freezes: around(time.Hour), Rules: []*deploymentv1.PolicyRule{{Id: "never", Expression: "false"}}, StopLine: &deploymentv1.StopLine{}})
		_, err := w.engine.StopLine(w.ctx, &deploymentv1.EngageStopLineRequest{Name: p.GetName(), Reason: "smoke"}, true)
		require.NoError(t, err)
		back, err := w.engine.Rollback(w.ctx, &deploymentv1.RollbackDeploymentRequest{Name: second, Reason: "smoke"})
		require.NoError(t, err)
		w.reach(back.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
	})
}

func TestEveryVerbIsRefusedWithWhatHelps(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		approved := oneByOne()
		approved.Waves[0].Gates = []*deploymentv1.GateRule{{Id: "boss", Type: &deploymentv1.GateRule_Approval{Approval: &deploymentv1.ApprovalGate{}}}}
		first := w.deploy("first", "v1", approved).GetName()
		w.until(first, func(*deploymentv1.Deployment) bool { return w.wave(first, "all").GetState() == deploymentv1.Wave_GATED })
		_, err := w.engine.Command(w.ctx, &deploymentv1.PauseDeploymentRequest{Name: first}, rollout.Pause)
		require.NoError(t, err)
		p := w.policy("close", &deploymentv1.Policy{Freezes: around(time.Hour)})

		refused := map[string]func(context.Context) error{
			"CREATE": func(ctx context.Context) error {
				_, err := w.engine.Create(ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, Deployment: &deploymentv1.Deployment{Release: app + "/releases/v2", Environment: env}})
				return err
			},
			"RESUME": func(ctx context.Context) error {
				_, err := w.engine.Command(ctx, &deploymentv1.ResumeDeploymentRequest{Name: first}, rollout.Resume)
				return err
			},
			"APPROVE": func(ctx context.Context) error {
				_, err := w.engine.Decide(ctx, &deploymentv1.ApproveWaveRequest{Name: first + "/waves/all"}, true)
				return err
			},
			"SKIP": func(ctx context.Context) error {
				_, err := w.engine.Skip(ctx, &deploymentv1.SkipWaveRequest{Name: first + "/waves/all", Reason: "no"})
				return err
			},
		}
		for verb, call := range refused {
			err := call(holding(w.ctx, "users/bob", auth.Admin))
			require.Equal(t, policy.ReasonViolated, fault.ReasonOf(err), verb)
			require.ErrorContains(t, err, verb+" is refused by policy close: frozen: year-end close, until ")
			f := fault.From(err)
			require.Equal(t, p.GetName(), f.Metadata()["policy"])
			require.NotEmpty(t, f.Metadata()["next_change"])
			require.Equal(t, p.GetName(), f.Subjects()[0].GetSubject())
		}
		// What makes things safer is never refused.
		_, err = w.engine.Command(w.ctx, &deploymentv1.PauseDeploymentRequest{Name: first}, rollout.Pause)
		require.NoError(t, err)

		o, err := w.override(holding(w.ctx, "users/bob", auth.Approver), &deploymentv1.Override{
			Subject: first, Opens: &deploymentv1.Override_Policy{Policy: p.GetName()}, Verbs: []deploymentv1.Verb{deploymentv1.Verb_RESUME},
		}, time.Hour)
		require.NoError(t, err)
		require.Equal(t, "users/bob", o.GetPerson())
		require.NoError(t, refused["RESUME"](w.ctx))
		require.Equal(t, policy.ReasonViolated, fault.ReasonOf(refused["APPROVE"](holding(w.ctx, "users/bob", auth.Admin))), "it is for RESUME alone")
		_, err = w.engine.Decide(holding(w.ctx, "users/bob", auth.Approver), &deploymentv1.RejectWaveRequest{Name: first + "/waves/all", Reason: "no"}, false)
		require.NoError(t, err, "a rejection is no verb that policies bind")
	})
}

func TestAStoppedLinePausesWhatRunsAndLetsHotfixesPass(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.keep("t0", true)
		first := w.deploy("first", "v1", oneByOne()).GetName()
		w.until(first, func(d *deploymentv1.Deployment) bool { return d.GetCounts().GetInProgress() == 1 })
		p := w.policy("line", &deploymentv1.Policy{StopLine: &deploymentv1.StopLine{HotfixExempt: true, Engaged: true, Reason: "set by a client"}})
		require.False(t, p.GetStopLine().GetEngaged(), "the switch has verbs of its own")
		_, err := w.engine.StopLine(w.ctx, &deploymentv1.ReleaseStopLineRequest{Name: p.GetName(), Reason: "x"}, false)
		require.Equal(t, "LINE_NOT_STOPPED", fault.ReasonOf(err))
		p, err = w.engine.StopLine(w.ctx, &deploymentv1.EngageStopLineRequest{Name: p.GetName(), Reason: "payments are failing"}, true)
		require.NoError(t, err)
		require.Equal(t, "users/alice", p.GetStopLine().GetEngagedBy())
		_, err = w.engine.StopLine(w.ctx, &deploymentv1.EngageStopLineRequest{Name: p.GetName(), Reason: "again"}, true)
		require.Equal(t, "LINE_STOPPED", fault.ReasonOf(err))

		stopping := w.reach(first, deploymentv1.Deployment_PAUSING)
		require.Equal(t, rollout.ReasonStopTheLine, stopping.GetStateReason())
		w.hosts.keep("t0", false)
		stopped := w.reach(first, deploymentv1.Deployment_PAUSED)
		require.Equal(t, "users/alice stopped the line: payments are failing", stopped.GetBlockedBy()[0].GetCurrent())
		require.Equal(t, gatev1.BlockedBy_POLICY, stopped.GetBlockedBy()[0].GetKind())
		require.EqualValues(t, 1, stopped.GetCounts().GetHealthy(), "what had begun came to its end")

		changed, err := w.engine.UpdatePolicy(w.ctx, &deploymentv1.UpdatePolicyRequest{Policy: &deploymentv1.Policy{Name: p.GetName(), DisplayName: "andon"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"*"}}})
		require.NoError(t, err)
		require.True(t, changed.GetStopLine().GetEngaged(), "an update does not release it")
		_, err = w.engine.UpdatePolicy(w.ctx, &deploymentv1.UpdatePolicyRequest{Policy: &deploymentv1.Policy{Name: p.GetName(), StopLine: &deploymentv1.StopLine{HotfixExempt: true}}})
		require.NoError(t, err)

		ask := func(hotfix bool) *deploymentv1.EvaluatePoliciesResponse {
			answer, err := w.engine.EvaluatePolicies(w.ctx, &deploymentv1.EvaluatePoliciesRequest{Parent: ws, Application: app, Environment: env, Hotfix: hotfix})
			require.NoError(t, err)
			return answer
		}
		require.False(t, ask(false).GetAllowed())
		require.True(t, ask(true).GetAllowed())

		_, err = w.engine.StopLine(w.ctx, &deploymentv1.ReleaseStopLineRequest{Name: p.GetName(), Reason: "fixed"}, false)
		require.NoError(t, err)
		w.reach(first, deploymentv1.Deployment_SUCCEEDED)
		require.Equal(t, all, w.runs())
	})
}

func TestAnOverrideOpensAGateForAsLongAsItLives(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := oneByOne()
		r.Waves[0].Gates = []*deploymentv1.GateRule{
			{Id: "trained", Type: &deploymentv1.GateRule_Readiness{Readiness: &deploymentv1.ReadinessGate{CohortPlan: ws + "/implementations/crm/cohortPlans/pilot"}}},
			{Id: "boss", Type: &deploymentv1.GateRule_Approval{Approval: &deploymentv1.ApprovalGate{}}},
		}
		first := w.deploy("first", "v1", r).GetName()
		w.until(first, func(*deploymentv1.Deployment) bool { return len(w.wave(first, "all").GetBlockedBy()) == 2 })
		waived := func(ctx context.Context, gate string, lasts time.Duration) (*deploymentv1.Override, error) {
			return w.override(ctx, &deploymentv1.Override{Subject: first + "/waves/all", Opens: &deploymentv1.Override_Gate{Gate: gate}}, lasts)
		}
		bob := holding(w.ctx, "users/bob", auth.Approver)
		_, err := waived(bob, "nothing", time.Hour)
		require.Equal(t, "GATE_UNKNOWN", fault.ReasonOf(err))
		_, err = waived(bob, "trained", 25*time.Hour)
		require.Equal(t, "OVERRIDE_EXPIRY", fault.ReasonOf(err))
		_, err = waived(bob, "trained", -time.Second)
		require.Equal(t, "OVERRIDE_EXPIRY", fault.ReasonOf(err))
		_, err = waived(holding(w.ctx, "users/alice", auth.Admin), "boss", time.Hour)
		require.Equal(t, "SELF_OVERRIDE", fault.ReasonOf(err))
		// One that names the application instead is made, and does not open her own approval gate either.
		_, err = w.override(holding(w.ctx, "users/alice", auth.Admin), &deploymentv1.Override{Subject: app, Opens: &deploymentv1.Override_Gate{Gate: "boss"}}, time.Hour)
		require.NoError(t, err)

		short, err := waived(bob, "trained", 2*time.Second)
		require.NoError(t, err)
		w.until(first, func(*deploymentv1.Deployment) bool {
			g := w.wave(first, "all").GetGates()[0]
			return g.GetVerdict().GetState() == gatev1.Verdict_WAIVED && g.GetOverride() == short.GetName()
		})
		require.Equal(t, gatev1.Verdict_WAIT, w.wave(first, "all").GetGates()[1].GetVerdict().GetState())
		w.until(first, func(*deploymentv1.Deployment) bool {
			g := w.wave(first, "all").GetGates()[0]
			return g.GetVerdict().GetState() == gatev1.Verdict_WAIT && g.GetOverride() == ""
		})
		require.Less(t, time.Since(short.GetExpireTime().AsTime()), 2*time.Second, "the engine comes back when it ends")

		long, err := waived(bob, "trained", time.Hour)
		require.NoError(t, err)
		_, err = w.engine.RevokeOverride(bob, &deploymentv1.RevokeOverrideRequest{Name: long.GetName(), Reason: "a mistake"})
		require.NoError(t, err)
		_, err = w.engine.RevokeOverride(bob, &deploymentv1.RevokeOverrideRequest{Name: long.GetName(), Reason: "again"})
		require.Equal(t, "OVERRIDE_ENDED", fault.ReasonOf(err))
		_, err = waived(bob, "boss", time.Hour)
		require.NoError(t, err)
		w.until(first, func(*deploymentv1.Deployment) bool {
			gates := w.wave(first, "all").GetGates()
			return gates[1].GetVerdict().GetState() == gatev1.Verdict_WAIVED && gates[0].GetVerdict().GetState() == gatev1.Verdict_WAIT
		})
		_, err = waived(bob, "trained", time.Hour)
		require.NoError(t, err)
		w.reach(first, deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestAPolicySaysWhoMayOverrideIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.policy("strict", &deploymentv1.Policy{OverrideRoles: []string{"admin"}, Rules: []*deploymentv1.PolicyRule{
			{Id: "major", Expression: `!release.version.startsWith("2.")`, Message: "version 2 is not released yet"},
			{Id: "shop-only", Expression: `environment.name.endsWith("/prod") && application.name.endsWith("/shop")`},
		}})
		require.NotEmpty(t, p.GetEtag())
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		create := func() error {
			_, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: "second", Deployment: &deploymentv1.Deployment{Release: app + "/releases/v2", Environment: env}})
			return err
		}
		err := create()
		require.Equal(t, policy.ReasonViolated, fault.ReasonOf(err))
		require.ErrorContains(t, err, "policy strict: rule major: version 2 is not released yet; if it cannot wait, open it with `golive override workspaces/default/applications/shop --policy strict")
		aside := &deploymentv1.Override{Subject: env, Opens: &deploymentv1.Override_Policy{Policy: p.GetName()}}
		_, err = w.override(holding(w.ctx, "users/bob", auth.Approver), aside, time.Hour)
		require.Equal(t, "OVERRIDE_ROLE", fault.ReasonOf(err))
		_, err = w.override(holding(w.ctx, "users/carol", auth.Admin), aside, time.Hour)
		require.NoError(t, err)
		require.NoError(t, create())
		w.reach(app+"/deployments/second", deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestPoliciesAnswerForAnotherTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.policy("weekend", &deploymentv1.Policy{Environments: []string{"prod"}, Freezes: []*deploymentv1.Window{
			{TimeZone: "Europe/Berlin", Start: "2026-01-02T16:00", End: "2026-01-05T06:00", Recurrence: "FREQ=WEEKLY;BYDAY=FR", DisplayName: "weekend"},
		}})
		now := w.store.Now()
		friday := time.Date(now.Year(), now.Month(), now.Day(), 18, 0, 0, 0, time.UTC)
		for friday.Weekday() != time.Friday {
			friday = friday.AddDate(0, 0, 1)
		}
		answer, err := w.engine.EvaluatePolicies(w.ctx, &deploymentv1.EvaluatePoliciesRequest{Parent: ws, Application: app, Environment: env, Time: timestamppb.New(friday)})
		require.NoError(t, err)
		require.False(t, answer.GetAllowed())
		require.Contains(t, answer.GetBlockedBy()[0].GetCurrent(), "frozen: weekend, until Mon ")
		require.Equal(t, time.Monday, answer.GetNextChange().AsTime().Weekday())
		thursday := friday.AddDate(0, 0, -1)
		answer, err = w.engine.EvaluatePolicies(w.ctx, &deploymentv1.EvaluatePoliciesRequest{Parent: ws, Application: app, Environment: env, Time: timestamppb.New(thursday), Verb: deploymentv1.Verb_START_WAVE})
		require.NoError(t, err)
		require.True(t, answer.GetAllowed())
		require.Equal(t, time.Friday, answer.GetNextChange().AsTime().Weekday())
		_, err = w.engine.EvaluatePolicies(w.ctx, &deploymentv1.EvaluatePoliciesRequest{Parent: ws, Application: app, Environment: env, Time: timestamppb.New(friday.AddDate(50, 0, 0))})
		require.Equal(t, "TIME_OUT_OF_RANGE", fault.ReasonOf(err))
	})
}
