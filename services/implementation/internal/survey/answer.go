package survey

import (
	"fmt"
	"strings"
	"unicode"
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
		words := onlyText(a.GetComment())
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
		return nil, fault.Invalid(ReasonMissing, "%s has no answer; give a number from %d to %d", asks(q, a.GetItem()), low, high).
			Field("answers", "leaves a question out")
	}
	if v := a.GetValue(); v < low || v > high {
		// Without the answer: errors are logged, answers never.
		return nil, fault.Invalid(ReasonOutside, "%s takes a number from %d to %d; correct the answer", asks(q, a.GetItem()), low, high).
			Field("answers", "has an answer outside of the scale")
	}
	return &implementationv1.Answer{Question: a.GetQuestion(), Item: a.GetItem(), Value: new(a.GetValue())}, nil
}

// onlyText is a comment without what is not text: no database keeps a zero byte, a
// terminal obeys escapes, and what turns the direction of writing hides words.
func onlyText(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "�")))
}

func missing(questions []*implementationv1.Question, given map[place]bool) error {
	for _, q := range questions {
		if q.GetKind() == comment {
			continue
		}
		first, last := Items(q)
		for item := first; item <= last; item++ {
			if !given[place{q.GetId(), item}] {
				return fault.Invalid(ReasonMissing, "%s has no answer; answer every question, only comments may be left out", asks(q, item)).
					Field("answers", "leaves a question out")
			}
		}
	}
	return nil
}

// asks is what people read: they know a question by its words and not by its id.
func asks(q *implementationv1.Question, item int32) string {
	if item > 0 {
		return fmt.Sprintf("%q", q.GetItems()[item-1])
	}
	if q.GetText() != "" {
		return fmt.Sprintf("%q", q.GetText())
	}
	return fmt.Sprintf("question %q", q.GetId())
}

func short(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
