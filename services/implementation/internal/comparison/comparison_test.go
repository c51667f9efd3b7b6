package comparison_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/comparison"
)

const (
	pass, fail, wait, unknown = gatev1.Verdict_PASS, gatev1.Verdict_FAIL, gatev1.Verdict_WAIT, gatev1.Verdict_UNKNOWN
	none                      = gatev1.Verdict_STATE_UNSPECIFIED
)

var now = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func at(hours int) *timestamppb.Timestamp {
	return timestamppb.New(now.Add(time.Duration(hours) * time.Hour))
}

// facts are a go-live in its middle: two of four waves are done, one cohort is live.
func facts() comparison.Facts {
	reason := func(kind gatev1.BlockedBy_Kind) []*gatev1.BlockedBy {
		return []*gatev1.BlockedBy{{Kind: kind, Current: "12 of 20", Required: "18 of 20", Resource: "r", Since: at(-2)}}
	}
	return comparison.Facts{
		Now: now,
		Implementation: &implementationv1.Implementation{
			Name: "workspaces/w/implementations/crm", DisplayName: "CRM", Goal: "Everybody quotes in it", State: implementationv1.Implementation_ACTIVE, Owner: "users/ada",
			Applications: []string{"workspaces/w/applications/crm"}, Environments: []string{"workspaces/w/environments/prod", "workspaces/w/environments/dr"},
			ActualStartTime: at(-24 * 12), TargetDate: at(24 * 10),
		},
		Machines: &deploymentv1.Measures{
			Targets: 8, OpenIncidents: []string{"workspaces/w/incidents/slow"},
			Deployments: []*deploymentv1.MeasuredDeployment{{
				Deployment: "d2", Release: "v2", Environment: "prod", State: "WAITING", StartTime: at(-30), Targets: 8, Healthy: 4, BlockedBy: reason(gatev1.BlockedBy_READINESS),
				Waves: []*deploymentv1.MeasuredWave{
					{Wave: "pilot", State: "SEALED", StartTime: at(-30), EndTime: at(-20)},
					{Wave: "one", State: "SEALED", StartTime: at(-20), EndTime: at(-16)},
					{Wave: "two", State: "GATED"},
					{Wave: "three", State: "FAILED"},
				},
			}},
		},
		Card: &implementationv1.Scorecard{Measures: []*implementationv1.ScorecardMeasure{
			{Kind: implementationv1.ScorecardMeasure_UPTIME, State: implementationv1.ScorecardMeasure_MET, Value: new(.9995), Target: new(.999)},
			{Kind: implementationv1.ScorecardMeasure_ADOPTION, State: implementationv1.ScorecardMeasure_NOT_MET, Value: new(.5), Target: new(.8)},
			{Kind: implementationv1.ScorecardMeasure_SAVINGS, State: implementationv1.ScorecardMeasure_UNKNOWN},
			{Kind: implementationv1.ScorecardMeasure_SATISFACTION, State: implementationv1.ScorecardMeasure_NO_TARGET, Value: new(.7)},
		}},
		Plans: []*implementationv1.CohortPlan{
			{Name: "plans/pilot", Cohort: "cohorts/pilot", LiveTime: at(-20), LiveWave: "waves/pilot"}, {Name: "plans/sales", Cohort: "cohorts/sales", GoLiveTime: at(48)}, {Name: "plans/later", Cohort: "cohorts/later"},
		},
		People:     map[string]int64{"cohorts/pilot": 1, "cohorts/sales": 20},
		Stages:     []*implementationv1.Stage{{Name: "stages/build", State: implementationv1.Stage_DONE}, {Name: "stages/train", DisplayName: "Train", State: implementationv1.Stage_READY, BlockedBy: reason(gatev1.BlockedBy_TECHNICAL)}},
		Decisions:  []*implementationv1.Decision{{Name: "decisions/go", DisplayName: "Does sales go?", State: implementationv1.Decision_PENDING, Waves: []string{"waves/two"}, BlockedBy: reason(gatev1.BlockedBy_DECISION)}},
		Challenges: []*implementationv1.Challenge{{Name: "challenges/a", DisplayName: "No network", Class: implementationv1.Challenge_TECHNICAL, Critical: true}},
		Schedule:   &implementationv1.Schedule{EndTime: at(24 * 11)},
		Forecast:   &implementationv1.Forecast{Name: "forecasts/f", P50Time: at(24 * 12), P80Time: at(24 * 15)},
	}
}

func said(s *implementationv1.ComparisonSide) string {
	lines := []string{s.GetText()}
	for _, i := range s.GetItems() {
		line := fmt.Sprintf("%s: %s", i.GetLabel(), i.GetValue())
		if i.GetTarget() != "" {
			line += " of " + i.GetTarget()
		}
		lines = append(lines, line+" "+i.GetState().String())
	}
	return strings.Join(lines, "\n")
}

func state(s gatev1.Verdict_State) string { return s.String() }

func TestEveryAttributeIsFilled(t *testing.T) {
	c := comparison.Compute(facts())
	require.True(t, c.GetDeploymentKnown())
	for i, want := range [][2]string{
		{"Puts a release on machines, wave by wave.\nd2: v2 to prod " + state(wait), "Gets people to work with it: plan, training, support, and what they say.\nstate: ACTIVE " + state(none) + "\nowner: users/ada " + state(none) + "\nsponsor: nobody " + state(none)},
		{"Comes first: people can use only what runs.\nbefore two: Does sales go? " + state(wait) + "\nwith pilot: pilot went live " + state(pass), "Begins before the first wave and ends long after the last: habits take weeks.\npilot: live since 2026-06-29 " + state(pass) + "\nsales: goes live on 2026-07-02 " + state(wait) + "\nlater: no date " + state(wait)},
		{"1 application, 2 environments, 8 targets.\napplication: crm " + state(none) + "\nenvironment: prod " + state(none) + "\nenvironment: dr " + state(none), "3 cohorts with 21 people.\ncohort: pilot, 1 person " + state(none) + "\ncohort: sales, 20 people " + state(none) + "\ncohort: later, 0 people " + state(none)},
		{"The release runs on every target, and stays healthy.\nd2: 4 of 8 targets healthy " + state(wait), "Everybody quotes in it\nadoption: 50.0 % of 80.0 % " + state(fail)},
		{"2 of 4 waves done.\nwave pilot: SEALED " + state(pass) + "\nwave one: SEALED " + state(pass) + "\nwave two: GATED " + state(wait) + "\nwave three: FAILED " + state(fail), "1 of 2 stages done.\nstage build: DONE " + state(pass) + "\nstage Train: READY " + state(wait)},
		{"Hours to days: as long as its waves need to prove healthy.\nelapsed: 30 hours " + state(none) + "\nforecast, even odds: 2026-07-01 " + state(none) + "\nforecast, four in five: 2026-07-01 " + state(none), "Weeks to months: as long as people need to change.\nelapsed: 12 days " + state(none) + "\nplanned: 2026-07-11 of 2026-07-10 " + state(fail) + "\nforecast, even odds: 2026-07-12 " + state(none) + "\nforecast, four in five: 2026-07-15 " + state(none)},
		{"The software runs, answers in time, and its users rate it well.\nuptime: 100.0 % of 99.9 % " + state(pass), "People work with it, the savings come, and they are content.\nadoption: 50.0 % of 80.0 % " + state(fail) + "\nsavings: not known " + state(unknown) + "\nsatisfaction: 70.0 % " + state(none)},
		{"2 incidents or failing waves are open.\nincident: slow " + state(fail) + "\nwave three: FAILED " + state(fail), "1 challenge is open.\ntechnical: No network " + state(fail)},
		{"It waits for 1 thing.\nd2 on readiness: 12 of 20 of 18 of 20 " + state(wait), "It waits for 2 things.\ngo on decision: 12 of 20 of 18 of 20 " + state(wait) + "\ntrain on technical: 12 of 20 of 18 of 20 " + state(wait)},
	} {
		row := c.GetRows()[i]
		require.EqualValues(t, i+1, row.GetAttribute())
		require.Equal(t, want[0], said(row.GetDeployment()))
		require.Equal(t, want[1], said(row.GetImplementation()))
	}
}

func TestTheRolloutIsForetoldByItsOwnWaves(t *testing.T) {
	f := facts()
	timeline := comparison.Compute(f).GetRows()[implementationv1.ComparisonRow_TIMELINE-1].GetDeployment()
	require.Equal(t, now.Add(2*10*time.Hour), timeline.GetItems()[1].GetTime().AsTime(), "two are left, and the longer of two took ten hours")
	f.Machines.Deployments[0].Waves = f.Machines.GetDeployments()[0].GetWaves()[2:]
	timeline = comparison.Compute(f).GetRows()[implementationv1.ComparisonRow_TIMELINE-1].GetDeployment()
	require.Len(t, timeline.GetItems(), 1, "nothing is done that could foretell")
}

func TestWithoutTheDeploymentServiceThePeopleAreThere(t *testing.T) {
	f := facts()
	f.Machines, f.Silent = nil, "it does not answer"
	c := comparison.Compute(f)
	require.False(t, c.GetDeploymentKnown())
	for _, row := range c.GetRows() {
		require.Equal(t, "it does not answer", row.GetDeployment().GetText())
		require.Zero(t, row.GetDeployment().GetTotal())
		require.NotEmpty(t, row.GetImplementation().GetText())
	}
	empty := comparison.Compute(comparison.Facts{Implementation: &implementationv1.Implementation{Name: "workspaces/w/implementations/crm"}, Machines: &deploymentv1.Measures{}})
	require.Len(t, empty.GetRows(), 9)
	for _, row := range empty.GetRows() {
		require.NotEmpty(t, row.GetDeployment().GetText())
		require.NotEmpty(t, row.GetImplementation().GetText())
	}
}

func TestACellIsBoundedAndSaysHowManyThereAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := facts()
		n := rapid.IntRange(0, 120).Draw(t, "challenges")
		f.Challenges = nil
		for i := range n {
			f.Challenges = append(f.Challenges, &implementationv1.Challenge{Name: fmt.Sprint(i), DisplayName: rapid.String().Draw(t, "name")})
		}
		c := comparison.Compute(f)
		cell := c.GetRows()[implementationv1.ComparisonRow_CHALLENGES-1].GetImplementation()
		require.EqualValues(t, n, cell.GetTotal())
		require.Len(t, cell.GetItems(), min(n, 50))
		markdown, html, err := comparison.Report(c)
		require.NoError(t, err)
		require.Equal(t, 5+9, strings.Count(strings.TrimSpace(markdown), "\n"), "whatever people write, a row is a line")
		require.Equal(t, 9, strings.Count(html[strings.Index(html, "<tbody>"):], "<tr>"))
	})
}

func FuzzWhatPeopleWriteStaysText(f *testing.F) {
	for _, seed := range []string{"<img src=x onerror=alert(1)>", "[a](javascript:b)", "| a | b |", "# h", "`x`", "![i](http://x)", "▁▂</td>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all := facts()
		all.Implementation.DisplayName, all.Implementation.Goal, all.Challenges[0].DisplayName = text, text, text
		_, html, err := comparison.Report(comparison.Compute(all))
		require.NoError(t, err)
		body := html[strings.Index(html, "<body>"):]
		for _, tag := range []string{"<img", "<a ", "<script", "<code", "<svg"} {
			require.NotContains(t, body, tag, "%q", text)
		}
	})
}
