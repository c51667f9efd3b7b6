package implementation_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

// measured is a deployment service that knows numbers, or does not answer.
type measured struct {
	mu     sync.Mutex
	silent error
	block  bool
	asked  []*deploymentv1.ComputeMeasuresRequest
}

func (m *measured) ComputeMeasures(ctx context.Context, req *deploymentv1.ComputeMeasuresRequest, _ ...grpc.CallOption) (*deploymentv1.ComputeMeasuresResponse, error) {
	m.mu.Lock()
	m.asked = append(m.asked, req)
	silent, block := m.silent, m.block
	m.mu.Unlock()
	if block {
		<-ctx.Done()
		return nil, fault.Unavailable("DEADLINE", "too late; try again").Cause(ctx.Err())
	}
	if silent != nil {
		return nil, silent
	}
	out := &deploymentv1.ComputeMeasuresResponse{}
	for _, s := range req.GetScopes() {
		one := &deploymentv1.Measures{
			Key: s.GetKey(), Uptime: share(9_990, 10_000), Performance: share(985, 1000), Errors: share(5, 1000), Feedback: share(8, 10), Coverage: 1, Targets: 4,
		}
		if req.GetNumbersOnly() { // four weeks before
			one.Uptime, one.Feedback = share(9_900, 10_000), share(0, 0)
		} else {
			one.OpenIncidents = []string{ws + "/incidents/slow"}
			one.Deployments = []*deploymentv1.MeasuredDeployment{{
				Deployment: ws + "/applications/crm/deployments/d2", Release: ws + "/applications/crm/releases/v2", Environment: ws + "/environments/prod", State: "WAITING", Targets: 4, Healthy: 2,
				Waves:     []*deploymentv1.MeasuredWave{{Wave: ws + "/applications/crm/deployments/d2/waves/pilot", State: "SEALED"}, {Wave: ws + "/applications/crm/deployments/d2/waves/sales", State: "GATED"}},
				BlockedBy: []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_READINESS, Current: "12 of 20 trained", Required: "18 of 20"}},
			}}
			one.Overrides = []*deploymentv1.MeasuredOverride{{Override: ws + "/overrides/fire", Subject: "approved", Person: "users/ada", Reason: "fire"}}
		}
		out.Measures = append(out.Measures, one)
	}
	return out, nil
}

func share(part, whole int64) *deploymentv1.Share {
	return &deploymentv1.Share{Numerator: part, Denominator: whole}
}

// requests are those since they were asked for last.
func (m *measured) requests() []*deploymentv1.ComputeMeasuresRequest {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := m.asked
	m.asked = nil
	return asked
}

func (m *measured) is(silent error, block bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent, m.block = silent, block
}

func (m *measured) config(cfg *implementation.Config) { cfg.Deployment.Measures = m }

// implementation makes one that is about an application.
func (w *world) implementation(id string, t *implementationv1.ScorecardTargets) string {
	w.Helper()
	i, err := w.implementations.CreateImplementation(w.Context(), &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: id, Implementation: &implementationv1.Implementation{
			DisplayName: "CRM", Sponsor: "The boss", Goal: "Everybody quotes in it", Applications: []string{ws + "/applications/crm"}, Environments: []string{ws + "/environments/prod"}, ScorecardTargets: t,
		},
	})
	require.NoError(w, err)
	return i.GetName()
}

func kindsOf(card *implementationv1.Scorecard) (kinds []implementationv1.ScorecardMeasure_Kind) {
	for _, m := range card.GetMeasures() {
		kinds = append(kinds, m.GetKind())
	}
	return kinds
}

var sixMeasures = []implementationv1.ScorecardMeasure_Kind{
	implementationv1.ScorecardMeasure_UPTIME, implementationv1.ScorecardMeasure_PERFORMANCE, implementationv1.ScorecardMeasure_FEEDBACK,
	implementationv1.ScorecardMeasure_ADOPTION, implementationv1.ScorecardMeasure_SAVINGS, implementationv1.ScorecardMeasure_SATISFACTION,
}

func TestAScorecardHasBothHalves(t *testing.T) {
	m := &measured{}
	each(t, func(t *testing.T, w *world) {
		m.is(nil, false)
		name := w.implementation("crm", &implementationv1.ScorecardTargets{Uptime: .999, Performance: .99, Feedback: .75})
		m.requests()
		card, err := implementationv1.NewScorecardServiceClient(w.dial("users/vera", map[string][]auth.Role{auth.AllWorkspaces: {auth.Viewer}})).ComputeScorecard(t.Context(), &implementationv1.ComputeScorecardRequest{Parent: name})
		require.NoError(t, err)
		require.Equal(t, sixMeasures, kindsOf(card))
		require.Equal(t, implementationv1.ScorecardMeasure_MET, card.GetMeasures()[0].GetState())
		require.InDelta(t, .009, card.GetMeasures()[0].GetTrend().GetChange(), 1e-9, "counted again for want of a snapshot")
		require.Equal(t, implementationv1.ScorecardMeasure_NOT_MET, card.GetMeasures()[1].GetState())
		require.InDelta(t, .4902, card.GetMeasures()[2].GetLower(), 1e-4)
		require.Nil(t, card.GetMeasures()[2].GetTrend())
		require.Empty(t, card.GetOverrides(), "one without an end does not hold")

		for _, broken := range []func(){func() { m.is(fault.Unavailable("AWAY", "away; try again"), false) }, func() { m.is(nil, true) }} {
			broken()
			begin := time.Now()
			card, err = implementationv1.NewScorecardServiceClient(w.dial("users/vera", map[string][]auth.Role{auth.AllWorkspaces: {auth.Viewer}})).ComputeScorecard(t.Context(), &implementationv1.ComputeScorecardRequest{Parent: name})
			require.NoError(t, err)
			require.Less(t, time.Since(begin), 10*time.Second)
			require.Equal(t, sixMeasures, kindsOf(card))
			for _, one := range card.GetMeasures()[:3] {
				require.Equal(t, implementationv1.ScorecardMeasure_UNKNOWN, one.GetState())
				require.Contains(t, one.GetMessage(), "does not answer")
			}
			require.Contains(t, card.GetMeasures()[3].GetMessage(), "no cohort plan", "the half of the people is there")
		}
	}, m.config)
}

func TestScorecardsOfManyAreAskedForOnce(t *testing.T) {
	m := &measured{}
	each(t, func(t *testing.T, w *world) {
		var names []string
		for i := range 20 {
			names = append(names, w.implementation(fmt.Sprintf("crm-%02d", i), nil))
		}
		m.requests()
		cards := implementationv1.NewScorecardServiceClient(w.dial("users/vera", map[string][]auth.Role{auth.AllWorkspaces: {auth.Viewer}}))
		all, err := cards.BatchComputeScorecards(t.Context(), &implementationv1.BatchComputeScorecardsRequest{Parent: ws, Names: names})
		require.NoError(t, err)
		asked := m.requests()
		require.Len(t, asked, 2, "once as of today, and once as of four weeks ago")
		require.Len(t, asked[0].GetScopes(), 20)
		for i, card := range all.GetScorecards() {
			require.Equal(t, names[i], card.GetImplementation(), "in the order asked for")
			alone, err := cards.ComputeScorecard(t.Context(), &implementationv1.ComputeScorecardRequest{Parent: names[i]})
			require.NoError(t, err)
			for n, one := range alone.GetMeasures() {
				require.Equal(t, one.GetMessage(), card.GetMeasures()[n].GetMessage())
			}
		}
		for reason, names := range map[string][]string{"OTHER_WORKSPACE": {"workspaces/other/implementations/crm"}, "INVALID_NAME": {ws + "/cohorts/a"}, "RESOURCE_NOT_FOUND": {ws + "/implementations/none"}, "INVALID_FIELD": nil} {
			_, err := cards.BatchComputeScorecards(t.Context(), &implementationv1.BatchComputeScorecardsRequest{Parent: ws, Names: names})
			require.Equal(t, reason, fault.ReasonOf(err))
		}
	}, m.config)
}

func TestTheScorecardReportIsAPageOfItsOwn(t *testing.T) {
	m := &measured{}
	each(t, func(t *testing.T, w *world) {
		name := w.implementation("crm", &implementationv1.ScorecardTargets{Uptime: .999})
		_, err := w.implementations.UpdateImplementation(t.Context(), &implementationv1.UpdateImplementationRequest{Implementation: &implementationv1.Implementation{Name: name, DisplayName: "<script>alert(1)</script> | CRM"}})
		require.NoError(t, err)
		r, err := implementationv1.NewScorecardServiceClient(w.dial("users/vera", map[string][]auth.Role{auth.AllWorkspaces: {auth.Viewer}})).ComputeScorecardReport(t.Context(), &implementationv1.ComputeScorecardReportRequest{Parent: name})
		require.NoError(t, err)
		require.Contains(t, r.GetMarkdown(), "| **uptime** | met | 99.9 % | 99.9 % |")
		for _, bad := range []string{"<script", "http", "<img", "<link"} {
			require.NotContains(t, r.GetHtml(), bad)
		}
		require.Equal(t, 1, strings.Count(r.GetHtml(), "<table>"))
	}, m.config)
}

func TestAComparisonIsFilledFromBothHalves(t *testing.T) {
	m := &measured{}
	each(t, func(t *testing.T, w *world) {
		m.is(nil, false)
		name := w.implementation("crm", &implementationv1.ScorecardTargets{Uptime: .999})
		w.plan("sales", w.cohort("sales", 12), w.clock.now().AddDate(0, 0, 7))
		compare := implementationv1.NewComparisonServiceClient(w.dial("users/vera", map[string][]auth.Role{auth.AllWorkspaces: {auth.Viewer}}))
		table, err := compare.GetComparison(t.Context(), &implementationv1.GetComparisonRequest{Parent: name, Report: true})
		require.NoError(t, err)
		require.True(t, table.GetDeploymentKnown())
		require.Len(t, table.GetRows(), 9)
		at := func(a implementationv1.ComparisonRow_Attribute) *implementationv1.ComparisonRow {
			row := table.GetRows()[a-1]
			require.Equal(t, a, row.GetAttribute())
			return row
		}
		require.Equal(t, "1 application, 1 environment, 4 targets.", at(implementationv1.ComparisonRow_SCOPE).GetDeployment().GetText())
		require.Equal(t, "1 cohort with 12 people.", at(implementationv1.ComparisonRow_SCOPE).GetImplementation().GetText())
		require.Equal(t, "Everybody quotes in it", at(implementationv1.ComparisonRow_GOAL).GetImplementation().GetText())
		require.Equal(t, "1 of 2 waves done.", at(implementationv1.ComparisonRow_PROCESS).GetDeployment().GetText())
		require.Equal(t, "12 of 20 trained", at(implementationv1.ComparisonRow_WAITS_FOR).GetDeployment().GetItems()[0].GetValue())
		require.Equal(t, gatev1.Verdict_PASS, at(implementationv1.ComparisonRow_SUCCESS_CRITERIA).GetDeployment().GetItems()[0].GetState())
		require.Contains(t, table.GetMarkdown(), "| **Waits for** |")
		require.Contains(t, table.GetHtml(), "<table>")

		m.is(fault.Unavailable("AWAY", "away; try again"), false)
		table, err = compare.GetComparison(t.Context(), &implementationv1.GetComparisonRequest{Parent: name})
		require.NoError(t, err)
		require.False(t, table.GetDeploymentKnown())
		require.Empty(t, table.GetHtml())
		for _, row := range table.GetRows() {
			require.Contains(t, row.GetDeployment().GetText(), "does not answer")
			require.NotEmpty(t, row.GetImplementation().GetText())
		}
		_, err = compare.GetComparison(t.Context(), &implementationv1.GetComparisonRequest{Parent: ws + "/implementations/none"})
		require.True(t, fault.Is(err, fault.KindNotFound))
	}, m.config)
}
