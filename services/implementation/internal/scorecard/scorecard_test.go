package scorecard_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/benefit"
	"github.com/golive-dev/golive/services/implementation/internal/scorecard"
)

var now = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func point(day string, active, eligible int64) *implementationv1.AdoptionPoint {
	p := &implementationv1.AdoptionPoint{Day: day, Disclosure: implementationv1.CohortAdoption_SHOWN, Active: active, Eligible: eligible}
	if eligible > 0 {
		p.Share = new(float64(active) / float64(eligible))
	}
	return p
}

func hidden(day string) *implementationv1.AdoptionPoint {
	return &implementationv1.AdoptionPoint{Day: day, Disclosure: implementationv1.CohortAdoption_SUPPRESSED}
}

func adopted(points ...*implementationv1.AdoptionPoint) *implementationv1.Adoption {
	return &implementationv1.Adoption{
		Cohorts: []*implementationv1.CohortAdoption{{CohortPlan: "plan"}}, Total: &implementationv1.CohortAdoption{Points: points},
	}
}

func wave(id string, state implementationv1.SurveyGroup_State, satisfied, answered, asked int64, series string) *implementationv1.SurveyResult {
	g := &implementationv1.SurveyGroup{State: state, AskedCount: asked, ResponseCount: answered, LowResponse: float64(answered) < .3*float64(asked)}
	if state == implementationv1.SurveyGroup_TOLD {
		g.Measures = []*implementationv1.SurveyMeasure{
			{Kind: implementationv1.Question_ENPS, Value: -1, Denominator: answered, Series: "enps"},
			{Kind: implementationv1.Question_CSAT, Value: float64(satisfied) / float64(answered), Lower: .1, Upper: .9, Numerator: satisfied, Denominator: answered, Series: series},
		}
	}
	return &implementationv1.SurveyResult{
		SurveyWave: id, ClosedTime: timestamppb.New(now.AddDate(0, 0, -3)),
		Groups: []*implementationv1.SurveyGroup{{Cohort: "sales", State: implementationv1.SurveyGroup_TOLD}, g},
	}
}

func targets(adoption, savings, satisfaction float64) *implementationv1.ScorecardTargets {
	return &implementationv1.ScorecardTargets{Adoption: adoption, Savings: savings, Satisfaction: satisfaction, SatisfactionSurvey: "survey"}
}

func TestAdoptionIsThatOfTheLastDay(t *testing.T) {
	for _, c := range []struct {
		name     string
		adoption *implementationv1.Adoption
		target   float64
		state    implementationv1.ScorecardMeasure_State
		says     string
		change   *float64
	}{
		{"reached exactly", adopted(point("2026-06-01", 10, 40), point("2026-06-29", 30, 40)), .75, implementationv1.ScorecardMeasure_MET, "30 of 40", new(.5)},
		{"missed by one", adopted(point("2026-06-01", 40, 40), point("2026-06-29", 29, 40)), .75, implementationv1.ScorecardMeasure_NOT_MET, "29 of 40", new(-.275)},
		{"without a target", adopted(point("2026-06-29", 29, 40)), 0, implementationv1.ScorecardMeasure_NO_TARGET, "29 of 40", nil},
		{"hidden four weeks ago", adopted(hidden("2026-06-01"), point("2026-06-29", 30, 40)), .75, implementationv1.ScorecardMeasure_MET, "30 of 40", nil},
		{"hidden", adopted(point("2026-06-01", 30, 40), hidden("2026-06-29")), .75, implementationv1.ScorecardMeasure_UNKNOWN, "not told", nil},
		{"hidden without a target", adopted(hidden("2026-06-29")), 0, implementationv1.ScorecardMeasure_UNKNOWN, "not told", nil},
		{"of nobody", adopted(point("2026-06-29", 0, 0)), .75, implementationv1.ScorecardMeasure_UNKNOWN, "nobody", nil},
		{"without cohort plans", &implementationv1.Adoption{}, .75, implementationv1.ScorecardMeasure_UNKNOWN, "no cohort plan", nil},
		{
			"of cohorts that count differently", &implementationv1.Adoption{Cohorts: []*implementationv1.CohortAdoption{{}, {}}}, .75,
			implementationv1.ScorecardMeasure_UNKNOWN, "no total", nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := scorecard.Compute(scorecard.Facts{Targets: targets(c.target, 0, 0), Adoption: c.adoption, Now: now}).GetMeasures()[3]
			require.Equal(t, c.state, m.GetState())
			require.Contains(t, m.GetMessage(), c.says)
			require.Nil(t, m.Lower, "everybody was counted")
			require.Equal(t, c.target != 0, m.Target != nil)
			if c.change == nil {
				require.Nil(t, m.GetTrend())
				return
			}
			require.InDelta(t, *c.change, m.GetTrend().GetChange(), 1e-12)
			require.Equal(t, "2026-06-01", m.GetTrend().GetPreviousDay())
			require.Equal(t, "2026-06-29", m.GetDay())
		})
	}
}

func entry(amount int64, verified time.Time) *implementationv1.LedgerEntry {
	e := &implementationv1.LedgerEntry{Direction: implementationv1.CashDirection_BENEFIT, AmountMinor: amount}
	if !verified.IsZero() {
		e.VerifyTime = timestamppb.New(verified)
	}
	return e
}

func benefits(name, date string, amount int64) *implementationv1.BudgetLine {
	return &implementationv1.BudgetLine{
		Name: name, Direction: implementationv1.CashDirection_BENEFIT, Amounts: []*implementationv1.PlannedAmount{{Date: date, AmountMinor: amount}},
	}
}

func TestSavingsAreWhatWasVerified(t *testing.T) {
	books := benefit.Books{
		Currency: "EUR",
		Lines: []*implementationv1.BudgetLine{
			benefits("may", "2026-05-01", 1_000), benefits("june", "2026-06-30", 1_000), benefits("july", "2026-07-01", 8_000),
			{Name: "cost", Direction: implementationv1.CashDirection_COST, Amounts: []*implementationv1.PlannedAmount{{Date: "2026-05-01", AmountMinor: 500}}},
		},
		Entries: []*implementationv1.LedgerEntry{
			entry(600, now.AddDate(0, 0, -40)), entry(700, now.AddDate(0, 0, -2)), entry(-100, now), entry(5_000, time.Time{}), entry(9_000, now.Add(time.Second)),
			{Direction: implementationv1.CashDirection_COST, AmountMinor: 300, VerifyTime: timestamppb.New(now)},
		},
	}
	compute := func(target float64, b benefit.Books) *implementationv1.ScorecardMeasure {
		return scorecard.Compute(scorecard.Facts{Targets: targets(0, target, 0), Books: b, Now: now}).GetMeasures()[4]
	}
	m := compute(.6, books)
	require.Equal(t, implementationv1.ScorecardMeasure_MET, m.GetState())
	require.EqualValues(t, 1_200, m.GetNumerator(), "verified by now, less what was taken back")
	require.EqualValues(t, 2_000, m.GetDenominator(), "planned until today")
	require.Equal(t, "EUR", m.GetUnit())
	require.Equal(t, []string{"may", "june"}, m.GetEvidence())
	require.InDelta(t, .6, m.GetTrend().GetPreviousValue(), 1e-12, "600 of the 1 000 planned until four weeks ago")
	require.Equal(t, "2026-06-02", m.GetTrend().GetPreviousDay())
	require.Equal(t, implementationv1.ScorecardMeasure_NOT_MET, compute(.601, books).GetState())
	require.Equal(t, implementationv1.ScorecardMeasure_UNKNOWN, compute(.6, benefit.Books{Entries: books.Entries}).GetState(), "nothing was planned: no share")
}

func TestSatisfactionIsWhatMayBeToldOfTheLastWave(t *testing.T) {
	const told, few = implementationv1.SurveyGroup_TOLD, implementationv1.SurveyGroup_TOO_FEW
	for _, c := range []struct {
		name   string
		waves  []*implementationv1.SurveyResult
		state  implementationv1.ScorecardMeasure_State
		says   string
		before bool
	}{
		{"reached", []*implementationv1.SurveyResult{wave("two", told, 32, 40, 50, "s"), wave("one", told, 20, 40, 50, "s")}, implementationv1.ScorecardMeasure_MET, "32 of 40", true},
		{"missed", []*implementationv1.SurveyResult{wave("two", told, 31, 40, 50, "s")}, implementationv1.ScorecardMeasure_NOT_MET, "31 of 40", false},
		{"asked in other words before", []*implementationv1.SurveyResult{wave("two", told, 32, 40, 50, "s"), wave("one", told, 20, 40, 50, "old")}, implementationv1.ScorecardMeasure_MET, "32 of 40", false},
		{"hidden", []*implementationv1.SurveyResult{wave("two", few, 4, 4, 50, "s"), wave("one", told, 40, 40, 50, "s")}, implementationv1.ScorecardMeasure_UNKNOWN, "not told", false},
		{"hidden before", []*implementationv1.SurveyResult{wave("two", told, 32, 40, 50, "s"), wave("one", few, 4, 4, 50, "s")}, implementationv1.ScorecardMeasure_MET, "32 of 40", false},
		{"answered by few", []*implementationv1.SurveyResult{wave("two", told, 14, 14, 50, "s")}, implementationv1.ScorecardMeasure_UNKNOWN, "too little to go by", false},
		{"not published", nil, implementationv1.ScorecardMeasure_UNKNOWN, "no wave", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := scorecard.Compute(scorecard.Facts{Targets: targets(0, 0, .8), Waves: c.waves, Now: now}).GetMeasures()[5]
			require.Equal(t, c.state, m.GetState())
			require.Contains(t, m.GetMessage(), c.says)
			require.Equal(t, c.before, m.GetTrend() != nil)
			require.NotEmpty(t, m.GetEvidence())
			require.Equal(t, m.Value != nil, m.Lower != nil && m.Upper != nil, "a sample has an interval")
		})
	}
	m := scorecard.Compute(scorecard.Facts{Targets: &implementationv1.ScorecardTargets{Satisfaction: .8}, Now: now}).GetMeasures()[5]
	require.Equal(t, implementationv1.ScorecardMeasure_UNKNOWN, m.GetState())
	require.Contains(t, m.GetMessage(), "no survey")
}

var order = []implementationv1.ScorecardMeasure_Kind{
	implementationv1.ScorecardMeasure_UPTIME, implementationv1.ScorecardMeasure_PERFORMANCE, implementationv1.ScorecardMeasure_FEEDBACK,
	implementationv1.ScorecardMeasure_ADOPTION, implementationv1.ScorecardMeasure_SAVINGS, implementationv1.ScorecardMeasure_SATISFACTION,
}

// TestWhatIsNotKnownIsNeverReached draws scorecards from anything and looks for a verdict without a number.
func TestWhatIsNotKnownIsNeverReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Int64Range(0, 30)
		f := scorecard.Facts{
			Targets: targets(rapid.Float64Range(0, 1).Draw(t, "adoption"), rapid.Float64Range(0, 2).Draw(t, "savings"), rapid.Float64Range(0, 1).Draw(t, "satisfaction")), Now: now,
			Books: benefit.Books{
				Lines:   []*implementationv1.BudgetLine{benefits("one", "2026-05-01", count.Draw(t, "planned"))},
				Entries: []*implementationv1.LedgerEntry{entry(count.Draw(t, "verified"), now)},
			},
			Adoption: adopted(point("2026-06-01", 1, 10), point("2026-06-29", count.Draw(t, "active"), count.Draw(t, "eligible"))),
		}
		if answered := count.Draw(t, "answered"); answered > 0 {
			state := rapid.SampledFrom([]implementationv1.SurveyGroup_State{implementationv1.SurveyGroup_TOLD, implementationv1.SurveyGroup_TOO_FEW, implementationv1.SurveyGroup_POOLED}).Draw(t, "state")
			f.Waves = append(f.Waves, wave("one", state, min(count.Draw(t, "satisfied"), answered), answered, 30, "s"))
		}
		if rapid.Bool().Draw(t, "machines") {
			f.Applications = []string{"crm"}
			share := func(what string) *deploymentv1.Share {
				whole := count.Draw(t, what)
				return &deploymentv1.Share{Numerator: min(count.Draw(t, what), whole), Denominator: whole}
			}
			f.Machines.Now = &deploymentv1.Measures{Uptime: share("uptime"), Performance: share("performance"), Feedback: share("feedback"), Coverage: rapid.Float64Range(0, 1).Draw(t, "coverage")}
			f.Targets.Uptime, f.Targets.Performance, f.Targets.Feedback = f.Targets.GetAdoption(), f.Targets.GetAdoption(), f.Targets.GetSatisfaction()
		}
		for i, m := range scorecard.Compute(f).GetMeasures() {
			require.Equal(t, order[i], m.GetKind())
			require.NotEmpty(t, m.GetMessage())
			switch m.GetState() {
			case implementationv1.ScorecardMeasure_MET:
				require.GreaterOrEqual(t, m.GetValue(), m.GetTarget())
				require.NotNil(t, m.Target)
			case implementationv1.ScorecardMeasure_NOT_MET:
				require.Less(t, m.GetValue(), m.GetTarget())
				require.NotNil(t, m.Value)
			case implementationv1.ScorecardMeasure_NO_TARGET:
				require.Nil(t, m.Target)
			case implementationv1.ScorecardMeasure_UNKNOWN:
				require.True(t, m.Value == nil || m.GetKind() == implementationv1.ScorecardMeasure_SATISFACTION || m.GetKind() == implementationv1.ScorecardMeasure_UPTIME)
			default:
				t.Fatalf("%s has no state", m.GetKind())
			}
			if m.Value != nil {
				require.InDelta(t, float64(m.GetNumerator())/float64(m.GetDenominator()), m.GetValue(), 1e-12)
			}
		}
	})
}
