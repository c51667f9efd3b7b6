// Package scorecard sets what an implementation was to reach beside what it has
// reached: whether the software runs, whether it answers well, what its users say of it; whether people
// work with it, whether the savings came, whether people are content. It is pure. Every number is made elsewhere: the
// first three by the deployment service, the others by adoption, benefit
// and survey, and is told here only if it may be told there; this package picks
// the number, the one before it, and the word for how it stands to its target.
//
// A number at or above its target has MET it. What is not known is UNKNOWN and
// never counts as reached, and neither does a share of so few answers, or of so little observed time, that
// nobody should go by it. An interval stands only beside a sample: everybody who could use the new way is
// counted, and so are money, time and requests.
package scorecard

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/benefit"
)

// Back is how far back the number lies that a measure is compared with.
const Back = 28 * 24 * time.Hour

// The states, by short names.
const (
	met      = implementationv1.ScorecardMeasure_MET
	notMet   = implementationv1.ScorecardMeasure_NOT_MET
	unknown  = implementationv1.ScorecardMeasure_UNKNOWN
	noTarget = implementationv1.ScorecardMeasure_NO_TARGET
)

// Facts are what a scorecard is computed from.
type Facts struct {
	Implementation string
	Targets        *implementationv1.ScorecardTargets
	Applications   []string
	Environments   []string
	Machines       Machines
	Adoption       *implementationv1.Adoption       // from Back before the last full day to that day
	Books          benefit.Books                    // all of it
	Waves          []*implementationv1.SurveyResult // what was told of the survey of satisfaction, the newest first
	Plans          []*implementationv1.CohortPlan
	Stages         []*implementationv1.Stage
	Decisions      []*implementationv1.Decision
	Now            time.Time
}

// Compute is the scorecard: the half of the machines, then the half of the people.
func Compute(f Facts) *implementationv1.Scorecard {
	last := f.lastDecision()
	return &implementationv1.Scorecard{
		Implementation: f.Implementation, AsOf: timestamppb.New(f.Now),
		Measures:  []*implementationv1.ScorecardMeasure{f.uptime(), f.performance(), f.feedback(), adoption(f), savings(f), satisfaction(f)},
		Overrides: f.overrides(), Decision: last.GetName(), DecisionState: last.GetState(),
	}
}

// judge compares a number with its target.
func judge(m *implementationv1.ScorecardMeasure, target float64) *implementationv1.ScorecardMeasure {
	if target > 0 {
		m.Target = new(target)
	}
	switch {
	case m.Value == nil || m.GetState() == unknown:
		m.State = unknown
	case target == 0:
		m.State = noTarget
	case m.GetValue() >= target:
		m.State = met
	default:
		m.State = notMet
	}
	return m
}

// since is the trend from an earlier number.
func since(m *implementationv1.ScorecardMeasure, before float64, day string) {
	m.Trend = &implementationv1.ScorecardTrend{PreviousValue: before, PreviousDay: day, Change: m.GetValue() - before}
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func adoption(f Facts) *implementationv1.ScorecardMeasure {
	m := &implementationv1.ScorecardMeasure{Kind: implementationv1.ScorecardMeasure_ADOPTION, Unit: "people"}
	for _, c := range f.Adoption.GetCohorts() {
		m.Evidence = append(m.Evidence, c.GetCohortPlan())
	}
	points := f.Adoption.GetTotal().GetPoints()
	switch {
	case len(f.Adoption.GetCohorts()) == 0:
		m.Message = "there is no cohort plan: nobody is to adopt anything"
		return judge(m, f.Targets.GetAdoption())
	case len(points) == 0:
		m.Message = "there is no total: the cohorts count by different features or windows"
		return judge(m, f.Targets.GetAdoption())
	}
	last := points[len(points)-1]
	m.Day = last.GetDay()
	switch {
	case last.GetDisclosure() != implementationv1.CohortAdoption_SHOWN:
		m.Message = "not told: too few people, or too few would follow from it"
	case last.Share == nil:
		m.Message = "nobody is eligible"
	default:
		m.Value, m.Numerator, m.Denominator = last.Share, last.GetActive(), last.GetEligible()
		m.Message = fmt.Sprintf("%d of %d people are active (%s)", m.GetNumerator(), m.GetDenominator(), percent(m.GetValue()))
		if first := points[0]; len(points) > 1 && first.GetDisclosure() == implementationv1.CohortAdoption_SHOWN && first.Share != nil {
			since(m, first.GetShare(), first.GetDay())
		}
	}
	return judge(m, f.Targets.GetAdoption())
}

func savings(f Facts) *implementationv1.ScorecardMeasure {
	m := &implementationv1.ScorecardMeasure{
		Kind: implementationv1.ScorecardMeasure_SAVINGS, Unit: f.Books.Currency, Day: day(f.Now), Evidence: f.Books.Planning(f.Now),
	}
	verified, planned := f.Books.Realisation(f.Now)
	if planned <= 0 {
		m.Message = "no benefit was planned until today"
		return judge(m, f.Targets.GetSavings())
	}
	m.Numerator, m.Denominator, m.Value = verified, planned, new(float64(verified)/float64(planned))
	m.Message = fmt.Sprintf("%s of the benefits planned until today are verified", percent(m.GetValue()))
	if before, planned := f.Books.Realisation(f.Now.Add(-Back)); planned > 0 {
		since(m, float64(before)/float64(planned), day(f.Now.Add(-Back)))
	}
	return judge(m, f.Targets.GetSavings())
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
