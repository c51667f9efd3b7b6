// Package survey knows how questions are asked, which answers they take, and
// what is counted.
//
// A mean of stars is never counted: what people answer on a scale of words is
// an order and not a distance. Satisfaction and Likert questions are counted by the share of the
// two highest answers, recommendation by promoters less detractors, ADKAR by
// element; only the System Usability Scale was made to be a mean of scores. The
// functions are pure; the numbers of people come from package disclosure.
package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ReasonInvalid is the reason of a question that cannot be asked.
const ReasonInvalid = "QUESTION_INVALID"

// Kinds in short.
const (
	csat    = implementationv1.Question_CSAT
	enps    = implementationv1.Question_ENPS
	adkar   = implementationv1.Question_ADKAR
	sus     = implementationv1.Question_SUS
	likert  = implementationv1.Question_LIKERT
	comment = implementationv1.Question_COMMENT
)

// Elements are the elements of ADKAR in their order: each is a barrier to those after it.
func Elements() []string {
	return []string{"AWARENESS", "DESIRE", "KNOWLEDGE", "ABILITY", "REINFORCEMENT"}
}

// Scale is the lowest and the highest answer to a question; 0 and 0 for a comment.
func Scale(q *implementationv1.Question) (low, high int32) {
	switch q.GetKind() {
	case enps:
		return 0, 10
	case likert:
		return 1, q.GetPoints()
	case comment:
		return 0, 0
	default:
		return 1, 5
	}
}

// Items is how many answers a question takes: an ADKAR and a SUS question take
// one for each statement, numbered from 1; the others one, numbered 0.
func Items(q *implementationv1.Question) (first, last int32) {
	if n := len(q.GetItems()); n > 0 {
		return 1, int32(n) //nolint:gosec // at most 10
	}
	return 0, 0
}

// Complete fills in what a question of its kind always asks, and refuses what cannot be asked.
func Complete(s *implementationv1.Survey) error {
	seen := make(map[string]bool)
	if len(s.GetQuestions()) == 0 {
		return fault.Invalid(ReasonInvalid, "the survey asks nothing; add at least one question").Field("survey.questions", "must not be empty")
	}
	for i, q := range s.GetQuestions() {
		at := fmt.Sprintf("survey.questions[%d]", i)
		if seen[q.GetId()] {
			return fault.Invalid(ReasonInvalid, "two questions have the id %q; give each its own", q.GetId()).Field(at+".id", "must be unique")
		}
		seen[q.GetId()] = true
		if err := complete(q, at); err != nil {
			return err
		}
	}
	return nil
}

func complete(q *implementationv1.Question, at string) error {
	text, items := standard(q.GetKind())
	if q.GetText() == "" {
		q.Text = text
	}
	if len(q.GetItems()) == 0 {
		q.Items = items
	}
	if q.GetKind() == likert && q.GetPoints() == 0 {
		q.Points = 5
	}
	switch {
	case strings.TrimSpace(q.GetText()) == "":
		return fault.Invalid(ReasonInvalid, "question %q asks nothing; write its text", q.GetId()).Field(at+".text", "must not be empty")
	case len(q.GetItems()) != len(items):
		return fault.Invalid(ReasonInvalid, "question %q of kind %s has %d statements and needs %d; leave them out to have the usual ones",
			q.GetId(), q.GetKind(), len(q.GetItems()), len(items)).Field(at+".items", fmt.Sprintf("must be %d", len(items)))
	case q.GetKind() != likert && q.GetPoints() != 0:
		return fault.Invalid(ReasonInvalid, "question %q of kind %s has a scale of its own; leave points out", q.GetId(), q.GetKind()).
			Field(at+".points", "is of LIKERT alone")
	case q.GetKind() == likert && q.GetPoints() < 3:
		return fault.Invalid(ReasonInvalid, "question %q has %d points; with fewer than 3 the two highest are all there is", q.GetId(), q.GetPoints()).
			Field(at+".points", "must be 3 to 10")
	}
	return nil
}

// standard is what a kind of question always asks. The statements of SUS are Brooke's of 1986.
func standard(kind implementationv1.Question_Kind) (text string, items []string) {
	switch kind {
	case enps:
		return "How likely are you to recommend working in the new way to a colleague?", nil
	case adkar:
		return "How far do you agree?", []string{
			"I understand why we are changing.",
			"I want this change to succeed.",
			"I know how to work in the new way.",
			"I am able to work in the new way.",
			"I get the support that I need to keep working in the new way.",
		}
	case sus:
		return "How far do you agree?", []string{
			"I think that I would like to use this system frequently.",
			"I found the system unnecessarily complex.",
			"I thought the system was easy to use.",
			"I think that I would need the support of a technical person to be able to use this system.",
			"I found the various functions in this system were well integrated.",
			"I thought there was too much inconsistency in this system.",
			"I would imagine that most people would learn to use this system very quickly.",
			"I found the system very cumbersome to use.",
			"I felt very confident using the system.",
			"I needed to learn a lot of things before I could get going with this system.",
		}
	default:
		return "", nil
	}
}

// Series is what two measures have in common that may be compared: kind, scale and
// wording. Other words are another question, whatever its id.
func Series(q *implementationv1.Question, item int32) string {
	_, high := Scale(q)
	words := []string{q.GetKind().String(), fmt.Sprint(high), q.GetText()}
	if q.GetKind() == adkar && item > 0 {
		words = append(words, Elements()[item-1], q.GetItems()[item-1])
	} else {
		words = append(words, q.GetItems()...)
	}
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:8])
}
