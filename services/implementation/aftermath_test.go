package implementation_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

// otherHalf is the log of a deployment service, and what it says of freezes.
type otherHalf struct {
	testing.TB
	db     *sqldb.DB
	log    *feed.Log
	events eventv1.EventServiceClient

	mu     sync.Mutex
	silent bool
	open   []context.CancelFunc
}

func newOtherHalf(tb testing.TB) *otherHalf {
	tb.Helper()
	db, err := sqldb.Open(tb.Context(), sqldb.Config{URL: "sqlite://" + filepath.Join(tb.TempDir(), "deployment.db")})
	require.NoError(tb, err)
	require.NoError(tb, db.Migrate(tb.Context(), feed.Source()))
	m := &otherHalf{TB: tb, db: db, log: feed.New(db, feed.Config{})}
	issuer, err := auth.LoadIssuer(filepath.Join(tb.TempDir(), "issuer.pem"))
	require.NoError(tb, err)
	verifier, err := auth.NewVerifier([]auth.TrustedIssuer{issuer.Trusted()}, nil)
	require.NoError(tb, err)
	server, err := rpc.NewServer(rpc.Config{Name: "deployment", Verifier: verifier})
	require.NoError(tb, err)
	eventv1.RegisterEventServiceServer(server, feed.NewService(m.log, 0))
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan error, 1)
	go func() { done <- m.log.Run(ctx) }()
	tb.Cleanup(func() {
		m.hush(true)
		server.Stop()
		cancel()
		require.NoError(tb, <-done)
		require.NoError(tb, db.Close())
	})
	m.events = eventv1.NewEventServiceClient(rpc.WithToken(server.Local(), issuer.Self("services/implementation")))
	return m
}

// WatchEvents is of a service that may not be there.
func (m *otherHalf) WatchEvents(ctx context.Context, req *eventv1.WatchEventsRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[eventv1.WatchEventsResponse], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.silent {
		return nil, fault.Unavailable("DOWN", "down; ask again")
	}
	ctx, cancel := context.WithCancel(ctx)
	m.open = append(m.open, cancel)
	return m.events.WatchEvents(ctx, req, opts...)
}

// hush makes it be there or not, and breaks what is open.
func (m *otherHalf) hush(silent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent = silent
	for _, cancel := range m.open {
		cancel()
	}
	m.open = nil
}

func (m *otherHalf) ListEvents(ctx context.Context, req *eventv1.ListEventsRequest, opts ...grpc.CallOption) (*eventv1.ListEventsResponse, error) {
	return m.events.ListEvents(ctx, req, opts...)
}

// happens appends the event of a deployment or a wave.
func (m *otherHalf) happens(verb string, what interface {
	GetName() string
	GetRevision() int64
},
) {
	m.Helper()
	record := feed.Record{Resource: what.GetName(), Revision: time.Now().UnixMicro(), Actor: "services/deployment"}
	switch it := what.(type) {
	case *deploymentv1.Deployment:
		record.Type, record.After = "deployment.deployment."+verb, it
	case *deploymentv1.Wave:
		record.Type, record.After = "deployment.wave."+verb, it
	}
	require.NoError(m, m.db.Tx(m.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return m.log.Append(ctx, tx, record) }))
}

func (m *otherHalf) deploys(id, rollbackOf string) string {
	m.Helper()
	name := crmApp + "/deployments/" + id
	m.happens("created", &deploymentv1.Deployment{Name: name, Environment: ws + "/environments/prod", RollbackOf: rollbackOf})
	return name
}

// wave is one of a deployment, in a state, for a cohort or behind the readiness of plans.
func wave(deployment, id, cohort string, state deploymentv1.Wave_State, end time.Time, plans ...string) *deploymentv1.Wave {
	w := &deploymentv1.Wave{Name: deployment + "/waves/" + id, State: state, Rule: &deploymentv1.WaveRule{Id: id}}
	if cohort != "" {
		w.Rule.Members = &deploymentv1.Members{Rule: &deploymentv1.Members_Cohort{Cohort: cohort}}
	}
	for _, plan := range plans {
		w.Rule.Gates = append(w.Rule.Gates, &deploymentv1.GateRule{Id: "ready", Type: &deploymentv1.GateRule_Readiness{Readiness: &deploymentv1.ReadinessGate{CohortPlan: plan}}})
	}
	if !end.IsZero() {
		w.EndTime = timestamppb.New(end)
	}
	return w
}

// eachPaired runs a test on a service that follows machines.
func eachPaired(t *testing.T, test func(t *testing.T, w *world, m *otherHalf)) {
	t.Helper()
	for _, kind := range pgtest.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			m := newOtherHalf(t)
			w := setup(t, kind.URL(t), func(c *implementation.Config) { c.Deployment.Events = m })
			test(t, w, m)
		})
	}
}

func (w *world) planned(name string) *implementationv1.CohortPlan {
	w.Helper()
	plan, err := w.plans.GetCohortPlan(w.Context(), &implementationv1.GetCohortPlanRequest{Name: name})
	require.NoError(w, err)
	return plan
}

// becomes waits until a plan is as it should be.
func (w *world) becomes(name string, so func(*implementationv1.CohortPlan) bool) *implementationv1.CohortPlan {
	w.Helper()
	var plan *implementationv1.CohortPlan
	require.Eventually(w, func() bool {
		plan = w.planned(name)
		return so(plan)
	}, 20*time.Second, 10*time.Millisecond, "%s: %v", name, &plan)
	return plan
}

func isLive(plan *implementationv1.CohortPlan) bool { return plan.GetLiveTime() != nil }

func TestASealStartsTheAdoptionClock(t *testing.T) {
	eachPaired(t, func(t *testing.T, w *world, m *otherHalf) {
		sales, pilot, support := w.cohort("sales", 3), w.cohort("pilot", 0), w.cohort("support", 0)
		gated, byCohort, by := w.plan("sales", sales, time.Time{}), w.plan("pilot", pilot, time.Time{}), w.plan("support", support, time.Time{})
		_, err := w.implementations.UpdateImplementation(t.Context(), &implementationv1.UpdateImplementationRequest{Implementation: &implementationv1.Implementation{
			Name: crm, Applications: []string{crmApp}, Environments: []string{ws + "/environments/prod"},
		}})
		require.NoError(t, err)
		said := timestamppb.New(w.clock.now().Add(-48 * time.Hour))
		_, err = w.plans.RecordGoLive(t.Context(), &implementationv1.RecordGoLiveRequest{Name: by, LiveTime: said})
		require.NoError(t, err)

		first := m.deploys("first", "")
		sealed := w.clock.now().Add(-time.Hour)
		m.happens("sealed", wave(first, "one", "", deploymentv1.Wave_SEALED, sealed, gated, crm+"/cohortPlans/nobody", ws+"/nonsense"))
		m.happens("sealed", wave(first, "two", "pilot", deploymentv1.Wave_SEALED, w.clock.now().Add(time.Hour)))
		m.happens("sealed", wave(first, "three", "support", deploymentv1.Wave_SEALED, sealed))
		m.happens("sealed", wave(first, "four", "", deploymentv1.Wave_SEALED, sealed.Add(time.Minute), gated))

		plan := w.becomes(byCohort, isLive)
		require.Equal(t, first+"/waves/two", plan.GetLiveWave())
		require.Equal(t, w.clock.now(), plan.GetLiveTime().AsTime(), "nobody is live in the future, whatever the other clock says")
		m.happens("sealed", wave(m.deploys("second", ""), "one", "pilot", deploymentv1.Wave_SEALED, sealed, gated))
		w.becomes(gated, isLive)
		require.Equal(t, sealed, w.planned(gated).GetLiveTime().AsTime(), "the first seal counts")
		require.Equal(t, first+"/waves/one", w.planned(gated).GetLiveWave())
		require.Equal(t, said.AsTime(), w.planned(by).GetLiveTime().AsTime(), "what a person said stays")
		require.Empty(t, w.planned(by).GetLiveWave())

		// While this service does not hear, waves go on; then it hears of all of them, in their order.
		mark := w.plan("mark", w.cohort("mark", 0), time.Time{})
		third := m.deploys("third", "")
		m.happens("sealed", wave(third, "zero", "", deploymentv1.Wave_SEALED, sealed, mark))
		w.becomes(mark, isLive) // heard last, so all was
		m.hush(true)
		withdrawn, err := w.plans.RecordGoLive(t.Context(), &implementationv1.RecordGoLiveRequest{Name: gated, Withdraw: true})
		require.NoError(t, err)
		require.Empty(t, withdrawn.GetLiveWave())
		m.happens("sealed", wave(third, "one", "", deploymentv1.Wave_SEALED, sealed.Add(2*time.Minute), gated))
		m.hush(false)
		require.Equal(t, third+"/waves/one", w.becomes(gated, isLive).GetLiveWave())
	})
}

func TestASealIsOfThePlansItIsAbout(t *testing.T) {
	eachPaired(t, func(t *testing.T, w *world, m *otherHalf) {
		sales := w.cohort("sales", 0)
		plan := w.plan("sales", sales, time.Time{})
		first := m.deploys("first", "")
		m.happens("sealed", wave(first, "one", "sales", deploymentv1.Wave_SEALED, w.clock.now()))
		other := ws + "/applications/erp/deployments/first"
		_, err := w.implementations.UpdateImplementation(t.Context(), &implementationv1.UpdateImplementationRequest{Implementation: &implementationv1.Implementation{
			Name: crm, Applications: []string{crmApp}, Environments: []string{ws + "/environments/test"},
		}})
		require.NoError(t, err)
		m.happens("created", &deploymentv1.Deployment{Name: other, Environment: ws + "/environments/test"})
		m.happens("sealed", wave(other, "one", "sales", deploymentv1.Wave_SEALED, w.clock.now()))
		m.happens("sealed", wave(first, "two", "sales", deploymentv1.Wave_SEALED, w.clock.now()))
		// What comes last is heard last: then all of the above was.
		mark := w.plan("mark", w.cohort("mark", 0), time.Time{})
		m.happens("sealed", wave(first, "last", "", deploymentv1.Wave_SEALED, w.clock.now(), mark))
		w.becomes(mark, isLive)
		require.Nil(t, w.planned(plan).GetLiveTime(), "neither another application nor another environment")
	})
}

// TestASealIsOfEveryPlanOfItsCohort: an implementation may plan a cohort twice, and others may plan it, too.
func TestASealIsOfEveryPlanOfItsCohort(t *testing.T) {
	eachPaired(t, func(t *testing.T, w *world, m *otherHalf) {
		sales := w.cohort("sales", 0)
		first, again := w.plan("first", sales, time.Time{}), w.plan("again", sales, time.Time{})
		zeta := w.implementation("zeta", nil)
		_, err := w.implementations.UpdateImplementation(t.Context(), &implementationv1.UpdateImplementationRequest{Implementation: &implementationv1.Implementation{Name: crm, Applications: []string{crmApp}}})
		require.NoError(t, err)
		far, err := w.plans.CreateCohortPlan(t.Context(), &implementationv1.CreateCohortPlanRequest{Parent: zeta, CohortPlanId: "far", CohortPlan: &implementationv1.CohortPlan{Cohort: sales}})
		require.NoError(t, err)
		m.happens("sealed", wave(m.deploys("first", ""), "one", "sales", deploymentv1.Wave_SEALED, w.clock.now()))
		for _, plan := range []string{first, again, far.GetName()} {
			w.becomes(plan, isLive)
		}
	})
}

func TestARollbackTakesBackWhatASealSet(t *testing.T) {
	eachPaired(t, func(t *testing.T, w *world, m *otherHalf) {
		plan := w.plan("sales", w.cohort("sales", 0), time.Time{})
		other := w.plan("pilot", w.cohort("pilot", 0), time.Time{})
		first := m.deploys("first", "")
		m.happens("sealed", wave(first, "one", "", deploymentv1.Wave_SEALED, w.clock.now(), plan))
		m.happens("sealed", wave(first, "two", "", deploymentv1.Wave_SEALED, w.clock.now(), other))
		w.becomes(other, isLive)

		back := m.deploys("rollback-1", first)
		m.happens("sealed", wave(back, "one", "sales", deploymentv1.Wave_SEALED, w.clock.now()))
		gone := w.becomes(plan, func(p *implementationv1.CohortPlan) bool { return p.GetLiveTime() == nil })
		require.Empty(t, gone.GetLiveWave())
		require.NotNil(t, w.planned(other).GetLiveTime(), "only that wave went back")
		events, err := w.events.ListEvents(t.Context(), &eventv1.ListEventsRequest{Parent: plan, Types: []string{"implementation.cohortPlan.goLiveWithdrawn"}})
		require.NoError(t, err)
		require.Len(t, events.GetEvents(), 1)
		require.Contains(t, events.GetEvents()[0].GetCause(), "wave one was rolled back")

		m.happens("sealed", wave(m.deploys("second", ""), "one", "", deploymentv1.Wave_SEALED, w.clock.now(), plan))
		w.becomes(plan, isLive)
	})
}

func TestReadinessThatFallsAfterTheStartIsAChallenge(t *testing.T) {
	eachPaired(t, func(t *testing.T, w *world, m *otherHalf) {
		basics := w.training("basics", 0)
		sales := w.cohort("sales", 20)
		plan := w.plan("sales", sales, time.Time{}, basics)
		w.complete(basics, 0, 18)
		require.Equal(t, gatev1.Verdict_PASS, w.verdict(plan).GetState())
		challenges := implementationv1.NewChallengeServiceClient(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
		suggested := func() []*implementationv1.Challenge {
			list, err := challenges.ListChallenges(t.Context(), &implementationv1.ListChallengesRequest{Parent: crm, Filter: `rule = "X1"`})
			require.NoError(t, err)
			return list.GetChallenges()
		}
		join := func(file string) {
			t.Helper()
			_, err := w.memberships.ImportMemberships(t.Context(), &implementationv1.ImportMembershipsRequest{Parent: sales, Csv: []byte(file), CreatePeople: true})
			require.NoError(t, err)
		}
		first := m.deploys("first", "")
		running := wave(first, "pilot", "", deploymentv1.Wave_RUNNING, time.Time{}, plan)
		running.StartTime = timestamppb.New(w.clock.now())
		m.happens("running", running)
		m.happens("sealed", wave(first, "pilot", "", deploymentv1.Wave_SEALED, w.clock.now(), plan))
		w.becomes(plan, isLive)
		require.Empty(t, suggested())

		join("person\nq1\nq2\nq3\nq4\nq5\n")
		require.Equal(t, gatev1.Verdict_WAIT, w.verdict(plan).GetState())
		require.Eventually(t, func() bool { return len(suggested()) == 1 }, 20*time.Second, 10*time.Millisecond)
		c := suggested()[0]
		require.Equal(t, implementationv1.Challenge_SUGGESTED, c.GetState())
		require.Equal(t, implementationv1.Challenge_RESOURCES, c.GetClass(), "by the criterion that fell")
		require.Equal(t, "readiness of sales fell after wave pilot started: trained 18 of 20 → 18 of 25", c.GetArithmetic())
		require.Equal(t, sales, c.GetCohort())
		require.Equal(t, plan, c.GetSubject())
		require.Len(t, c.GetEvidence(), 1)

		join("person\nq6\n") // worse, and the same fall
		require.Equal(t, gatev1.Verdict_WAIT, w.verdict(plan).GetState())
		late := &implementationv1.RecordCompletionsRequest{Training: basics}
		for _, id := range []string{"q1", "q2", "q3", "q4", "q5", "q6"} {
			late.Completions = append(late.Completions, &implementationv1.Completion{Person: ws + "/people/" + id})
		}
		_, err := w.enrolments.RecordCompletions(t.Context(), late)
		require.NoError(t, err)
		require.Equal(t, gatev1.Verdict_PASS, w.verdict(plan).GetState())
		require.Eventually(t, func() bool { return suggested()[0].GetProposal() != nil }, 20*time.Second, 10*time.Millisecond)
		require.Equal(t, "readiness of sales is PASS again", suggested()[0].GetProposal().GetMessage())
		require.Len(t, suggested()[0].GetEvidence(), 1, "one fall is told once")

		join("person\nr1\nr2\nr3\nr4\nr5\nr6\nr7\n") // a second fall is evidence of the same
		require.Equal(t, gatev1.Verdict_WAIT, w.verdict(plan).GetState())
		require.Eventually(t, func() bool { return len(suggested()[0].GetEvidence()) == 2 }, 20*time.Second, 10*time.Millisecond)
		require.Len(t, suggested(), 1)
		require.Nil(t, suggested()[0].GetProposal())
	})
}

// The estimator of Kaplan and Meier counts its days from the seal, not from the date that was planned.
func TestTheCurveBeginsAtTheSeal(t *testing.T) {
	eachPaired(t, func(t *testing.T, w *world, m *otherHalf) {
		a := adopting(w)
		plan := w.plan("sales", w.cohort("sales", 20), w.clock.now().AddDate(0, 0, -60))
		_, err := w.plans.UpdateCohortPlan(t.Context(), &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{
			Name: plan, Adoption: &implementationv1.AdoptionPlan{Target: .8, WindowDays: 7, ActiveDays: 1, Features: []string{ws + "/features/quotes"}},
		}})
		require.NoError(t, err)
		for d := -50; d < 0; d++ {
			a.used("quotes", a.day(d), upTo(min(16, 50+d))...)
		}
		speed := func() *implementationv1.AdoptionSpeed {
			return a.adoptionOf(a.day(-1), a.day(-1)).GetCohorts()[0].GetSpeed()
		}
		require.EqualValues(t, 20, speed().GetMedianDays(), "ten days more, from the plan")
		m.happens("sealed", wave(m.deploys("first", ""), "one", "", deploymentv1.Wave_SEALED, w.clock.now().AddDate(0, 0, -50), plan))
		w.becomes(plan, isLive)
		require.EqualValues(t, 10, speed().GetMedianDays(), "the n-th of twenty began on day n")
		require.Equal(t, a.day(-50), a.adoptionOf(a.day(-1), a.day(-1)).GetCohorts()[0].GetGoLiveDay())
	})
}
