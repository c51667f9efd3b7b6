package implementation_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
)

// waiters is a world in which things wait, each in an implementation of its own.
type waiters struct {
	*planner
	waiting    waitingv1.WaitingServiceClient
	decisions  implementationv1.DecisionServiceClient
	challenges implementationv1.ChallengeServiceClient
	outcomes   implementationv1.OutcomeServiceClient
}

func eachWaiting(t *testing.T, test func(t *testing.T, w *waiters)) {
	t.Helper()
	eachPlan(t, func(t *testing.T, p *planner) {
		w := &waiters{planner: p}
		w.connectAs("users/alice", auth.Admin)
		test(t, w)
	})
}

func (w *waiters) connectAs(name string, role auth.Role) {
	conn := w.dial(name, map[string][]auth.Role{auth.AllWorkspaces: {role}})
	w.waiting = waitingv1.NewWaitingServiceClient(conn)
	w.decisions = implementationv1.NewDecisionServiceClient(conn)
	w.challenges = implementationv1.NewChallengeServiceClient(conn)
	w.outcomes = implementationv1.NewOutcomeServiceClient(conn)
}

// done wants no error.
func done[M any](t *testing.T) func(M, error) M {
	t.Helper()
	return func(m M, err error) M {
		t.Helper()
		require.NoError(t, err)
		return m
	}
}

// implementation makes one with a stage and a task, and takes it as far as a state.
func (w *waiters) implementation(t *testing.T, id string, to implementationv1.Implementation_State) string {
	t.Helper()
	ctx, ok := t.Context(), done[*implementationv1.Implementation](t)
	i := ok(w.implementations.CreateImplementation(ctx, &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: id, Implementation: &implementationv1.Implementation{Owner: "users/oz", Sponsor: "users/sue", Currency: "EUR"},
	}))
	name := i.GetName()
	if to == implementationv1.Implementation_DRAFT {
		return name
	}
	w.stageIn(t, name, "base")
	w.taskIn(t, name, "base", "first")
	done[*implementationv1.Baseline](t)(w.baselines.CaptureBaseline(ctx, &implementationv1.CaptureBaselineRequest{Parent: name}))
	for _, step := range []struct {
		to   implementationv1.Implementation_State
		verb func() (*implementationv1.Implementation, error)
	}{
		{implementationv1.Implementation_PLANNED, func() (*implementationv1.Implementation, error) {
			return w.implementations.SubmitImplementation(ctx, &implementationv1.SubmitImplementationRequest{Name: name})
		}},
		{implementationv1.Implementation_ACTIVE, func() (*implementationv1.Implementation, error) {
			return w.implementations.StartImplementation(ctx, &implementationv1.StartImplementationRequest{Name: name})
		}},
		{implementationv1.Implementation_SUSTAINING, func() (*implementationv1.Implementation, error) {
			return w.implementations.SustainImplementation(ctx, &implementationv1.SustainImplementationRequest{Name: name})
		}},
		{implementationv1.Implementation_CLOSED, func() (*implementationv1.Implementation, error) {
			return w.implementations.CompleteImplementation(ctx, &implementationv1.CompleteImplementationRequest{Name: name})
		}},
	} {
		switch to {
		case implementationv1.Implementation_CANCELLED:
			ok(w.implementations.CancelImplementation(ctx, &implementationv1.CancelImplementationRequest{Name: name, Reason: "no money"}))
			return name
		case implementationv1.Implementation_ON_HOLD:
			if step.to == implementationv1.Implementation_SUSTAINING {
				ok(w.implementations.HoldImplementation(ctx, &implementationv1.HoldImplementationRequest{Name: name, Reason: "no money"}))
				return name
			}
		default:
		}
		ok(step.verb())
		if step.to == to {
			break
		}
	}
	return name
}

func (w *waiters) stageIn(t *testing.T, plan, id string, after ...string) string {
	t.Helper()
	s := &implementationv1.Stage{}
	for _, one := range after {
		s.Predecessors = append(s.Predecessors, plan+"/stages/"+one)
	}
	return done[*implementationv1.Stage](t)(w.stages.CreateStage(t.Context(), &implementationv1.CreateStageRequest{Parent: plan, StageId: id, Stage: s})).GetName()
}

func (w *waiters) taskIn(t *testing.T, plan, stage, id string) string {
	t.Helper()
	return done[*implementationv1.Task](t)(w.tasks.CreateTask(t.Context(), &implementationv1.CreateTaskRequest{Parent: plan, TaskId: id, Task: &implementationv1.Task{
		Stage: plan + "/stages/" + stage, Owner: "users/tess", Estimate: days(1),
	}})).GetName()
}

// begin starts a stage that is READY.
func (w *waiters) begin(t *testing.T, stage string) {
	t.Helper()
	done[*implementationv1.Stage](t)(w.stages.StartStage(t.Context(), &implementationv1.StartStageRequest{Name: stage}))
}

// moments is how a thing comes to a state, by the number of the state. A state that is not among them fails the test.
type moments[S ~int32] map[S]struct {
	make func(t *testing.T, plan string) (name string)
	// listed says that ListWaiting has it, waits that it has reasons at all.
	listed, waits bool
}

// walk makes each state that the contract declares, and looks at it in each of the three ways.
func walk[S interface {
	~int32
	protoreflect.Enum
}](t *testing.T, w *waiters, kind string, all moments[S], get func(ctx context.Context, name string) ([]*gatev1.BlockedBy, error)) {
	t.Helper()
	var zero S
	values := zero.Descriptor().Values()
	for i := range values.Len() {
		number := values.Get(i).Number()
		if number == 0 {
			continue
		}
		state := string(values.Get(i).Name())
		moment, known := all[S(number)]
		require.True(t, known, "the %s state %s has no case here: say whether somebody waits in it", kind, state)
		t.Run(kind+" "+state, func(t *testing.T) {
			plan := ""
			if kind != "implementation" {
				plan = w.implementation(t, strings.ToLower(kind)+"-"+strings.ToLower(strings.ReplaceAll(state, "_", "-")), implementationv1.Implementation_ACTIVE)
			}
			name := moment.make(t, plan)
			e, err := w.waiting.ExplainWaiting(t.Context(), &waitingv1.ExplainWaitingRequest{Resource: name})
			require.NoError(t, err)
			require.Equal(t, name, e.GetWaiting().GetResource())
			require.Equal(t, kind, e.GetWaiting().GetKind())
			if !moment.waits {
				require.Empty(t, e.GetWaiting().GetBlockedBy())
			} else {
				whole(t, e.GetWaiting())
			}
			listed := w.listed(t, name)
			require.Equal(t, moment.listed, listed != nil, "listed")
			if listed != nil {
				whole(t, listed)
				require.Equal(t, state, listed.GetState())
				require.True(t, proto.Equal(e.GetWaiting().GetSince(), listed.GetSince()), "since %v and %v", e.GetWaiting().GetSince(), listed.GetSince())
			}
			if get == nil {
				return
			}
			blocked, err := get(t.Context(), name)
			require.NoError(t, err)
			require.Equal(t, moment.listed, len(blocked) > 0, "blocked_by when it is read")
		})
	}
}

// listed finds one thing in the whole list, in small pages.
func (w *waiters) listed(t *testing.T, name string) (found *waitingv1.Waiting) {
	t.Helper()
	req := &waitingv1.ListWaitingRequest{Parent: ws, PageSize: 7}
	for {
		page, err := w.waiting.ListWaiting(t.Context(), req)
		require.NoError(t, err)
		for _, one := range page.GetWaiting() {
			if one.GetResource() == name {
				require.Nil(t, found, "it is listed twice")
				found = one
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			return found
		}
	}
}

// whole wants reasons, and each of them complete.
func whole(t *testing.T, w *waitingv1.Waiting) {
	t.Helper()
	require.NotEmpty(t, w.GetBlockedBy(), "%s waits without a reason", w.GetResource())
	require.NotEmpty(t, w.GetState())
	require.NotEmpty(t, w.GetOwner())
	require.NotEmpty(t, w.GetGroup())
	require.NotNil(t, w.GetSince())
	for _, b := range w.GetBlockedBy() {
		require.NotZero(t, b.GetKind(), "%v", b)
		require.NotEmpty(t, b.GetResource(), "%v", b)
		require.NotEmpty(t, b.GetCurrent(), "%v", b)
		require.NotEmpty(t, b.GetRequired(), "%v", b)
		require.NotEmpty(t, b.GetOwner(), "%v", b)
		require.NotNil(t, b.GetSince(), "%v", b)
		require.True(t, strings.HasPrefix(b.GetCommand(), "golive "), "%v", b)
	}
}

func TestNothingWaitsWithoutAReason(t *testing.T) {
	eachWaiting(t, func(t *testing.T, w *waiters) {
		w.implementationsWait(t)
		w.stagesWait(t)
		w.tasksWait(t)
		w.decisionsWait(t)
		w.challengesWait(t)
	})
}

func (w *waiters) implementationsWait(t *testing.T) {
	t.Helper()
	type states = implementationv1.Implementation_State
	all := moments[states]{}
	for state, waits := range map[states][2]bool{ // listed, waits
		implementationv1.Implementation_DRAFT: {true, true}, implementationv1.Implementation_PLANNED: {true, true}, implementationv1.Implementation_ACTIVE: {false, true},
		implementationv1.Implementation_SUSTAINING: {true, true}, implementationv1.Implementation_ON_HOLD: {true, true},
		implementationv1.Implementation_CLOSED: {}, implementationv1.Implementation_CANCELLED: {},
	} {
		entry := all[state]
		entry.listed, entry.waits = waits[0], waits[1]
		entry.make = func(t *testing.T, _ string) string {
			t.Helper()
			return w.implementation(t, "as-"+strings.ToLower(strings.ReplaceAll(state.String(), "_", "-")), state)
		}
		all[state] = entry
	}
	walk(t, w, "implementation", all, nil)
}

func (w *waiters) stagesWait(t *testing.T) {
	t.Helper()
	ok := done[*implementationv1.Stage](t)
	ready := func(t *testing.T, plan string) string { t.Helper(); return w.stageIn(t, plan, "it") }
	active := func(t *testing.T, plan string) string {
		t.Helper()
		name := ready(t, plan)
		w.begin(t, name)
		return name
	}
	review := func(t *testing.T, plan string) string {
		t.Helper()
		name := active(t, plan)
		ok(w.stages.ReviewStage(t.Context(), &implementationv1.ReviewStageRequest{Name: name}))
		return name
	}
	walk(t, w, "stage", moments[implementationv1.Stage_State]{
		implementationv1.Stage_PENDING:     {make: func(t *testing.T, plan string) string { t.Helper(); return w.stageIn(t, plan, "it", "base") }, listed: true, waits: true},
		implementationv1.Stage_READY:       {make: ready, listed: true, waits: true},
		implementationv1.Stage_ACTIVE:      {make: active, waits: true}, // its tasks are listed
		implementationv1.Stage_GATE_REVIEW: {make: review, listed: true, waits: true},
		implementationv1.Stage_DONE: {make: func(t *testing.T, plan string) string {
			t.Helper()
			name := review(t, plan)
			ok(w.stages.CompleteStage(t.Context(), &implementationv1.CompleteStageRequest{Name: name}))
			return name
		}},
		implementationv1.Stage_SKIPPED: {make: func(t *testing.T, plan string) string {
			t.Helper()
			name := ready(t, plan)
			ok(w.stages.SkipStage(t.Context(), &implementationv1.SkipStageRequest{Name: name, Reason: "not needed"}))
			return name
		}},
		implementationv1.Stage_CANCELLED: {make: func(t *testing.T, plan string) string {
			t.Helper()
			name := ready(t, plan)
			ok(w.stages.CancelStage(t.Context(), &implementationv1.CancelStageRequest{Name: name, Reason: "not needed"}))
			return name
		}},
	}, func(ctx context.Context, name string) ([]*gatev1.BlockedBy, error) {
		s, err := w.stages.GetStage(ctx, &implementationv1.GetStageRequest{Name: name})
		return s.GetBlockedBy(), err
	})
}

func (w *waiters) tasksWait(t *testing.T) {
	t.Helper()
	ok := done[*implementationv1.Task](t)
	todo := func(t *testing.T, plan string) string {
		t.Helper()
		w.begin(t, plan+"/stages/base")
		return plan + "/tasks/first"
	}
	started := func(t *testing.T, plan string) string {
		t.Helper()
		name := todo(t, plan)
		ok(w.tasks.StartTask(t.Context(), &implementationv1.StartTaskRequest{Name: name}))
		return name
	}
	walk(t, w, "task", moments[implementationv1.Task_State]{
		implementationv1.Task_TODO: {make: todo, listed: true, waits: true},
		implementationv1.Task_IN_PROGRESS: {make: func(t *testing.T, plan string) string { // overdue
			t.Helper()
			name := started(t, plan)
			ok(w.tasks.UpdateTask(t.Context(), &implementationv1.UpdateTaskRequest{Task: &implementationv1.Task{Name: name, Deadline: timestamppb.New(w.clock.now().Add(-time.Hour))}}))
			return name
		}, listed: true, waits: true},
		implementationv1.Task_DONE: {make: func(t *testing.T, plan string) string {
			t.Helper()
			name := started(t, plan)
			ok(w.tasks.CompleteTask(t.Context(), &implementationv1.CompleteTaskRequest{Name: name}))
			return name
		}},
		implementationv1.Task_CANCELLED: {make: func(t *testing.T, plan string) string {
			t.Helper()
			name := todo(t, plan)
			ok(w.tasks.CancelTask(t.Context(), &implementationv1.CancelTaskRequest{Name: name, Reason: "not needed"}))
			return name
		}},
	}, nil) // what can begin has no reason of its own when it is read; that somebody begins it is said by what waits

	t.Run("a task that depends on another names it when it is read too", func(t *testing.T) {
		plan := w.implementation(t, "depends", implementationv1.Implementation_ACTIVE)
		w.begin(t, plan+"/stages/base")
		second := w.taskIn(t, plan, "base", "second")
		after := ok(w.tasks.UpdateTask(t.Context(), &implementationv1.UpdateTaskRequest{Task: &implementationv1.Task{
			Name: second, Dependencies: []*implementationv1.Dependency{{Predecessor: plan + "/tasks/first"}},
		}}))
		read := ok(w.tasks.GetTask(t.Context(), &implementationv1.GetTaskRequest{Name: after.GetName()}))
		require.Equal(t, plan+"/tasks/first", read.GetBlockedBy()[0].GetResource())
		listed := w.listed(t, second)
		require.Equal(t, plan+"/tasks/first", listed.GetBlockedBy()[0].GetResource())
		require.Equal(t, "users/tess", listed.GetOwner())
		e, err := w.waiting.ExplainWaiting(t.Context(), &waitingv1.ExplainWaitingRequest{Resource: second})
		require.NoError(t, err)
		require.Equal(t, []string{plan + "/tasks/first", plan + "/stages/base"}, e.GetDependsOn())
	})
}

func (w *waiters) decisionsWait(t *testing.T) {
	t.Helper()
	ok := done[*implementationv1.Decision](t)
	pending := func(t *testing.T, plan string) string {
		t.Helper()
		return ok(w.decisions.CreateDecision(t.Context(), &implementationv1.CreateDecisionRequest{
			Parent: plan, DecisionId: "it", Decision: &implementationv1.Decision{DisplayName: "Does it go live?", CohortPlans: []string{w.ready(t, plan)}},
		})).GetName()
	}
	take := func(outcome implementationv1.Decision_Outcome) func(t *testing.T, plan string) string {
		return func(t *testing.T, plan string) string {
			t.Helper()
			req := &implementationv1.DecideDecisionRequest{Name: pending(t, plan), Reason: "as discussed", Outcome: outcome}
			if outcome == implementationv1.Decision_OUTCOME_CONDITIONAL_GO {
				req.Conditions = []*implementationv1.DecisionCondition{{
					Id: "rest", DisplayName: "train the rest", Owner: "users/tess", DueTime: timestamppb.New(w.clock.now().Add(48 * time.Hour)),
				}}
			}
			return ok(w.decisions.DecideDecision(t.Context(), req)).GetName()
		}
	}
	walk(t, w, "decision", moments[implementationv1.Decision_State]{
		implementationv1.Decision_PENDING:        {make: pending, listed: true, waits: true},
		implementationv1.Decision_GO:             {make: take(implementationv1.Decision_OUTCOME_GO)},
		implementationv1.Decision_CONDITIONAL_GO: {make: take(implementationv1.Decision_OUTCOME_CONDITIONAL_GO), listed: true, waits: true},
		implementationv1.Decision_NO_GO:          {make: take(implementationv1.Decision_OUTCOME_NO_GO)},
		implementationv1.Decision_EXPIRED: {make: func(t *testing.T, plan string) string {
			t.Helper()
			name := ok(w.decisions.DecideDecision(t.Context(), &implementationv1.DecideDecisionRequest{
				Name: pending(t, plan), Reason: "as discussed", Outcome: implementationv1.Decision_OUTCOME_GO, ExpireTime: timestamppb.New(w.clock.now().Add(time.Minute)),
			})).GetName()
			w.clock.advance(time.Hour)
			require.Eventually(t, func() bool {
				d := ok(w.decisions.GetDecision(t.Context(), &implementationv1.GetDecisionRequest{Name: name}))
				return d.GetState() == implementationv1.Decision_EXPIRED
			}, 30*time.Second, 20*time.Millisecond)
			return name
		}, listed: true, waits: true},
		implementationv1.Decision_WITHDRAWN: {make: func(t *testing.T, plan string) string {
			t.Helper()
			return ok(w.decisions.WithdrawDecision(t.Context(), &implementationv1.WithdrawDecisionRequest{Name: pending(t, plan), Reason: "asked anew"})).GetName()
		}},
	}, func(ctx context.Context, name string) ([]*gatev1.BlockedBy, error) {
		d, err := w.decisions.GetDecision(ctx, &implementationv1.GetDecisionRequest{Name: name})
		return d.GetBlockedBy(), err
	})
}

// ready is a cohort plan whose people are ready.
func (w *waiters) ready(t *testing.T, plan string) string {
	t.Helper()
	id := plan[strings.LastIndexByte(plan, '/')+1:]
	training := w.training("for-"+id, 0)
	cohort := w.cohort("of-"+id, 1)
	w.complete(training, 0, 1)
	return done[*implementationv1.CohortPlan](t)(w.plans.CreateCohortPlan(t.Context(), &implementationv1.CreateCohortPlanRequest{
		Parent: plan, CohortPlanId: "ready", CohortPlan: &implementationv1.CohortPlan{
			Cohort: cohort, ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{{
				Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{Trainings: []string{training}}},
			}}},
		},
	})).GetName()
}

func (w *waiters) challengesWait(t *testing.T) {
	t.Helper()
	ok := done[*implementationv1.Challenge](t)
	open := func(t *testing.T, plan string) string {
		t.Helper()
		return ok(w.challenges.CreateChallenge(t.Context(), &implementationv1.CreateChallengeRequest{
			Parent: plan, ChallengeId: "it", Challenge: &implementationv1.Challenge{DisplayName: "No time", Class: implementationv1.Challenge_RESOURCES, DeclaredCritical: true},
		})).GetName()
	}
	resolved := func(t *testing.T, plan string) string {
		t.Helper()
		name := open(t, plan)
		ok(w.challenges.MitigateChallenge(t.Context(), &implementationv1.MitigateChallengeRequest{Name: name, Mitigation: "hire"}))
		return ok(w.challenges.ResolveChallenge(t.Context(), &implementationv1.ResolveChallengeRequest{Name: name, Reason: "hired"})).GetName()
	}
	walk(t, w, "challenge", moments[implementationv1.Challenge_State]{
		implementationv1.Challenge_SUGGESTED: {make: func(t *testing.T, plan string) string { t.Helper(); return w.suggested(t, plan) }, listed: true, waits: true},
		implementationv1.Challenge_OPEN:      {make: open, listed: true, waits: true},
		implementationv1.Challenge_MITIGATING: {make: func(t *testing.T, plan string) string {
			t.Helper()
			return ok(w.challenges.MitigateChallenge(t.Context(), &implementationv1.MitigateChallengeRequest{Name: open(t, plan), Mitigation: "hire"})).GetName()
		}, listed: true, waits: true},
		implementationv1.Challenge_RESOLVED: {make: resolved},
		implementationv1.Challenge_CLOSED: {make: func(t *testing.T, plan string) string {
			t.Helper()
			return ok(w.challenges.CloseChallenge(t.Context(), &implementationv1.CloseChallengeRequest{Name: resolved(t, plan)})).GetName()
		}},
		implementationv1.Challenge_DISMISSED: {make: func(t *testing.T, plan string) string {
			t.Helper()
			return ok(w.challenges.DismissChallenge(t.Context(), &implementationv1.DismissChallengeRequest{Name: w.suggested(t, plan), Reason: "none"})).GetName()
		}},
		implementationv1.Challenge_ACCEPTED: {make: func(t *testing.T, plan string) string {
			t.Helper()
			name := ok(w.challenges.AcceptChallenge(t.Context(), &implementationv1.AcceptChallengeRequest{
				Name: open(t, plan), Reason: "we live with it", Owner: "users/tess", ReviewDate: w.clock.now().Add(48 * time.Hour).Format(time.DateOnly),
			})).GetName()
			require.Nil(t, w.listed(t, name), "before its review nobody has to act")
			w.clock.advance(72 * time.Hour)
			return name
		}, listed: true, waits: true},
	}, nil)
}

// suggested is a challenge that a detector found: a go-live in the quarter's end of its people.
func (w *waiters) suggested(t *testing.T, plan string) string {
	t.Helper()
	ctx, id := t.Context(), plan[strings.LastIndexByte(plan, '/')+1:]
	cohort := w.cohort("of-"+id, 20)
	goLive := w.clock.now().Add(90 * 24 * time.Hour)
	_, err := w.cohorts.UpdateCohort(ctx, &implementationv1.UpdateCohortRequest{Cohort: &implementationv1.Cohort{Name: cohort, Blackouts: []*implementationv1.Blackout{
		{StartDate: goLive.Add(-24 * time.Hour).Format(time.DateOnly), EndDate: goLive.Add(48 * time.Hour).Format(time.DateOnly), Reason: "quarter end"},
	}}})
	require.NoError(t, err)
	_, err = w.plans.CreateCohortPlan(ctx, &implementationv1.CreateCohortPlanRequest{Parent: plan, CohortPlanId: "busy", CohortPlan: &implementationv1.CohortPlan{
		Cohort: cohort, GoLiveTime: timestamppb.New(goLive),
	}})
	require.NoError(t, err)
	detectors := implementationv1.NewSignalServiceClient(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
	var suggested []string
	for range 2 {
		w.clock.advance(7 * 24 * time.Hour)
		answer, err := detectors.RunDetectors(ctx, &implementationv1.RunDetectorsRequest{Name: plan})
		require.NoError(t, err)
		suggested = append(suggested, answer.GetSuggested()...)
	}
	require.NotEmpty(t, suggested)
	return suggested[0]
}

func TestACohortWaitsForItsPeopleAndThenForItsDay(t *testing.T) {
	eachWaiting(t, func(t *testing.T, w *waiters) {
		ctx := t.Context()
		training := w.training("basics", 0)
		plan := w.plan("sales", w.cohort("sales", 10), w.clock.now().Add(48*time.Hour), training)
		listed := w.listed(t, plan)
		whole(t, listed)
		require.Equal(t, "WAIT", listed.GetState())
		require.Equal(t, training, listed.GetBlockedBy()[0].GetResource())
		require.Equal(t, crm, listed.GetGroup())

		w.complete(training, 0, 10)
		e, err := w.waiting.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: plan})
		require.NoError(t, err)
		require.Equal(t, gatev1.BlockedBy_DATE, e.GetWaiting().GetBlockedBy()[0].GetKind())
		require.NotNil(t, e.GetWaiting().GetEta())
		whole(t, e.GetWaiting())
		w.clock.advance(72 * time.Hour)
		e, err = w.waiting.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: plan})
		require.NoError(t, err)
		require.Equal(t, "golive implementation live "+plan, e.GetWaiting().GetBlockedBy()[0].GetCommand())
		_, err = w.plans.RecordGoLive(ctx, &implementationv1.RecordGoLiveRequest{Name: plan})
		require.NoError(t, err)
		e, err = w.waiting.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: plan})
		require.NoError(t, err)
		require.Empty(t, e.GetWaiting().GetBlockedBy())
		require.Nil(t, w.listed(t, plan))

		// A critical challenge holds the readiness of what is to come, and is named by what depends on it.
		critical, err := w.challenges.CreateChallenge(ctx, &implementationv1.CreateChallengeRequest{
			Parent: crm, Challenge: &implementationv1.Challenge{DisplayName: "No laptops", Class: implementationv1.Challenge_TECHNICAL, DeclaredCritical: true},
		})
		require.NoError(t, err)
		later := w.plan("later", ws+"/cohorts/sales", time.Time{}, training)
		e, err = w.waiting.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: later})
		require.NoError(t, err)
		require.Contains(t, e.GetDependsOn(), critical.GetName())
	})
}

func TestAnOutcomeWaitsOnceItIsDue(t *testing.T) {
	eachWaiting(t, func(t *testing.T, w *waiters) {
		o, err := w.outcomes.CreateOutcome(t.Context(), &implementationv1.CreateOutcomeRequest{Parent: crm, OutcomeId: "faster", Outcome: &implementationv1.Outcome{
			Metric: "minutes", BaselineValue: 20, TargetValue: 10, DueTime: timestamppb.New(w.clock.now().Add(24 * time.Hour)),
		}})
		require.NoError(t, err)
		require.Nil(t, w.listed(t, o.GetName()))
		w.clock.advance(25 * time.Hour)
		listed := w.listed(t, o.GetName())
		whole(t, listed)
		require.Equal(t, "users/oz", listed.GetOwner(), "who leads the implementation answers for what nobody else does")
		require.True(t, proto.Equal(o.GetDueTime(), listed.GetSince()))
		_, err = w.outcomes.DecideOutcome(t.Context(), &implementationv1.DecideOutcomeRequest{Name: o.GetName(), Verdict: implementationv1.Outcome_WAIVED, Reason: "no longer wanted", RemainingOwner: "users/oz"})
		require.NoError(t, err)
		require.Nil(t, w.listed(t, o.GetName()))
	})
}

func TestWhatWaitsIsSelectedAndOrdered(t *testing.T) {
	eachWaiting(t, func(t *testing.T, w *waiters) {
		ctx := t.Context()
		first := w.implementation(t, "first", implementationv1.Implementation_ACTIVE)
		w.clock.advance(time.Hour)
		second := w.implementation(t, "second", implementationv1.Implementation_ACTIVE)
		w.begin(t, first+"/stages/base")
		w.stageIn(t, first, "other", "base")
		w.clock.advance(time.Hour)
		w.begin(t, second+"/stages/base")
		names := func(req *waitingv1.ListWaitingRequest) (all []string) {
			req.Parent, req.PageSize = ws, 2
			for {
				page, err := w.waiting.ListWaiting(ctx, req)
				require.NoError(t, err)
				for _, one := range page.GetWaiting() {
					all = append(all, strings.TrimPrefix(one.GetResource(), ws+"/implementations/"))
				}
				if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
					return all
				}
			}
		}
		require.Equal(t, []string{"crm", "first/stages/other", "first/tasks/first", "second/tasks/first"}, names(&waitingv1.ListWaitingRequest{}))
		require.Equal(t, []string{"second/tasks/first", "first/tasks/first", "first/stages/other", "crm"}, names(&waitingv1.ListWaitingRequest{OrderBy: "since desc"}))
		require.Equal(t, []string{"crm", "first/stages/other", "first/tasks/first", "second/tasks/first"}, names(&waitingv1.ListWaitingRequest{OrderBy: "owner"}), "oz before tess")
		require.Equal(t, []string{"first/tasks/first", "second/tasks/first"}, names(&waitingv1.ListWaitingRequest{Kinds: []string{"task"}}))
		require.Equal(t, []string{"second/tasks/first"}, names(&waitingv1.ListWaitingRequest{Kinds: []string{"task"}, Group: second}))
		require.Equal(t, []string{"crm", "first/stages/other"}, names(&waitingv1.ListWaitingRequest{Owner: "users/oz"}))
		require.Empty(t, names(&waitingv1.ListWaitingRequest{Kinds: []string{"wave"}}), "a kind of the other service")
		require.Empty(t, names(&waitingv1.ListWaitingRequest{Group: ws + "/applications/crm"}))

		page, err := w.waiting.ListWaiting(ctx, &waitingv1.ListWaitingRequest{Parent: ws, PageSize: 1})
		require.NoError(t, err)
		for what, req := range map[string]*waitingv1.ListWaitingRequest{
			"PAGE_TOKEN_MISMATCH": {Parent: ws, PageToken: page.GetNextPageToken(), Owner: "users/oz"}, "INVALID_PAGE_TOKEN": {Parent: ws, PageToken: "none"},
		} {
			_, err = w.waiting.ListWaiting(ctx, req)
			requireReason(t, err, codes.InvalidArgument, what)
		}
		_, err = w.waiting.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: ws + "/trainings/basics"})
		requireReason(t, err, codes.InvalidArgument, "WAITING_UNSUPPORTED")
		_, err = w.waiting.ExplainWaiting(ctx, &waitingv1.ExplainWaitingRequest{Resource: crm + "/stages/nothing"})
		require.Equal(t, fault.KindNotFound, fault.KindOf(err))

		w.connectAs("users/vic", auth.Viewer)
		_, err = w.waiting.ListWaiting(ctx, &waitingv1.ListWaitingRequest{Parent: ws})
		require.NoError(t, err, "whoever may read may see what waits")
	})
}
