package implementation_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

const ws = "workspaces/default"

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a running service with clients that speak to it through the whole chain of interceptors.
type world struct {
	testing.TB
	clock  *clock
	issuer *auth.Issuer
	server *rpc.Server

	implementations implementationv1.ImplementationServiceClient
	cohorts         implementationv1.CohortServiceClient
	memberships     implementationv1.MembershipServiceClient
	people          implementationv1.PersonServiceClient
	trainings       implementationv1.TrainingServiceClient
	enrolments      implementationv1.EnrolmentServiceClient
	sessions        implementationv1.SessionServiceClient
	accounts        implementationv1.ProvisioningServiceClient
	plans           implementationv1.CohortPlanServiceClient
	gates           gatev1.GateServiceClient
	events          eventv1.EventServiceClient
}

// each runs a test on a fresh service over each database.
func each(t *testing.T, test func(t *testing.T, w *world), change ...func(*implementation.Config)) {
	t.Helper()
	for _, kind := range pgtest.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) { test(t, setup(t, kind.URL(t), change...)) })
	}
}

func setup(tb testing.TB, url string, change ...func(*implementation.Config)) *world {
	tb.Helper()
	w := &world{TB: tb, clock: &clock{at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}}
	cfg := implementation.Config{Database: sqldb.Config{URL: url, Synchronous: "NORMAL"}, Clock: w.clock.now}
	for _, f := range change {
		f(&cfg)
	}
	if cfg.Deployment.Gate != nil {
		cfg.Deployment.Gate = dated{cfg.Deployment.Gate, w.clock.now}
	}
	s, err := implementation.New(tb.Context(), cfg)
	require.NoError(tb, err)
	w.issuer, err = auth.LoadIssuer(filepath.Join(tb.TempDir(), "issuer.pem"))
	require.NoError(tb, err)
	verifier, err := auth.NewVerifier([]auth.TrustedIssuer{w.issuer.Trusted()}, s.Revocations())
	require.NoError(tb, err)
	w.server, err = rpc.NewServer(rpc.Config{Name: "implementation", Verifier: verifier, MaxRecv: implementation.MaxRequest, Deadline: time.Minute})
	require.NoError(tb, err)
	s.Register(w.server)
	require.NoError(tb, w.server.Check())

	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	tb.Cleanup(func() {
		w.server.Stop()
		cancel()
		require.NoError(tb, <-done)
		require.NoError(tb, s.Close())
	})
	require.NoError(tb, s.Ready(tb.Context()))
	w.as("users/alice", auth.Admin)
	return w
}

// dated has the other service live by the clock of the test: what it answers was found out now, unless it says when.
type dated struct {
	gatev1.GateServiceClient

	now func() time.Time
}

func (d dated) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest, opts ...grpc.CallOption) (*gatev1.Verdict, error) {
	v, err := d.GateServiceClient.EvaluateGate(ctx, req, opts...)
	if err != nil || v.GetEvaluatedAt() != nil {
		return v, err
	}
	v = proto.CloneOf(v)
	v.EvaluatedAt = timestamppb.New(d.now())
	return v, nil
}

// as makes the clients speak for a principal.
func (w *world) as(name string, roles ...auth.Role) {
	w.Helper()
	w.connect(w.dial(name, map[string][]auth.Role{auth.AllWorkspaces: roles}))
}

func (w *world) dial(name string, grants map[string][]auth.Role) grpc.ClientConnInterface {
	w.Helper()
	token, _, err := w.issuer.Mint(auth.Claims{Name: name, Grants: grants, TTL: time.Hour})
	require.NoError(w, err)
	return rpc.WithToken(w.server.Local(), auth.StaticToken(token))
}

func (w *world) connect(conn grpc.ClientConnInterface) {
	w.implementations = implementationv1.NewImplementationServiceClient(conn)
	w.cohorts = implementationv1.NewCohortServiceClient(conn)
	w.memberships = implementationv1.NewMembershipServiceClient(conn)
	w.people = implementationv1.NewPersonServiceClient(conn)
	w.trainings = implementationv1.NewTrainingServiceClient(conn)
	w.enrolments = implementationv1.NewEnrolmentServiceClient(conn)
	w.sessions = implementationv1.NewSessionServiceClient(conn)
	w.accounts = implementationv1.NewProvisioningServiceClient(conn)
	w.plans = implementationv1.NewCohortPlanServiceClient(conn)
	w.gates = gatev1.NewGateServiceClient(conn)
	w.events = eventv1.NewEventServiceClient(conn)
}

func person(i int) string { return fmt.Sprintf("%s/people/p-%03d", ws, i) }

// cohort makes a cohort of n people, p-000 on.
func (w *world) cohort(id string, n int) string {
	w.Helper()
	ctx := w.Context()
	c, err := w.cohorts.CreateCohort(ctx, &implementationv1.CreateCohortRequest{
		Parent: ws, CohortId: id, Cohort: &implementationv1.Cohort{Owner: "users/carol"},
	})
	require.NoError(w, err)
	if n == 0 {
		return c.GetName()
	}
	csv := "person\n"
	for i := range n {
		csv += person(i) + "\n"
	}
	result, err := w.memberships.ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{
		Parent: c.GetName(), Csv: []byte(csv), CreatePeople: true,
	})
	require.NoError(w, err)
	require.Empty(w, result.GetErrors())
	require.EqualValues(w, n, result.GetCreatedCount())
	return c.GetName()
}

// training makes a training that people can complete.
func (w *world) training(id string, validity time.Duration) string {
	w.Helper()
	t := &implementationv1.Training{}
	if validity > 0 {
		t.Validity = durationpb.New(validity)
	}
	created, err := w.trainings.CreateTraining(w.Context(), &implementationv1.CreateTrainingRequest{Parent: ws, TrainingId: id, Training: t})
	require.NoError(w, err)
	_, err = w.trainings.PublishTraining(w.Context(), &implementationv1.PublishTrainingRequest{Name: created.GetName()})
	require.NoError(w, err)
	return created.GetName()
}

// plan makes a cohort plan whose one criterion names the trainings; a zero go-live is not set.
func (w *world) plan(id, cohort string, goLive time.Time, trainings ...string) string {
	w.Helper()
	ctx := w.Context()
	_, err := w.implementations.CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{},
	})
	if err != nil && fault.From(err).Kind() != fault.KindAlreadyExists {
		require.NoError(w, err)
	}
	plan := &implementationv1.CohortPlan{Cohort: cohort}
	if len(trainings) > 0 {
		plan.ReadinessPolicy = &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{{
			Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: trainings}},
		}}}
	}
	if !goLive.IsZero() {
		plan.GoLiveTime = timestamppb.New(goLive)
	}
	created, err := w.plans.CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{
		Parent: ws + "/implementations/crm", CohortPlanId: id, CohortPlan: plan,
	})
	require.NoError(w, err)
	return created.GetName()
}

// complete records completions of the people from … to.
func (w *world) complete(training string, from, to int) *implementationv1.ImportResult {
	w.Helper()
	req := &implementationv1.RecordCompletionsRequest{Training: training}
	for i := from; i < to; i++ {
		req.Completions = append(req.Completions, &implementationv1.Completion{Person: person(i)})
	}
	result, err := w.enrolments.RecordCompletions(w.Context(), req)
	require.NoError(w, err)
	return result
}

func (w *world) readiness(plan string) *implementationv1.Readiness {
	w.Helper()
	r, err := w.plans.EvaluateReadiness(w.Context(), &implementationv1.EvaluateReadinessRequest{Name: plan})
	require.NoError(w, err)
	return r
}

func (w *world) verdict(plan string) *gatev1.Verdict {
	w.Helper()
	v, err := w.gates.EvaluateGate(w.Context(), &gatev1.EvaluateGateRequest{Resource: plan, Purpose: gatev1.Purpose_PURPOSE_READINESS})
	require.NoError(w, err)
	return v
}

func stampOf(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }
