package implementation_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// forecaster is a planner with a plan that has something to forecast and to level.
type forecaster struct {
	*planner
	forecasts implementationv1.ForecastServiceClient
	proposals implementationv1.ProposalServiceClient
}

func eachForecast(t *testing.T, test func(t *testing.T, f *forecaster)) {
	t.Helper()
	eachPlan(t, func(t *testing.T, p *planner) {
		f := &forecaster{planner: p}
		f.listen("users/alice", auth.Admin)
		ada := p.resource("ada", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON})
		p.stage("build")
		for _, id := range []string{"a", "b", "c"} {
			one := work("build")
			one.Estimate = &implementationv1.Estimate{OptimisticMinutes: proto.Int32(240), LikelyMinutes: 480, PessimisticMinutes: proto.Int32(1440)}
			one.Assignments = []*implementationv1.Assignment{{Resource: ada}}
			p.task(id, one)
		}
		last := work("build", "a", "b", "c")
		last.Milestone, last.Estimate = true, nil
		p.task("live", last)
		test(t, f)
	})
}

func (f *forecaster) listen(name string, role auth.Role) {
	conn := f.dial(name, map[string][]auth.Role{auth.AllWorkspaces: {role}})
	f.forecasts, f.proposals = implementationv1.NewForecastServiceClient(conn), implementationv1.NewProposalServiceClient(conn)
}

func (f *forecaster) make(change ...func(*implementationv1.CreateForecastRequest)) (*implementationv1.Forecast, error) {
	req := &implementationv1.CreateForecastRequest{Parent: crm, Forecast: &implementationv1.Forecast{AsOfTime: stampOf(f.clock.now())}}
	for _, c := range change {
		c(req)
	}
	return f.forecasts.CreateForecast(f.Context(), req)
}

func TestAForecastIsKeptWithAllThatItWasMadeOf(t *testing.T) {
	eachForecast(t, func(t *testing.T, f *forecaster) {
		made, err := f.make()
		require.NoError(t, err)
		require.Equal(t, implementationv1.Forecast_BETA_PERT, made.GetDistribution())
		require.InDelta(t, .2, made.GetCorrelation(), 0)
		require.EqualValues(t, 10_000, made.GetIterations())
		require.NotZero(t, made.GetSeed())
		require.Len(t, made.GetInputDigest(), 64)
		require.Equal(t, "golive-risk/1", made.GetEngineVersion())
		require.EqualValues(t, 4, made.GetTaskCount())
		require.True(t, made.GetP50Time().AsTime().Before(made.GetP90Time().AsTime()))
		require.Equal(t, taskName("live"), made.GetMilestones()[0].GetTask())
		reasons := make([]string, 0, 2)
		for _, w := range made.GetWarnings() {
			reasons = append(reasons, w.GetReason())
		}
		require.Equal(t, []string{"TARGET_MISSING", "RESOURCES_OVERALLOCATED"}, reasons, "one person, three tasks at once")
		stored, err := f.forecasts.GetForecast(t.Context(), &implementationv1.GetForecastRequest{Name: made.GetName()})
		require.NoError(t, err)
		require.True(t, proto.Equal(made, stored))

		same, err := f.make(func(r *implementationv1.CreateForecastRequest) { r.Forecast.Seed = made.GetSeed() })
		require.NoError(t, err)
		numbers := func(f *implementationv1.Forecast) *implementationv1.Forecast {
			c := proto.CloneOf(f)
			c.Name, c.Uid, c.Etag, c.CreateTime, c.UpdateTime = "", "", "", nil, nil
			return c
		}
		require.True(t, proto.Equal(numbers(made), numbers(same)), "plan, seed and moment make the numbers")

		_, err = f.tasks.UpdateTask(t.Context(), &implementationv1.UpdateTaskRequest{Task: &implementationv1.Task{Name: taskName("a"), DisplayName: "A"}})
		require.NoError(t, err)
		other, err := f.make()
		require.NoError(t, err)
		require.NotEqual(t, made.GetInputDigest(), other.GetInputDigest(), "it is of other bytes")
		require.Equal(t, made.GetP80Time().AsTime(), other.GetP80Time().AsTime(), "which do not matter for the dates")

		listed, err := f.forecasts.ListForecasts(t.Context(), &implementationv1.ListForecastsRequest{Parent: crm, OrderBy: "create_time desc"})
		require.NoError(t, err)
		require.Len(t, listed.GetForecasts(), 3)
		require.Empty(t, listed.GetForecasts()[0].GetSensitivities(), "a list leaves out what is as long as the plan")
		_, err = f.forecasts.DeleteForecast(t.Context(), &implementationv1.DeleteForecastRequest{Name: made.GetName()})
		require.NoError(t, err)
	})
}

func TestAForecastIsReplayedAndTried(t *testing.T) {
	eachForecast(t, func(t *testing.T, f *forecaster) {
		tried, err := f.make(func(r *implementationv1.CreateForecastRequest) { r.ValidateOnly = true })
		require.NoError(t, err)
		require.NotNil(t, tried.GetP50Time())
		_, err = f.forecasts.GetForecast(t.Context(), &implementationv1.GetForecastRequest{Name: tried.GetName()})
		requireReason(t, err, codes.NotFound, "RESOURCE_NOT_FOUND")
		once := func(r *implementationv1.CreateForecastRequest) { r.RequestId, r.ForecastId = "once", "f1" }
		first, err := f.make(once)
		require.NoError(t, err)
		again, err := f.make(once)
		require.NoError(t, err)
		require.True(t, proto.Equal(first, again))
		f.tells(t, 1, "implementation.forecast.created")
	})
}

func TestForecastsThatAreRefused(t *testing.T) {
	eachForecast(t, func(t *testing.T, f *forecaster) {
		_, err := f.implementations.CreateImplementation(t.Context(), &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: "empty", Implementation: &implementationv1.Implementation{}})
		require.NoError(t, err)
		asked := func(change func(*implementationv1.CreateForecastRequest)) func(context.Context) error {
			return func(context.Context) error {
				_, err := f.make(change)
				return err
			}
		}
		f.refusesAll(t, refusing{
			"a correlation above one": {codes.InvalidArgument, "INVALID_FIELD", asked(func(r *implementationv1.CreateForecastRequest) { r.Forecast.Correlation = new(1.1) })},
			"a negative correlation":  {codes.InvalidArgument, "INVALID_FIELD", asked(func(r *implementationv1.CreateForecastRequest) { r.Forecast.Correlation = new(-.1) })},
			"too few iterations":      {codes.InvalidArgument, "INVALID_FIELD", asked(func(r *implementationv1.CreateForecastRequest) { r.Forecast.Iterations = 99 })},
			"too many iterations":     {codes.InvalidArgument, "INVALID_FIELD", asked(func(r *implementationv1.CreateForecastRequest) { r.Forecast.Iterations = 100_001 })},
			"an empty plan":           {codes.FailedPrecondition, "PLAN_EMPTY", asked(func(r *implementationv1.CreateForecastRequest) { r.Parent = ws + "/implementations/empty" })},
			"no implementation":       {codes.NotFound, "RESOURCE_NOT_FOUND", asked(func(r *implementationv1.CreateForecastRequest) { r.Parent = ws + "/implementations/none" })},
			"another collection":      {codes.InvalidArgument, "INVALID_NAME", asked(func(r *implementationv1.CreateForecastRequest) { r.Parent = ws })},
			"a moment of another age": {codes.InvalidArgument, "INVALID_FIELD", asked(func(r *implementationv1.CreateForecastRequest) {
				r.Forecast.AsOfTime = stampOf(time.Date(9500, 1, 1, 0, 0, 0, 0, time.UTC))
			})},
			"a bad id": {codes.InvalidArgument, "INVALID_RESOURCE_ID", asked(func(r *implementationv1.CreateForecastRequest) { r.ForecastId = "Not an id" })},
		})
		f.listen("users/vera", auth.Viewer)
		_, err = f.make()
		requireReason(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
	})
}

// tells waits until the log has so many events of a type: on PostgreSQL it shows them once nothing older is open.
func (f *forecaster) tells(t *testing.T, n int, kind string) (found []*eventv1.Event) {
	t.Helper()
	require.Eventually(t, func() bool {
		log, err := f.events.ListEvents(t.Context(), &eventv1.ListEventsRequest{Parent: ws, PageSize: 1000})
		require.NoError(t, err)
		found = slices.DeleteFunc(log.GetEvents(), func(e *eventv1.Event) bool { return e.GetType() != kind })
		return len(found) == n
	}, 10*time.Second, 10*time.Millisecond, kind)
	return found
}

// refusesAll makes calls that are refused and keep nothing.
func (f *forecaster) refusesAll(t *testing.T, all refusing) {
	t.Helper()
	kept := func() int {
		forecasts, err := f.forecasts.ListForecasts(t.Context(), &implementationv1.ListForecastsRequest{Parent: crm})
		require.NoError(t, err)
		proposals, err := f.proposals.ListProposals(t.Context(), &implementationv1.ListProposalsRequest{Parent: crm})
		require.NoError(t, err)
		return len(forecasts.GetForecasts()) + len(proposals.GetProposals())
	}
	before := kept()
	for name, c := range all {
		t.Run(name, func(t *testing.T) { requireReason(t, c.call(t.Context()), c.code, c.reason) })
	}
	require.Equal(t, before, kept(), "no refusal kept anything")
}

func (f *forecaster) level(change ...func(*implementationv1.LevelImplementationRequest)) (*implementationv1.Proposal, error) {
	req := &implementationv1.LevelImplementationRequest{Name: crm}
	for _, c := range change {
		c(req)
	}
	return f.proposals.LevelImplementation(f.Context(), req)
}

func (f *forecaster) apply(p *implementationv1.Proposal) (*implementationv1.Proposal, error) {
	return f.proposals.ApplyProposal(f.Context(), &implementationv1.ApplyProposalRequest{Name: p.GetName(), Etag: p.GetEtag()})
}

func TestAProposalChangesThePlanWhenItIsAppliedAndNotBefore(t *testing.T) {
	eachForecast(t, func(t *testing.T, f *forecaster) {
		p, err := f.level()
		require.NoError(t, err)
		require.InDelta(t, 2, p.GetPriceDays(), 1e-9, "three days of work for one person")
		require.NotEmpty(t, p.GetOverallocationsBefore())
		require.Empty(t, p.GetOverallocationsAfter())
		starts := func() (n int) {
			for _, id := range []string{"a", "b", "c"} {
				one, err := f.tasks.GetTask(t.Context(), &implementationv1.GetTaskRequest{Name: taskName(id)})
				require.NoError(t, err)
				if one.GetEarliestStartTime() != nil {
					n++
				}
			}
			return n
		}
		require.Zero(t, starts(), "it is a proposal")
		applied, err := f.apply(p)
		require.NoError(t, err)
		require.Equal(t, implementationv1.Proposal_APPLIED, applied.GetState())
		require.Equal(t, "users/alice", applied.GetAppliedBy())
		require.Equal(t, 2, starts())
		for _, e := range f.tells(t, 2, "implementation.task.levelled") {
			require.Equal(t, p.GetName(), e.GetCause())
		}
		f.tells(t, 1, "implementation.proposal.applied")
		_, err = f.apply(p)
		requireReason(t, err, codes.FailedPrecondition, "STATE_FORBIDS")
		again, err := f.level()
		require.NoError(t, err)
		require.Empty(t, again.GetMoves(), "there is nothing left to level")
		require.Equal(t, p.GetFinishTimeAfter().AsTime(), again.GetFinishTimeBefore().AsTime(), "the plan ends as was said")
	})
}

func TestAProposalOfAPlanThatHasChangedIsRefused(t *testing.T) {
	eachForecast(t, func(t *testing.T, f *forecaster) {
		ctx := t.Context()
		for name, change := range map[string]func() error{
			"a task": func() error {
				_, err := f.tasks.StartTask(ctx, &implementationv1.StartTaskRequest{Name: taskName("a")})
				return err
			},
			"a new task": func() error { _, err := f.create("d", work("build")); return err },
			"a resource": func() error {
				_, err := f.resources.UpdateResource(ctx, &implementationv1.UpdateResourceRequest{Resource: &implementationv1.Resource{Name: ws + "/resources/ada", Kind: implementationv1.Resource_PERSON, Capacity: .5}})
				return err
			},
		} {
			p, err := f.level()
			require.NoError(t, err)
			require.NoError(t, change())
			_, err = f.apply(p)
			requireReason(t, err, codes.Aborted, "PLAN_CHANGED")
			for _, m := range p.GetMoves() {
				one, err := f.tasks.GetTask(ctx, &implementationv1.GetTaskRequest{Name: m.GetTask()})
				require.NoError(t, err)
				require.Nil(t, one.GetEarliestStartTime(), "%s: nothing half done", name)
			}
		}
		unrelated := ws + "/resources/bob"
		p, err := f.level()
		require.NoError(t, err)
		require.Equal(t, unrelated, f.resource("bob", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON}))
		_, err = f.apply(p)
		require.NoError(t, err, "who is not assigned does not matter")
	})
}

func TestOfManyWhoApplyAProposalOneDoes(t *testing.T) {
	eachForecast(t, func(t *testing.T, f *forecaster) {
		p, err := f.level()
		require.NoError(t, err)
		const many = 8
		refused := make(chan string, many)
		for range many {
			go func() {
				_, err := f.apply(p)
				refused <- fault.ReasonOf(err)
			}()
		}
		reasons := map[string]int{}
		for range many {
			reasons[<-refused]++
		}
		require.Equal(t, map[string]int{"": 1, "STATE_FORBIDS": many - 1}, reasons)
	})
}

func TestProposalsThatAreRefused(t *testing.T) {
	eachForecast(t, func(t *testing.T, f *forecaster) {
		p, err := f.level(func(r *implementationv1.LevelImplementationRequest) { r.ProposalId, r.RequestId = "p1", "once" })
		require.NoError(t, err)
		again, err := f.level(func(r *implementationv1.LevelImplementationRequest) { r.ProposalId, r.RequestId = "p1", "once" })
		require.NoError(t, err)
		require.True(t, proto.Equal(p, again), "the same request answers the same")
		leveled := func(change func(*implementationv1.LevelImplementationRequest)) func(context.Context) error {
			return func(context.Context) error {
				_, err := f.level(change)
				return err
			}
		}
		f.refusesAll(t, refusing{
			"the same id":       {codes.AlreadyExists, "ALREADY_EXISTS", leveled(func(r *implementationv1.LevelImplementationRequest) { r.ProposalId = "p1" })},
			"too many restarts": {codes.InvalidArgument, "INVALID_FIELD", leveled(func(r *implementationv1.LevelImplementationRequest) { r.Restarts = 10_001 })},
			"no implementation": {codes.NotFound, "RESOURCE_NOT_FOUND", leveled(func(r *implementationv1.LevelImplementationRequest) { r.Name = ws + "/implementations/none" })},
			"another etag": {codes.Aborted, "ETAG_MISMATCH", func(ctx context.Context) error {
				_, err := f.proposals.ApplyProposal(ctx, &implementationv1.ApplyProposalRequest{Name: p.GetName(), Etag: `"other"`})
				return err
			}},
			"no proposal": {codes.NotFound, "RESOURCE_NOT_FOUND", func(ctx context.Context) error {
				_, err := f.proposals.ApplyProposal(ctx, &implementationv1.ApplyProposalRequest{Name: crm + "/proposals/none"})
				return err
			}},
		})
		tried, err := f.level(func(r *implementationv1.LevelImplementationRequest) { r.ValidateOnly = true })
		require.NoError(t, err)
		require.NotEmpty(t, tried.GetMoves())
		kept, err := f.proposals.ListProposals(t.Context(), &implementationv1.ListProposalsRequest{Parent: crm, Filter: "state = PROPOSED"})
		require.NoError(t, err)
		require.Len(t, kept.GetProposals(), 1, "what was tried is not kept")
		_, err = f.proposals.DeleteProposal(t.Context(), &implementationv1.DeleteProposalRequest{Name: p.GetName()})
		require.NoError(t, err)
	})
}
