package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/api"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// probes stores what an agent saw of an installation in the half hour before now: succeeded of ten in every ten seconds.
func (b *fleetBundle) probes(installation string, succeeded int64) {
	b.t.Helper()
	var all []*agentv1.ProbeSummary
	for at := b.now.Add(-30 * time.Minute); at.Before(b.now); at = at.Add(10 * time.Second) {
		all = append(all, &agentv1.ProbeSummary{
			Installation: installation, StartTime: timestamppb.New(at), EndTime: timestamppb.New(at.Add(10 * time.Second)),
			Succeeded: succeeded, Failed: 10 - succeeded, LatencyCounts: make([]int64, 12),
		})
	}
	require.NoError(b.t, b.AppendProbes(b.t.Context(), all))
	require.NoError(b.t, b.Rollup(b.t.Context()))
}

func TestAVerdictOnMachinesCountsWhatRanThere(t *testing.T) {
	eachFleet(t, func(t *testing.T, b *fleetBundle) {
		const deployment = crm + "/deployments/d1"
		b.target("a")
		b.target("b")
		b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
			return store.Deployments.Insert(ctx, tx, b.Resources, &deploymentv1.Deployment{Name: deployment, Release: "v2", Environment: environment, State: deploymentv1.Deployment_RUNNING}, resource.Meta{})
		})
		b.runs("a", "v2", "i1", b.now.Add(-30*time.Minute))
		b.runs("b", "v1", "i2", b.now.Add(-30*time.Minute))
		b.probes("i1", 9)
		b.probes("i2", 5)
		for _, s := range []struct {
			release, counter string
			bad              int64
		}{{"v2", "http_errors", 2}, {"v1", "http_errors", 10}, {"v2", "slow_answers", 90}} {
			_, err := b.PutSamples(t.Context(), []*deploymentv1.Sample{{
				Environment: environment, Release: s.release, Counter: s.counter, Total: 100, Bad: s.bad,
				StartTime: timestamppb.New(b.now.Add(-2 * time.Minute)), EndTime: timestamppb.New(b.now.Add(-time.Minute)),
			}})
			require.NoError(t, err)
		}
		gates := api.NewGateService(b.Store)
		ask := func(name string, window time.Duration) (v *gatev1.Verdict, up, errors *gatev1.Evidence) {
			v, err := gates.EvaluateGate(t.Context(), &gatev1.EvaluateGateRequest{Resource: name, Purpose: gatev1.Purpose_PURPOSE_TECHNICAL, Window: durationpb.New(window)})
			require.NoError(t, err)
			require.Len(t, v.GetEvidence(), 3)
			return v, v.GetEvidence()[1], v.GetEvidence()[2]
		}
		whole, up, errors := ask(environment, time.Hour)
		require.InDelta(t, 0.7, up.GetValue(), 0.02, "both targets: 9 and 5 of 10")
		require.Equal(t, []int64{12, 200}, []int64{errors.GetNumerator(), errors.GetDenominator()}, "slow answers are no errors")
		require.Equal(t, deployment, whole.GetReasons()[0].GetResource())

		_, up, errors = ask(deployment, time.Hour)
		require.InDelta(t, 0.9, up.GetValue(), 0.02, "only where its release runs")
		require.Equal(t, gatev1.Verdict_PASS, up.GetState(), up.GetDetail())
		require.Equal(t, []int64{2, 100}, []int64{errors.GetNumerator(), errors.GetDenominator()})
		_, up, errors = ask(deployment, time.Minute)
		require.LessOrEqual(t, up.GetDenominator(), int64(2*60_000))
		require.Zero(t, errors.GetDenominator(), "what ended a minute ago is over")

		before := b.now
		b.now = b.now.Add(time.Minute)
		later, _, _ := ask(environment, time.Hour)
		require.Equal(t, whole.GetRevision(), later.GetRevision(), "nothing changed but the time")
		require.Equal(t, whole.GetReasons()[0].GetSince().AsTime(), later.GetReasons()[0].GetSince().AsTime())

		b.tx(func(ctx context.Context, tx *sqldb.Tx) error {
			return store.SetSlotHealth(ctx, tx, b.now, "i1", deploymentv1.Installation_UNHEALTHY)
		})
		worse, _, _ := ask(environment, time.Hour)
		require.Greater(t, worse.GetRevision(), later.GetRevision())
		require.Equal(t, "0 of 2 are healthy, 1 are not", worse.GetReasons()[1].GetCurrent())
		require.Equal(t, before.Add(-30*time.Minute), worse.GetReasons()[1].GetSince().AsTime(), "the one of which nothing was heard since it came")
	})
}
