package implementation_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

func TestATaskNeverWaitsForItself(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		p.stage("build")
		p.task("a", work("build"))
		p.task("b", work("build", "a"))
		p.task("c", work("build", "b"))
		f := requireReason(t, p.depend("a", "c"), codes.InvalidArgument, "TASK_CYCLE")
		require.Contains(t, f.Message(), "a → b → c → a", "the circle is named in the order of the work")
		require.Equal(t, "a → b → c → a", f.Metadata()["path"])
		requireReason(t, p.depend("a", "a"), codes.InvalidArgument, "TASK_CYCLE")
		_, err := p.create("d", work("build", "d"))
		requireReason(t, err, codes.InvalidArgument, "TASK_CYCLE")
		require.NoError(t, p.depend("c", "a"), "what closes no circle is fine")
		require.NoError(t, p.depend("b", "c"))
		requireReason(t, p.depend("a", "b"), codes.InvalidArgument, "TASK_CYCLE")
	})
}

func TestStagesOrderTasksToo(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		p.stage("design")
		p.stage("aside")
		p.stage("build", "design")
		p.task("a", work("design"))
		p.task("b", work("build"))
		p.task("c", work("aside", "b"))
		_, err := p.create("d", work("design", "b"))
		f := requireReason(t, err, codes.InvalidArgument, "TASK_CYCLE")
		require.Equal(t, "d → stage design → b → d", f.Metadata()["path"], "b waits for all of design, and so for d")
		_, err = p.create("d", work("design", "c"))
		requireReason(t, err, codes.InvalidArgument, "TASK_CYCLE")
		requireReason(t, p.depend("a", "c"), codes.InvalidArgument, "TASK_CYCLE")
		require.NoError(t, p.depend("b", "a"), "what the stages say already")
		_, err = p.stages.UpdateStage(t.Context(), &implementationv1.UpdateStageRequest{Stage: &implementationv1.Stage{Name: stageName("build"), Predecessors: []string{stageName("design"), stageName("aside")}}})
		requireReason(t, err, codes.InvalidArgument, "TASK_CYCLE")
		_, err = p.tasks.UpdateTask(t.Context(), &implementationv1.UpdateTaskRequest{Task: &implementationv1.Task{Name: taskName("c"), Stage: stageName("design")}})
		requireReason(t, err, codes.InvalidArgument, "TASK_CYCLE")
		closing := p.load("id,stage,predecessors\nd,design,c\n")
		require.Equal(t, []string{"2 predecessors TASK_CYCLE"}, rows(closing))
	})
}

func TestTwoWhoCloseACircleTogetherDoNot(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		p.stage("build")
		for i := range 10 {
			a, b := fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i)
			p.task(a, work("build"))
			p.task(b, work("build"))
			var both sync.WaitGroup
			errs := make([]error, 2)
			both.Go(func() { errs[0] = p.depend(a, b) })
			both.Go(func() { errs[1] = p.depend(b, a) })
			both.Wait()
			require.NotEqual(t, errs[0] == nil, errs[1] == nil, "one of them won: %v, %v", errs[0], errs[1])
		}
	})
}

func TestWhatAPlanRefuses(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		_, err := p.implementations.CreateImplementation(t.Context(), &implementationv1.CreateImplementationRequest{Parent: ws, ImplementationId: "erp", Implementation: &implementationv1.Implementation{}})
		require.NoError(t, err)
		p.stage("build")
		ada := p.resource("ada", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON})
		night := p.resource("night", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON, Calendar: &implementationv1.Calendar{Week: []*implementationv1.WorkingHours{{
			Days: []implementationv1.Weekday{implementationv1.Weekday_SATURDAY}, Start: "20:00", End: "24:00",
		}}}})
		first := work("build")
		first.Assignments = []*implementationv1.Assignment{{Resource: ada}}
		p.task("a", first)
		task := func(change func(t *implementationv1.Task)) func(context.Context) error {
			return func(context.Context) error {
				one := work("build", "a")
				change(one)
				_, err := p.create("new", one)
				return err
			}
		}
		resource := func(r *implementationv1.Resource) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := p.resources.CreateResource(ctx, &implementationv1.CreateResourceRequest{Parent: ws, Resource: r})
				return err
			}
		}
		p.refuses(t, refusing{
			"optimistic above likely":  {codes.InvalidArgument, "ESTIMATE_ORDER", task(func(t *implementationv1.Task) { t.Estimate.OptimisticMinutes = new(int32(500)) })},
			"pessimistic below likely": {codes.InvalidArgument, "ESTIMATE_ORDER", task(func(t *implementationv1.Task) { t.Estimate.PessimisticMinutes = new(int32(479)) })},
			"a milestone that lasts":   {codes.InvalidArgument, "MILESTONE_DURATION", task(func(t *implementationv1.Task) { t.Milestone = true })},
			"a link there twice": {codes.InvalidArgument, "DEPENDENCY_DUPLICATE", task(func(t *implementationv1.Task) {
				t.Dependencies = append(t.Dependencies, &implementationv1.Dependency{Predecessor: taskName("a"), Type: implementationv1.Dependency_FINISH_TO_START, LagMinutes: 5})
			})},
			"a predecessor that does not exist": {codes.InvalidArgument, "REFERENCE_NOT_FOUND", task(func(t *implementationv1.Task) { t.Dependencies[0].Predecessor = taskName("none") })},
			"a predecessor of another plan": {codes.InvalidArgument, "OTHER_IMPLEMENTATION", task(func(t *implementationv1.Task) {
				t.Dependencies[0].Predecessor = ws + "/implementations/erp/tasks/a"
			})},
			"a predecessor of another workspace": {codes.InvalidArgument, "OTHER_WORKSPACE", task(func(t *implementationv1.Task) {
				t.Dependencies[0].Predecessor = "workspaces/other/implementations/crm/tasks/a"
			})},
			"a predecessor that is no task": {codes.InvalidArgument, "INVALID_NAME", task(func(t *implementationv1.Task) { t.Dependencies[0].Predecessor = "a" })},
			"a stage that does not exist":   {codes.InvalidArgument, "REFERENCE_NOT_FOUND", task(func(t *implementationv1.Task) { t.Stage = stageName("none") })},
			"a stage of another plan":       {codes.InvalidArgument, "OTHER_IMPLEMENTATION", task(func(t *implementationv1.Task) { t.Stage = ws + "/implementations/erp/stages/build" })},
			"no stage":                      {codes.InvalidArgument, "REQUIRED_FIELD", task(func(t *implementationv1.Task) { t.Stage = "" })},
			"a resource that does not exist": {codes.InvalidArgument, "REFERENCE_NOT_FOUND", task(func(t *implementationv1.Task) {
				t.Assignments = []*implementationv1.Assignment{{Resource: ws + "/resources/none"}}
			})},
			"a resource twice": {codes.InvalidArgument, "ASSIGNMENT_DUPLICATE", task(func(t *implementationv1.Task) {
				t.Assignments = []*implementationv1.Assignment{{Resource: ada}, {Resource: ada, Units: 2}}
			})},
			"two who never work together": {codes.InvalidArgument, "CALENDAR_IMPOSSIBLE", task(func(t *implementationv1.Task) {
				t.Assignments = []*implementationv1.Assignment{{Resource: ada}, {Resource: night}}
			})},
			"a calendar without a minute":     {codes.InvalidArgument, "CALENDAR_SPAN", resource(&implementationv1.Resource{Kind: implementationv1.Resource_ROLE, Calendar: &implementationv1.Calendar{Week: []*implementationv1.WorkingHours{{Days: []implementationv1.Weekday{1}, Start: "10:00", End: "10:00"}}}})},
			"an absence that ends first":      {codes.InvalidArgument, "ABSENCE_INVALID", resource(&implementationv1.Resource{Kind: implementationv1.Resource_PERSON, Absences: []*implementationv1.Absence{{StartTime: stampOf(p.clock.now()), EndTime: stampOf(p.clock.now())}}})},
			"a person with a capacity of two": {codes.InvalidArgument, "CAPACITY_INVALID", resource(&implementationv1.Resource{Kind: implementationv1.Resource_PERSON, Capacity: 2})},
			"deleting who is assigned": {codes.FailedPrecondition, "RESOURCE_IN_USE", func(ctx context.Context) error {
				_, err := p.resources.DeleteResource(ctx, &implementationv1.DeleteResourceRequest{Name: ada})
				return err
			}},
			"deleting a stage with tasks": {codes.FailedPrecondition, "RESOURCE_IN_USE", func(ctx context.Context) error {
				_, err := p.stages.DeleteStage(ctx, &implementationv1.DeleteStageRequest{Name: stageName("build")})
				return err
			}},
			"deleting an implementation with tasks": {codes.FailedPrecondition, "RESOURCE_IN_USE", func(ctx context.Context) error {
				_, err := p.implementations.DeleteImplementation(ctx, &implementationv1.DeleteImplementationRequest{Name: crm})
				return err
			}},
			"a currency that is none": {codes.InvalidArgument, "INVALID_FIELD", func(ctx context.Context) error {
				_, err := p.implementations.UpdateImplementation(ctx, &implementationv1.UpdateImplementationRequest{Implementation: &implementationv1.Implementation{Name: crm, Currency: "euro"}})
				return err
			}},
			"an environment of another workspace": {codes.InvalidArgument, "OTHER_WORKSPACE", func(ctx context.Context) error {
				_, err := p.implementations.UpdateImplementation(ctx, &implementationv1.UpdateImplementationRequest{Implementation: &implementationv1.Implementation{Name: crm, Environments: []string{"workspaces/other/environments/prod"}}})
				return err
			}},
		})
		p.task("b", work("build", "a"))
		_, err = p.tasks.DeleteTask(t.Context(), &implementationv1.DeleteTaskRequest{Name: taskName("a")})
		requireReason(t, err, codes.FailedPrecondition, "RESOURCE_IN_USE")
		for _, id := range []string{"b", "a"} {
			_, err = p.tasks.DeleteTask(t.Context(), &implementationv1.DeleteTaskRequest{Name: taskName(id)})
			require.NoError(t, err)
		}
		_, err = p.resources.DeleteResource(t.Context(), &implementationv1.DeleteResourceRequest{Name: ada})
		require.NoError(t, err, "nothing is assigned to it any more")
	})
}

func TestStagesWaitForEachOther(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		require.Equal(t, implementationv1.Stage_READY, p.stage("design").GetState())
		require.Equal(t, implementationv1.Stage_PENDING, p.stage("build", "design").GetState())
		p.stage("test", "build")
		_, err := p.stages.UpdateStage(ctx, &implementationv1.UpdateStageRequest{Stage: &implementationv1.Stage{Name: stageName("design"), Predecessors: []string{stageName("test")}}})
		require.Contains(t, requireReason(t, err, codes.InvalidArgument, "STAGE_CYCLE").Message(), "design → build → test → design")
		_, err = p.stages.StartStage(ctx, &implementationv1.StartStageRequest{Name: stageName("build")})
		requireReason(t, err, codes.FailedPrecondition, "STATE_FORBIDS")
		p.task("a", work("design"))

		_, err = p.stages.UpdateStage(ctx, &implementationv1.UpdateStageRequest{Stage: &implementationv1.Stage{Name: stageName("design"), ExitCriteria: []*implementationv1.ExitCriterion{
			{Id: "tasks", Type: &implementationv1.ExitCriterion_TasksDone{TasksDone: &implementationv1.TasksDone{}}},
			{Id: "seen", Type: &implementationv1.ExitCriterion_Confirmation{Confirmation: &implementationv1.PersonConfirms{Owner: "users/sue"}}},
		}}})
		require.NoError(t, err)
		_, err = p.stages.StartStage(ctx, &implementationv1.StartStageRequest{Name: stageName("design")})
		require.NoError(t, err)
		reviewed, err := p.stages.ReviewStage(ctx, &implementationv1.ReviewStageRequest{Name: stageName("design")})
		require.NoError(t, err)
		require.Equal(t, "0 of 1 tasks are done", reviewed.GetResults()[0].GetMessage())
		_, err = p.stages.CompleteStage(ctx, &implementationv1.CompleteStageRequest{Name: stageName("design")})
		require.Len(t, requireReason(t, err, codes.FailedPrecondition, "EXIT_CRITERIA_NOT_MET").Subjects(), 2)

		_, err = p.tasks.CompleteTask(ctx, &implementationv1.CompleteTaskRequest{Name: taskName("a")})
		require.NoError(t, err)
		confirmed, err := p.stages.ConfirmStage(ctx, &implementationv1.ConfirmStageRequest{Name: stageName("design"), Criterion: "seen"})
		require.NoError(t, err)
		require.Equal(t, "users/alice", confirmed.GetConfirmations()[0].GetPerson())
		done, err := p.stages.CompleteStage(ctx, &implementationv1.CompleteStageRequest{Name: stageName("design")})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stage_DONE, done.GetState())
		build, err := p.stages.GetStage(ctx, &implementationv1.GetStageRequest{Name: stageName("build")})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stage_READY, build.GetState(), "what waited for nothing else is ready")
		_, err = p.stages.SkipStage(ctx, &implementationv1.SkipStageRequest{Name: stageName("build"), Reason: "bought instead"})
		require.NoError(t, err)
		last, err := p.stages.GetStage(ctx, &implementationv1.GetStageRequest{Name: stageName("test")})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stage_READY, last.GetState())
	})
}

func TestManyTasksAreOneTransaction(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		p.stage("build")
		req := batch(3)
		slices.Reverse(req.GetRequests()) // predecessors may come later
		req.RequestId = "once"
		made, err := p.tasks.BatchCreateTasks(ctx, req)
		require.NoError(t, err)
		require.Equal(t, taskName("t00002"), made.GetTasks()[0].GetName())
		again, err := p.tasks.BatchCreateTasks(ctx, req)
		require.NoError(t, err)
		require.Equal(t, made.GetTasks()[0].GetUid(), again.GetTasks()[0].GetUid(), "the same request is the same answer")
		bad := func(change func(req *implementationv1.BatchCreateTasksRequest)) func(context.Context) error {
			return func(ctx context.Context) error {
				req := batch(3)
				for _, one := range req.GetRequests() {
					one.TaskId = "n" + one.GetTaskId()
					for _, d := range one.GetTask().GetDependencies() {
						d.Predecessor = taskName("n" + d.GetPredecessor()[len(taskName("")):])
					}
				}
				change(req)
				_, err := p.tasks.BatchCreateTasks(ctx, req)
				return err
			}
		}
		p.refuses(t, refusing{
			"a circle": {codes.InvalidArgument, "TASK_CYCLE", bad(func(req *implementationv1.BatchCreateTasksRequest) {
				req.Requests[0].Task.Dependencies = []*implementationv1.Dependency{{Predecessor: taskName("nt00002")}}
			})},
			"an id twice":         {codes.InvalidArgument, "ALREADY_EXISTS", bad(func(req *implementationv1.BatchCreateTasksRequest) { req.Requests[1].TaskId = "nt00000" })},
			"an id that is taken": {codes.AlreadyExists, "ALREADY_EXISTS", bad(func(req *implementationv1.BatchCreateTasksRequest) { req.Requests[2].TaskId = "t00002" })},
			"an id that is none":  {codes.InvalidArgument, "INVALID_RESOURCE_ID", bad(func(req *implementationv1.BatchCreateTasksRequest) { req.Requests[2].TaskId = "No!" })},
			"another parent": {codes.InvalidArgument, "OTHER_IMPLEMENTATION", bad(func(req *implementationv1.BatchCreateTasksRequest) {
				req.Requests[2].Parent = ws + "/implementations/erp"
			})},
			"an unknown stage":       {codes.InvalidArgument, "REFERENCE_NOT_FOUND", bad(func(req *implementationv1.BatchCreateTasksRequest) { req.Requests[2].Task.Stage = stageName("none") })},
			"an unknown predecessor": {codes.InvalidArgument, "REFERENCE_NOT_FOUND", bad(func(req *implementationv1.BatchCreateTasksRequest) { req.Requests[0].TaskId = "other" })},
			"a plan that does not exist": {codes.NotFound, "RESOURCE_NOT_FOUND", func(ctx context.Context) error {
				req := batch(1)
				req.Parent, req.Requests[0].Task.Stage = ws+"/implementations/none", ws+"/implementations/none/stages/build"
				_, err := p.tasks.BatchCreateTasks(ctx, req)
				return err
			}},
		})
		listed, err := p.tasks.ListTasks(ctx, &implementationv1.ListTasksRequest{Parent: crm, Filter: `stage = "` + stageName("build") + `" AND state = TODO`})
		require.NoError(t, err)
		require.Len(t, listed.GetTasks(), 3)
	})
}

func TestAnImplementationGoesItsWay(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		first, err := p.implementations.GetImplementation(ctx, &implementationv1.GetImplementationRequest{Name: crm})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Implementation_DRAFT, first.GetState())
		_, err = p.implementations.SubmitImplementation(ctx, &implementationv1.SubmitImplementationRequest{Name: crm})
		requireReason(t, err, codes.FailedPrecondition, "BASELINE_MISSING")
		p.stage("build")
		p.task("a", work("build"))
		p.task("b", work("build", "a"))
		_, err = p.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: crm, BaselineId: "first"})
		require.NoError(t, err)
		for _, step := range []struct {
			verb func(context.Context) (*implementationv1.Implementation, error)
			want implementationv1.Implementation_State
		}{
			{func(ctx context.Context) (*implementationv1.Implementation, error) {
				return p.implementations.SubmitImplementation(ctx, &implementationv1.SubmitImplementationRequest{Name: crm})
			}, implementationv1.Implementation_PLANNED},
			{func(ctx context.Context) (*implementationv1.Implementation, error) {
				return p.implementations.StartImplementation(ctx, &implementationv1.StartImplementationRequest{Name: crm})
			}, implementationv1.Implementation_ACTIVE},
			{func(ctx context.Context) (*implementationv1.Implementation, error) {
				return p.implementations.HoldImplementation(ctx, &implementationv1.HoldImplementationRequest{Name: crm, Reason: "budget"})
			}, implementationv1.Implementation_ON_HOLD},
			{func(ctx context.Context) (*implementationv1.Implementation, error) {
				return p.implementations.ResumeImplementation(ctx, &implementationv1.ResumeImplementationRequest{Name: crm})
			}, implementationv1.Implementation_ACTIVE},
		} {
			i, err := step.verb(ctx)
			require.NoError(t, err)
			require.Equal(t, step.want, i.GetState())
		}

		plan := p.plan("sales", p.cohort("sales", 0), time.Time{})
		sustain := &implementationv1.SustainImplementationRequest{Name: crm}
		_, err = p.implementations.SustainImplementation(ctx, sustain)
		require.Contains(t, requireReason(t, err, codes.FailedPrecondition, "NOT_LIVE").Message(), plan)
		_, err = p.plans.RecordGoLive(ctx, &implementationv1.RecordGoLiveRequest{Name: plan, LiveTime: stampOf(p.clock.now().Add(time.Hour))})
		requireReason(t, err, codes.InvalidArgument, "TIME_IN_FUTURE")
		live, err := p.plans.RecordGoLive(ctx, &implementationv1.RecordGoLiveRequest{Name: plan})
		require.NoError(t, err)
		require.Equal(t, p.clock.now(), live.GetLiveTime().AsTime())
		_, err = p.implementations.SustainImplementation(ctx, sustain)
		require.NoError(t, err)

		outcomes := implementationv1.NewOutcomeServiceClient(p.dial("users/alice", adminEverywhere()))
		_, err = outcomes.CreateOutcome(ctx, &implementationv1.CreateOutcomeRequest{Parent: crm, OutcomeId: "faster", Outcome: &implementationv1.Outcome{Metric: "days", BaselineValue: 5, TargetValue: 2}})
		require.NoError(t, err)
		_, err = p.implementations.CompleteImplementation(ctx, &implementationv1.CompleteImplementationRequest{Name: crm})
		requireReason(t, err, codes.FailedPrecondition, "OUTCOME_OPEN")
		gone, err := p.implementations.CancelImplementation(ctx, &implementationv1.CancelImplementationRequest{Name: crm, Reason: "merged"})
		require.NoError(t, err)
		require.Equal(t, "merged", gone.GetStateReason())
		_, err = p.tasks.BatchCreateTasks(ctx, batch(1))
		requireReason(t, err, codes.FailedPrecondition, "STATE_FORBIDS")
		p.nothingMoves(t)
		listed, err := p.implementations.ListImplementations(ctx, &implementationv1.ListImplementationsRequest{Parent: ws, Filter: "state = CANCELLED"})
		require.NoError(t, err)
		require.Len(t, listed.GetImplementations(), 1)
	})
}

// nothingMoves looks whether the plan of an implementation that has ended is let alone by all who work on it.
func (p *planner) nothingMoves(t *testing.T) {
	t.Helper()
	a, build := crm+"/tasks/a", crm+"/stages/build"
	for what, change := range map[string]func(context.Context) error{
		"a task is made": func(ctx context.Context) error {
			_, err := p.tasks.CreateTask(ctx, &implementationv1.CreateTaskRequest{Parent: crm, TaskId: "late", Task: work("build")})
			return err
		},
		"a task is changed": func(ctx context.Context) error {
			_, err := p.tasks.UpdateTask(ctx, &implementationv1.UpdateTaskRequest{Task: &implementationv1.Task{Name: a, Priority: 3}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"priority"}}})
			return err
		},
		"a task is begun": func(ctx context.Context) error {
			_, err := p.tasks.StartTask(ctx, &implementationv1.StartTaskRequest{Name: a})
			return err
		},
		"a stage is made": func(ctx context.Context) error {
			_, err := p.stages.CreateStage(ctx, &implementationv1.CreateStageRequest{Parent: crm, StageId: "late", Stage: &implementationv1.Stage{}})
			return err
		},
		"a stage is begun": func(ctx context.Context) error {
			_, err := p.stages.StartStage(ctx, &implementationv1.StartStageRequest{Name: build})
			return err
		},
	} {
		t.Run("refused when "+what, func(t *testing.T) { requireReason(t, change(t.Context()), codes.FailedPrecondition, "STATE_FORBIDS") })
	}
	_, err := p.tasks.DeleteTask(t.Context(), &implementationv1.DeleteTaskRequest{Name: crm + "/tasks/b"})
	require.NoError(t, err, "it can be cleared away")
}

func TestABaselineIsACopy(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		_, err := p.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: crm})
		requireReason(t, err, codes.FailedPrecondition, "PLAN_EMPTY")
		p.stage("build")
		ada := p.resource("ada", &implementationv1.Resource{Kind: implementationv1.Resource_PERSON, HourlyRateMinor: 6000})
		first := work("build")
		first.Assignments, first.FixedCostMinor = []*implementationv1.Assignment{{Resource: ada}}, 500
		p.task("a", first)
		p.task("b", work("build", "a"))
		made, err := p.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: crm, BaselineId: "first", Note: "agreed"})
		require.NoError(t, err)
		require.Equal(t, "users/alice", made.GetAuthor())
		require.Len(t, made.GetTasks(), 2)
		require.EqualValues(t, 8*6000+500, made.GetTasks()[0].GetCostMinor(), "eight hours at 60.00, and 5.00")
		require.EqualValues(t, 8*6000+500, made.GetCostMinor())
		require.Equal(t, "2026-03-03T17:00:00Z", made.GetEndTime().AsTime().Format(time.RFC3339), "two days from Monday morning")

		require.NoError(t, p.depend("b"))
		again, err := p.baselines.GetBaseline(ctx, &implementationv1.GetBaselineRequest{Name: made.GetName()})
		require.NoError(t, err)
		require.Equal(t, made.GetTasks()[1].GetStartTime().AsTime(), again.GetTasks()[1].GetStartTime().AsTime(), "the plan changed, the copy did not")
		listed, err := p.baselines.ListBaselines(ctx, &implementationv1.ListBaselinesRequest{Parent: crm})
		require.NoError(t, err)
		require.Empty(t, listed.GetBaselines()[0].GetTasks(), "lists are small")
		i, err := p.implementations.GetImplementation(ctx, &implementationv1.GetImplementationRequest{Name: crm})
		require.NoError(t, err)
		require.Equal(t, made.GetName(), i.GetCurrentBaseline())
		_, err = p.baselines.DeleteBaseline(ctx, &implementationv1.DeleteBaselineRequest{Name: made.GetName()})
		requireReason(t, err, codes.FailedPrecondition, "RESOURCE_IN_USE")
		second, err := p.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: crm})
		require.NoError(t, err)
		choose := func(name string) error {
			_, err := p.implementations.UpdateImplementation(ctx, &implementationv1.UpdateImplementationRequest{
				Implementation: &implementationv1.Implementation{Name: crm, CurrentBaseline: name}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"current_baseline"}},
			})
			return err
		}
		require.NoError(t, choose(made.GetName()))
		requireReason(t, choose(crm+"/baselines/none"), codes.InvalidArgument, "REFERENCE_NOT_FOUND")
		_, err = p.baselines.DeleteBaseline(ctx, &implementationv1.DeleteBaselineRequest{Name: second.GetName()})
		require.NoError(t, err)
	})
}

func TestATemplateBecomesAPlan(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		listed, err := p.templates.ListPlanTemplates(ctx, &implementationv1.ListPlanTemplatesRequest{Parent: ws, PageSize: 2})
		require.NoError(t, err)
		require.Len(t, listed.GetPlanTemplates(), 2)
		rest, err := p.templates.ListPlanTemplates(ctx, &implementationv1.ListPlanTemplatesRequest{Parent: ws, PageSize: 2, PageToken: listed.GetNextPageToken()})
		require.NoError(t, err)
		require.Len(t, rest.GetPlanTemplates(), 1)
		require.Empty(t, rest.GetNextPageToken())
		apply := &implementationv1.ApplyTemplateRequest{
			Implementation: crm, Template: "software-rollout", StartTime: timestamppb.New(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)), Owners: map[string]string{"training": "users/tom"},
		}
		for reason, change := range map[string]func(*implementationv1.ApplyTemplateRequest){
			"TEMPLATE_NOT_FOUND": func(r *implementationv1.ApplyTemplateRequest) { r.Template = "none" },
			"ROLE_UNKNOWN":       func(r *implementationv1.ApplyTemplateRequest) { r.Owners = map[string]string{"cook": "users/tom"} },
			"RESOURCE_NOT_FOUND": func(r *implementationv1.ApplyTemplateRequest) { r.Implementation = ws + "/implementations/none" },
		} {
			bad := &implementationv1.ApplyTemplateRequest{Implementation: crm, Template: "software-rollout"}
			change(bad)
			_, err := p.templates.ApplyTemplate(ctx, bad)
			require.Error(t, err)
			require.Equal(t, reason, faultReason(err))
		}
		made, err := p.templates.ApplyTemplate(ctx, apply)
		require.NoError(t, err)
		require.EqualValues(t, 6, made.GetStageCount())
		train, err := p.tasks.GetTask(ctx, &implementationv1.GetTaskRequest{Name: taskName("train")})
		require.NoError(t, err)
		require.Equal(t, "users/tom", train.GetOwner())
		decision, err := p.tasks.GetTask(ctx, &implementationv1.GetTaskRequest{Name: taskName("go-decision")})
		require.NoError(t, err)
		require.Equal(t, "users/sue", decision.GetOwner(), "the sponsor decides")
		before := p.told()
		_, err = p.templates.ApplyTemplate(ctx, apply)
		requireReason(t, err, codes.AlreadyExists, "ALREADY_EXISTS")
		require.Equal(t, before, p.told())
		_, err = p.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: crm})
		require.NoError(t, err, "it can be scheduled")
		_, err = p.implementations.SubmitImplementation(ctx, &implementationv1.SubmitImplementationRequest{Name: crm})
		require.NoError(t, err, "it has no errors")
	})
}

func TestAnImplementationGoesWithWhatWasComputedOfIt(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *planner) {
		ctx := t.Context()
		p.stage("build")
		p.task("a", work("build"))
		made, err := p.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: crm})
		require.NoError(t, err)
		remove := func() error {
			_, err := p.implementations.DeleteImplementation(ctx, &implementationv1.DeleteImplementationRequest{Name: crm})
			return err
		}
		requireReason(t, remove(), codes.FailedPrecondition, "RESOURCE_IN_USE")
		_, err = p.tasks.DeleteTask(ctx, &implementationv1.DeleteTaskRequest{Name: taskName("a")})
		require.NoError(t, err)
		_, err = p.stages.DeleteStage(ctx, &implementationv1.DeleteStageRequest{Name: stageName("build")})
		require.NoError(t, err)
		require.NoError(t, remove())
		_, err = p.baselines.GetBaseline(ctx, &implementationv1.GetBaselineRequest{Name: made.GetName()})
		requireReason(t, err, codes.NotFound, "RESOURCE_NOT_FOUND")
	})
}
