package readiness_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

var update = flag.Bool("update", false, "write the scenario files as the code answers now")

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// TestScenarios replays the files in testdata: `> ` lines are facts and
// commands, the rest is what was answered. Run with -update to accept new answers.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			got := replay(t, string(want))
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
				return
			}
			require.Equal(t, string(want), got)
		})
	}
}

// scenario is what the commands of a file build up.
type scenario struct {
	testing.TB
	plan  *implementationv1.CohortPlan
	facts readiness.Facts
	last  *gatev1.Verdict
}

func replay(t *testing.T, text string) string {
	t.Helper()
	s := &scenario{
		TB:    t,
		plan:  &implementationv1.CohortPlan{Name: "workspaces/w/implementations/crm/cohortPlans/sales"},
		facts: readiness.Facts{Now: start, Trained: map[string]readiness.Trained{}},
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "#"), line == "\n":
			out.WriteString(line)
		case strings.HasPrefix(line, "> "):
			out.WriteString(line)
			words := strings.Fields(line[2:])
			s.command(&out, words[0], arguments(words[1:]), words[1:])
		}
	}
	return out.String()
}

func arguments(words []string) map[string]string {
	args := map[string]string{}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		args[key] = value
	}
	return args
}

func (s *scenario) command(out *strings.Builder, verb string, args map[string]string, words []string) {
	number := func(key string) int64 {
		n, err := strconv.ParseInt("0"+args[key], 10, 64)
		require.NoError(s, err)
		return n
	}
	switch verb {
	case "plan":
		s.plan.Owner = args["owner"]
		s.facts.Owner = args["cohort-owner"]
		if d, ok := args["go-live"]; ok {
			after, err := time.ParseDuration(d)
			require.NoError(s, err)
			s.plan.GoLiveTime = timestamppb.New(start.Add(after))
		}
	case "criterion":
		c := &implementationv1.TrainedCriterion{}
		for training := range strings.SplitSeq(args["trainings"], ",") {
			c.Trainings = append(c.Trainings, "workspaces/w/trainings/"+training)
		}
		if threshold, ok := args["threshold"]; ok {
			var err error
			c.Threshold, err = strconv.ParseFloat(threshold, 64)
			require.NoError(s, err)
		}
		criterion := &implementationv1.Criterion{Id: words[0], Type: &implementationv1.Criterion_Trained{Trained: c}}
		if _, shown := args["shown-only"]; shown {
			criterion.Must = new(false)
		}
		if s.plan.GetReadinessPolicy() == nil {
			s.plan.ReadinessPolicy = &implementationv1.ReadinessPolicy{}
		}
		s.plan.ReadinessPolicy.Criteria = append(s.plan.ReadinessPolicy.Criteria, criterion)
	case "count":
		s.facts.Headcount = number("members")
		s.facts.Trained[words[0]] = readiness.Trained{
			Members: number("members"), Waived: number("waived"), Done: number("done"), Expired: number("expired"), Lost: number("lost"),
		}
	case "wait":
		d, err := time.ParseDuration(words[0])
		require.NoError(s, err)
		s.facts.Now = s.facts.Now.Add(d)
	case "judge":
		s.judge(out)
	default:
		require.Fail(s, "no such command", verb)
	}
}

func (s *scenario) judge(out *strings.Builder) {
	assessment := readiness.Assess(s.plan, s.facts)
	v := assessment.Verdict()
	changed := readiness.Continue(s.last, v)
	s.last = v
	fmt.Fprintf(out, "%s revision=%d changed=%t headcount=%d\n", v.GetState(), v.GetRevision(), changed, v.GetHeadcount())
	for _, c := range assessment.Readiness().GetCriteria() {
		fmt.Fprintf(out, "  %s %s must=%t: %s\n", c.GetId(), c.GetStatus(), c.GetMust(), c.GetMessage())
	}
	for _, r := range v.GetReasons() {
		fmt.Fprintf(out, "  blocked by %s: %s, required %s, owner %q, since %s\n    help: %s\n",
			r.GetResource(), r.GetCurrent(), r.GetRequired(), r.GetOwner(), r.GetSince().AsTime().Sub(start), r.GetCommand())
	}
}

// facts draws counts that can be.
func facts(t *rapid.T) readiness.Trained {
	members := rapid.Int64Range(0, 5000).Draw(t, "members")
	waived := rapid.Int64Range(0, members).Draw(t, "waived")
	done := rapid.Int64Range(0, members-waived).Draw(t, "done")
	return readiness.Trained{
		Members: members, Waived: waived, Done: done,
		Expired: rapid.Int64Range(0, members-waived-done).Draw(t, "expired"),
		Lost:    rapid.Int64Range(0, members-waived-done).Draw(t, "lost"),
	}
}

func assess(threshold float64, f readiness.Trained, goLive time.Time) readiness.Assessment {
	plan := &implementationv1.CohortPlan{
		Name: "workspaces/w/implementations/i/cohortPlans/c",
		ReadinessPolicy: &implementationv1.ReadinessPolicy{Criteria: []*implementationv1.Criterion{{
			Id: "trained", Type: &implementationv1.Criterion_Trained{Trained: &implementationv1.TrainedCriterion{
				Trainings: []string{"workspaces/w/trainings/t"}, Threshold: threshold,
			}},
		}}},
	}
	if !goLive.IsZero() {
		plan.GoLiveTime = timestamppb.New(goLive)
	}
	return readiness.Assess(plan, readiness.Facts{Now: start, Headcount: f.Members, Trained: map[string]readiness.Trained{"trained": f}})
}

func TestPassIsExactlyReachingTheThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hundredths := rapid.Int64Range(1, 100).Draw(t, "percent")
		f := facts(t)
		state := assess(float64(hundredths)/100, f, time.Time{}).State()
		whole := f.Members - f.Waived
		switch {
		case whole == 0:
			require.Equal(t, gatev1.Verdict_UNKNOWN, state)
		case f.Done*100 >= hundredths*whole: // in integers, where nothing is rounded
			require.Equal(t, gatev1.Verdict_PASS, state)
		case (whole-f.Lost)*100 < hundredths*whole:
			require.Equal(t, gatev1.Verdict_FAIL, state)
		default:
			require.Equal(t, gatev1.Verdict_WAIT, state)
		}
	})
}

func TestOneMoreTrainedNeverMakesItWorse(t *testing.T) {
	rank := map[gatev1.Verdict_State]int{gatev1.Verdict_PASS: 0, gatev1.Verdict_WAIT: 1, gatev1.Verdict_FAIL: 2}
	rapid.Check(t, func(t *rapid.T) {
		f := facts(t)
		if f.Members-f.Waived-f.Done-f.Lost < 1 {
			return
		}
		threshold := rapid.Float64Range(0.001, 1).Draw(t, "threshold")
		goLive := start.Add(time.Duration(rapid.Int64Range(-5, 5).Draw(t, "hours")) * time.Hour)
		before := assess(threshold, f, goLive).State()
		f.Done++
		f.Expired = min(f.Expired, f.Members-f.Waived-f.Done)
		require.LessOrEqual(t, rank[assess(threshold, f, goLive).State()], rank[before])
	})
}

func TestWhatWaitsSaysWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := assess(rapid.Float64Range(0, 1).Draw(t, "threshold"), facts(t), time.Time{}).Verdict()
		require.Equal(t, v.GetState() == gatev1.Verdict_PASS, len(v.GetReasons()) == 0)
		for _, r := range v.GetReasons() {
			require.NotEmpty(t, r.GetCurrent())
			require.NotEmpty(t, r.GetRequired())
			require.NotEmpty(t, r.GetCommand())
		}
		e := v.GetEvidence()[0]
		require.LessOrEqual(t, e.GetNumerator(), e.GetDenominator())
	})
}

func TestTheRevisionRisesWithTheContentOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := facts(t), facts(t)
		first := assess(0.9, a, time.Time{}).Verdict()
		require.True(t, readiness.Continue(nil, first))
		require.EqualValues(t, 1, first.GetRevision())
		same := assess(0.9, a, time.Time{}).Verdict()
		same.EvaluatedAt, same.ValidUntil = timestamppb.New(start.Add(time.Hour)), timestamppb.New(start.Add(2*time.Hour))
		require.False(t, readiness.Continue(first, same))
		require.EqualValues(t, 1, same.GetRevision())
		other := assess(0.9, b, time.Time{}).Verdict()
		changed := readiness.Continue(first, other)
		require.Equal(t, changed, other.GetRevision() == 2)
		if a != b && a.Members != b.Members {
			require.True(t, changed, "the headcount is content")
		}
	})
}
