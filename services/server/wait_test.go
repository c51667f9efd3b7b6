package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/server"
)

// A tool that holds a secret address hears of the last completion when it is recorded, and not at its next look.
func TestAWaitingCheckHearsAtOnce(t *testing.T) {
	s, err := server.Up(t.Context(), config(t))
	require.NoError(t, err)
	token := s.BootstrapToken()
	serve(t, s)
	ready(t, s)
	me := rpc.ClientConfig{Token: auth.StaticToken(token)}
	people, err := rpc.Dial(s.Addresses().Implementation, me)
	require.NoError(t, err)
	software, err := rpc.Dial(s.Addresses().Deployment, me)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, people.Close())
		require.NoError(t, software.Close())
	})
	ctx := t.Context()
	const ws, plan = "workspaces/default", "workspaces/default/implementations/crm/cohortPlans/sales"
	_, err = implementationv1.NewCohortServiceClient(people).CreateCohort(ctx, &implementationv1.CreateCohortRequest{Parent: ws, CohortId: "sales", Cohort: &implementationv1.Cohort{}})
	require.NoError(t, err)
	_, err = implementationv1.NewMembershipServiceClient(people).ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{Parent: ws + "/cohorts/sales", Csv: []byte("person\nada\n"), CreatePeople: true})
	require.NoError(t, err)
	trainings, enrolments := implementationv1.NewTrainingServiceClient(people), implementationv1.NewEnrolmentServiceClient(people)
	_, err = trainings.CreateTraining(ctx, &implementationv1.CreateTrainingRequest{Parent: ws, TrainingId: "basics", Training: &implementationv1.Training{}})
	require.NoError(t, err)
	_, err = trainings.PublishTraining(ctx, &implementationv1.PublishTrainingRequest{Name: ws + "/trainings/basics"})
	require.NoError(t, err)
	_, err = implementationv1.NewImplementationServiceClient(people).CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{}})
	require.NoError(t, err)
	_, err = implementationv1.NewCohortPlanServiceClient(people).CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{
		Parent: ws + "/implementations/crm", CohortPlanId: "sales", CohortPlan: &implementationv1.CohortPlan{Cohort: ws + "/cohorts/sales", ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{
			{Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{ws + "/trainings/basics"}}}},
		}}},
	})
	require.NoError(t, err)
	minted, err := accessv1.NewAccessServiceClient(software).MintToken(ctx, &accessv1.MintTokenRequest{
		Principal: "services/flagger", Ttl: durationpb.New(time.Hour), Grants: []*accessv1.Grant{{Workspace: ws, Roles: []accessv1.Role{accessv1.Role_ROLE_VIEWER}}},
		Scope: &accessv1.TokenScope{Resource: plan, Permissions: []string{"gate.gates.evaluate", "gate.gates.watch"}},
	})
	require.NoError(t, err)
	address := "http://" + s.Addresses().HTTP + "/v1/" + plan + ":checkGate?purpose=readiness&key=" + minted.GetToken()
	status, body := read(t, address)
	require.Equal(t, http.StatusForbidden, status, body)

	heard := make(chan time.Time, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"&wait=1m", nil)
		if err == nil {
			var resp *http.Response
			if resp, err = http.DefaultClient.Do(req); err == nil {
				if err = resp.Body.Close(); err == nil && resp.StatusCode == http.StatusOK {
					heard <- time.Now()
					return
				}
			}
		}
		close(heard)
	}()
	// The check is under way once it has asked for itself, and its watch stands a moment later; to be early would only make it slower.
	status, _ = read(t, address+"&wait=300ms")
	require.Equal(t, http.StatusForbidden, status)
	began := time.Now()
	_, err = enrolments.RecordCompletions(ctx, &implementationv1.RecordCompletionsRequest{Training: ws + "/trainings/basics", Completions: []*implementationv1.Completion{{Person: ws + "/people/ada"}}})
	require.NoError(t, err)
	at, ok := <-heard
	require.True(t, ok)
	t.Logf("heard %s after the completion was sent", at.Sub(began).Round(time.Millisecond))
	require.Less(t, at.Sub(began), time.Second, "it did not wait for the next look")
}
