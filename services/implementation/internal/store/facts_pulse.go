package store

import (
	"context"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
)

// pulseMemory is how long ago a wave may have closed to be looked for.
const pulseMemory = 400 * 24 * time.Hour

// pulses are the last closed waves of the surveys that criteria name, as far as their numbers were told: readiness
// knows no more than anybody may read.
func (j *judgement) pulses(ctx context.Context, _ sqldb.Queryer, plans []string) error {
	told := map[string][]*implementationv1.SurveyResult{} // by workspace, the newest first
	for _, name := range plans {
		workspace := Workspace(name)
		if _, read := told[workspace]; !read {
			results, err := j.store.SurveyResults(ctx, workspace, j.store.Now().Add(-pulseMemory), true)
			if err != nil {
				return err
			}
			told[workspace] = results
		}
		f := j.facts[name]
		f.Pulses = map[string]readiness.Pulse{}
		for _, c := range j.plans[name].GetReadinessPolicy().GetCriteria() {
			if survey := c.GetPulse().GetSurvey(); survey != "" {
				f.Pulses[survey] = lastPulse(told[workspace], survey, j.plans[name].GetCohort())
			}
		}
	}
	return nil
}

// lastPulse is what the newest result of a survey says of a cohort; nothing where there is none.
func lastPulse(results []*implementationv1.SurveyResult, survey, cohort string) readiness.Pulse {
	for _, r := range results {
		if !strings.HasPrefix(r.GetSurveyWave(), survey+"/") {
			continue
		}
		for _, g := range r.GetGroups() {
			if g.GetCohort() == cohort && g.GetValue() == "" {
				return pulseOf(r, g)
			}
		}
		return readiness.Pulse{Wave: r.GetSurveyWave(), Closed: moment(r.GetClosedTime()), Hidden: "the cohort was not asked"}
	}
	return readiness.Pulse{}
}

func pulseOf(r *implementationv1.SurveyResult, g *implementationv1.SurveyGroup) readiness.Pulse {
	p := readiness.Pulse{Wave: r.GetSurveyWave(), Closed: moment(r.GetClosedTime()), Invited: g.GetAskedCount(), Answered: g.GetResponseCount()}
	switch g.GetState() {
	case implementationv1.SurveyGroup_TOLD:
	case implementationv1.SurveyGroup_TOO_FEW:
		p.Hidden = "too few answered"
	default:
		p.Hidden = "answers of too small a group would follow from them"
	}
	p.Agree = map[implementationv1.PulseCriterion_Element]readiness.Count{}
	for _, m := range g.GetMeasures() {
		if element := implementationv1.PulseCriterion_Element(implementationv1.PulseCriterion_Element_value[m.GetElement()]); element != 0 {
			p.Agree[element] = readiness.Count{Part: m.GetNumerator(), Whole: m.GetDenominator()}
		}
	}
	return p
}
