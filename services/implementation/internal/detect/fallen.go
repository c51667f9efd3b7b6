package detect

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// FallenAfter is for how long after the go-live a fall of readiness is told.
const FallenAfter = 30 * 24 * time.Hour

// fallenReadiness is X1. It judges no week: it is asked at the moment when a verdict changes.
func fallenReadiness() Rule {
	return Rule{
		ID: "X1", Title: "Readiness fell after the start", Class: implementationv1.Challenge_RESISTANCE, Nature: issue,
		Remedy: "Find out who left or what ran out since the wave started, and bring it back before the next wave; the software is there already.",
	}
}

// Fall is what X1 says about a cohort plan whose wave has started, when its
// readiness passed by one verdict and does not by the next. Its class is that of the
// first criterion that fell.
func Fall(plan *implementationv1.CohortPlan, wave string, good, now *gatev1.Verdict, at time.Time) (Rule, Finding) {
	rule := fallenReadiness()
	cohort := path.Base(plan.GetCohort())
	f := Finding{
		Rule: rule.ID, Subject: plan.GetName(), Cohort: plan.GetCohort(), Aspect: fmt.Sprintf("verdict %d", now.GetRevision()), Remedy: rule.Remedy,
		Window: Window{Name: at.UTC().Format(time.DateOnly), End: at}, Status: holds, Numbers: map[string]float64{}, Resources: []string{plan.GetName(), wave},
	}
	var fell []string
	for _, e := range now.GetEvidence() {
		criterion := criterionOf(plan, e.GetCriterion())
		before := evidenceOf(good, e.GetCriterion())
		if criterion.Must != nil && !criterion.GetMust() || met(e) || before != nil && !met(before) {
			continue
		}
		if len(fell) == 0 {
			rule.Class = classOf(criterion)
		}
		fell = append(fell, fmt.Sprintf("%s %s → %s", e.GetCriterion(), evidenced(before), evidenced(e)))
		f.Measure += 1 + max(0, before.GetValue()-e.GetValue())
		f.Numbers[e.GetCriterion()], f.Numbers[e.GetCriterion()+"_before"] = e.GetValue(), before.GetValue()
	}
	f.Numbers["fell"] = float64(len(fell))
	if len(fell) == 0 {
		f.Measure, fell = 1, []string{fmt.Sprintf("%s → %s", good.GetState(), now.GetState())}
	}
	f.Text = fmt.Sprintf("readiness of %s fell after wave %s started: %s", cohort, path.Base(wave), strings.Join(fell, "; "))
	return rule, f
}

// Recovered is what X1 says when the readiness passes again.
func Recovered(plan *implementationv1.CohortPlan, wave string, now *gatev1.Verdict, at time.Time) (Rule, Finding) {
	rule := fallenReadiness()
	return rule, Finding{
		Rule: rule.ID, Subject: plan.GetName(), Cohort: plan.GetCohort(), Aspect: fmt.Sprintf("verdict %d", now.GetRevision()), Remedy: rule.Remedy,
		Window: Window{Name: at.UTC().Format(time.DateOnly), End: at}, Status: fine, Numbers: map[string]float64{"fell": 0}, Resources: []string{plan.GetName(), wave},
		Text: fmt.Sprintf("readiness of %s is %s again", path.Base(plan.GetCohort()), now.GetState()),
	}
}

// Opens says that a verdict lets a wave start.
func Opens(v *gatev1.Verdict) bool {
	return v.GetState() == gatev1.Verdict_PASS || v.GetState() == gatev1.Verdict_WAIVED
}

// Fell says that a verdict denies what an earlier one gave. Where nobody knows, nothing fell.
func Fell(good, now *gatev1.Verdict) bool {
	return Opens(good) && (now.GetState() == gatev1.Verdict_WAIT || now.GetState() == gatev1.Verdict_FAIL)
}

func met(e *gatev1.Evidence) bool {
	return e.GetState() == gatev1.Verdict_PASS || e.GetState() == gatev1.Verdict_WAIVED
}

func criterionOf(plan *implementationv1.CohortPlan, id string) *implementationv1.Criterion {
	all := plan.GetReadinessPolicy().GetCriteria()
	if i := slices.IndexFunc(all, func(c *implementationv1.Criterion) bool { return c.GetId() == id }); i >= 0 {
		return all[i]
	}
	return &implementationv1.Criterion{}
}

func evidenceOf(v *gatev1.Verdict, id string) *gatev1.Evidence {
	if i := slices.IndexFunc(v.GetEvidence(), func(e *gatev1.Evidence) bool { return e.GetCriterion() == id }); i >= 0 {
		return v.GetEvidence()[i]
	}
	return nil
}

// evidenced is the evidence in short: what was counted, or else its own words.
func evidenced(e *gatev1.Evidence) string {
	switch {
	case e == nil:
		return "not asked"
	case e.GetDenominator() > 0:
		return fmt.Sprintf("%d of %d", e.GetNumerator(), e.GetDenominator())
	case e.GetDetail() != "":
		return e.GetDetail()
	default:
		return e.GetState().String()
	}
}

// classOf is what hinders when a criterion is not met.
func classOf(c *implementationv1.Criterion) implementationv1.Challenge_Class {
	switch c.GetType().(type) {
	case *implementationv1.Criterion_Access, *implementationv1.Criterion_Technical:
		return implementationv1.Challenge_TECHNICAL
	case *implementationv1.Criterion_Trained, *implementationv1.Criterion_Proficient, *implementationv1.Criterion_Support, *implementationv1.Criterion_Messages:
		return implementationv1.Challenge_RESOURCES
	case *implementationv1.Criterion_ChangeLoad:
		return implementationv1.Challenge_PRIORITIES
	case *implementationv1.Criterion_Challenges:
		return implementationv1.Challenge_OTHER
	default: // the sponsor, stakeholders, what the people say
		return implementationv1.Challenge_RESISTANCE
	}
}
