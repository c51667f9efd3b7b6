package weekly_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/weekly"
)

var update = flag.Bool("update", false, "write testdata as the code answers now")

const crm = "workspaces/w/implementations/crm"

func at(day, hour int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC))
}

// facts are of Wednesday, 18 March 2026.
func facts(t *testing.T) weekly.Facts {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	now := at(18, 9).AsTime()
	week, err := weekly.ParseWeek("", now, berlin)
	require.NoError(t, err)
	late := []*implementationv1.PlanCondition{{Type: implementationv1.PlanCondition_OUT_OF_SEQUENCE, Status: implementationv1.PlanCondition_TRUE, Message: "began before Design was done"}}
	return weekly.Facts{
		Now: now, Week: week,
		Implementation: &implementationv1.Implementation{Name: crm, DisplayName: "CRM | new", State: implementationv1.Implementation_ACTIVE, Owner: "users/ada", Sponsor: "The boss"},
		Schedule: &implementationv1.Schedule{
			EndTime: at(31, 16), TargetDate: at(27, 16), TargetFloatMinutes: new(int64(-960)), EndVarianceMinutes: new(int64(480)), ProgressPercent: 41.6,
			CriticalTasks: []string{"a", "b"}, NearCriticalTasks: []string{"c"},
			Tasks: []*implementationv1.TaskSchedule{
				{Name: crm + "/tasks/design", DisplayName: "Design", State: implementationv1.Task_DONE, EarlyStartTime: at(9, 8), EarlyEndTime: at(16, 16)},
				{Name: crm + "/tasks/old", DisplayName: "Of the week before", State: implementationv1.Task_DONE, EarlyStartTime: at(2, 8), EarlyEndTime: at(15, 22)},
				{Name: crm + "/tasks/build", DisplayName: "Build *it*", State: implementationv1.Task_IN_PROGRESS, ProgressPercent: 40, EarlyStartTime: at(16, 8), EarlyEndTime: at(25, 16), Critical: true, Owner: "users/ben", Conditions: late},
				{Name: crm + "/tasks/test", State: implementationv1.Task_TODO, EarlyStartTime: at(26, 8), EarlyEndTime: at(30, 16)},
				{Name: crm + "/tasks/far", DisplayName: "Far ahead", State: implementationv1.Task_TODO, EarlyStartTime: at(30, 8), EarlyEndTime: at(31, 16)},
				{Name: crm + "/tasks/live", DisplayName: "Live", Milestone: true, State: implementationv1.Task_TODO, EarlyStartTime: at(31, 16), EarlyEndTime: at(31, 16), Variance: &implementationv1.BaselineVariance{EndMinutes: 480}},
			},
		},
		Tasks: map[string]*implementationv1.Task{
			// Sunday 23:30 UTC is Monday in Berlin; an hour and a half before is not.
			crm + "/tasks/design": {ActualEndTime: timestamppb.New(time.Date(2026, 3, 15, 23, 30, 0, 0, time.UTC))}, crm + "/tasks/old": {ActualEndTime: at(15, 22)},
		},
		Readiness: []*implementationv1.Readiness{
			{CohortPlan: crm + "/cohortPlans/sales", State: gatev1.Verdict_WAIT, Headcount: 20, Criteria: []*implementationv1.CriterionResult{
				{Id: "trained", Must: true, Status: implementationv1.CriterionResult_NOT_MET, Message: "12 of 20 trained (60.0 %), at least 18 needed"},
				{Id: "nice", Status: implementationv1.CriterionResult_NOT_MET, Message: "not a gate"},
			}},
			{CohortPlan: crm + "/cohortPlans/pilot", State: gatev1.Verdict_PASS, Headcount: 3},
		},
		Challenges: []*implementationv1.Challenge{{DisplayName: "No network", State: implementationv1.Challenge_OPEN, Class: implementationv1.Challenge_TECHNICAL, Severity: 20, Critical: true, Mitigation: "A cable <script>alert(1)</script>", Owner: "users/eve"}},
		Benefits: &implementationv1.Benefits{
			Currency: "EUR", ClaimedBenefitMinor: 50,
			Planned:  &implementationv1.CashSummary{CostMinor: 4_000_000, BenefitMinor: 5_500_000, Flows: []*implementationv1.CashFlow{{}}},
			Realised: &implementationv1.CashSummary{CostMinor: 1_234_567, BenefitMinor: -5},
		},
	}
}

func TestTheReportOfAWeek(t *testing.T) {
	got := weekly.Markdown(facts(t))
	if *update {
		require.NoError(t, os.WriteFile("testdata/week.md", []byte(got), 0o600))
	}
	want, err := os.ReadFile("testdata/week.md")
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestAnEmptyPlanHasAReportToo(t *testing.T) {
	f := facts(t)
	f.Schedule, f.Readiness, f.Challenges, f.Benefits = &implementationv1.Schedule{}, nil, nil, nil
	got := weekly.Markdown(f)
	for _, said := range []string{"The plan has no tasks yet.", "Nothing was completed.", "Nothing is planned.", "No cohort is planned.", "None is open.", "No budget and no ledger."} {
		require.Contains(t, got, said)
	}
}

func TestThePageHasNoMarkupOfPeople(t *testing.T) {
	html, err := weekly.HTML("CRM <week>", weekly.Markdown(facts(t)))
	require.NoError(t, err)
	require.Contains(t, html, "<table>")
	require.Contains(t, html, "<title>CRM &lt;week&gt;</title>")
	require.NotContains(t, html, "<script")
	require.NotContains(t, html, "<em>it</em>", "what people wrote is shown as they wrote it")
	require.NotContains(t, html, "http", "nothing is loaded from elsewhere")
}

func FuzzWhatPeopleWriteStaysText(f *testing.F) {
	for _, seed := range []string{"<img src=x onerror=alert(1)>", "[a](javascript:b)", "| a | b |", "# h", "&lt;b&gt;", "`x`", "~~~", "![i](http://x)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		html, err := weekly.HTML("t", weekly.Markdown(weekly.Facts{Implementation: &implementationv1.Implementation{Name: crm, DisplayName: name, Owner: name}}))
		require.NoError(t, err)
		body := html[strings.Index(html, "<body>"):]
		for _, tag := range []string{"<img", "<a ", "<script", "<code", "<b>", "<del"} {
			require.NotContains(t, body, tag, "%q", name)
		}
	})
}

func TestWeeks(t *testing.T) {
	now := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC)
	for name, start := range map[string]string{"2026-W01": "2025-12-29", "2026-W12": "2026-03-16", "2026-W53": "2026-12-28", "2020-W53": "2020-12-28", "": "2026-12-28"} {
		week, err := weekly.ParseWeek(name, now, time.UTC)
		require.NoError(t, err)
		require.Equal(t, start, week.Start.Format(time.DateOnly), name)
	}
	for name, reason := range map[string]string{"2025-W53": "INVALID_FIELD", "2026-W00": "INVALID_FIELD", "2027-W01": "WEEK_AHEAD", "soon": "INVALID_FIELD"} {
		_, err := weekly.ParseWeek(name, now, time.UTC)
		require.Equal(t, reason, fault.ReasonOf(err), name)
	}
}
