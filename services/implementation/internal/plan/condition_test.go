package plan_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// seen are the conditions of a task, in short.
func seen(all []*implementationv1.PlanCondition) []string {
	out := make([]string, 0, len(all))
	for _, c := range all {
		word := c.GetType().String() + " " + c.GetReason()
		if c.GetStatus() != implementationv1.PlanCondition_TRUE {
			word += " " + c.GetStatus().String()
		}
		out = append(out, word)
	}
	return out
}

func TestConditionsFollowFromThePlan(t *testing.T) {
	for _, tt := range []struct {
		name   string
		now    int // days after the beginning
		change func(in *plan.Input)
		a, b   []string
		whole  []string
	}{
		{name: "all is well at the beginning"},
		{
			name: "nothing was begun", now: 1, whole: []string{"LATE TASKS"},
			a: []string{"LATE NOT_STARTED"},
		},
		{
			name: "what comes after is blocked once it should have begun", now: 3, whole: []string{"LATE TASKS", "BLOCKED TASKS"},
			a: []string{"LATE NOT_FINISHED"}, b: []string{"LATE NOT_STARTED", "BLOCKED PREDECESSOR_OPEN"},
		},
		{
			name: "it began too early", now: 1, whole: []string{"LATE TASKS", "BLOCKED TASKS", "OUT_OF_SEQUENCE TASKS"},
			change: func(in *plan.Input) {
				in.Tasks[1].State, in.Tasks[1].ActualStartTime = implementationv1.Task_IN_PROGRESS, at(0, 9)
			},
			a: []string{"LATE NOT_STARTED"}, b: []string{"BLOCKED PREDECESSOR_OPEN", "OUT_OF_SEQUENCE PREDECESSOR_OPEN"},
		},
		{
			name:   "it will miss its deadline",
			change: func(in *plan.Input) { in.Tasks[1].Deadline = at(3, 12) },
			a:      []string{"AT_RISK TARGET_MISSED"}, b: []string{"AT_RISK DEADLINE_MISSED"}, whole: []string{"AT_RISK TASKS"},
		},
		{
			name: "its deadline has passed", now: 1,
			change: func(in *plan.Input) {
				in.Tasks[0].Deadline = at(0, 17)
				in.Tasks[0].State, in.Tasks[0].ActualStartTime = implementationv1.Task_IN_PROGRESS, at(0, 9)
				in.Tasks[0].ProgressPercent = 50
			},
			a: []string{"LATE DEADLINE_PASSED", "AT_RISK DEADLINE_MISSED"}, whole: []string{"LATE TASKS", "AT_RISK TASKS"},
		},
		{
			name:   "the target will be missed",
			change: func(in *plan.Input) { in.Implementation.TargetDate = at(3, 17) },
			a:      []string{"AT_RISK TARGET_MISSED"}, b: []string{"AT_RISK TARGET_MISSED"}, whole: []string{"AT_RISK TARGET_MISSED"},
		},
		{
			name:   "nobody knows where nothing is estimated",
			change: func(in *plan.Input) { in.Tasks[1].Estimate = nil },
			b:      []string{"AT_RISK NO_ESTIMATE UNKNOWN"},
		},
		{
			name: "nothing is expected of what was cancelled", now: 9,
			change: func(in *plan.Input) { in.Implementation.State = implementationv1.Implementation_CANCELLED },
		},
		{
			name: "nobody has said when it begins", now: 9,
			change: func(in *plan.Input) { in.Implementation.StartTime, in.Implementation.CreateTime = nil, at(0, 9) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := build(t, "a 2; b 3 < a")
			in.Now = at(tt.now, 9).AsTime()
			if tt.change != nil {
				tt.change(&in)
			}
			s := schedule(t, in)
			require.ElementsMatch(t, tt.a, seen(find(t, s, "a").GetConditions()))
			require.ElementsMatch(t, tt.b, seen(find(t, s, "b").GetConditions()))
			require.ElementsMatch(t, tt.whole, seen(s.GetConditions()))
		})
	}
}

func TestConditionsAreHeldAgainstTheBaseline(t *testing.T) {
	in := build(t, "a 2; b 3 < a")
	in.Now = begin()
	p, err := plan.New(in)
	require.NoError(t, err)
	in.Baseline = p.Baseline()
	in.Baseline.Name = root + "/baselines/b1"
	in.Tasks[0].Estimate.LikelyMinutes = 3 * unit
	s := schedule(t, in)
	require.Equal(t, []string{"AT_RISK BASELINE_MISSED"}, seen(find(t, s, "b").GetConditions()))
	require.Equal(t, int64(unit), s.GetEndVarianceMinutes())
	v := find(t, s, "a").GetVariance()
	require.Equal(t, int64(unit), v.GetDurationMinutes())
	require.Equal(t, int64(0), v.GetStartMinutes())
	require.Equal(t, int64(unit), v.GetEndMinutes())
	require.Equal(t, int64(unit), s.GetStages()[0].GetVariance().GetEndMinutes())
	in.Tasks[0].State, in.Tasks[0].ActualStartTime, in.Tasks[0].ActualEndTime = implementationv1.Task_DONE, at(0, 9), at(0, 17)
	require.Equal(t, int64(-unit), find(t, schedule(t, in), "a").GetVariance().GetDurationMinutes(), "it took a day less than planned")
}

func TestLintFindsWhatIsWrong(t *testing.T) {
	points := func(in plan.Input) map[string]*implementationv1.LintPoint {
		r := plan.Lint(in)
		require.Contains(t, r.GetSource(), "DCMA")
		out := map[string]*implementationv1.LintPoint{}
		for _, p := range r.GetPoints() {
			out[p.GetId()] = p
		}
		return out
	}
	good := points(build(t, "a 2; b 3 < a; c 1 < b"))
	require.Len(t, good, 16)
	for id, p := range good {
		require.NotEqual(t, implementationv1.LintPoint_ERROR, p.GetVerdict(), id)
	}
	require.Equal(t, implementationv1.LintPoint_WARNING, good["resources"].GetVerdict(), "nobody is assigned")

	for _, tt := range []struct {
		name, id  string
		plan      string
		change    func(in *plan.Input)
		count     int64
		of        int64
		offenders []string
		verdict   implementationv1.LintPoint_Verdict
	}{
		{name: "dangling", id: "missing-logic", plan: "a 1; b 2 < a; c 1", count: 1, of: 3, offenders: []string{"c"}, verdict: implementationv1.LintPoint_WARNING},
		{name: "leads", id: "leads", plan: "a 2; b 2 < a FS-1", count: 1, of: 1, offenders: []string{"b"}, verdict: implementationv1.LintPoint_WARNING},
		{name: "lags", id: "lags", plan: "a 2; b 2 < a FS+1", count: 1, of: 1, offenders: []string{"b"}, verdict: implementationv1.LintPoint_WARNING},
		{name: "kinds of links", id: "relationship-types", plan: "a 2; b 2 < a SS; c 1 < b", count: 1, of: 2, offenders: []string{"b"}, verdict: implementationv1.LintPoint_WARNING},
		{name: "long tasks", id: "high-duration", plan: "a 45; b 44 < a", count: 1, of: 2, offenders: []string{"a"}, verdict: implementationv1.LintPoint_WARNING},
		{name: "high float", id: "high-float", plan: "a 50; b 5; c 6", count: 1, of: 3, offenders: []string{"b"}, verdict: implementationv1.LintPoint_WARNING},
		{
			name: "negative float", id: "negative-float", plan: "a 5; b 1", count: 1, of: 2, offenders: []string{"a"}, verdict: implementationv1.LintPoint_ERROR,
			change: func(in *plan.Input) { in.Implementation.TargetDate = at(3, 17) },
		},
		{
			name: "hard constraints", id: "hard-constraints", plan: "a 5", count: 1, of: 1, offenders: []string{"a"}, verdict: implementationv1.LintPoint_WARNING,
			change: func(in *plan.Input) { in.Tasks[0].EarliestStartTime, in.Tasks[0].Deadline = at(7, 9), at(11, 17) },
		},
		{name: "no estimate", id: "estimates", plan: "a 5; b 0 < a", count: 1, of: 2, offenders: []string{"b"}, verdict: implementationv1.LintPoint_ERROR},
		{
			name: "done tomorrow", id: "invalid-dates", plan: "a 5; b 1 < a", count: 1, of: 2, offenders: []string{"a"}, verdict: implementationv1.LintPoint_ERROR,
			change: func(in *plan.Input) {
				in.Now = begin()
				in.Tasks[0].State, in.Tasks[0].ActualStartTime, in.Tasks[0].ActualEndTime = implementationv1.Task_DONE, at(-3, 9), at(2, 9)
			},
		},
		{
			name: "too little time", id: "critical-path-length-index", plan: "a 10", count: 9 * unit, of: 10 * unit, verdict: implementationv1.LintPoint_WARNING,
			change: func(in *plan.Input) { in.Implementation.TargetDate = at(10, 17) },
		},
		{name: "a whole path", id: "critical-path-test", plan: "a 1; b 1 < a", count: 1, of: 1, verdict: implementationv1.LintPoint_PASS},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := build(t, tt.plan)
			if tt.change != nil {
				tt.change(&in)
			}
			p := points(in)[tt.id]
			require.Equal(t, tt.verdict, p.GetVerdict(), "%v", p)
			require.Equal(t, tt.count, p.GetCount())
			require.Equal(t, tt.of, p.GetDenominator())
			require.ElementsMatch(t, names(tt.offenders...), p.GetOffenders())
		})
	}
	broken := plan.Lint(build(t, "a 1 < b; b 1 < a"))
	require.Equal(t, int32(1), broken.GetErrorCount())
	require.Contains(t, broken.GetPoints()[0].GetMessage(), "a → b → a")
}

func TestLintHoldsAgainstTheBaseline(t *testing.T) {
	in := build(t, "a 1; b 1 < a; c 1 < b; d 5 < c")
	in.Now = begin()
	p, err := plan.New(in)
	require.NoError(t, err)
	in.Baseline = p.Baseline()
	in.Now = at(2, 17).AsTime() // a, b and c should be done
	in.Tasks[0].State, in.Tasks[0].ActualStartTime, in.Tasks[0].ActualEndTime = implementationv1.Task_DONE, at(0, 9), at(0, 17)
	in.Tasks[1].State, in.Tasks[1].ActualStartTime, in.Tasks[1].ActualEndTime = implementationv1.Task_DONE, at(1, 9), at(2, 12)
	r := plan.Lint(in)
	require.InDelta(t, 2./3, r.GetBaselineExecutionIndex(), 1e-9)
	for _, point := range r.GetPoints() {
		if point.GetId() == "missed-tasks" {
			require.Equal(t, names("b", "c"), point.GetOffenders(), "b was done late, c is not")
		}
	}
	require.Less(t, r.GetCriticalPathLengthIndex(), 1.0)
}

func TestSimulationLeavesThePlanAsItIs(t *testing.T) {
	in := build(t, "a 3; b 2; c 1 < a, b")
	before := schedule(t, in)
	r, err := plan.Simulate(in, &implementationv1.SimulateScheduleRequest{
		Tasks: []*implementationv1.TaskChange{
			{Task: build(t, "b 5").Tasks[0]},
			{Task: build(t, "new 1 < b").Tasks[0]},
		},
	})
	require.NoError(t, err)
	require.Equal(t, int64(2*unit), r.GetEndMinutes())
	require.ElementsMatch(t, names("b", "new"), r.GetNewlyCriticalTasks())
	require.Equal(t, names("a"), r.GetNoLongerCriticalTasks())
	require.Len(t, r.GetDifferences(), 4)
	require.Empty(t, r.GetAfter().GetTasks())
	require.True(t, proto.Equal(before, schedule(t, in)), "nothing was written")

	r, err = plan.Simulate(in, &implementationv1.SimulateScheduleRequest{DeletedTasks: names("a")})
	require.NoError(t, err)
	require.Equal(t, int64(-unit), r.GetEndMinutes())
	_, err = plan.Simulate(in, &implementationv1.SimulateScheduleRequest{DeletedTasks: names("nobody")})
	require.ErrorContains(t, err, "nobody")
	r, err = plan.Simulate(in, &implementationv1.SimulateScheduleRequest{})
	require.NoError(t, err)
	require.Empty(t, r.GetDifferences())
	_, err = plan.Simulate(in, &implementationv1.SimulateScheduleRequest{Tasks: []*implementationv1.TaskChange{{Task: build(t, "a 1 < c").Tasks[0]}}})
	require.ErrorContains(t, err, "a → c → a")
}
