package e2e

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/rpc"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// turns is how often a gate turns in a measurement; once without the watch, whose turns take half a minute.
const (
	turns    = 100
	deafOnes = 20
)

// BenchmarkGate is how long it takes from a change among people to the start of the wave that waited for it: from the call that
// records the last training, or decides GO, to the start that the wave has written down. The control asks as often, and is not told.
func BenchmarkGate(b *testing.B) {
	for _, topology := range []struct {
		name  string
		plane func(tb testing.TB, flags ...string) *plane
	}{{"one process on SQLite", onePlane}, {"three processes on PostgreSQL", threePlanes}} {
		b.Run(topology.name, func(b *testing.B) {
			g := newGates(b, topology.plane(b))
			for what, turn := range map[string]func(id string) time.Duration{"training": g.trained, "decision": g.decided} {
				b.Run(what, func(b *testing.B) {
					for b.Loop() {
						var took []time.Duration
						for n := range turns {
							took = append(took, turn(fmt.Sprintf("%s-%d-%d", what, time.Now().UnixMilli()%1e6, n)))
						}
						figures(b, took)
					}
				})
			}
		})
	}
	b.Run("control without the watch", func(b *testing.B) {
		p := threePlanes(b)
		software := p.processes["deployment"]
		software.kill()
		software.args[slices.Index(software.args, "--implementation")+1] = deafen(b, p.addresses["implementation"])
		software.start()
		p.answers(b, p.deployment)
		g := newGates(b, p)
		for b.Loop() {
			var took []time.Duration
			var waiting []string
			for n := range deafOnes {
				id := fmt.Sprintf("deaf-%d", n)
				g.furnish(id)
				g.deploy(id, g.readiness(id))
				waiting = append(waiting, id)
			}
			began := map[string]time.Time{}
			for _, id := range waiting {
				began[id] = time.Now()
				g.train(id)
			}
			for _, id := range waiting {
				took = append(took, g.started(id).Sub(began[id]))
			}
			figures(b, took)
		}
	})
}

func figures(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(0, "ns/op")
}

// deafen passes questions on to an implementation service, and tells nobody of changes.
func deafen(tb testing.TB, to string) (address string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	onward, err := rpc.Dial(to, rpc.ClientConfig{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, onward.Close()) })
	server := grpc.NewServer()
	gatev1.RegisterGateServiceServer(server, &deaf{to: gatev1.NewGateServiceClient(onward)})
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	tb.Cleanup(func() {
		server.Stop()
		require.NoError(tb, <-done)
	})
	return listener.Addr().String()
}

type deaf struct {
	gatev1.UnimplementedGateServiceServer

	to gatev1.GateServiceClient
}

func (d *deaf) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	said := metadata.ValueFromIncomingContext(ctx, "authorization")
	return d.to.EvaluateGate(metadata.NewOutgoingContext(ctx, metadata.MD{"authorization": said}), req)
}

func (d *deaf) WatchGates(_ *gatev1.WatchGatesRequest, stream grpc.ServerStreamingServer[gatev1.WatchGatesResponse]) error {
	<-stream.Context().Done()
	return nil
}

// gates is a world in which gates turn: for each turn a cohort of one, and an environment of one target.
type gates struct {
	tb          testing.TB
	deployments deploymentv1.DeploymentServiceClient
	waves       deploymentv1.WaveServiceClient
	places      deploymentv1.EnvironmentServiceClient
	targets     deploymentv1.TargetServiceClient
	cohorts     implementationv1.CohortServiceClient
	members     implementationv1.MembershipServiceClient
	enrolments  implementationv1.EnrolmentServiceClient
	plans       implementationv1.CohortPlanServiceClient
	decisions   implementationv1.DecisionServiceClient
}

func newGates(tb testing.TB, p *plane) *gates {
	tb.Helper()
	g := &gates{
		tb: tb, deployments: deploymentv1.NewDeploymentServiceClient(p.deployment), waves: deploymentv1.NewWaveServiceClient(p.deployment),
		places: deploymentv1.NewEnvironmentServiceClient(p.deployment), targets: deploymentv1.NewTargetServiceClient(p.deployment),
		cohorts: implementationv1.NewCohortServiceClient(p.implementation), members: implementationv1.NewMembershipServiceClient(p.implementation),
		enrolments: implementationv1.NewEnrolmentServiceClient(p.implementation), plans: implementationv1.NewCohortPlanServiceClient(p.implementation),
		decisions: implementationv1.NewDecisionServiceClient(p.implementation),
	}
	ctx := tb.Context()
	_, err := deploymentv1.NewApplicationServiceClient(p.deployment).CreateApplication(ctx, &deploymentv1.CreateApplicationRequest{Parent: "workspaces/default", ApplicationId: "web", Application: &deploymentv1.Application{}})
	require.NoError(tb, err)
	_, err = deploymentv1.NewReleaseServiceClient(p.deployment).CreateRelease(ctx, &deploymentv1.CreateReleaseRequest{
		Parent: inWorkspace + "applications/web", ReleaseId: "v1", Release: &deploymentv1.Release{Version: "1.0.0", Run: &deploymentv1.RunSpec{External: &deploymentv1.ExternalService{Manager: &deploymentv1.ExternalService_SystemdUnit{SystemdUnit: "web.service"}}}},
	})
	require.NoError(tb, err)
	_, err = implementationv1.NewImplementationServiceClient(p.implementation).CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{Parent: "workspaces/default", ImplementationId: "crm", Implementation: &implementationv1.Implementation{DisplayName: "CRM"}})
	require.NoError(tb, err)
	trainings := implementationv1.NewTrainingServiceClient(p.implementation)
	_, err = trainings.CreateTraining(ctx, &implementationv1.CreateTrainingRequest{Parent: "workspaces/default", TrainingId: "basics", Training: &implementationv1.Training{DisplayName: "The basics"}})
	require.NoError(tb, err)
	_, err = trainings.PublishTraining(ctx, &implementationv1.PublishTrainingRequest{Name: inWorkspace + "trainings/basics"})
	require.NoError(tb, err)
	g.furnish("ready")
	g.train("ready")
	return g
}

// furnish makes a cohort of one with its plan, and an environment with a target.
func (g *gates) furnish(id string) {
	g.tb.Helper()
	ctx, cohort := g.tb.Context(), inWorkspace+"cohorts/"+id
	_, err := g.cohorts.CreateCohort(ctx, &implementationv1.CreateCohortRequest{Parent: "workspaces/default", CohortId: id, Cohort: &implementationv1.Cohort{}})
	require.NoError(g.tb, err)
	_, err = g.members.ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{Parent: cohort, Csv: []byte("person\n" + id + "\n"), CreatePeople: true})
	require.NoError(g.tb, err)
	_, err = g.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: inWorkspace + "trainings/basics", Cohort: cohort})
	require.NoError(g.tb, err)
	_, err = g.plans.CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{Parent: inWorkspace + "implementations/crm", CohortPlanId: id, CohortPlan: &implementationv1.CohortPlan{
		Cohort: cohort, ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{{
			Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{inWorkspace + "trainings/basics"}, Threshold: 1}},
		}}},
	}})
	require.NoError(g.tb, err)
	_, err = g.places.CreateEnvironment(ctx, &deploymentv1.CreateEnvironmentRequest{Parent: "workspaces/default", EnvironmentId: id, Environment: &deploymentv1.Environment{}})
	require.NoError(g.tb, err)
	_, err = g.targets.CreateTarget(ctx, &deploymentv1.CreateTargetRequest{Parent: inWorkspace + "environments/" + id, TargetId: "one", Target: &deploymentv1.Target{}})
	require.NoError(g.tb, err)
}

func (g *gates) train(id string) {
	g.tb.Helper()
	_, err := g.enrolments.RecordCompletions(g.tb.Context(), &implementationv1.RecordCompletionsRequest{Training: inWorkspace + "trainings/basics", Completions: []*implementationv1.Completion{{
		Person: inWorkspace + "people/" + id, CompleteTime: timestamppb.New(time.Now().AddDate(0, 0, -1)),
	}}})
	require.NoError(g.tb, err)
}

func (g *gates) readiness(id string) *deploymentv1.GateRule {
	return &deploymentv1.GateRule{Id: "people", Type: &deploymentv1.GateRule_Readiness{Readiness: &deploymentv1.ReadinessGate{CohortPlan: inWorkspace + "implementations/crm/cohortPlans/" + id}}}
}

// deploy has a wave wait for a gate.
func (g *gates) deploy(id string, gate *deploymentv1.GateRule) {
	g.tb.Helper()
	rule := wave("all", nil)
	rule.Gates = []*deploymentv1.GateRule{gate}
	_, err := g.deployments.CreateDeployment(g.tb.Context(), &deploymentv1.CreateDeploymentRequest{Parent: inWorkspace + "applications/web", DeploymentId: id, Deployment: &deploymentv1.Deployment{
		Release: inWorkspace + "applications/web/releases/v1", Environment: inWorkspace + "environments/" + id, Rollout: &deploymentv1.Rollout{Waves: []*deploymentv1.WaveRule{rule}}, Reason: "it is measured",
	}})
	require.NoError(g.tb, err)
	eventually(g.tb, id+" to wait", func() bool {
		return g.wave(id).GetState() == deploymentv1.Wave_GATED && len(g.wave(id).GetBlockedBy()) > 0
	})
}

func (g *gates) wave(id string) *deploymentv1.Wave {
	g.tb.Helper()
	w, err := g.waves.GetWave(g.tb.Context(), &deploymentv1.GetWaveRequest{Name: nameOf(id) + "/waves/all"})
	require.NoError(g.tb, err)
	return w
}

// started waits until the wave has, tells when, and gives up the deployment: no host is there to end it.
func (g *gates) started(id string) time.Time {
	g.tb.Helper()
	var at time.Time
	require.Eventually(g.tb, func() bool {
		w := g.wave(id)
		at = w.GetStartTime().AsTime()
		return w.GetStartTime() != nil
	}, time.Minute, 5*time.Millisecond, "%s never started", id)
	_, err := g.deployments.CancelDeployment(g.tb.Context(), &deploymentv1.CancelDeploymentRequest{Name: nameOf(id)})
	require.NoError(g.tb, err)
	return at
}

func (g *gates) trained(id string) time.Duration {
	g.furnish(id)
	g.deploy(id, g.readiness(id))
	began := time.Now()
	g.train(id)
	return g.started(id).Sub(began)
}

func (g *gates) decided(id string) time.Duration {
	g.tb.Helper()
	g.furnish(id)
	name := inWorkspace + "implementations/crm/decisions/" + id
	_, err := g.decisions.CreateDecision(g.tb.Context(), &implementationv1.CreateDecisionRequest{Parent: inWorkspace + "implementations/crm", DecisionId: id, Decision: &implementationv1.Decision{
		DisplayName: id, Waves: []string{nameOf(id) + "/waves/all"}, CohortPlans: []string{inWorkspace + "implementations/crm/cohortPlans/ready"},
	}})
	require.NoError(g.tb, err)
	g.deploy(id, &deploymentv1.GateRule{Id: "go", Type: &deploymentv1.GateRule_Decision{Decision: &deploymentv1.DecisionGate{Decision: name}}})
	began := time.Now()
	_, err = g.decisions.DecideDecision(g.tb.Context(), &implementationv1.DecideDecisionRequest{Name: name, Outcome: implementationv1.Decision_OUTCOME_GO, Reason: "all is ready"})
	require.NoError(g.tb, err)
	return g.started(id).Sub(began)
}
