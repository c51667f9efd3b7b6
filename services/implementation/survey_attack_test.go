package implementation_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const (
	told          = implementationv1.SurveyGroup_TOLD
	tooFew        = implementationv1.SurveyGroup_TOO_FEW
	complementary = implementationv1.SurveyGroup_COMPLEMENTARY
	differencing  = implementationv1.SurveyGroup_DIFFERENCING
	pooled        = implementationv1.SurveyGroup_POOLED
)

func stated(groups map[string]*implementationv1.SurveyGroup) map[string]implementationv1.SurveyGroup_State {
	states := make(map[string]implementationv1.SurveyGroup_State, len(groups))
	for key, g := range groups {
		states[key] = g.GetState()
	}
	return states
}

func content(int) []*implementationv1.Answer { return happy(5) }

// wave asks cohorts, lets the people in the ranges answer, and publishes.
func (w *inquiry) wave(survey, id string, cohorts []string, ranges ...[2]int) map[string]*implementationv1.SurveyGroup {
	w.Helper()
	name := w.draft(survey, id, cohorts...).GetName()
	tokens := w.open(name)
	for _, r := range ranges {
		w.answer(tokens, r[0], r[1], content)
	}
	_, groups := w.publish(name)
	return groups
}

// Attack: everybody less the cohorts that are told is the cohort that is not.
func TestAttackAHiddenCohortFromTheTotal(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		cohorts := []string{w.members("a", 0, 10, nil), w.members("b", 10, 20, nil), w.members("c", 20, 30, nil)}
		groups := w.wave(w.survey("s", csatQuestion()), "w", cohorts, [2]int{0, 8}, [2]int{10, 19}, [2]int{20, 23})
		require.Equal(t, map[string]implementationv1.SurveyGroup_State{"": told, "a": told, "b": complementary, "c": tooFew}, stated(groups))
		require.EqualValues(t, 20, groups[""].GetResponseCount())
		require.EqualValues(t, 8, groups["a"].GetResponseCount(), "what is left is b and c together, twelve people")
	})
}

// Attack: the rows and columns of a table less the cells that are told are the cell that is not.
func TestAttackAHiddenCellFromRowsAndColumns(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		site := func(i int) string { return []string{"x", "y"}[(i/6)%2] }
		draft := w.draft(w.survey("s", csatQuestion()), "w", w.members("a", 0, 12, site), w.members("b", 12, 24, site))
		draft.Attribute = "site"
		_, err := w.waves.UpdateSurveyWave(t.Context(), &implementationv1.UpdateSurveyWaveRequest{SurveyWave: draft})
		require.NoError(t, err)
		tokens := w.open(draft.GetName())
		w.answer(tokens, 0, 4, content) // of a in x, four
		w.answer(tokens, 6, 24, content)
		_, groups := w.publish(draft.GetName())
		require.Equal(t, map[string]implementationv1.SurveyGroup_State{
			"": told, "a": told, "b": told, "@x": told, "@y": told,
			"a@x": tooFew, "a@y": complementary, "b@x": complementary, "b@y": complementary,
		}, stated(groups))
	})
}

// Attack: two groups that overlap differ by one person.
func TestAttackTwoOverlappingGroups(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		survey := w.survey("s", csatQuestion())
		all, but := w.members("all", 0, 12, nil), w.members("all-but-one", 0, 11, nil)
		require.Equal(t, told, w.wave(survey, "w1", []string{all}, [2]int{0, 12})[""].GetState())
		require.Equal(t, differencing, w.wave(survey, "w2", []string{but}, [2]int{0, 11})[""].GetState())
		// Neither another survey nor other words make it another question.
		require.Equal(t, differencing, w.wave(w.survey("again", csatQuestion()), "w", []string{but}, [2]int{0, 11})[""].GetState())
		other := &implementationv1.Question{Id: "happy", Kind: implementationv1.Question_CSAT, Text: "How  satisfied are you?!"}
		require.Equal(t, differencing, w.wave(w.survey("other", other), "w", []string{but}, [2]int{0, 11})[""].GetState())
		require.Equal(t, told, w.wave(w.survey("same", other), "w", []string{all}, [2]int{0, 12})[""].GetState(), "the same people are asked what one likes")
	})
}

// Attack: several groups, no two of which differ by a few, together leave one person.
func TestAttackACoalitionOfGroups(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		survey := w.survey("s", csatQuestion())
		require.Equal(t, told, w.wave(survey, "w1", []string{w.members("all", 0, 20, nil)}, [2]int{0, 20})[""].GetState())
		require.Equal(t, told, w.wave(survey, "w2", []string{w.members("first", 0, 10, nil)}, [2]int{0, 10})[""].GetState())
		require.Equal(t, differencing, w.wave(survey, "w3", []string{w.members("second", 10, 19, nil)}, [2]int{10, 19})[""].GetState(),
			"20 less 10 less 9 is one")
		require.Equal(t, told, w.wave(survey, "w4", []string{w.members("rest", 10, 20, nil)}, [2]int{10, 20})[""].GetState(),
			"20 less 10 less 10 is nobody")
	})
}

// Attack: last month's number less this month's is the one who left.
func TestAttackTwoDates(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		survey, cohort := w.survey("s", csatQuestion()), w.members("sales", 0, 12, nil)
		require.Equal(t, told, w.wave(survey, "w1", []string{cohort}, [2]int{0, 12})[""].GetState())
		_, err := w.memberships.DeleteMembership(t.Context(), &implementationv1.DeleteMembershipRequest{Name: cohort + "/memberships/m-011"})
		require.NoError(t, err)

		// The same people are asked again: there is no difference to take.
		wave := w.draft(survey, "w2", cohort).GetName()
		tokens := w.open(wave)
		require.Len(t, tokens, 12)
		opened, err := w.waves.GetSurveyWave(t.Context(), &implementationv1.GetSurveyWaveRequest{Name: wave})
		require.NoError(t, err)
		require.True(t, opened.GetCompositionKept())
		w.answer(tokens, 0, 12, content)
		_, groups := w.publish(wave)
		require.Equal(t, told, groups[""].GetState())
		require.Equal(t, survey+"/surveyWaves/w1", groups[""].GetMeasures()[0].GetChange().GetSurveyWave())

		// Another survey asks them again, too, also by another attribute; another cohort of those who stayed is refused.
		fresh := w.draft(w.survey("fresh", csatQuestion()), "w", cohort)
		fresh.Attribute = "site"
		_, err = w.waves.UpdateSurveyWave(t.Context(), &implementationv1.UpdateSurveyWaveRequest{SurveyWave: fresh})
		require.NoError(t, err)
		require.Len(t, w.open(fresh.GetName()), 12)
		require.Equal(t, differencing, w.wave(survey, "stayed", []string{w.members("stayed", 0, 11, nil)}, [2]int{0, 11})[""].GetState())

		// Once enough people changed, those who are there now are asked.
		for i := range 4 {
			_, err := w.memberships.DeleteMembership(t.Context(), &implementationv1.DeleteMembershipRequest{Name: fmt.Sprintf("%s/memberships/m-%03d", cohort, i)})
			require.NoError(t, err)
		}
		require.Equal(t, told, w.wave(survey, "w3", []string{cohort}, [2]int{4, 11})[""].GetState())
	})
}

// Attack: the same wave again with another filter, another threshold or other groups.
func TestAttackAnotherFilter(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		survey := w.survey("s", csatQuestion())
		cohort := w.members("sales", 0, 12, func(i int) string { return fmt.Sprint(i % 2) })
		name := w.draft(survey, "w", cohort, w.members("more", 12, 24, nil)).GetName()
		tokens := w.open(name)
		for field, change := range map[string]func(m *implementationv1.SurveyWave){
			"attribute": func(m *implementationv1.SurveyWave) { m.Attribute = "site" },
			"cohorts":   func(m *implementationv1.SurveyWave) { m.Cohorts = []string{cohort} },
			"threshold": func(m *implementationv1.SurveyWave) { m.Threshold = 6 },
		} {
			m, err := w.waves.GetSurveyWave(t.Context(), &implementationv1.GetSurveyWaveRequest{Name: name})
			require.NoError(t, err)
			change(m)
			_, err = w.waves.UpdateSurveyWave(t.Context(), &implementationv1.UpdateSurveyWaveRequest{SurveyWave: m})
			require.Equal(t, "WAVE_FROZEN", fault.ReasonOf(err), field)
		}
		w.answer(tokens, 0, 24, content)
		first, _ := w.publish(name)
		_, err := w.waves.PublishSurveyWave(t.Context(), &implementationv1.PublishSurveyWaveRequest{Name: name})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err), "it is decided once")
		again, _ := w.summary(name)
		require.Equal(t, first.String(), again.String())
	})
}

// Attack: taking a member away after the wave was opened or published.
func TestAttackDeletingAMember(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		cohort := w.members("sales", 0, 12, nil)
		name := w.draft(w.survey("s", csatQuestion()), "w", cohort).GetName()
		tokens := w.open(name)
		w.answer(tokens, 0, 6, content)
		remove := func(i int) {
			_, err := w.memberships.DeleteMembership(t.Context(), &implementationv1.DeleteMembershipRequest{Name: fmt.Sprintf("%s/memberships/m-%03d", cohort, i)})
			require.NoError(t, err)
		}
		remove(0)
		_, groups := w.publish(name)
		require.EqualValues(t, 12, groups["sales"].GetAskedCount(), "who was asked is frozen")
		require.EqualValues(t, 6, groups["sales"].GetResponseCount())
		remove(1)
		_, again := w.summary(name)
		require.Equal(t, groups["sales"].String(), again["sales"].String())
	})
}

// Attack: a wave so small that its number is a person's.
func TestAttackATinyWave(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		survey := w.survey("s", csatQuestion())
		draft := w.draft(survey, "w", w.members("few", 0, 4, nil))
		_, err := w.waves.OpenSurveyWave(t.Context(), &implementationv1.OpenSurveyWaveRequest{Name: draft.GetName()})
		require.Equal(t, "WAVE_TOO_SMALL", fault.ReasonOf(err))
		draft.Threshold = 4
		_, err = w.waves.UpdateSurveyWave(t.Context(), &implementationv1.UpdateSurveyWaveRequest{SurveyWave: draft})
		require.Equal(t, fault.KindInvalid, fault.KindOf(err), "less than five is never enough")

		// A small cohort beside a large one is counted with it, and told with it alone.
		groups := w.wave(survey, "w2", []string{w.members("many", 10, 30, nil), w.members("three", 30, 33, nil)}, [2]int{10, 33})
		require.Equal(t, map[string]implementationv1.SurveyGroup_State{"": told, "many": pooled, "three": pooled}, stated(groups))

		// Enough were asked and too few answered.
		require.Equal(t, tooFew, w.wave(w.survey("s2", csatQuestion()), "w", []string{w.members("quiet", 40, 60, nil)}, [2]int{40, 44})[""].GetState())
	})
}

// Attack: reading who wrote a comment from how few there are, or from the groups in which it appears.
func TestAttackByComments(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		survey := w.survey("s", csatQuestion(), commentQuestion())
		name := w.draft(survey, "w", w.members("a", 0, 15, nil), w.members("b", 15, 30, nil)).GetName()
		tokens := w.open(name)
		write := func(i int) []*implementationv1.Answer {
			return append(happy(4), &implementationv1.Answer{Question: "words", Comment: fmt.Sprintf("from %d", i)})
		}
		w.answer(tokens, 0, 9, write)
		w.answer(tokens, 9, 30, content)
		result, groups := w.publish(name)
		require.Equal(t, told, groups[""].GetState())
		require.Empty(t, result.GetComments(), "nine comments are too few")
		require.True(t, result.GetCommentsWithheld())

		name = w.draft(survey, "w2", ws+"/cohorts/a", ws+"/cohorts/b").GetName()
		tokens = w.open(name)
		w.answer(tokens, 0, 30, write)
		result, _ = w.publish(name)
		require.Len(t, result.GetComments(), 30)
		inOrder := 0
		for i, c := range result.GetComments() {
			if c.GetText() == fmt.Sprintf("from %d", i) {
				inOrder++
			}
		}
		require.Less(t, inOrder, 10, "they are in no order")
		for _, g := range result.GetGroups() {
			require.NotContains(t, g.String(), "from ", "no group but everybody has comments")
		}
	})
}
