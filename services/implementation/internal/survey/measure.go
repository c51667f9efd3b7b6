package survey

import (
	"math"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/interval"
)

// The rules of what is counted.
const (
	Confidence  = 0.95
	LowResponse = 0.30 // below it a number is too little to decide by
	half        = 0.50 // of the people; an element of ADKAR below it is a barrier
)

// Counts is how many people gave each answer, by question and item. A SUS question
// has one item, 0, whose answers are scores from 0 to 40, which is before they are taken times 2.5.
type Counts map[Place]map[int32]int64

// Place is an item of a question.
type Place struct {
	Question string
	Item     int32
}

// Add adds the counts of other people.
func (c Counts) Add(others Counts) {
	for place, answers := range others {
		if c[place] == nil {
			c[place] = make(map[int32]int64, len(answers))
		}
		for value, n := range answers {
			c[place][value] += n
		}
	}
}

// Measures are the numbers of a group: one for each question, of ADKAR one for each element.
func Measures(questions []*implementationv1.Question, counts Counts) []*implementationv1.SurveyMeasure {
	var all []*implementationv1.SurveyMeasure
	for _, q := range questions {
		switch q.GetKind() {
		case comment:
		case adkar:
			for i, element := range Elements() {
				item := int32(i + 1)
				m := topTwo(q, counts[Place{q.GetId(), item}])
				m.Element, m.Series = element, Series(q, item)
				all = append(all, m)
			}
		case enps:
			all = append(all, promoters(q, counts[Place{q.GetId(), 0}]))
		case sus:
			all = append(all, usability(q, counts[Place{q.GetId(), 0}]))
		default:
			all = append(all, topTwo(q, counts[Place{q.GetId(), 0}]))
		}
	}
	return all
}

func topTwo(q *implementationv1.Question, answers map[int32]int64) *implementationv1.SurveyMeasure {
	_, high := Scale(q)
	m := &implementationv1.SurveyMeasure{Question: q.GetId(), Kind: q.GetKind(), Series: Series(q, 0)}
	for value, n := range answers {
		m.Denominator += n
		if value >= high-1 {
			m.Numerator += n
		}
	}
	if m.GetDenominator() > 0 {
		m.Value = float64(m.GetNumerator()) / float64(m.GetDenominator())
	}
	bounds := interval.Wilson(m.GetNumerator(), m.GetDenominator(), Confidence)
	m.Lower, m.Upper = bounds.Lower, bounds.Upper
	return m
}

func promoters(q *implementationv1.Question, answers map[int32]int64) *implementationv1.SurveyMeasure {
	m := &implementationv1.SurveyMeasure{Question: q.GetId(), Kind: q.GetKind(), Series: Series(q, 0)}
	for value, n := range answers {
		m.Denominator += n
		switch {
		case value >= 9:
			m.Numerator += n
		case value <= 6:
			m.DetractorCount += n
		}
	}
	passive := m.GetDenominator() - m.GetNumerator() - m.GetDetractorCount()
	if m.GetDenominator() > 0 {
		m.Value = float64(m.GetNumerator()-m.GetDetractorCount()) / float64(m.GetDenominator())
	}
	bounds := interval.AdjustedWald(m.GetNumerator(), passive, m.GetDetractorCount(), Confidence)
	m.Lower, m.Upper = bounds.Lower, bounds.Upper
	return m
}

// SUSScore is the score, 0 to 40, of ten answers: what odd statements are above 1, and even ones below 5.
func SUSScore(answers []int32) (score int32) {
	for i, value := range answers {
		if i%2 == 0 {
			score += value - 1
		} else {
			score += 5 - value
		}
	}
	return score
}

// susPoint is what a point of a score is worth on the scale to 100.
const susPoint = 2.5

func usability(q *implementationv1.Question, scores map[int32]int64) *implementationv1.SurveyMeasure {
	m := &implementationv1.SurveyMeasure{Question: q.GetId(), Kind: q.GetKind(), Series: Series(q, 0)}
	var values []float64
	for score := range int32(41) { // in order, so that the same answers give the same digits
		for range scores[score] {
			values = append(values, susPoint*float64(score))
		}
	}
	m.Denominator = int64(len(values))
	mean, bounds := interval.Mean(values, Confidence)
	if len(values) == 0 {
		mean = 0
	}
	m.Value, m.Lower, m.Upper = mean, math.Max(bounds.Lower, 0), math.Min(bounds.Upper, 100)
	return m
}

// Barrier is the first element of ADKAR of which less than half of the people
// say 4 or 5, empty where there is none. People do not act on an element while one before it is missing.
func Barrier(measures []*implementationv1.SurveyMeasure) string {
	for _, m := range measures {
		if m.GetElement() != "" && m.GetDenominator() > 0 && m.GetValue() < half {
			return m.GetElement()
		}
	}
	return ""
}

// Compare says what changed in the measures of the same people since a wave before, where the series went on.
func Compare(now, then []*implementationv1.SurveyMeasure, wave string) {
	before := make(map[string]*implementationv1.SurveyMeasure, len(then))
	for _, m := range then {
		before[m.GetSeries()] = m
	}
	for _, m := range now {
		b, ok := before[m.GetSeries()]
		if !ok || b.GetDenominator() == 0 || m.GetDenominator() == 0 {
			continue
		}
		m.Change = &implementationv1.SurveyChange{SurveyWave: wave, Difference: m.GetValue() - b.GetValue()}
		if m.GetKind() != enps && m.GetKind() != sus {
			bounds := interval.Newcombe(m.GetNumerator(), m.GetDenominator(), b.GetNumerator(), b.GetDenominator(), Confidence)
			m.Change.Lower, m.Change.Upper = new(bounds.Lower), new(bounds.Upper)
		}
	}
}
