package lifecycle_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

// requireForbidden wants a refusal that names the states from which the event could come, and nothing changed.
func requireForbidden[M proto.Message](t *testing.T, err error, before, after M) {
	t.Helper()
	require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(err))
	require.True(t, fault.Is(err, fault.KindPrecondition))
	require.Contains(t, fault.From(err).Message(), "only from ")
	require.True(t, proto.Equal(before, after), "a refusal changes nothing")
}

func TestImplementationEveryStateByEveryEvent(t *testing.T) {
	type state = implementationv1.Implementation_State
	const (
		old        = implementationv1.Implementation_STATE_UNSPECIFIED
		draft      = implementationv1.Implementation_DRAFT
		planned    = implementationv1.Implementation_PLANNED
		active     = implementationv1.Implementation_ACTIVE
		sustaining = implementationv1.Implementation_SUSTAINING
		closed     = implementationv1.Implementation_CLOSED
		onHold     = implementationv1.Implementation_ON_HOLD
		cancelled  = implementationv1.Implementation_CANCELLED
	)
	legal := map[lifecycle.ImplementationEvent]map[state]state{
		lifecycle.ImplementationSubmitted: {old: planned, draft: planned},
		lifecycle.ImplementationStarted:   {planned: active},
		lifecycle.ImplementationHeld:      {active: onHold, sustaining: onHold},
		lifecycle.ImplementationResumed:   {onHold: sustaining},
		lifecycle.ImplementationSustained: {active: sustaining},
		lifecycle.ImplementationCompleted: {sustaining: closed},
		lifecycle.ImplementationCancelled: {old: cancelled, draft: cancelled, planned: cancelled, active: cancelled, sustaining: cancelled, onHold: cancelled},
		"exploded":                        {},
	}
	for event, moves := range legal {
		for number := range implementationv1.Implementation_State_name {
			from := state(number)
			i := &implementationv1.Implementation{
				Name: "workspaces/w/implementations/crm", State: from, Sponsor: "users/sue", Owner: "users/oz",
				CurrentBaseline: "workspaces/w/implementations/crm/baselines/b",
			}
			if from == onHold {
				i.HeldState = sustaining
			}
			before := proto.CloneOf(i)
			err := event.Apply(i, lifecycle.ImplementationFacts{}, now, "because")
			to, ok := moves[from]
			if !ok {
				requireForbidden(t, err, before, i)
				continue
			}
			require.NoError(t, err, "%s %s", from, event)
			require.Equal(t, to, i.GetState(), "%s %s", from, event)
			require.Equal(t, now, i.GetStateTime().AsTime())
			require.Equal(t, to == onHold, i.GetHeldState() != old, "where it was is kept on hold, and only there")
			require.Equal(t, to == closed || to == cancelled, i.GetActualEndTime() != nil)
			require.Equal(t, to == closed || to == cancelled, lifecycle.ImplementationEnded(i))
		}
	}
}

func TestAnImplementationIsGuarded(t *testing.T) {
	for name, c := range map[string]struct {
		event lifecycle.ImplementationEvent
		from  implementationv1.Implementation_State
		spoil func(i *implementationv1.Implementation, f *lifecycle.ImplementationFacts)
		want  string
	}{
		"nobody stands behind it": {lifecycle.ImplementationSubmitted, implementationv1.Implementation_DRAFT, func(i *implementationv1.Implementation, _ *lifecycle.ImplementationFacts) { i.Sponsor = "" }, lifecycle.ReasonSponsorMissing},
		"nothing was captured":    {lifecycle.ImplementationSubmitted, implementationv1.Implementation_DRAFT, func(i *implementationv1.Implementation, _ *lifecycle.ImplementationFacts) { i.CurrentBaseline = "" }, lifecycle.ReasonBaselineMissing},
		"the plan has errors": {lifecycle.ImplementationSubmitted, implementationv1.Implementation_DRAFT, func(_ *implementationv1.Implementation, f *lifecycle.ImplementationFacts) {
			f.LintErrors = []string{"3 tasks without predecessors"}
		}, lifecycle.ReasonLintErrors},
		"a cohort is not live": {lifecycle.ImplementationSustained, implementationv1.Implementation_ACTIVE, func(_ *implementationv1.Implementation, f *lifecycle.ImplementationFacts) {
			f.NotLive = []string{"sales"}
		}, lifecycle.ReasonNotLive},
		"an outcome is open": {lifecycle.ImplementationCompleted, implementationv1.Implementation_SUSTAINING, func(_ *implementationv1.Implementation, f *lifecycle.ImplementationFacts) {
			f.OpenOutcomes = []string{"faster", "cheaper", "safer", "calmer"}
		}, lifecycle.ReasonOutcomeOpen},
		"nobody owns what remains": {lifecycle.ImplementationCompleted, implementationv1.Implementation_SUSTAINING, func(i *implementationv1.Implementation, _ *lifecycle.ImplementationFacts) { i.Owner = "" }, lifecycle.ReasonOwnerMissing},
	} {
		t.Run(name, func(t *testing.T) {
			i := &implementationv1.Implementation{Name: "workspaces/w/implementations/crm", State: c.from, Sponsor: "users/sue", Owner: "users/oz", CurrentBaseline: "b"}
			facts := lifecycle.ImplementationFacts{}
			c.spoil(i, &facts)
			before := proto.CloneOf(i)
			err := c.event.Apply(i, facts, now, "")
			require.Equal(t, c.want, fault.ReasonOf(err))
			require.NotEmpty(t, fault.From(err).Subjects())
			require.True(t, proto.Equal(before, i))
		})
	}
}

func TestTaskEveryStateByEveryEvent(t *testing.T) {
	type state = implementationv1.Task_State
	const (
		todo       = implementationv1.Task_TODO
		inProgress = implementationv1.Task_IN_PROGRESS
		done       = implementationv1.Task_DONE
		cancelled  = implementationv1.Task_CANCELLED
	)
	events := map[string]struct {
		apply func(*implementationv1.Task) error
		moves map[state]state
	}{
		"start": {func(t *implementationv1.Task) error { return lifecycle.StartTask(t, now, time.Time{}) }, map[state]state{todo: inProgress}},
		"report": {func(t *implementationv1.Task) error {
			return lifecycle.ReportTask(t, now, &implementationv1.ReportTaskRequest{ProgressPercent: new(int32(40))})
		}, map[state]state{todo: inProgress, inProgress: inProgress}},
		"complete": {func(t *implementationv1.Task) error {
			return lifecycle.CompleteTask(t, now, &implementationv1.CompleteTaskRequest{})
		}, map[state]state{todo: done, inProgress: done}},
		"reopen": {func(t *implementationv1.Task) error { return lifecycle.ReopenTask(t, now, "broken") }, map[state]state{done: inProgress}},
		"cancel": {func(t *implementationv1.Task) error { return lifecycle.CancelTask(t, now, "not needed") }, map[state]state{todo: cancelled, inProgress: cancelled}},
	}
	for name, event := range events {
		for number := range implementationv1.Task_State_name {
			task := &implementationv1.Task{Name: "workspaces/w/implementations/crm/tasks/t", State: state(number)}
			before := proto.CloneOf(task)
			err := event.apply(task)
			to, ok := event.moves[state(number)]
			if !ok {
				requireForbidden(t, err, before, task)
				continue
			}
			require.NoError(t, err, "%s %s", state(number), name)
			require.Equal(t, to, task.GetState(), "%s %s", state(number), name)
			require.Equal(t, to == done || to == cancelled, task.GetActualEndTime() != nil)
			if to == done {
				require.EqualValues(t, 100, task.GetProgressPercent())
				require.NotNil(t, task.GetActualStartTime(), "what has ended has begun")
			}
		}
	}
}

func TestTheTimesOfATask(t *testing.T) {
	late, early := now.Add(time.Hour), now.Add(-time.Hour)
	task := &implementationv1.Task{State: implementationv1.Task_TODO}
	require.Equal(t, lifecycle.ReasonInFuture, fault.ReasonOf(lifecycle.StartTask(task, now, late)))
	require.NoError(t, lifecycle.StartTask(task, now, early))
	require.Equal(t, early, task.GetActualStartTime().AsTime())
	for at, want := range map[time.Time]string{late: lifecycle.ReasonInFuture, early.Add(-1): lifecycle.ReasonEndFirst} {
		err := lifecycle.CompleteTask(task, now, &implementationv1.CompleteTaskRequest{EndTime: timestamppb.New(at)})
		require.Equal(t, want, fault.ReasonOf(err))
		require.Equal(t, implementationv1.Task_IN_PROGRESS, task.GetState())
	}
	require.NoError(t, lifecycle.ReportTask(task, now, &implementationv1.ReportTaskRequest{RemainingMinutes: new(int32(90)), ActualEffortMinutes: new(int32(30))}))
	require.EqualValues(t, 90, task.GetRemainingMinutes())
	require.NoError(t, lifecycle.ReportTask(task, now, &implementationv1.ReportTaskRequest{ProgressPercent: new(int32(60))}))
	require.Nil(t, task.RemainingMinutes, "what was left before says nothing about now")
	require.EqualValues(t, 30, task.GetActualEffortMinutes(), "what a report leaves out stays")
	require.NoError(t, lifecycle.CompleteTask(task, now, &implementationv1.CompleteTaskRequest{EndTime: timestamppb.New(early)}))
	require.NoError(t, lifecycle.ReopenTask(task, now, "broken"))
	require.Nil(t, task.GetActualEndTime())
	require.Equal(t, early, task.GetActualStartTime().AsTime())
}

func TestStageEveryStateByEveryEvent(t *testing.T) {
	type state = implementationv1.Stage_State
	const (
		pending   = implementationv1.Stage_PENDING
		ready     = implementationv1.Stage_READY
		active    = implementationv1.Stage_ACTIVE
		review    = implementationv1.Stage_GATE_REVIEW
		done      = implementationv1.Stage_DONE
		skipped   = implementationv1.Stage_SKIPPED
		cancelled = implementationv1.Stage_CANCELLED
	)
	legal := map[lifecycle.StageEvent]map[state]state{
		lifecycle.StageReadied:   {pending: ready},
		lifecycle.StagePostponed: {ready: pending},
		lifecycle.StageStarted:   {ready: active},
		lifecycle.StageReviewed:  {active: review},
		lifecycle.StageCompleted: {review: done},
		lifecycle.StageRejected:  {review: active},
		lifecycle.StageSkipped:   {pending: skipped, ready: skipped},
		lifecycle.StageCancelled: {pending: cancelled, ready: cancelled, active: cancelled, review: cancelled},
		"exploded":               {},
	}
	for event, moves := range legal {
		for number := range implementationv1.Stage_State_name {
			stage := &implementationv1.Stage{Name: "workspaces/w/implementations/crm/stages/s", State: state(number)}
			before := proto.CloneOf(stage)
			err := event.Apply(stage, now, "because")
			if to, ok := moves[state(number)]; ok {
				require.NoError(t, err)
				require.Equal(t, to, stage.GetState())
				continue
			}
			requireForbidden(t, err, before, stage)
		}
	}
}

func TestAStageThatHasNotBegunIsAsReadyAsItsPredecessors(t *testing.T) {
	const (
		pending = implementationv1.Stage_PENDING
		ready   = implementationv1.Stage_READY
		done    = implementationv1.Stage_DONE
	)
	for number := range implementationv1.Stage_State_name {
		from := implementationv1.Stage_State(number)
		for otherNumber := range implementationv1.Stage_State_name {
			other := implementationv1.Stage_State(otherNumber)
			stage := &implementationv1.Stage{State: from}
			event := lifecycle.Settle(stage, []implementationv1.Stage_State{done, other}, true)
			if !slices.Contains([]implementationv1.Stage_State{implementationv1.Stage_STATE_UNSPECIFIED, pending, ready}, from) {
				require.Equal(t, from, stage.GetState(), "what has begun goes on")
				require.Empty(t, event)
				continue
			}
			want := pending
			if lifecycle.StagePassed(other) {
				want = ready
			}
			require.Equal(t, want, stage.GetState())
			require.Equal(t, from == want, event == "", "%s after %s", from, other)
		}
	}
	stage := &implementationv1.Stage{}
	lifecycle.Settle(stage, nil, true)
	require.Equal(t, ready, stage.GetState(), "what waits for nothing is ready")
	require.Equal(t, lifecycle.StagePostponed, lifecycle.Settle(stage, nil, false), "the rollout holds it back")
	require.Equal(t, pending, stage.GetState())
	require.Equal(t, lifecycle.StageReadied, lifecycle.Settle(stage, nil, true))
	for _, begun := range []implementationv1.Stage_State{implementationv1.Stage_ACTIVE, implementationv1.Stage_GATE_REVIEW, done} {
		stage.State = begun
		require.Empty(t, lifecycle.Settle(stage, nil, false), "what has begun is never pushed back")
		require.Equal(t, begun, stage.GetState())
	}
}

func TestExitCriteria(t *testing.T) {
	const plan = "workspaces/w/implementations/crm/cohortPlans/sales"
	stage := &implementationv1.Stage{Name: "workspaces/w/implementations/crm/stages/s", State: implementationv1.Stage_GATE_REVIEW, ExitCriteria: []*implementationv1.ExitCriterion{
		{Id: "tasks", Type: &implementationv1.ExitCriterion_TasksDone{TasksDone: &implementationv1.TasksDone{}}},
		{Id: "word", Type: &implementationv1.ExitCriterion_Confirmation{Confirmation: &implementationv1.PersonConfirms{Owner: "users/sue"}}},
		{Id: "people", Type: &implementationv1.ExitCriterion_Readiness{Readiness: &implementationv1.CohortReady{CohortPlan: plan}}, Must: new(false)},
	}}
	results := lifecycle.Judge(stage, lifecycle.ExitFacts{Now: now, Tasks: 5, TasksDone: 3})
	require.Equal(t, "3 of 5 tasks are done", results[0].GetMessage())
	require.Contains(t, results[1].GetMessage(), "users/sue")
	require.Contains(t, results[2].GetMessage(), "does not exist")
	err := lifecycle.ExitMet(stage, results)
	require.Equal(t, lifecycle.ReasonCriteriaNotMet, fault.ReasonOf(err))
	require.Len(t, fault.From(err).Subjects(), 2, "the one that need not hold is not among them")

	require.Equal(t, lifecycle.ReasonCriterionNotFound, fault.ReasonOf(lifecycle.Confirm(stage, now, "users/sue", &implementationv1.ConfirmStageRequest{Criterion: "tasks"})))
	word := &implementationv1.ConfirmStageRequest{Criterion: "word", Note: "seen"}
	require.NoError(t, lifecycle.Confirm(stage, now, "users/sue", word))
	require.NoError(t, lifecycle.Confirm(stage, now, "users/sue", word))
	require.Len(t, stage.GetConfirmations(), 1, "a word given twice is one word")
	results = lifecycle.Judge(stage, lifecycle.ExitFacts{Now: now, Tasks: 5, TasksDone: 5, Readiness: map[string]gatev1.Verdict_State{plan: gatev1.Verdict_WAIT}})
	require.NoError(t, lifecycle.ExitMet(stage, results))
	require.False(t, results[2].GetMet())

	word.Withdraw = true
	require.NoError(t, lifecycle.Confirm(stage, now, "users/sue", word))
	require.Empty(t, stage.GetConfirmations())
	stage.State = implementationv1.Stage_DONE
	require.Equal(t, lifecycle.ReasonStateForbids, fault.ReasonOf(lifecycle.Confirm(stage, now, "users/sue", word)))
}

func TestACohortGoesLiveWhenItDid(t *testing.T) {
	plan := &implementationv1.CohortPlan{}
	require.Equal(t, lifecycle.ReasonInFuture, fault.ReasonOf(lifecycle.GoLive(plan, now, now.Add(time.Second), false)))
	require.NoError(t, lifecycle.GoLive(plan, now, time.Time{}, false))
	require.Equal(t, now, plan.GetLiveTime().AsTime())
	require.NoError(t, lifecycle.GoLive(plan, now, time.Time{}, true))
	require.Nil(t, plan.GetLiveTime())
}
