package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

// manyCards is how many implementations are looked at together, each of an application on some hosts for some days.
const (
	manyCards   = 20
	cardHosts   = 50
	cardDays    = 28
	cardCohorts = 5
	cardPeople  = 20
)

// BenchmarkScorecards computes the scorecards of 20 implementations in one request to the gateway, over HTTP, with each service a process
// of its own on PostgreSQL: 5 cohorts of 20 people each, and an application on 50 hosts with 28 days of probes and a count every five minutes. The
// control asks for one card after the other.
func BenchmarkScorecards(b *testing.B) {
	database := pgtest.URL(b)
	p := threePlanesOn(b, database)
	names := p.implementations(b)
	fillMachines(b, database)
	query := url.Values{"names": names}
	cards := &implementationv1.BatchComputeScorecardsResponse{}
	measured := func() bool {
		p.get(b, "/v1/workspaces/default/scorecards:batchCompute?"+query.Encode(), cards)
		return len(cards.GetScorecards()) == manyCards && !slices.ContainsFunc(cards.GetScorecards(), func(c *implementationv1.Scorecard) bool {
			return c.GetMeasures()[0].GetState() != implementationv1.ScorecardMeasure_MET || c.GetMeasures()[1].GetState() != implementationv1.ScorecardMeasure_MET
		})
	}
	require.Eventually(b, measured, time.Minute, time.Second, "the counts are added up by and by")
	b.Run("together", func(b *testing.B) {
		for b.Loop() {
			require.True(b, measured())
		}
	})
	b.Run("control one by one", func(b *testing.B) {
		for b.Loop() {
			for _, name := range names {
				p.get(b, "/v1/"+name+"/scorecard:compute", &implementationv1.Scorecard{})
			}
		}
	})
}

// BenchmarkInbox lists 1 000 things that wait, half of them in each service, in one request to the gateway, over HTTP, with each service
// a process of its own on PostgreSQL. The control asks each service for its half, one after the other.
func BenchmarkInbox(b *testing.B) {
	const half = 500
	p := threePlanes(b)
	ctx := b.Context()
	g := newGates(b, p)
	g.furnish("place")
	rule := wave("all", nil)
	rule.Gates = []*deploymentv1.GateRule{{Id: "people", Type: &deploymentv1.GateRule_Approval{Approval: &deploymentv1.ApprovalGate{}}}}
	for n := range half / 2 { // each waits, and so does its wave
		id := fmt.Sprintf("d%03d", n)
		_, err := g.places.CreateEnvironment(ctx, &deploymentv1.CreateEnvironmentRequest{Parent: "workspaces/default", EnvironmentId: id, Environment: &deploymentv1.Environment{}})
		require.NoError(b, err)
		_, err = g.targets.CreateTarget(ctx, &deploymentv1.CreateTargetRequest{Parent: inWorkspace + "environments/" + id, TargetId: "one", Target: &deploymentv1.Target{}})
		require.NoError(b, err)
		_, err = g.deployments.CreateDeployment(ctx, &deploymentv1.CreateDeploymentRequest{Parent: inWorkspace + "applications/web", DeploymentId: id, Deployment: &deploymentv1.Deployment{
			Release: inWorkspace + "applications/web/releases/v1", Environment: inWorkspace + "environments/" + id, Rollout: &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{rule}}, Reason: "it is measured",
		}})
		require.NoError(b, err)
	}
	stages, tasks := implementationv1.NewStageServiceClient(p.implementation), implementationv1.NewTaskServiceClient(p.implementation)
	crm := inWorkspace + "implementations/crm"
	_, err := stages.CreateStage(ctx, &implementationv1.CreateStageRequest{Parent: crm, StageId: "build", Stage: &implementationv1.Stage{Owner: "users/lead"}})
	require.NoError(b, err)
	_, err = stages.StartStage(ctx, &implementationv1.StartStageRequest{Name: crm + "/stages/build"})
	require.NoError(b, err)
	for from := 0; from <= half; from += 100 {
		batch := &implementationv1.BatchCreateTasksRequest{Parent: crm}
		for n := from; n < min(from+100, half+1); n++ {
			t := &implementationv1.Task{Stage: crm + "/stages/build", Owner: "users/tess"}
			if n > 0 {
				t.Dependencies = []*implementationv1.Dependency{{Predecessor: fmt.Sprintf("%s/tasks/t%03d", crm, n-1)}}
			}
			batch.Requests = append(batch.Requests, &implementationv1.CreateTaskRequest{TaskId: fmt.Sprintf("t%03d", n), Task: t})
		}
		_, err := tasks.BatchCreateTasks(ctx, batch)
		require.NoError(b, err)
	}
	page := &waitingv1.ListWaitingResponse{}
	whole := func() bool {
		p.get(b, "/v1/workspaces/default/waiting?pageSize=1000", page)
		return len(page.GetWaiting()) == 1000
	}
	require.Eventually(b, whole, time.Minute, 100*time.Millisecond, "1 000 wait")
	b.Run("1000 waiting", func(b *testing.B) {
		for b.Loop() {
			require.True(b, whole())
		}
	})
	b.Run("control", func(b *testing.B) {
		for b.Loop() {
			for _, peer := range []waitingv1.WaitingServiceClient{waitingv1.NewWaitingServiceClient(p.deployment), waitingv1.NewWaitingServiceClient(p.implementation)} {
				_, err := peer.ListWaiting(ctx, &waitingv1.ListWaitingRequest{Parent: "workspaces/default", PageSize: 1000})
				require.NoError(b, err)
			}
		}
	})
}

// get asks the gateway.
func (p *plane) get(tb testing.TB, path string, answer proto.Message) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "http://"+p.addresses["http"]+path, http.NoBody)
	require.NoError(tb, err)
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(tb, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(tb, err)
	require.NoError(tb, resp.Body.Close())
	require.Equal(tb, http.StatusOK, resp.StatusCode, "%s", text)
	require.NoError(tb, protojson.Unmarshal(text, answer))
}

// implementations makes those with their people, and the applications that they are about.
func (p *plane) implementations(tb testing.TB) (names []string) {
	tb.Helper()
	ctx := tb.Context()
	_, err := deploymentv1.NewEnvironmentServiceClient(p.deployment).CreateEnvironment(ctx, &deploymentv1.CreateEnvironmentRequest{Parent: "workspaces/default", EnvironmentId: "prod", Environment: &deploymentv1.Environment{}})
	require.NoError(tb, err)
	for n := range manyCards {
		id := fmt.Sprintf("a%02d", n)
		_, err := deploymentv1.NewApplicationServiceClient(p.deployment).CreateApplication(ctx, &deploymentv1.CreateApplicationRequest{Parent: "workspaces/default", ApplicationId: id, Application: &deploymentv1.Application{}})
		require.NoError(tb, err)
		i, err := implementationv1.NewImplementationServiceClient(p.implementation).CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{
			Parent: "workspaces/default", ImplementationId: id, Implementation: &implementationv1.Implementation{
				DisplayName: id, Applications: []string{inWorkspace + "applications/" + id}, Environments: []string{inWorkspace + "environments/prod"},
				ScorecardTargets: &implementationv1.ScorecardTargets{Uptime: .9, Performance: .9, Adoption: .8},
			},
		})
		require.NoError(tb, err)
		names = append(names, i.GetName())
		for c := range cardCohorts {
			cohort, people := fmt.Sprintf("%s-%d", id, c), "person\n"
			for person := range cardPeople {
				people += fmt.Sprintf("%s-%d\n", cohort, person)
			}
			_, err := implementationv1.NewCohortServiceClient(p.implementation).CreateCohort(ctx, &implementationv1.CreateCohortRequest{Parent: "workspaces/default", CohortId: cohort, Cohort: &implementationv1.Cohort{}})
			require.NoError(tb, err)
			_, err = implementationv1.NewMembershipServiceClient(p.implementation).ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{Parent: inWorkspace + "cohorts/" + cohort, Csv: []byte(people), CreatePeople: true})
			require.NoError(tb, err)
			_, err = implementationv1.NewCohortPlanServiceClient(p.implementation).CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{
				Parent: i.GetName(), CohortPlanId: cohort, CohortPlan: &implementationv1.CohortPlan{Cohort: inWorkspace + "cohorts/" + cohort},
			})
			require.NoError(tb, err)
		}
	}
	return names
}

// fillMachines writes weeks of what hosts tell, which nobody waits for here, into the database.
func fillMachines(tb testing.TB, database string) {
	tb.Helper()
	const day, five = 24 * time.Hour, 5 * time.Minute
	now := time.Now().UTC().Truncate(time.Second)
	start := now.AddDate(0, 0, -cardDays)
	var runs, buckets, samples [][]any
	for n := range manyCards {
		application := fmt.Sprintf("%sapplications/a%02d", inWorkspace, n)
		for host := range cardHosts {
			installation := fmt.Sprintf("%s/i%d", application, host)
			runs = append(runs, []any{fmt.Sprintf("%senvironments/prod/targets/t%d", inWorkspace, host), application, start.UnixMicro(), int64(0), application + "/releases/v1", installation})
			for d := range cardDays {
				row := []any{day.Microseconds(), installation, start.AddDate(0, 0, d).UnixMicro(), day.Microseconds(), day.Microseconds() - 1000, int64(8640), int64(0), int64(1), int64(900)}
				row = append(row, slices.Repeat([]any{int64(8640)}, 12)...)
				buckets = append(buckets, append(row, now.UnixMicro()))
			}
		}
		for end := start.Add(five); !end.After(now); end = end.Add(five) {
			samples = append(samples, []any{inWorkspace + "environments/prod", application + "/releases/v1", "http_errors", end.Add(-five).UnixMicro(), "", end.UnixMicro(), int64(1000), int64(1), now.UnixMicro()})
		}
	}
	insert(tb, database, "deployment", "INSERT INTO runs (target, application, from_time, to_time, release, installation) VALUES ", runs)
	insert(tb, database, "deployment_metrics", `INSERT INTO probe_buckets (resolution, installation, start_time, observed, good, succeeded, failed, latency_sum_us, latency_max_us,
		within_1, within_2, within_5, within_10, within_20, within_50, within_100, within_200, within_500, within_1000, within_2000, within_5000, update_time) VALUES `, buckets)
	insert(tb, database, "deployment_metrics", "INSERT INTO samples (environment, release, counter, start_time, source, end_time, total, bad, receive_time) VALUES ", samples)
}

func insert(tb testing.TB, database, schema, head string, rows [][]any) {
	tb.Helper()
	db, err := sqldb.Open(tb.Context(), sqldb.Config{URL: database, Schema: schema})
	require.NoError(tb, err)
	defer func() { require.NoError(tb, db.Close()) }()
	require.NoError(tb, db.Tx(tb.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for some := range slices.Chunk(rows, 500) {
			if _, err := tx.ExecContext(ctx, strings.TrimSpace(head)+" "+sqldb.Tuples(len(some), len(some[0])), slices.Concat(some...)...); err != nil {
				return err
			}
		}
		return nil
	}))
}
