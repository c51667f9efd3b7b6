package survey

import (
	"strings"
	"unicode/utf8"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// MaxComment is how many characters a comment has at most.
const MaxComment = 2000

// The reasons of answers that are not taken.
const (
	ReasonMissing     = "ANSWER_MISSING"
	ReasonUnknown     = "ANSWER_UNKNOWN"
	ReasonTwice       = "ANSWER_TWICE"
	ReasonOutside     = "ANSWER_OUTSIDE_SCALE"
	ReasonCommentLong = "COMMENT_TOO_LONG"
)

type place struct {
	question string
	item     int32
}

// Check refuses answers that are not one for each item of each question, on its
// scale. It returns them without empty comments.
func Check(questions []*implementationv1.Question, answers []*implementationv1.Answer) ([]*implementationv1.Answer, error) {
	asked := make(map[string]*implementationv1.Question, len(questions))
	for _, q := range questions {
		asked[q.GetId()] = q
	}
	given := make(map[place]bool, len(answers))
	kept := make([]*implementationv1.Answer, 0, len(answers))
	for _, a := range answers {
		q := asked[a.GetQuestion()]
		first, last := Items(q)
		if q == nil || a.GetItem() < first || a.GetItem() > last {
			return nil, fault.Invalid(ReasonUnknown, "question %q, item %d is not asked; read the questionnaire again", short(a.GetQuestion()), a.GetItem()).
				Field("answers", "answers what is not asked")
		}
		here := place{a.GetQuestion(), a.GetItem()}
		if given[here] {
			return nil, fault.Invalid(ReasonTwice, "question %q, item %d is answered twice; answer it once", a.GetQuestion(), a.GetItem()).
				Field("answers", "answers a question twice")
		}
		given[here] = true
		one, err := check(q, a)
		if err != nil {
			return nil, err
		}
		if one != nil {
			kept = append(kept, one)
		}
	}
	return kept, missing(questions, given)
}

// check is nil for a comment without words.
func check(q *implementationv1.Question, a *implementationv1.Answer) (*implementationv1.Answer, error) {
	if q.GetKind() == comment {
		words := strings.TrimSpace(strings.ToValidUTF8(a.GetComment(), "�"))
		if n := utf8.RuneCountInString(words); n > MaxComment {
			return nil, fault.Invalid(ReasonCommentLong, "the comment has %d characters; shorten it to %d", n, MaxComment).
				Field("answers", "has a comment that is too long")
		}
		if words == "" {
			return nil, nil //nolint:nilnil // nothing was said, and nothing is wrong
		}
		return &implementationv1.Answer{Question: a.GetQuestion(), Comment: words}, nil
	}
	low, high := Scale(q)
	if a.Value == nil {
		return nil, fault.Invalid(ReasonMissing, "question %q, item %d has no answer; give a number from %d to %d", a.GetQuestion(), a.GetItem(), low, high).
			Field("answers", "leaves a question out")
	}
	if v := a.GetValue(); v < low || v > high {
		return nil, fault.Invalid(ReasonOutside, "question %q, item %d is answered with %d; give a number from %d to %d", a.GetQuestion(), a.GetItem(), v, low, high).
			Field("answers", "has an answer outside of the scale")
	}
	return &implementationv1.Answer{Question: a.GetQuestion(), Item: a.GetItem(), Value: new(a.GetValue())}, nil
}

func missing(questions []*implementationv1.Question, given map[place]bool) error {
	for _, q := range questions {
		if q.GetKind() == comment {
			continue
		}
		first, last := Items(q)
		for item := first; item <= last; item++ {
			if !given[place{q.GetId(), item}] {
				return fault.Invalid(ReasonMissing, "question %q, item %d has no answer; every question but comments is answered", q.GetId(), item).
					Field("answers", "leaves a question out")
			}
		}
	}
	return nil
}

func short(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
