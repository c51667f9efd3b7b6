package engine_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// gated is a rollout of one wave with one gate, given as text.
func gated(t *testing.T, rule string) *deploymentv1.Rollout {
	t.Helper()
	r := &deploymentv1.Rollout{}
	require.NoError(t, prototext.Unmarshal([]byte(`waves { id: "all" members { rest: true } gates { id: "g" `+rule+` } }`), r))
	return r
}

// closed waits until a deployment says why its gate is closed.
func (w *world) closed(name, current string) *deploymentv1.Wave {
	w.t.Helper()
	w.until(name, func(d *deploymentv1.Deployment) bool {
		return d.GetState() == deploymentv1.Deployment_WAITING && len(d.GetBlockedBy()) > 0 && strings.Contains(d.GetBlockedBy()[0].GetCurrent(), current)
	})
	return w.wave(name, "all")
}

// nudge lets a deployment look again now; in life the next sweep or hint does.
func (w *world) nudge(name string) {
	w.t.Helper()
	require.NoError(w.t, w.engine.Advance(w.ctx, name))
}

func (w *world) approve(ctx context.Context, name, digest string) (*deploymentv1.Wave, error) {
	return w.engine.Decide(ctx, &deploymentv1.ApproveWaveRequest{Name: name, Digest: digest}, true)
}

func withRole(ctx context.Context, name string, roles ...auth.Role) context.Context {
	return auth.NewContext(ctx, &auth.Principal{Name: name, Grants: map[string][]auth.Role{"default": roles}})
}

func TestApprovalsAreOfADigestAndByRoles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := w.deploy("d", "v1", gated(t, `approval { required: 2 roles: "admin" approvers: "users/bob" }`))
		wave := w.closed(d.GetName(), "0 of 2 approvals")
		require.Len(t, wave.GetApprovalDigest(), 64)

		_, err := w.approve(withRole(w.ctx, "users/bob", auth.Approver), wave.GetName(), strings.Repeat("0", 64))
		require.Equal(t, "DIGEST_MISMATCH", fault.ReasonOf(err))
		_, err = w.approve(w.ctx, wave.GetName(), "")
		require.Equal(t, "SELF_APPROVAL", fault.ReasonOf(err))
		_, err = w.approve(withRole(w.ctx, "users/bob", auth.Approver), wave.GetName(), wave.GetApprovalDigest())
		require.NoError(t, err)
		_, err = w.approve(withRole(w.ctx, "users/bob", auth.Approver), wave.GetName(), "")
		require.Equal(t, "ALREADY_APPROVED", fault.ReasonOf(err))
		_, err = w.approve(withRole(w.ctx, "users/carol", auth.Approver), wave.GetName(), "")
		require.NoError(t, err)
		wave = w.closed(d.GetName(), "nobody with the role admin")
		require.Equal(t, []string{"approver"}, wave.GetGates()[0].GetApprovals()[0].GetRoles())
		_, err = w.approve(withRole(w.ctx, "users/dan", auth.Admin), wave.GetName(), "")
		require.NoError(t, err)
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.turns(wave.GetName(), gatev1.Verdict_WAIT, gatev1.Verdict_PASS)
	})
}

// turns checks the first and the last evaluation of a wave's gate.
func (w *world) turns(wave string, first, last gatev1.Verdict_State) {
	w.t.Helper()
	all, err := store.GateEvaluations.Select(w.ctx, w.store.DB.Read(), `WHERE parent = $1 ORDER BY ordinal`, wave)
	require.NoError(w.t, err)
	require.GreaterOrEqual(w.t, len(all), 2)
	require.Equal(w.t, first.String(), all[0].GetState().String())
	require.Equal(w.t, last.String(), all[len(all)-1].GetState().String())
	for i, e := range all {
		require.EqualValues(w.t, i+1, e.GetOrdinal())
		require.Equal(w.t, "g", e.GetGate())
		require.NotNil(w.t, e.GetEvaluatedAt())
	}
	require.NotEmpty(w.t, all[len(all)-1].GetVerdict().GetEvidence(), "a gate that opens says on what")
}

func TestARejectionBeforeTheTurnEndsTheDeployment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.hosts.keep("t0", true)
		r := &deploymentv1.Rollout{}
		require.NoError(t, prototext.Unmarshal([]byte(`waves { id: "pilot" members { cohort: "pilot" } } waves { id: "rest" members { rest: true } gates { id: "g" approval {} } }`), r))
		d := w.deploy("d", "v1", r)
		w.reach(d.GetName(), deploymentv1.Deployment_RUNNING)
		_, err := w.engine.Decide(as(w.ctx, "users/bob"), &deploymentv1.RejectWaveRequest{Name: d.GetName() + "/waves/rest", Reason: "no"}, false)
		require.NoError(t, err)
		w.hosts.keep("t0", false)
		ended := w.reach(d.GetName(), deploymentv1.Deployment_REJECTED)
		require.Contains(t, ended.GetStateMessage(), "users/bob rejected wave rest: no")
	})
}

func TestAWaveWaitsForAnotherApplication(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const billing = ws + "/applications/billing"
		_, err := store.Applications.Create(w.ctx, w.store.Resources, &deploymentv1.CreateApplicationRequest{Parent: ws, ApplicationId: "billing", Application: &deploymentv1.Application{}})
		require.NoError(t, err)
		for id, version := range map[string]string{"old": "1.9.0", "new": "1.10.0"} {
			w.registers(billing, id, version)
		}
		d := w.deploy("d", "v1", gated(t, `dependency { application: "`+billing+`" version: "1.10.0" }`))
		wave := w.closed(d.GetName(), "billing runs nowhere in prod")
		w.stands(billing, "t0", "old")
		w.nudge(d.GetName())
		w.closed(d.GetName(), "1 of 1 do not: t0 (1.9.0)")
		w.stands(billing, "t0", "new")
		w.nudge(d.GetName())
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.turns(wave.GetName(), gatev1.Verdict_WAIT, gatev1.Verdict_PASS)
	})
}

func (w *world) registers(application, id, version string) {
	w.t.Helper()
	_, err := store.Releases.Create(w.ctx, w.store.Resources, &deploymentv1.CreateReleaseRequest{Parent: application, ReleaseId: id, Release: &deploymentv1.Release{
		Version: version, Run: &deploymentv1.RunSpec{Command: []string{"bin/app"}},
		Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: strings.Repeat("a", 64), SizeBytes: 1}},
	}})
	require.NoError(w.t, err)
}

// stands puts a healthy release on a target, as its agent would report it.
func (w *world) stands(application, target, release string) {
	w.t.Helper()
	require.NoError(w.t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return store.PutSlots(ctx, tx, []*store.Slot{{
			Target: env + "/targets/" + target, Application: application, Release: application + "/releases/" + release,
			Installation: "none", Health: deploymentv1.Installation_HEALTHY_NOW, Since: time.Now(), Settled: true,
		}})
	}))
}

func TestAWaveWaitsForTheEnvironmentBefore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const next = ws + "/environments/next"
		_, err := store.Environments.Create(w.ctx, w.store.Resources, &deploymentv1.CreateEnvironmentRequest{Parent: ws, EnvironmentId: "next", Environment: &deploymentv1.Environment{PromotedFrom: env}})
		require.NoError(t, err)
		_, err = store.Targets.Create(w.ctx, w.store.Resources, &deploymentv1.CreateTargetRequest{Parent: next, TargetId: "n0", Target: &deploymentv1.Target{}})
		require.NoError(t, err)
		d, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: "late", Deployment: &deploymentv1.Deployment{
			Release: app + "/releases/v1", Environment: next, Rollout: gated(t, `prior_environment { healthy_for {} installations: 6 }`),
		}})
		require.NoError(t, err)
		w.closed(d.GetName(), "v1 is sealed and healthy on 0 of 0 in prod")
		w.reach(w.deploy("early", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		opened := func() bool {
			w.nudge(d.GetName())
			return w.wave(d.GetName(), "all").GetState() != deploymentv1.Wave_GATED
		}
		require.Eventually(t, opened, 20*time.Second, 20*time.Millisecond, "the seals are confirmed by the hosts")
		w.turns(d.GetName()+"/waves/all", gatev1.Verdict_WAIT, gatev1.Verdict_PASS)
	})
}

func TestAWaveWaitsForHostsThatCanRunIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := w.deploy("d", "v1", gated(t, `compatibility {}`))
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
		second := &deploymentv1.Rollout{}
		require.NoError(t, prototext.Unmarshal([]byte(`waves { id: "all" members { rest: true } gates { id: "ok" approval {} } gates { id: "g" compatibility {} } }`), second))
		next := w.deploy("next", "v2", second)
		w.closed(next.GetName(), "0 of 1 approval")
		w.facts("t3", &deploymentv1.HostFacts{Os: "plan9", Arch: "mips"})
		w.nudge(next.GetName())
		w.until(next.GetName(), func(d *deploymentv1.Deployment) bool { return len(d.GetBlockedBy()) == 2 })
		_, err := w.approve(as(w.ctx, "users/bob"), next.GetName()+"/waves/all", "")
		require.NoError(t, err)
		w.closed(next.GetName(), "platform plan9/mips")
		w.facts("t3", &deploymentv1.HostFacts{Os: "linux", Arch: "amd64", DiskFreeBytes: 1 << 30})
		w.nudge(next.GetName())
		w.reach(next.GetName(), deploymentv1.Deployment_SUCCEEDED)
	})
}

// facts are what the host of a target reports.
func (w *world) facts(target string, facts *deploymentv1.HostFacts) {
	w.t.Helper()
	require.NoError(w.t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		row, err := store.Targets.LockRow(ctx, tx, env+"/targets/"+target)
		if err != nil {
			return err
		}
		row.Message.Facts = facts
		return store.Targets.Save(ctx, tx, w.store.Resources, row.Message, row.Revision, resource.Meta{})
	}))
}

func TestAWaveWaitsUntilWhatRemainsCarriesTheLoad(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		r := gated(t, `capacity { forecast_peak: 500 peak_per_instance: 100 min_headroom: 1 }`)
		d := w.deploy("d", "v2", r)
		w.closed(d.GetName(), "headroom 0.00: 0 of 6 instances stay up")
		_, err := w.engine.Command(w.ctx, &deploymentv1.CancelDeploymentRequest{Name: d.GetName()}, rollout.Cancel)
		require.NoError(t, err)
		w.reach(d.GetName(), deploymentv1.Deployment_CANCELLED)
		r.GetWaves()[0].MaxParallel = 1 // 5 x 100 / 500
		w.reach(w.deploy("e", "v2", r).GetName(), deploymentv1.Deployment_SUCCEEDED)
	})
}

func TestAWaveWaitsForALoadTest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		defer s.Close()
		r := gated(t, fmt.Sprintf(`capacity { forecast_peak: 10 load_test { url: "%s" start_rate: 20 max_rate: 40 step { nanos: 100000000 } latency { seconds: 10 } } }`, s.URL))
		r.GetWaves()[0].MaxParallel = 2
		d := w.deploy("d", "v2", r)
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.turns(d.GetName()+"/waves/all", gatev1.Verdict_WAIT, gatev1.Verdict_PASS)
	})
}

func TestAWaveWaitsForAWebhook(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var agrees atomic.Bool
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			if !agrees.Load() {
				rw.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(rw, `{"reasons": ["change 17 is open"]}`)
			}
		}))
		defer s.Close()
		d := w.deploy("d", "v1", gated(t, fmt.Sprintf(`webhook { url: "%s" ttl { seconds: 1 } }`, s.URL)))
		wave := w.closed(d.GetName(), "change 17 is open")
		agrees.Store(true)
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.turns(wave.GetName(), gatev1.Verdict_WAIT, gatev1.Verdict_PASS)
	})
}

func TestAWaveWaitsForUsers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := w.deploy("d", "v1", gated(t, `feedback { min_ratings: 3 min_rating: 4 }`))
		wave := w.closed(d.GetName(), "0 have rated it")
		for i, rating := range []int32{5, 2, 5} {
			w.rates(fmt.Sprintf("p%d", i), rating)
			w.nudge(d.GetName())
		}
		require.Equal(t, deploymentv1.Wave_SEALED.String(), w.sealed(d.GetName()).String(), "4 is enough")
		w.turns(wave.GetName(), gatev1.Verdict_WAIT, gatev1.Verdict_PASS)
	})
}

func (w *world) rates(author string, rating int32) {
	w.t.Helper()
	_, err := w.store.CreateFeedback(w.ctx, &deploymentv1.CreateFeedbackRequest{Parent: app, Feedback: &deploymentv1.Feedback{Release: app + "/releases/v1", Rating: rating, Author: author}})
	require.NoError(w.t, err)
}

func (w *world) sealed(name string) deploymentv1.Wave_State {
	w.t.Helper()
	w.reach(name, deploymentv1.Deployment_SUCCEEDED)
	return w.wave(name, "all").GetState()
}

func TestAWaveWaitsForARule(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := w.deploy("d", "v1", gated(t, `rule { expression: "environment.labels['ready'] == 'yes'" message: "prod is not labelled ready" }`))
		wave := w.closed(d.GetName(), "it has no answer")
		w.label("no")
		w.nudge(d.GetName())
		w.closed(d.GetName(), "prod is not labelled ready")
		w.label("yes")
		w.nudge(d.GetName())
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.turns(wave.GetName(), gatev1.Verdict_UNDECIDED, gatev1.Verdict_PASS)
	})
}

func (w *world) label(ready string) {
	w.t.Helper()
	_, err := store.Environments.Update(w.ctx, w.store.Resources, &deploymentv1.UpdateEnvironmentRequest{Environment: &deploymentv1.Environment{Name: env, Labels: map[string]string{"ready": ready}}})
	require.NoError(w.t, err)
}

func TestAWaveWaitsForAWindowAndWakesAtItsStart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		start := time.Now().UTC().Add(2 * time.Second).Truncate(time.Second)
		const layout = "2006-01-02T15:04:05"
		d := w.deploy("d", "v1", gated(t, fmt.Sprintf(`window { windows { time_zone: "UTC" start: "%s" end: "%s" } }`, start.Format(layout), start.Add(time.Hour).Format(layout))))
		w.closed(d.GetName(), "outside of every window, until")
		w.reach(d.GetName(), deploymentv1.Deployment_SUCCEEDED)
		require.False(t, w.wave(d.GetName(), "all").GetStartTime().AsTime().Before(start))
	})
}

func TestAWaveWaitsForSoundArchives(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := w.deploy("d", "v1", gated(t, `integrity {}`))
		wave := w.closed(d.GetName(), "is damaged") // the archives of this world are an x, whatever their digest
		require.Equal(t, gatev1.Verdict_FAIL, wave.GetGates()[0].GetVerdict().GetState())
	})
}

func TestEvaluationsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := w.deploy("d", "v1", gated(t, `approval {}`))
		before := w.closed(d.GetName(), "0 of 1 approval")
		require.NoError(t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range store.KeptEvaluations + 5 {
				after := &deploymentv1.Wave{Name: before.GetName(), Gates: []*deploymentv1.GateStatus{{Id: "g", Verdict: &gatev1.Verdict{
					State: gatev1.Verdict_WAIT, Reasons: []*gatev1.BlockedBy{{Current: fmt.Sprint(i)}}, Ttl: durationpb.New(time.Second),
				}}}}
				if err := w.store.RecordGates(ctx, tx, before, after); err != nil {
					return err
				}
			}
			return nil
		}))
		all, err := store.GateEvaluations.Select(w.ctx, w.store.DB.Read(), `WHERE parent = $1 ORDER BY ordinal`, before.GetName())
		require.NoError(t, err)
		require.Len(t, all, store.KeptEvaluations)
		require.Greater(t, all[0].GetOrdinal(), int64(1))
	})
}

func TestGatesThatCouldNeverOpenAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for rule, field := range map[string]string{
			`capacity { forecast_peak: 1 }`: "rollout.waves[0].gates[0].capacity",
			`dependency { application: "workspaces/other/applications/b" version: "1.0.0" }`: "rollout.waves[0].gates[0].dependency.application",
			`dependency { application: "` + ws + `/applications/none" version: "1.0.0" }`:    "rollout.waves[0].gates[0].dependency.application",
			`prior_environment { environment: "` + ws + `/environments/none" }`:              "rollout.waves[0].gates[0].prior_environment.environment",
			`prior_environment {}`: "rollout.waves[0].gates[0].prior_environment.environment",
			`window { windows { time_zone: "Mars/Olympus" start: "2026-01-01T00:00" end: "2026-01-02T00:00" } }`: "rollout.waves[0].gates[0].window.windows[0].time_zone",
			`rule { expression: "wave.nothing == 1" }`:                                                           "rollout.waves[0].gates[0].rule.expression",
			`capacity { forecast_peak: 1 load_test { url: "http://x" start_rate: 9 max_rate: 3 } }`:              "rollout.waves[0].gates[0].capacity.load_test.start_rate",
			`capacity { forecast_peak: 1 peak_per_instance: 5 load_test { url: "http://x" } }`:                   "rollout.waves[0].gates[0].capacity.load_test",
			`readiness { cohort_plan: "workspaces/other/implementations/crm/cohortPlans/sales" }`:                "rollout.waves[0].gates[0].readiness.cohort_plan",
			`analysis { wave: "none" }`:    "rollout.waves[0].gates[0].analysis.wave",
			`feedback { min_rating: 0.5 }`: "rollout.waves[0].gates[0].feedback.min_rating",
		} {
			_, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, Deployment: &deploymentv1.Deployment{
				Release: app + "/releases/v1", Environment: env, Rollout: gated(t, rule),
			}})
			require.Error(t, err, rule)
			require.Contains(t, fmt.Sprint(fault.From(err).GRPCStatus().Details()), field, "%s: %v", rule, err)
		}
	})
}
