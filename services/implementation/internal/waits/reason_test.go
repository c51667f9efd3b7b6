package waits_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

const crm = "workspaces/w/implementations/crm"

func requireReason(t *testing.T, reason string, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, reason, fault.ReasonOf(err), err)
}

func facts() *waits.Facts {
	return &waits.Facts{
		Now:             now,
		Implementations: map[string]*implementationv1.Implementation{crm: {Name: crm, Owner: "users/oz"}},
		Stages:          map[string]*implementationv1.Stage{},
		Answers:         map[waits.Question]waits.Answer{},
		Holds:           map[waits.Condition]waits.Hold{},
		Tasks:           map[string]waits.TaskCount{},
		Readiness:       map[string]gatev1.Verdict_State{},
		Before:          map[string]waits.Predecessor{},
	}
}

// stage has a predecessor that is ACTIVE, a condition that nobody has answered, and an exit criterion of every kind that is not met.
func stage(f *waits.Facts, state implementationv1.Stage_State) *implementationv1.Stage {
	f.Stages[crm+"/stages/before"] = &implementationv1.Stage{Name: crm + "/stages/before", State: implementationv1.Stage_ACTIVE, Owner: "users/bob"}
	f.Tasks[crm+"/stages/s"] = waits.TaskCount{All: 3, Done: 1, Open: crm + "/tasks/open"}
	f.Readiness[crm+"/cohortPlans/sales"] = gatev1.Verdict_WAIT
	return &implementationv1.Stage{
		Name: crm + "/stages/s", State: state, StateTime: timestamppb.New(now.Add(-time.Hour)), Predecessors: []string{crm + "/stages/before"},
		WaitsFor: []*implementationv1.StageCondition{{Id: "pilot", Resource: wave}},
		ExitCriteria: []*implementationv1.ExitCriterion{
			{Id: "tasks", Type: &implementationv1.ExitCriterion_TasksDone{TasksDone: &implementationv1.TasksDone{}}},
			{Id: "word", Type: &implementationv1.ExitCriterion_Confirmation{Confirmation: &implementationv1.PersonConfirms{Owner: "users/sue"}}},
			{Id: "people", Type: &implementationv1.ExitCriterion_Readiness{Readiness: &implementationv1.CohortReady{CohortPlan: crm + "/cohortPlans/sales"}}},
			{Id: "nice", Must: new(false), Type: &implementationv1.ExitCriterion_TasksDone{TasksDone: &implementationv1.TasksDone{}}},
		},
	}
}

func kinds(all []*gatev1.BlockedBy) (out []gatev1.BlockedBy_Kind) {
	for _, b := range all {
		out = append(out, b.GetKind())
	}
	return out
}

func requireWhole(t *testing.T, all []*gatev1.BlockedBy) {
	t.Helper()
	for _, b := range all {
		require.NotEmpty(t, b.GetResource(), b)
		require.NotEmpty(t, b.GetCurrent(), b)
		require.NotEmpty(t, b.GetRequired(), b)
		require.NotEmpty(t, b.GetOwner(), b)
		require.NotEmpty(t, b.GetCommand(), b)
		require.NotNil(t, b.GetSince(), b)
	}
}

func TestEveryStateOfAStageSaysWhyItWaits(t *testing.T) {
	want := map[implementationv1.Stage_State][]gatev1.BlockedBy_Kind{
		implementationv1.Stage_PENDING:     {gatev1.BlockedBy_STAGE, gatev1.BlockedBy_SERVICE},
		implementationv1.Stage_READY:       {gatev1.BlockedBy_OPERATOR},
		implementationv1.Stage_ACTIVE:      nil,
		implementationv1.Stage_GATE_REVIEW: {gatev1.BlockedBy_TASK, gatev1.BlockedBy_CONFIRMATION, gatev1.BlockedBy_READINESS},
		implementationv1.Stage_DONE:        nil,
		implementationv1.Stage_SKIPPED:     nil,
		implementationv1.Stage_CANCELLED:   nil,
	}
	require.Len(t, want, len(implementationv1.Stage_State_name)-1, "a state without a case")
	for state, expected := range want {
		f := facts()
		s := stage(f, state)
		all := f.StageBlockedBy(s, f.Statuses(s))
		require.Equal(t, expected, kinds(all), state)
		requireWhole(t, all)
	}

	f := facts()
	s := stage(f, implementationv1.Stage_PENDING)
	s.Predecessors, s.WaitsFor = nil, nil
	require.Equal(t, []gatev1.BlockedBy_Kind{gatev1.BlockedBy_ENGINE}, kinds(f.StageBlockedBy(s, nil)), "a moment before it is readied")
	s.State, s.ExitCriteria = implementationv1.Stage_GATE_REVIEW, nil
	all := f.StageBlockedBy(s, nil)
	require.Equal(t, []gatev1.BlockedBy_Kind{gatev1.BlockedBy_OPERATOR}, kinds(all))
	require.Equal(t, "users/oz", all[0].GetOwner(), "who leads the implementation, where nobody leads the stage")
	require.Equal(t, now.Add(-time.Hour), all[0].GetSince().AsTime())

	f.Implementations[crm].State = implementationv1.Implementation_ON_HOLD
	f.Implementations[crm].StateReason, f.Implementations[crm].StateTime = "no money", timestamppb.New(now)
	all = f.StageBlockedBy(s, nil)
	require.Equal(t, "the implementation is on hold: no money", all[0].GetCurrent())
	requireWhole(t, all)
}

func TestTheVerdictOnAStageLooksAtWhatThePurposeAsks(t *testing.T) {
	const (
		readiness, technical, both = gatev1.Purpose_PURPOSE_READINESS, gatev1.Purpose_PURPOSE_TECHNICAL, gatev1.Purpose_PURPOSE_ALL
		begun                      = implementationv1.Stage_ACTIVE
	)
	f := facts()
	s := stage(f, implementationv1.Stage_PENDING)
	require.Equal(t, gatev1.Verdict_WAIT, f.StageVerdict(s, readiness).GetState())
	require.Equal(t, gatev1.Verdict_UNKNOWN, f.StageVerdict(s, technical).GetState())
	require.Equal(t, []gatev1.BlockedBy_Kind{gatev1.BlockedBy_SERVICE}, kinds(f.StageVerdict(s, technical).GetReasons()), "people are not asked about machines")
	v := f.StageVerdict(s, both)
	require.Equal(t, gatev1.Verdict_UNKNOWN, v.GetState(), "the worst of both")
	require.Equal(t, []string{wave, crm + "/cohortPlans/sales", crm + "/stages/before", crm + "/stages/s", crm + "/tasks/open"}, v.GetWaitingOn())
	requireWhole(t, v.GetReasons())

	f.Answers[waits.Question{Resource: wave, Window: time.Hour}] = said(gatev1.Verdict_PASS, 20*time.Second)
	require.Equal(t, gatev1.Verdict_PASS, f.StageVerdict(s, technical).GetState())
	require.Equal(t, 40*time.Second, f.StageVerdict(s, technical).GetTtl().AsDuration(), "good for as long as the answer is")
	f.Answers[waits.Question{Resource: wave, Window: time.Hour}] = said(gatev1.Verdict_FAIL, 0)
	require.Equal(t, gatev1.Verdict_FAIL, f.StageVerdict(s, both).GetState())
	s.State = begun
	require.Equal(t, gatev1.Verdict_PASS, f.StageVerdict(s, technical).GetState(), "what has begun waits for no machine any more")
	require.Equal(t, gatev1.Verdict_WAIT, f.StageVerdict(s, both).GetState())
	s.State = implementationv1.Stage_DONE
	require.Equal(t, gatev1.Verdict_PASS, f.StageVerdict(s, both).GetState())
	require.Empty(t, f.StageVerdict(s, both).GetWaitingOn())
	s.State = implementationv1.Stage_CANCELLED
	require.Equal(t, gatev1.Verdict_FAIL, f.StageVerdict(s, both).GetState())
	s.State, f.Readiness = begun, nil
	require.Equal(t, gatev1.Verdict_UNKNOWN, f.StageVerdict(s, readiness).GetState(), "a cohort plan that was deleted")
}

func TestARevisionRisesWithWhatMatters(t *testing.T) {
	f := facts()
	s := stage(f, implementationv1.Stage_PENDING)
	s.WaitsFor[0].MinAvailability = 0.5
	q := waits.Question{Resource: wave, Window: time.Hour}
	f.Answers[q] = said(gatev1.Verdict_PASS, 0, share("availability", 80, 100))
	first := f.StageVerdict(s, gatev1.Purpose_PURPOSE_ALL)
	require.True(t, waits.Continue(nil, first))
	require.EqualValues(t, 1, first.GetRevision())

	f.Answers[q] = said(gatev1.Verdict_PASS, 0, share("availability", 90, 100))
	f.Now = now.Add(time.Second)
	second := f.StageVerdict(s, gatev1.Purpose_PURPOSE_ALL)
	require.False(t, waits.Continue(first, second), "shares move all the time")
	require.EqualValues(t, 1, second.GetRevision())

	f.Answers[q] = said(gatev1.Verdict_PASS, 0, share("availability", 40, 100))
	third := f.StageVerdict(s, gatev1.Purpose_PURPOSE_ALL)
	require.True(t, waits.Continue(proto.CloneOf(second), third), "what follows from them does not")
	require.EqualValues(t, 2, third.GetRevision())
}

func TestATaskWaitsForWhatItsLinksSay(t *testing.T) {
	const (
		fs, ss, ff, sf = implementationv1.Dependency_FINISH_TO_START, implementationv1.Dependency_START_TO_START, implementationv1.Dependency_FINISH_TO_FINISH, implementationv1.Dependency_START_TO_FINISH
		todo, doing    = implementationv1.Task_TODO, implementationv1.Task_IN_PROGRESS
		done, gone     = implementationv1.Task_DONE, implementationv1.Task_CANCELLED
	)
	holds := func(link implementationv1.Dependency_Type, task, before implementationv1.Task_State) bool {
		switch {
		case before == done, before == gone:
			return false
		case link == fs:
			return task == todo
		case link == ss:
			return task == todo && before == todo
		case link == ff:
			return task == doing
		default:
			return task == doing && before == todo
		}
	}
	for _, link := range []implementationv1.Dependency_Type{fs, ss, ff, sf} {
		for _, before := range []implementationv1.Task_State{todo, doing, done, gone} {
			for _, state := range []implementationv1.Task_State{todo, doing, done, gone} {
				f := facts()
				f.Before[crm+"/tasks/a"] = waits.Predecessor{State: before, Owner: "users/ann"}
				f.Stages[crm+"/stages/s"] = &implementationv1.Stage{Name: crm + "/stages/s", State: implementationv1.Stage_ACTIVE}
				all := f.TaskBlockedBy(&implementationv1.Task{
					Name: crm + "/tasks/b", Stage: crm + "/stages/s", State: state, CreateTime: timestamppb.New(now),
					Dependencies: []*implementationv1.Dependency{{Predecessor: crm + "/tasks/a", Type: link}},
				})
				want := (state == todo || state == doing) && holds(link, state, before)
				require.Equal(t, want, len(all) == 1, "%s %s after %s: %v", link, state, before, all)
				requireWhole(t, all)
			}
		}
	}
}

func TestATaskWaitsForItsStageItsDateAndItsImplementation(t *testing.T) {
	f := facts()
	f.Stages[crm+"/stages/s"] = &implementationv1.Stage{Name: crm + "/stages/s", State: implementationv1.Stage_READY}
	task := &implementationv1.Task{
		Name: crm + "/tasks/b", Stage: crm + "/stages/s", State: implementationv1.Task_TODO, CreateTime: timestamppb.New(now), EarliestStartTime: timestamppb.New(now.Add(time.Hour)),
	}
	f.Implementations[crm].State, f.Implementations[crm].StateTime = implementationv1.Implementation_ON_HOLD, timestamppb.New(now)
	all := f.TaskBlockedBy(task)
	require.Equal(t, []gatev1.BlockedBy_Kind{gatev1.BlockedBy_OPERATOR, gatev1.BlockedBy_STAGE, gatev1.BlockedBy_DATE}, kinds(all))
	requireWhole(t, all)
	require.Equal(t, "golive stage start "+crm+"/stages/s", all[1].GetCommand())
	require.Equal(t, now.Add(time.Hour), all[2].GetEta().AsTime())

	f.Now = now.Add(time.Hour)
	f.Implementations[crm].State, f.Stages[crm+"/stages/s"].State = implementationv1.Implementation_ACTIVE, implementationv1.Stage_ACTIVE
	require.Empty(t, f.TaskBlockedBy(task))
}
