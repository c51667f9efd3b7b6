package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const beat = 100 * time.Millisecond // one interval of these analyses

// measuredPilot takes the pilots first, and the rest when the analysis of the pilots has passed.
func measuredPilot(longest time.Duration, metrics ...*deploymentv1.MetricRule) *deploymentv1.Rollout {
	return &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{
		{
			Id: "pilot", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: "pilot"}},
			Analysis: &deploymentv1.AnalysisRule{Metrics: metrics, Interval: durationpb.New(beat), MaxDuration: durationpb.New(longest)},
		},
		{
			Id: "rest", Members: &deploymentv1.Members{Rule: &deploymentv1.Members_Rest{Rest: true}},
			Gates: []*deploymentv1.GateRule{{Id: "measured", Type: &deploymentv1.GateRule_Analysis{Analysis: &deploymentv1.AnalysisGate{}}}},
		},
	}}
}

func pushedErrors() *deploymentv1.MetricRule {
	return &deploymentv1.MetricRule{Id: "errors", Source: &deploymentv1.MetricRule_Pushed{Pushed: &deploymentv1.PushedSource{Counter: "errors"}}}
}

// every calls fn again and again until the test ends.
func (w *world) every(d time.Duration, fn func(ctx context.Context, from, to time.Time)) {
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	w.t.Cleanup(func() { stop(); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(d)
		defer tick.Stop()
		for from := time.Now(); ; {
			select {
			case <-ctx.Done():
				return
			case to := <-tick.C:
				fn(ctx, from, to)
				from = to
			}
		}
	}()
}

// push reports 1 000 events every 20 ms of each release, with so many bad ones.
func (w *world) push(bad map[string]int64) {
	w.every(20*time.Millisecond, func(ctx context.Context, from, to time.Time) {
		var samples []*deploymentv1.Sample
		for release, n := range bad {
			samples = append(samples, &deploymentv1.Sample{
				Release: app + "/releases/" + release, Counter: "errors", Environment: env, Source: "balancer",
				StartTime: timestamppb.New(from), EndTime: timestamppb.New(to), Total: 1000, Bad: n,
			})
		}
		if _, err := w.store.PutSamples(ctx, samples); ctx.Err() == nil {
			require.NoError(w.t, err)
		}
	})
}

func (w *world) analysis(deployment, metric string) *deploymentv1.Analysis {
	w.t.Helper()
	a, err := store.Analyses.Load(w.ctx, w.store.DB.Read(), deployment+"/waves/pilot/analyses/"+metric)
	require.NoError(w.t, err)
	return a
}

func TestAReleaseThatIsNoWorsePassesItsAnalysis(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.push(map[string]int64{"v1": 10, "v2": 10})
		second := w.deploy("second", "v2", measuredPilot(time.Hour, pushedErrors())).GetName()
		waiting := w.until(second, func(d *deploymentv1.Deployment) bool {
			return len(d.GetBlockedBy()) > 0 && d.GetBlockedBy()[0].GetKind() == gatev1.BlockedBy_ANALYSIS
		})
		require.NotEmpty(t, waiting.GetBlockedBy()[0].GetCurrent())
		w.reach(second, deploymentv1.Deployment_SUCCEEDED)

		a := w.analysis(second, "errors")
		require.Equal(t, gatev1.Verdict_PASS, a.GetState(), a.GetReason())
		require.InDelta(t, 0.05, a.GetAlpha(), 1e-12)
		require.GreaterOrEqual(t, a.GetIntervals(), int32(8))
		require.InDelta(t, 0.01, a.GetCanaryShare(), 1e-9)
		require.InDelta(t, 0.01, a.GetBaselineShare(), 1e-9)
		require.Less(t, a.GetUpper(), 0.0)
		gapless(t, a)
		require.Equal(t, gatev1.Verdict_PASS, w.wave(second, "pilot").GetAnalysis().GetState())
		require.Equal(t, gatev1.Verdict_PASS, w.wave(second, "rest").GetGates()[0].GetVerdict().GetState())
	})
}

// gapless proves that every interval was judged once, in its order.
func gapless(t *testing.T, a *deploymentv1.Analysis) {
	t.Helper()
	var counted int32
	for i, p := range a.GetPoints() {
		if i > 0 {
			require.Equal(t, a.GetPoints()[i-1].GetEndTime().AsTime(), p.GetStartTime().AsTime())
		}
		if p.GetSkipped() == "" {
			counted++
		}
	}
	require.Equal(t, counted, a.GetIntervals())
	require.EqualValues(t, counted, a.GetStatistics().GetN())
}

func TestADisasterIsTakenBackWithinThreeIntervals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.push(map[string]int64{"v1": 10, "v3": 400})
		third := w.deploy("third", "v3", measuredPilot(time.Hour, pushedErrors())).GetName()
		failed := w.reach(third, deploymentv1.Deployment_FAILED)
		require.Equal(t, rollout.ReasonAnalysisFailed, failed.GetStateReason())
		require.Contains(t, failed.GetStateMessage(), "errors 40 % against 1 % of the baseline")
		require.Equal(t, deploymentv1.Wave_REVERTED, w.wave(third, "pilot").GetState())
		require.Equal(t, all, w.runs())
		a := w.analysis(third, "errors")
		require.Equal(t, gatev1.Verdict_FAIL, a.GetState())
		require.LessOrEqual(t, a.GetIntervals(), int32(4))
	})
}

func TestAnAnalysisWithoutDataAsksAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		second := w.deploy("second", "v2", measuredPilot(time.Second, pushedErrors())).GetName()
		paused := w.reach(second, deploymentv1.Deployment_PAUSED)
		require.Equal(t, rollout.ReasonAnalysisUndecided, paused.GetStateReason())
		require.Equal(t, engine.Principal, paused.GetCommandedBy())
		require.Len(t, paused.GetBlockedBy(), 2)
		require.Equal(t, "golive resume "+second, paused.GetBlockedBy()[0].GetCommand())
		require.Equal(t, gatev1.BlockedBy_ANALYSIS, paused.GetBlockedBy()[1].GetKind())
		require.Contains(t, paused.GetStateMessage(), canary.NoTraffic)
		require.Equal(t, deploymentv1.Wave_HELD, w.wave(second, "pilot").GetState())
		require.Equal(t, gatev1.Verdict_UNDECIDED, w.analysis(second, "errors").GetState())

		_, err := w.engine.Command(as(w.ctx, "users/bob"), &deploymentv1.ResumeDeploymentRequest{Name: second, Reason: "nobody uses it at night"}, rollout.Resume)
		require.NoError(t, err)
		w.reach(second, deploymentv1.Deployment_SUCCEEDED)
		require.True(t, w.wave(second, "pilot").GetAnalysisAccepted())
		require.Equal(t, gatev1.Verdict_WAIVED, w.wave(second, "rest").GetGates()[0].GetVerdict().GetState())
	})
}

func TestAnyServerGoesOnWithAnAnalysis(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		w.push(map[string]int64{"v1": 10, "v2": 10})
		other, err := engine.New(engine.Config{Store: w.store, Blobs: blobs{}, Gate: w.gate, Logger: zaptest.NewLogger(t)})
		require.NoError(t, err)
		second := w.deploy("second", "v2", measuredPilot(time.Hour, pushedErrors())).GetName()
		w.every(10*time.Millisecond, func(ctx context.Context, _, _ time.Time) {
			_ = other.Analyze(ctx, second+"/waves/pilot") // one of the two comes second and changes nothing
		})
		w.reach(second, deploymentv1.Deployment_SUCCEEDED)
		gapless(t, w.analysis(second, "errors"))
	})
}

func TestProbesOfTheUpgradedAreComparedWithThoseOfTheRest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		counts := func(fast, slow int64) []int64 { // up to 100 ms, and up to 200 ms
			return []int64{0, 0, 0, 0, 0, 0, fast, fast + slow, fast + slow, fast + slow, fast + slow, fast + slow}
		}
		w.every(20*time.Millisecond, func(ctx context.Context, from, to time.Time) {
			var summaries []*agentv1.ProbeSummary
			for i := range 6 {
				deployment, slow := "first", int64(10)
				if i < 2 {
					deployment, slow = "second", 300 // it answers, but slowly
				}
				summaries = append(summaries, &agentv1.ProbeSummary{
					Installation: fmt.Sprintf("%s/deployments/%s/installations/t%d", app, deployment, i), StartTime: timestamppb.New(from), EndTime: timestamppb.New(to),
					Succeeded: 1000, LatencyCounts: counts(1000-slow, slow),
				})
			}
			if err := w.store.AppendProbes(ctx, summaries); ctx.Err() == nil {
				require.NoError(t, err)
			}
		})
		probes := func(id string, source *deploymentv1.ProbeSource) *deploymentv1.MetricRule {
			return &deploymentv1.MetricRule{Id: id, AbsoluteMargin: 0.01, Source: &deploymentv1.MetricRule_Probes{Probes: source}}
		}
		second := w.deploy("second", "v2", measuredPilot(time.Hour,
			probes("up", &deploymentv1.ProbeSource{}),
			probes("slow", &deploymentv1.ProbeSource{Measure: deploymentv1.ProbeSource_LATENCY, Threshold: durationpb.New(100 * time.Millisecond)}),
		)).GetName()
		failed := w.reach(second, deploymentv1.Deployment_FAILED)
		require.Contains(t, failed.GetStateMessage(), "slow 30 % against 1 % of the baseline")
		up := w.analysis(second, "up")
		require.NotEqual(t, gatev1.Verdict_FAIL, up.GetState())
		require.Positive(t, up.GetCanaryTotal())
		require.Zero(t, up.GetCanaryShare())
		require.InDelta(t, 0.025, up.GetAlpha(), 1e-12, "two metrics share what one would have")
		require.InDelta(t, 2, float64(w.analysis(second, "slow").GetBaselineTotal())/float64(w.analysis(second, "slow").GetCanaryTotal()), 0.3, "four old targets, two new ones")
	})
}

func TestTheBaselineIsOfTheSameCohortWhereItCanBe(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reach(w.deploy("first", "v1", nil).GetName(), deploymentv1.Deployment_SUCCEEDED)
		plan := measuredPilot(time.Hour, pushedErrors())
		plan.GetWaves()[0].Members = &deploymentv1.Members{Rule: &deploymentv1.Members_Count{Count: 1}}
		second := w.deploy("second", "v2", plan).GetName()
		w.until(second, func(*deploymentv1.Deployment) bool {
			return w.wave(second, "pilot").GetState() == deploymentv1.Wave_BAKING
		})
		upgraded, err := store.CanaryArm(w.ctx, w.store.DB.Read(), second+"/waves/pilot")
		require.NoError(t, err)
		require.Len(t, upgraded.Targets, 1)
		replaced, err := store.ReplacedRelease(w.ctx, w.store.DB.Read(), second+"/waves/pilot")
		require.NoError(t, err)
		require.Equal(t, app+"/releases/v1", replaced)
		old, err := store.BaselineArm(w.ctx, w.store.DB.Read(), second+"/waves/pilot", replaced, env)
		require.NoError(t, err)
		require.Len(t, old.Targets, 1, "the other one of its cohort")
		cohorts := map[string]string{"t0": "t1", "t1": "t0", "t2": "t3", "t3": "t2", "t4": "t5", "t5": "t4"}
		last := upgraded.Targets[0][len(env+"/targets/"):]
		require.Equal(t, env+"/targets/"+cohorts[last], old.Targets[0])
		require.Equal(t, app+"/deployments/first/installations/"+cohorts[last], old.Installations[0])
	})
}
