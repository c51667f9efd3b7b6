package decision

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/evidence"
)

// Now is what the halves say now, by resource. Of the people's half what is not there is gone; of the machines' half
// it has said nothing yet.
type Now map[string]*gatev1.Verdict

// Ending says, in words, why a decision ceases to count now: its date, a condition that is overdue, or evidence that
// became worse than it was. Silence ends nothing; it holds the gate, see [Verdict].
func Ending(d *implementationv1.Decision, now Now, at time.Time) (why string, over bool) {
	r := Record(d)
	if !lets(d) || r == nil {
		return "", false
	}
	if until := r.GetExpireTime(); until != nil && !at.Before(until.AsTime()) {
		return "its time ended at " + clock(until.AsTime()), true
	}
	for _, c := range r.GetConditions() {
		if overdue(c, at) {
			return fmt.Sprintf("condition %s was due at %s and is not met: %s", c.GetId(), clock(c.GetDueTime().AsTime()), c.GetDisplayName()), true
		}
	}
	for _, e := range r.GetEvidence() {
		if why, worse := worsened(e, now); worse {
			return why, true
		}
	}
	return "", false
}

func overdue(c *implementationv1.DecisionCondition, at time.Time) bool {
	return c.GetMetTime() == nil && !at.Before(c.GetDueTime().AsTime())
}

// worsened compares frozen evidence with what is said of the same now.
func worsened(frozen *implementationv1.DecisionEvidence, now Now) (why string, worse bool) {
	was, is := frozen.GetVerdict(), now[frozen.GetResource()]
	what := subject(frozen)
	switch {
	case is == nil && frozen.GetPurpose() == gatev1.Purpose_PURPOSE_TECHNICAL:
		return "", false // silence
	case is == nil:
		return what + " cannot be judged any more: it was deleted", true
	case evidence.Gist(was) == evidence.Gist(is):
		return "", false
	case known(is.GetState()) && known(was.GetState()) && rank(is.GetState()) > rank(was.GetState()):
		return fmt.Sprintf("%s was %s, is %s%s", what, was.GetState(), is.GetState(), because(is)), true
	}
	if why := worsePiece(was, is); why != "" {
		return what + ": " + why, true
	}
	if !known(is.GetState()) {
		return "", false // what it could not ask of others says nothing either
	}
	for _, r := range is.GetReasons() {
		if !slices.ContainsFunc(was.GetReasons(), func(o *gatev1.BlockedBy) bool {
			return o.GetKind() == r.GetKind() && o.GetResource() == r.GetResource() && o.GetRequired() == r.GetRequired()
		}) {
			return fmt.Sprintf("%s is %s for another reason: %s", what, is.GetState(), r.GetCurrent()), true
		}
	}
	return "", false
}

// worsePiece is the first piece of evidence that is worse than it was, or is asked no more; a new one that passes is none.
func worsePiece(was, is *gatev1.Verdict) string {
	for _, before := range was.GetEvidence() {
		after := like(is, before)
		switch {
		case after == nil && known(is.GetState()):
			return before.GetCriterion() + " is asked no more"
		case after == nil || !known(evidence.Weight(after)) || !known(evidence.Weight(before)):
		case rank(evidence.Weight(after)) > rank(evidence.Weight(before)):
			return fmt.Sprintf("%s was %s, is %s%s", before.GetCriterion(), before.GetState(), after.GetState(), detail(after))
		}
	}
	for _, after := range is.GetEvidence() {
		if like(was, after) == nil && known(evidence.Weight(after)) && rank(evidence.Weight(after)) > 0 {
			return fmt.Sprintf("%s is asked now and is %s%s", after.GetCriterion(), after.GetState(), detail(after))
		}
	}
	return ""
}

// like is the piece of a verdict that says the same of the same, or else of another resource: what a criterion points at may change.
func like(v *gatev1.Verdict, piece *gatev1.Evidence) *gatev1.Evidence {
	var other *gatev1.Evidence
	for _, e := range v.GetEvidence() {
		switch {
		case e.GetCriterion() != piece.GetCriterion():
		case e.GetResource() == piece.GetResource():
			return e
		case other == nil:
			other = e
		}
	}
	return other
}

// rank orders what is known from good to bad. What an override lets pass is worse than what passes.
func rank(s gatev1.Verdict_State) int {
	switch s {
	case gatev1.Verdict_PASS:
		return 0
	case gatev1.Verdict_WAIVED:
		return 1
	case gatev1.Verdict_FAIL:
		return 3
	default:
		return 2
	}
}

// known says that somebody said something.
func known(s gatev1.Verdict_State) bool {
	return s != gatev1.Verdict_UNKNOWN && s != gatev1.Verdict_STATE_UNSPECIFIED
}

// subject is a piece of evidence for people: readiness of sales.
func subject(e *implementationv1.DecisionEvidence) string {
	return half(e.GetPurpose()) + " of " + short(e.GetResource())
}

func half(p gatev1.Purpose) string {
	if p == gatev1.Purpose_PURPOSE_TECHNICAL {
		return "technical verdict"
	}
	return "readiness"
}

// short is a name as people say it: the id, and of a wave that of its deployment too.
func short(resource string) string {
	if deployment, wave, ok := strings.Cut(resource, "/waves/"); ok {
		return path.Base(deployment) + "/" + wave
	}
	return path.Base(resource)
}

// because is what a verdict's reasons say, shortened.
func because(v *gatev1.Verdict) string {
	const most = 3
	var said []string
	for _, r := range v.GetReasons() {
		said = append(said, r.GetCurrent())
	}
	if len(said) > most {
		said = append(said[:most], fmt.Sprintf("and %d more", len(said)-most))
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said, "; ")
}

func detail(e *gatev1.Evidence) string {
	if e.GetDetail() == "" {
		return ""
	}
	return ": " + e.GetDetail()
}

// clock is a moment for people.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
