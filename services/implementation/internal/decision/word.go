package decision

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/evidence"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/override"
)

// The reasons of faults about decisions.
const (
	ReasonEvidenceNotMet     = "EVIDENCE_NOT_MET"
	ReasonEvidenceUnknown    = "EVIDENCE_UNKNOWN"
	ReasonEvidenceChanged    = "EVIDENCE_CHANGED"
	ReasonConditionsMissing  = "CONDITIONS_MISSING"
	ReasonConditionDuplicate = "CONDITION_DUPLICATE"
	ReasonConditionDue       = "CONDITION_DUE"
	ReasonConditionNotFound  = "CONDITION_NOT_FOUND"
	ReasonConditionsNotAsked = "CONDITIONS_NOT_ASKED"
	ReasonDecisionExpiry     = "DECISION_EXPIRY"
)

const (
	// stands is how long a word counts where nobody says, and longest how long it may.
	stands  = 14 * 24 * time.Hour
	longest = 90 * 24 * time.Hour
	// kept is how many records and overrides a decision shows; the event log has all.
	kept = 20
)

// Word is what a person says.
type Word struct {
	Person  string
	Request *implementationv1.DecideDecisionRequest
}

// Decide takes the decision on the evidence, or refuses.
func Decide(d *implementationv1.Decision, w Word, on Evidence, now time.Time) error {
	if err := Decided.Allow(d); err != nil {
		return err
	}
	req := w.Request
	if err := checkTimes(req, now); err != nil {
		return err
	}
	if is := evidence.GistDigest(on.All, d.GetWaves()); req.GetEvidenceDigest() != "" && req.GetEvidenceDigest() != is {
		return fault.Conflict(ReasonEvidenceChanged, "the evidence of %s, or what it opens, is not what you looked at; golive decide preview %s shows what it is now", d.GetName(), d.GetName()).Meta("evidence_digest", is)
	}
	if req.GetOutcome() != implementationv1.Decision_OUTCOME_NO_GO {
		if err := enough(d, req.GetOutcome(), on); err != nil {
			return err
		}
	}
	until := now.Add(stands)
	if req.GetExpireTime() != nil {
		until = req.GetExpireTime().AsTime()
	}
	record := &implementationv1.DecisionRecord{
		Outcome: req.GetOutcome(), Person: w.Person, Reason: req.GetReason(), Time: timestamppb.New(now),
		Evidence: evidence.Ordered(on.All), EvidenceDigest: evidence.Digest(on.All, d.GetWaves()),
		Waves: slices.Clone(d.GetWaves()),
	}
	for _, c := range req.GetConditions() {
		c = proto.CloneOf(c)
		c.MetTime, c.MetBy, c.Note = nil, "", ""
		record.Conditions = append(record.Conditions, c)
	}
	if req.GetOutcome() != implementationv1.Decision_OUTCOME_NO_GO {
		record.ExpireTime = timestamppb.New(until)
	}
	revoke(d, now) // who says something after the glass was broken means it: a go that ends must not fall back on the broken glass
	records := append(d.GetRecords(), record)
	d.Records = records[max(len(records)-kept, 0):]
	move(d, outcomeState(req.GetOutcome()), req.GetReason(), now)
	return nil
}

// checkTimes holds the dates and conditions of a word against each other.
func checkTimes(req *implementationv1.DecideDecisionRequest, now time.Time) error {
	if until := req.GetExpireTime(); until != nil && (!until.AsTime().After(now) || until.AsTime().After(now.Add(longest))) {
		return fault.Invalid(ReasonDecisionExpiry, "the decision would end at %s; let it end within 90 days from now", clock(until.AsTime())).
			Field("expire_time", "must be within 90 days from now")
	}
	if req.GetOutcome() != implementationv1.Decision_OUTCOME_CONDITIONAL_GO && len(req.GetConditions()) > 0 {
		return fault.Invalid(ReasonConditionsNotAsked, "conditions belong to a conditional go; decide that, or leave the conditions out").
			Field("conditions", "are for OUTCOME_CONDITIONAL_GO only")
	}
	if req.GetOutcome() == implementationv1.Decision_OUTCOME_CONDITIONAL_GO && len(req.GetConditions()) == 0 {
		return fault.Precondition(ReasonConditionsMissing, "a conditional go has no condition; say what must be done, by whom and until when").
			Subject("CONDITION", req.GetName(), "has none")
	}
	seen := map[string]bool{}
	for i, c := range req.GetConditions() {
		field := fmt.Sprintf("conditions[%d]", i)
		if seen[c.GetId()] {
			return fault.Invalid(ReasonConditionDuplicate, "two conditions are called %s; give each an id of its own", c.GetId()).Field(field+".id", "is there twice")
		}
		seen[c.GetId()] = true
		if due := c.GetDueTime().AsTime(); !due.After(now) || due.After(now.Add(longest)) {
			return fault.Invalid(ReasonConditionDue, "condition %s would be due at %s; let it be due within 90 days from now", c.GetId(), clock(due)).
				Field(field+".due_time", "must be within 90 days from now")
		}
	}
	return nil
}

// enough refuses to let something go on evidence that does not say so. A conditional go is said on what is known to be
// missing: what nobody knows is missing could not become worse later, so it would hold nothing.
func enough(d *implementationv1.Decision, outcome implementationv1.Decision_Outcome, on Evidence) error {
	conditional := outcome == implementationv1.Decision_OUTCOME_CONDITIONAL_GO
	silent := on.Silent
	if conditional && len(silent) == 0 {
		silent = list(on.All, func(s gatev1.Verdict_State) bool { return !known(s) })
	}
	if len(silent) > 0 {
		return fault.Precondition(ReasonEvidenceUnknown, "%s cannot be decided: %s; try again when that has changed, decide no-go, or break the glass with golive decide override",
			d.GetName(), strings.Join(silent, "; ")).Subject("EVIDENCE", d.GetName(), "is not known")
	}
	if conditional {
		return nil
	}
	if on.Passes() {
		return nil
	}
	if len(on.All) == 0 {
		return fault.Precondition(ReasonEvidenceNotMet, "%s names no evidence; name cohort plans or what is technical, or decide conditionally", d.GetName()).
			Subject("EVIDENCE", d.GetName(), "names none")
	}
	refusal := fault.Precondition(ReasonEvidenceNotMet, "the evidence of %s says no: %s; wait for it, or decide conditionally with what is missing as conditions", d.GetName(), strings.Join(list(on.All, func(s gatev1.Verdict_State) bool { return !opens(s) }), "; "))
	for _, e := range on.All {
		if !opens(e.GetVerdict().GetState()) {
			refusal = refusal.Subject("EVIDENCE", e.GetResource(), half(e.GetPurpose())+" is "+e.GetVerdict().GetState().String()+because(e.GetVerdict()))
		}
	}
	return refusal
}

// list says of each verdict in one of the states why it is.
func list(all []*implementationv1.DecisionEvidence, in func(gatev1.Verdict_State) bool) (said []string) {
	for _, e := range evidence.Ordered(all) {
		if in(e.GetVerdict().GetState()) {
			said = append(said, fmt.Sprintf("%s is %s%s", subject(e), e.GetVerdict().GetState(), because(e.GetVerdict())))
		}
	}
	return said
}

// Confirm records that a condition is met, or takes that back.
func Confirm(d *implementationv1.Decision, req *implementationv1.ConfirmDecisionRequest, person string, now time.Time) error {
	if err := Confirmed.Allow(d); err != nil {
		return err
	}
	for _, c := range Record(d).GetConditions() {
		if c.GetId() != req.GetCondition() {
			continue
		}
		c.MetTime, c.MetBy, c.Note = timestamppb.New(now), person, req.GetNote()
		if req.GetWithdraw() {
			c.MetTime, c.MetBy = nil, ""
		}
		d.Revision++
		return nil
	}
	return fault.NotFound(ReasonConditionNotFound, "decision %s has no condition %q; golive decide show %s shows those it has", d.GetName(), req.GetCondition(), d.GetName())
}

// Override breaks the glass.
func Override(d *implementationv1.Decision, req *implementationv1.OverrideDecisionRequest, person string, now time.Time) error {
	if err := override.Check(req.GetExpireTime(), now, "expire_time"); err != nil {
		return err
	}
	if err := Overridden.Allow(d); err != nil {
		return err
	}
	d.Overrides = override.Keep(d.GetOverrides(), &implementationv1.DecisionOverride{
		Person: person, Reason: req.GetReason(), CreateTime: timestamppb.New(now), ExpireTime: req.GetExpireTime(),
		Waves: slices.Clone(d.GetWaves()),
	}, kept)
	d.Revision++
	return nil
}

// Withdraw takes the decision back with all that holds it open.
func Withdraw(d *implementationv1.Decision, reason string, now time.Time) error {
	if err := Withdrawn.Allow(d); err != nil {
		return err
	}
	revoke(d, now)
	end(d, "withdrawn: "+reason, now)
	move(d, withdrawn, reason, now)
	return nil
}

// Reopen makes it pending again.
func Reopen(d *implementationv1.Decision, reason string, now time.Time) error {
	if err := Reopened.Allow(d); err != nil {
		return err
	}
	end(d, "reopened: "+reason, now)
	move(d, pending, reason, now)
	return nil
}

// Expire ends what was decided.
func Expire(d *implementationv1.Decision, why string, now time.Time) error {
	if err := Expired.Allow(d); err != nil {
		return err
	}
	end(d, why, now)
	move(d, expired, why, now)
	return nil
}

// Deletable refuses to forget what was decided.
func Deletable(d *implementationv1.Decision) error {
	if len(d.GetRecords()) == 0 && len(d.GetOverrides()) == 0 && d.GetState() == pending {
		return nil
	}
	return forbids(d, "only one that was never decided can be deleted; withdraw it instead")
}

// Bindable refuses to change what a decision is about once it was decided or the glass was broken. A wave that is bound
// later would not go on a word that was never said about it, see [Bound]; here who tries learns of it.
func Bindable(d *implementationv1.Decision, now time.Time) error {
	if d.GetState() != pending {
		return forbids(d, "its waves and its evidence can be changed only while it is PENDING; reopen it, or make another")
	}
	if Holding(d, now) != nil {
		return forbids(d, "its waves and its evidence cannot be changed while an override holds; wait for its end, or make another decision")
	}
	return nil
}

func forbids(d *implementationv1.Decision, what string) error {
	return fault.Precondition(lifecycle.ReasonStateForbids, "decision %s is %s; %s", d.GetName(), d.GetState(), what).
		Subject("STATE", d.GetName(), "is "+d.GetState().String())
}

// Holding is the override that holds, the newest first; nil for none.
func Holding(d *implementationv1.Decision, now time.Time) *implementationv1.DecisionOverride {
	return override.Holding(d.GetOverrides(), now, func(*implementationv1.DecisionOverride) bool { return true })
}

func revoke(d *implementationv1.Decision, now time.Time) {
	for o := Holding(d, now); o != nil; o = Holding(d, now) {
		o.RevokeTime = timestamppb.New(now)
	}
}
