package implementation_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// scorecardOf computes the scorecard as a viewer does.
func (w *world) scorecardOf(name string) (map[implementationv1.ScorecardMeasure_Kind]*implementationv1.ScorecardMeasure, error) {
	w.Helper()
	conn := w.dial("users/vera", map[string][]auth.Role{auth.AllWorkspaces: {auth.Viewer}})
	card, err := implementationv1.NewScorecardServiceClient(conn).ComputeScorecard(w.Context(), &implementationv1.ComputeScorecardRequest{Parent: name})
	if err != nil {
		return nil, err
	}
	require.Equal(w, name, card.GetImplementation())
	all := map[implementationv1.ScorecardMeasure_Kind]*implementationv1.ScorecardMeasure{}
	for _, m := range card.GetMeasures() {
		all[m.GetKind()] = m
	}
	require.Len(w, all, len(card.GetMeasures()))
	return all, nil
}

func (w *world) aim(t *implementationv1.ScorecardTargets) error {
	_, err := w.implementations.UpdateImplementation(w.Context(), &implementationv1.UpdateImplementationRequest{
		Implementation: &implementationv1.Implementation{Name: rollout, Currency: "EUR", ScorecardTargets: t},
	})
	return err
}

func TestAScorecardSetsWhatWasReachedBesideItsTargets(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		a := adopting(w.world)
		sales := w.cohort("sales", 40)
		a.plan("sales", sales, w.clock.now().AddDate(0, 0, -60))
		require.NoError(t, w.aim(&implementationv1.ScorecardTargets{Adoption: .5, Savings: .5, Satisfaction: .7, SatisfactionSurvey: ws + "/surveys/mood"}))

		before, err := w.scorecardOf(rollout)
		require.NoError(t, err)
		require.Equal(t, implementationv1.ScorecardMeasure_NOT_MET, before[implementationv1.ScorecardMeasure_ADOPTION].GetState(), "nobody is active")
		require.Equal(t, implementationv1.ScorecardMeasure_UNKNOWN, before[implementationv1.ScorecardMeasure_SAVINGS].GetState())
		require.Equal(t, implementationv1.ScorecardMeasure_UNKNOWN, before[implementationv1.ScorecardMeasure_SATISFACTION].GetState(), "the survey may come later")

		for _, offset := range []int{-31, -30} {
			a.used("quotes", a.day(offset), upTo(10)...)
		}
		for _, offset := range []int{-3, -2} {
			a.used("quotes", a.day(offset), upTo(30)...)
		}
		w.save(1_500)
		survey := w.survey("mood", csatQuestion(), commentQuestion())
		wave := w.draft(survey, "first", sales)
		w.answer(w.open(wave.GetName()), 0, 20, func(i int) []*implementationv1.Answer { return happy(int32(3 + min(i, 12)/12)) })
		w.publish(wave.GetName())

		card, err := w.scorecardOf(rollout)
		require.NoError(t, err)
		adoption := card[implementationv1.ScorecardMeasure_ADOPTION]
		require.Equal(t, implementationv1.ScorecardMeasure_MET, adoption.GetState(), adoption.GetMessage())
		require.EqualValues(t, 30, adoption.GetNumerator())
		require.EqualValues(t, 40, adoption.GetDenominator())
		require.Equal(t, a.day(-1), adoption.GetDay())
		require.InDelta(t, .25, adoption.GetTrend().GetPreviousValue(), 1e-12)
		require.Equal(t, a.day(-29), adoption.GetTrend().GetPreviousDay())
		require.Equal(t, []string{rollout + "/cohortPlans/sales"}, adoption.GetEvidence())
		savings := card[implementationv1.ScorecardMeasure_SAVINGS]
		require.Equal(t, implementationv1.ScorecardMeasure_MET, savings.GetState(), savings.GetMessage())
		require.InDelta(t, .75, savings.GetValue(), 1e-12)
		satisfaction := card[implementationv1.ScorecardMeasure_SATISFACTION]
		require.Equal(t, implementationv1.ScorecardMeasure_NOT_MET, satisfaction.GetState(), satisfaction.GetMessage())
		require.EqualValues(t, 8, satisfaction.GetNumerator())
		require.EqualValues(t, 20, satisfaction.GetDenominator())
		require.InDelta(t, .2188, satisfaction.GetLower(), 1e-3, "Wilson's of 8 of 20")
		require.InDelta(t, .6134, satisfaction.GetUpper(), 1e-3)
		require.Equal(t, []string{wave.GetName()}, satisfaction.GetEvidence())
		w.wasRead(wave.GetName() + "/result")
		w.wasRead(rollout + "/adoption")
	})
}

// save plans 2 000 of benefit and verifies some.
func (w *inquiry) save(verified int64) {
	w.Helper()
	otto, ada := w.books("users/otto", auth.Operator), w.books("users/ada", auth.Approver)
	date := w.clock.now().AddDate(0, 0, -5).Format(time.DateOnly)
	_, err := otto.lines.CreateBudgetLine(w.Context(), &implementationv1.CreateBudgetLineRequest{
		Parent: rollout, BudgetLine: &implementationv1.BudgetLine{Direction: benefit, Amounts: []*implementationv1.PlannedAmount{{Date: date, AmountMinor: 2_000}}},
	})
	require.NoError(w, err)
	e, err := otto.entries.CreateLedgerEntry(w.Context(), &implementationv1.CreateLedgerEntryRequest{
		Parent: rollout, LedgerEntry: &implementationv1.LedgerEntry{Direction: benefit, AmountMinor: verified, Date: date},
	})
	require.NoError(w, err)
	_, err = ada.entries.VerifyLedgerEntry(w.Context(), &implementationv1.VerifyLedgerEntryRequest{Name: e.GetName(), Evidence: "seen"})
	require.NoError(w, err)
}

// wasRead looks for the event that says that the viewer read something.
func (w *inquiry) wasRead(what string) {
	w.Helper()
	page, err := w.events.ListEvents(w.Context(), &eventv1.ListEventsRequest{Parent: what, PageSize: 10})
	require.NoError(w, err)
	for _, e := range page.GetEvents() {
		if e.GetActor() == "users/vera" {
			return
		}
	}
	require.Fail(w, "nobody would know who read "+what)
}

func TestAScorecardTellsNothingOfFewPeople(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		a := adopting(w.world)
		few := w.cohort("few", 9)
		a.plan("few", few, w.clock.now().AddDate(0, 0, -60))
		a.used("quotes", a.day(-2), upTo(5)...)
		a.used("quotes", a.day(-3), upTo(5)...)
		survey := w.survey("mood", csatQuestion())
		require.NoError(t, w.aim(&implementationv1.ScorecardTargets{Adoption: .5, Satisfaction: .7, SatisfactionSurvey: survey}))
		wave := w.draft(survey, "first", few)
		w.answer(w.open(wave.GetName()), 0, 4, func(int) []*implementationv1.Answer { return happy(5) })
		w.publish(wave.GetName())
		card, err := w.scorecardOf(rollout)
		require.NoError(t, err)
		for _, kind := range []implementationv1.ScorecardMeasure_Kind{implementationv1.ScorecardMeasure_ADOPTION, implementationv1.ScorecardMeasure_SATISFACTION} {
			m := card[kind]
			require.Equal(t, implementationv1.ScorecardMeasure_UNKNOWN, m.GetState())
			require.Nil(t, m.Value)
			require.Zero(t, m.GetNumerator()+m.GetDenominator())
			require.Contains(t, m.GetMessage(), "not told")
		}
	})
}

func TestTargetsThatMakeNoSense(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.funded()
		for reason, targets := range map[string]*implementationv1.ScorecardTargets{
			"INVALID_FIELD":   {Adoption: 1.01},
			"INVALID_NAME":    {SatisfactionSurvey: "mood"},
			"OTHER_WORKSPACE": {SatisfactionSurvey: "workspaces/other/surveys/mood"},
		} {
			require.Equal(t, reason, fault.ReasonOf(w.aim(targets)))
		}
		_, err := w.scorecardOf(ws + "/implementations/none")
		require.True(t, fault.Is(err, fault.KindNotFound))
		nobody := implementationv1.NewScorecardServiceClient(w.dial("agents/a", map[string][]auth.Role{auth.AllWorkspaces: {auth.Agent}}))
		_, err = nobody.ComputeScorecard(context.WithoutCancel(t.Context()), &implementationv1.ComputeScorecardRequest{Parent: rollout})
		require.True(t, fault.Is(err, fault.KindDenied))
	})
}
