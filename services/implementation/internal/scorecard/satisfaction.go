package scorecard

import (
	"fmt"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// satisfaction is what everybody said in the newest wave. The wave before is its trend where the same question was asked in the same words.
func satisfaction(f Facts) *implementationv1.ScorecardMeasure {
	m := &implementationv1.ScorecardMeasure{Kind: implementationv1.ScorecardMeasure_SATISFACTION, Unit: "answers"}
	target := f.Targets.GetSatisfaction()
	switch {
	case f.Targets.GetSatisfactionSurvey() == "":
		m.Message = "no survey is named that asks for it"
		return judge(m, target)
	case len(f.Waves) == 0:
		m.Evidence = []string{f.Targets.GetSatisfactionSurvey()}
		m.Message = "no wave of the survey is published"
		return judge(m, target)
	}
	wave := f.Waves[0]
	m.Evidence, m.Day = []string{wave.GetSurveyWave()}, day(wave.GetClosedTime().AsTime())
	everybody := everybodyOf(wave)
	if everybody.GetState() != implementationv1.SurveyGroup_TOLD {
		m.Message = "not told: too few answered, or the answers of too few would follow from it"
		return judge(m, target)
	}
	asked := csat(everybody, "")
	if asked == nil {
		m.Message = "the wave has no CSAT question"
		return judge(m, target)
	}
	m.Value, m.Lower, m.Upper = new(asked.GetValue()), new(asked.GetLower()), new(asked.GetUpper())
	m.Numerator, m.Denominator = asked.GetNumerator(), asked.GetDenominator()
	m.Message = fmt.Sprintf("%d of %d who answered are satisfied (%s, with 95 %% confidence %s to %s)", m.GetNumerator(), m.GetDenominator(),
		percent(m.GetValue()), percent(m.GetLower()), percent(m.GetUpper()))
	if everybody.GetLowResponse() {
		m.State = unknown
		m.Message += fmt.Sprintf("; only %s answered, which is too little to go by", percent(everybody.GetResponseRate()))
	}
	if len(f.Waves) > 1 {
		if before := csat(everybodyOf(f.Waves[1]), asked.GetSeries()); before != nil {
			since(m, before.GetValue(), day(f.Waves[1].GetClosedTime().AsTime()))
		}
	}
	return judge(m, target)
}

// everybodyOf is the group of all who were asked; nil where it is not there.
func everybodyOf(r *implementationv1.SurveyResult) *implementationv1.SurveyGroup {
	for _, g := range r.GetGroups() {
		if g.GetCohort() == "" && g.GetValue() == "" {
			return g
		}
	}
	return nil
}

// csat is the first CSAT question of a group that is told, of a series where one is given; nil where there is none that anybody answered.
func csat(g *implementationv1.SurveyGroup, series string) *implementationv1.SurveyMeasure {
	for _, m := range g.GetMeasures() {
		if m.GetKind() == implementationv1.Question_CSAT && m.GetDenominator() > 0 && (series == "" || m.GetSeries() == series) {
			return m
		}
	}
	return nil
}
