package survey_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/survey"
)

func question(id string, kind implementationv1.Question_Kind) *implementationv1.Question {
	return &implementationv1.Question{Id: id, Kind: kind, Text: "How is it?"}
}

func completed(t *testing.T, questions ...*implementationv1.Question) []*implementationv1.Question {
	t.Helper()
	s := &implementationv1.Survey{Questions: questions}
	require.NoError(t, survey.Complete(s))
	return s.GetQuestions()
}

func TestUsabilityScoreOfBrooke(t *testing.T) {
	require.EqualValues(t, 22, survey.SUSScore([]int32{5, 4, 2, 1, 2, 3, 2, 4, 5, 2}), "times 2.5 is 55")
	require.EqualValues(t, 40, survey.SUSScore([]int32{5, 1, 5, 1, 5, 1, 5, 1, 5, 1}))
	require.EqualValues(t, 0, survey.SUSScore([]int32{1, 5, 1, 5, 1, 5, 1, 5, 1, 5}))
}

func TestRecommendationIsPromotersLessDetractors(t *testing.T) {
	questions := completed(t, question("r", implementationv1.Question_ENPS))
	m := survey.Measures(questions, survey.Counts{{Question: "r"}: {10: 10, 9: 9, 8: 5, 7: 4, 6: 5, 0: 3}})[0]
	require.InDelta(t, .3056, m.GetValue(), 5e-5)
	require.InDelta(t, .029, m.GetLower(), 5e-4)
	require.InDelta(t, .535, m.GetUpper(), 5e-4)
	require.EqualValues(t, 19, m.GetNumerator())
	require.EqualValues(t, 8, m.GetDetractorCount())
}

func TestSatisfactionIsTheShareOfTheTwoHighest(t *testing.T) {
	questions := completed(t, question("s", implementationv1.Question_CSAT))
	m := survey.Measures(questions, survey.Counts{{Question: "s"}: {5: 40, 4: 41, 3: 100, 2: 50, 1: 32}})[0]
	require.EqualValues(t, 81, m.GetNumerator())
	require.EqualValues(t, 263, m.GetDenominator())
	require.InDelta(t, .2553, m.GetLower(), 5e-5)
	require.InDelta(t, .3662, m.GetUpper(), 5e-5)
}

func TestTheBarrierIsTheFirstElementBelowAHalf(t *testing.T) {
	questions := completed(t, question("p", implementationv1.Question_ADKAR))
	counts := survey.Counts{}
	for item, high := range map[int32]int64{1: 9, 2: 5, 3: 4, 4: 2, 5: 10} {
		counts[survey.Place{Question: "p", Item: item}] = map[int32]int64{5: high, 2: 10 - high}
	}
	measures := survey.Measures(questions, counts)
	require.Len(t, measures, 5)
	require.Equal(t, "KNOWLEDGE", survey.Barrier(measures), "a half is not below a half")
	require.Empty(t, survey.Barrier(survey.Measures(questions, nil)), "nobody answered")
}

func TestADifferenceOfWavesIsNewcombes(t *testing.T) {
	questions := completed(t, question("s", implementationv1.Question_CSAT))
	then := survey.Measures(questions, survey.Counts{{Question: "s"}: {5: 48, 1: 32}})
	now := survey.Measures(questions, survey.Counts{{Question: "s"}: {5: 56, 1: 14}})
	survey.Compare(now, then, "w1")
	require.InDelta(t, .2, now[0].GetChange().GetDifference(), 1e-12)
	require.InDelta(t, .0524, now[0].GetChange().GetLower(), 5e-5)
	require.InDelta(t, .3339, now[0].GetChange().GetUpper(), 5e-5)

	questions[0].Text = "How is it, really?"
	again := survey.Measures(questions, survey.Counts{{Question: "s"}: {5: 56, 1: 14}})
	survey.Compare(again, now, "w2")
	require.Nil(t, again[0].GetChange(), "other words are another series")
}

func TestSurveysThatCannotBeAsked(t *testing.T) {
	for name, questions := range map[string][]*implementationv1.Question{
		"nothing":                     nil,
		"the same id twice":           {question("a", implementationv1.Question_CSAT), question("a", implementationv1.Question_CSAT)},
		"no words":                    {{Id: "a", Kind: implementationv1.Question_CSAT}},
		"four elements":               {{Id: "a", Kind: implementationv1.Question_ADKAR, Items: []string{"1", "2", "3", "4"}}},
		"items without a scale":       {{Id: "a", Kind: implementationv1.Question_CSAT, Text: "x", Items: []string{"1"}}},
		"points on a fixed scale":     {{Id: "a", Kind: implementationv1.Question_CSAT, Text: "x", Points: 7}},
		"a scale of two, all of them": {{Id: "a", Kind: implementationv1.Question_LIKERT, Text: "x", Points: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			err := survey.Complete(&implementationv1.Survey{Questions: questions})
			require.Equal(t, survey.ReasonInvalid, fault.ReasonOf(err))
		})
	}
}

func TestAnswersThatAreNotTaken(t *testing.T) {
	questions := completed(t, question("s", implementationv1.Question_CSAT), question("r", implementationv1.Question_ENPS), question("c", implementationv1.Question_COMMENT))
	good := func() []*implementationv1.Answer {
		return []*implementationv1.Answer{
			{Question: "s", Value: new(int32(5))}, {Question: "r", Value: new(int32(0))}, {Question: "c", Comment: "  fine "},
		}
	}
	kept, err := survey.Check(questions, good())
	require.NoError(t, err)
	require.Equal(t, "fine", kept[2].GetComment())
	kept, err = survey.Check(questions, append(good()[:2], &implementationv1.Answer{Question: "c", Comment: " \n"}))
	require.NoError(t, err)
	require.Len(t, kept, 2)

	for name, c := range map[string]struct {
		change func(a []*implementationv1.Answer) []*implementationv1.Answer
		reason string
	}{
		"above the scale":     {func(a []*implementationv1.Answer) []*implementationv1.Answer { a[0].Value = new(int32(6)); return a }, survey.ReasonOutside},
		"below the scale":     {func(a []*implementationv1.Answer) []*implementationv1.Answer { a[0].Value = new(int32(0)); return a }, survey.ReasonOutside},
		"below zero":          {func(a []*implementationv1.Answer) []*implementationv1.Answer { a[1].Value = new(int32(-1)); return a }, survey.ReasonOutside},
		"no value":            {func(a []*implementationv1.Answer) []*implementationv1.Answer { a[1].Value = nil; return a }, survey.ReasonMissing},
		"one left out":        {func(a []*implementationv1.Answer) []*implementationv1.Answer { return a[1:] }, survey.ReasonMissing},
		"nothing at all":      {func([]*implementationv1.Answer) []*implementationv1.Answer { return nil }, survey.ReasonMissing},
		"one twice":           {func(a []*implementationv1.Answer) []*implementationv1.Answer { return append(a, a[0]) }, survey.ReasonTwice},
		"what is not asked":   {func(a []*implementationv1.Answer) []*implementationv1.Answer { a[0].Question = "x"; return a }, survey.ReasonUnknown},
		"an item that is not": {func(a []*implementationv1.Answer) []*implementationv1.Answer { a[0].Item = 1; return a }, survey.ReasonUnknown},
		"an item before all":  {func(a []*implementationv1.Answer) []*implementationv1.Answer { a[0].Item = -1; return a }, survey.ReasonUnknown},
		"a comment of a novel": {func(a []*implementationv1.Answer) []*implementationv1.Answer {
			a[2].Comment = strings.Repeat("ä", survey.MaxComment+1)
			return a
		}, survey.ReasonCommentLong},
		"a question of a novel": {func(a []*implementationv1.Answer) []*implementationv1.Answer {
			a[0].Question = strings.Repeat("x", 1e5)
			return a
		}, survey.ReasonUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := survey.Check(questions, c.change(good()))
			require.Equal(t, c.reason, fault.ReasonOf(err))
			require.Less(t, len(err.Error()), 300)
		})
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("s", int32(0), int32(3), "")
	f.Add("p", int32(5), int32(5), "x")
	f.Add("c", int32(0), int32(0), "\xff comment")
	s := &implementationv1.Survey{Questions: []*implementationv1.Question{
		{Id: "s", Kind: implementationv1.Question_CSAT, Text: "x"}, {Id: "p", Kind: implementationv1.Question_ADKAR}, {Id: "c", Kind: implementationv1.Question_COMMENT, Text: "x"},
	}}
	if err := survey.Complete(s); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string, item, value int32, words string) {
		answers := []*implementationv1.Answer{{Question: id, Item: item, Value: &value, Comment: words}}
		for i := range int32(5) {
			answers = append(answers, &implementationv1.Answer{Question: "p", Item: i + 1, Value: new(int32(3))})
		}
		kept, err := survey.Check(s.GetQuestions(), answers)
		if err != nil {
			require.Equal(t, fault.KindInvalid, fault.KindOf(err))
			return
		}
		require.Equal(t, "s", id)
		require.True(t, value >= 1 && value <= 5)
		require.Len(t, kept, 6)
	})
}

func TestACommentHasNothingThatIsNotText(t *testing.T) {
	questions := []*implementationv1.Question{{Id: "else", Kind: implementationv1.Question_COMMENT}}
	kept, err := survey.Check(questions, []*implementationv1.Answer{{Question: "else", Comment: "a\x00b\x1b[2Jc\r\nd\te\u202ef"}})
	require.NoError(t, err)
	require.Equal(t, "ab[2Jc\nd\tef", kept[0].GetComment(), "PostgreSQL keeps no zero byte, and a terminal obeys escapes")
	kept, err = survey.Check(questions, []*implementationv1.Answer{{Question: "else", Comment: "\x00 \x07"}})
	require.NoError(t, err)
	require.Empty(t, kept)
}
