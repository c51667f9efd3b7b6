package store

import (
	"context"
	"slices"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// surveyYear is how far back waves are looked at.
const surveyYear = 400 * day24

// told is one group of one published wave.
type told struct {
	wave  detect.Wave
	group *implementationv1.SurveyGroup
}

// surveys are the facts of R4, R5 and R6. They are read from what was told to everybody, never from answers.
func (g *gathering) surveys(ctx context.Context) error {
	if len(g.plans) == 0 {
		return nil
	}
	results, err := g.SurveyResults(ctx, Workspace(g.f.Implementation), g.f.Now.Add(-surveyYear), false)
	if err != nil {
		return err
	}
	bySurvey := map[string][]*implementationv1.SurveyResult{}
	var order []string
	for _, r := range results { // the newest first
		survey := parent(r.GetSurveyWave())
		if r.GetClosedTime().AsTime().After(g.f.Now) {
			continue
		}
		if bySurvey[survey] == nil {
			order = append(order, survey)
		}
		bySurvey[survey] = append(bySurvey[survey], r)
	}
	slices.Sort(order)
	for _, plan := range g.plans {
		for _, survey := range order {
			if waves := toldOf(survey, plan.GetCohort(), bySurvey[survey]); len(waves) > 0 {
				g.asked(plan, waves)
			}
		}
	}
	return nil
}

// toldOf are the waves in which numbers of a cohort were told, the newest first, each with the name of the one before it.
func toldOf(survey, cohort string, results []*implementationv1.SurveyResult) (waves []told) {
	for _, r := range results {
		for _, group := range r.GetGroups() {
			if group.GetCohort() == cohort && group.GetValue() == "" && group.GetState() == implementationv1.SurveyGroup_TOLD {
				waves = append(waves, told{wave: detect.Wave{Survey: survey, Name: r.GetSurveyWave(), Closed: r.GetClosedTime().AsTime()}, group: group})
			}
		}
	}
	for i := range len(waves) - 1 {
		waves[i].wave.Before = waves[i+1].wave.Name
	}
	return waves
}

func (g *gathering) asked(plan *implementationv1.CohortPlan, waves []told) {
	now, before := waves[0], waves[1:]
	rate := func(t told) detect.Share {
		return detect.Share{X: t.group.GetResponseCount(), N: t.group.GetAskedCount()}
	}
	silence := detect.Silence{Group: peopleOf(plan), Wave: now.wave, Now: rate(now)}
	for _, b := range before {
		silence.Baseline = append(silence.Baseline, rate(b))
	}
	g.f.Silence = append(g.f.Silence, silence)
	pulse := detect.Pulse{Group: peopleOf(plan), Wave: now.wave}
	for _, m := range now.group.GetMeasures() {
		share := detect.Share{X: m.GetNumerator(), N: m.GetDenominator()}
		switch m.GetKind() {
		case implementationv1.Question_ADKAR:
			pulse.Elements = append(pulse.Elements, detect.Element{Name: m.GetElement(), Good: share})
		case implementationv1.Question_CSAT, implementationv1.Question_LIKERT:
			g.f.Sentiment = append(g.f.Sentiment, detect.Sentiment{
				Group: peopleOf(plan), Wave: now.wave, Question: m.GetQuestion(), Now: share, Baseline: series(m.GetSeries(), before),
			})
		default: // a score is no share
		}
	}
	if len(pulse.Elements) > 0 {
		g.f.Pulse = append(g.f.Pulse, pulse)
	}
}

// series are the earlier shares of the same words, the newest first.
func series(name string, before []told) (all []detect.Share) {
	for _, b := range before {
		for _, m := range b.group.GetMeasures() {
			if m.GetSeries() == name && name != "" {
				all = append(all, detect.Share{X: m.GetNumerator(), N: m.GetDenominator()})
			}
		}
	}
	return all
}
