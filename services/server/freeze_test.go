package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/server"
)

// read is what a calendar gets at an address, without any header.
func read(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(data)
}

// A freeze that somebody makes in the deployment service is on the calendar of the plan and collides with its go-live.
func TestAFreezeOfDeploymentsCollidesWithAGoLive(t *testing.T) {
	cfg := config(t)
	s, err := server.Up(t.Context(), cfg)
	require.NoError(t, err)
	token := s.BootstrapToken()
	serve(t, s)
	ready(t, s)
	me := rpc.ClientConfig{Token: auth.StaticToken(token)}
	software, err := rpc.Dial(s.Addresses().Deployment, me)
	require.NoError(t, err)
	people, err := rpc.Dial(s.Addresses().Implementation, me)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, software.Close()); require.NoError(t, people.Close()) })
	ctx := t.Context()
	const ws, crm = "workspaces/default", "workspaces/default/implementations/crm"
	goLive := time.Now().Add(10 * 24 * time.Hour).UTC().Truncate(24 * time.Hour)

	_, err = implementationv1.NewCohortServiceClient(people).CreateCohort(ctx, &implementationv1.CreateCohortRequest{Parent: ws, CohortId: "sales", Cohort: &implementationv1.Cohort{}})
	require.NoError(t, err)
	_, err = implementationv1.NewImplementationServiceClient(people).CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{Applications: []string{ws + "/applications/crm"}},
	})
	require.NoError(t, err)
	_, err = implementationv1.NewCohortPlanServiceClient(people).CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{
		Parent: crm, CohortPlanId: "sales", CohortPlan: &implementationv1.CohortPlan{Cohort: ws + "/cohorts/sales", GoLiveTime: timestamppb.New(goLive)},
	})
	require.NoError(t, err)
	minted, err := accessv1.NewAccessServiceClient(software).MintToken(ctx, &accessv1.MintTokenRequest{
		Principal: "services/calendar", Ttl: durationpb.New(time.Hour), Grants: []*accessv1.Grant{{Workspace: ws, Roles: []accessv1.Role{accessv1.Role_ROLE_VIEWER}}},
		Scope: &accessv1.TokenScope{Resource: crm, Permissions: []string{"implementation.calendarFeeds.export"}},
	})
	require.NoError(t, err)
	feed := "http://" + s.Addresses().HTTP + "/v1/" + crm + "/calendarFeed.ics?key=" + minted.GetToken()
	status, calendar := read(t, feed)
	require.Equal(t, http.StatusOK, status, calendar)
	require.Contains(t, calendar, "SUMMARY:Go-live: sales")
	require.NotContains(t, calendar, "freeze")

	window := func(from, to time.Time) *deploymentv1.Window {
		return &deploymentv1.Window{TimeZone: "UTC", Start: from.Format("2006-01-02T15:04"), End: to.Format("2006-01-02T15:04"), DisplayName: "year end"}
	}
	policies := deploymentv1.NewPolicyServiceClient(software)
	for id, policy := range map[string]*deploymentv1.Policy{
		"year-end": {Applications: []string{"crm"}, Freezes: []*deploymentv1.Window{window(goLive.Add(48*time.Hour), goLive.AddDate(0, 0, 9))}},
		"others":   {Applications: []string{"erp"}, Freezes: []*deploymentv1.Window{window(goLive, goLive.AddDate(0, 0, 9))}},
		"an-hour":  {Freezes: []*deploymentv1.Window{window(goLive.Add(48*time.Hour), goLive.Add(49*time.Hour))}},
	} {
		_, err = policies.CreatePolicy(ctx, &deploymentv1.CreatePolicyRequest{Parent: ws, PolicyId: id, Policy: policy})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		_, calendar = read(t, feed)
		return strings.Contains(calendar, "SUMMARY:Deployment freeze: year-end")
	}, 20*time.Second, 50*time.Millisecond, "the change of a policy is heard")
	require.Contains(t, calendar, "frozen: year end")
	require.NotContains(t, calendar, "others")
	require.NotContains(t, calendar, "an-hour")

	signals := implementationv1.NewSignalServiceClient(people)
	var suggested []string
	for _, back := range []int{14, 7} {
		year, week := time.Now().UTC().AddDate(0, 0, -back).ISOWeek()
		answer, err := signals.RunDetectors(ctx, &implementationv1.RunDetectorsRequest{Name: crm, Week: fmt.Sprintf("%d-W%02d", year, week)})
		require.NoError(t, err)
		suggested = append(suggested, answer.GetSuggested()...)
	}
	require.Len(t, suggested, 1)
	c, err := implementationv1.NewChallengeServiceClient(people).GetChallenge(ctx, &implementationv1.GetChallengeRequest{Name: suggested[0]})
	require.NoError(t, err)
	require.Equal(t, "P5", c.GetRule())
	require.Contains(t, c.GetArithmetic(), "meets 1 of 1 spans: deployment freeze "+ws+"/policies/year-end")

	_, err = policies.DeletePolicy(ctx, &deploymentv1.DeletePolicyRequest{Name: ws + "/policies/year-end"})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, calendar = read(t, feed)
		return !strings.Contains(calendar, "freeze")
	}, 20*time.Second, 50*time.Millisecond)
}
