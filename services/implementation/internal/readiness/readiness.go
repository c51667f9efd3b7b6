// Package readiness judges whether the people of a cohort are ready for their
// go-live. It is pure: the plan, counted facts and the time come in, a
// [Assessment] comes out, which reads as a Readiness (with every number) or as
// a gate's Verdict (with what is missing and who can help).
//
// A criterion is MET, NOT_MET, UNKNOWN or WAIVED. The plan's state follows from
// the criteria that gate, the worst first:
//
//	FAIL     one is not met and cannot be before the go-live any more
//	UNKNOWN  one cannot be known, or the policy has no criteria at all
//	WAIT     one is not met and still can be
//	PASS     otherwise
//
// FAIL does not stick: a late completion, a waiver or a new date turns it.
package readiness

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Assessment is a cohort plan judged. Its zero value is not useful; see [Assess].
type Assessment struct {
	plan     *implementationv1.CohortPlan
	facts    Facts
	criteria []judged
}

// judged is one criterion with its numbers and what it means for the gate.
type judged struct {
	result   *implementationv1.CriterionResult
	state    gatev1.Verdict_State
	current  string
	required string
	command  string
	// attained is how far it is, 0 to 1, for the displayed score; nil where that is not known.
	attained *float64
	// endures says until when an override lets it pass; zero where none does.
	endures time.Time
}

// Assess judges the plan by the facts.
func Assess(plan *implementationv1.CohortPlan, facts Facts) Assessment {
	a := Assessment{plan: plan, facts: facts}
	for _, criterion := range plan.GetReadinessPolicy().GetCriteria() {
		j := a.judge(criterion)
		j.result.Id, j.result.Must, j.result.Weight = criterion.GetId(), must(criterion), weight(criterion)
		if j.result.GetAsOf() == nil {
			j.result.AsOf = timestamppb.New(facts.Now)
		}
		a.criteria = append(a.criteria, a.waived(criterion, a.fresh(criterion, j)))
	}
	return a
}

func (a Assessment) judge(c *implementationv1.Criterion) judged {
	switch c.GetType().(type) {
	case *implementationv1.Criterion_Trained:
		return a.trained(c.GetTrained(), a.facts.Trained[c.GetId()])
	case *implementationv1.Criterion_Proficient:
		return a.proficient(c.GetProficient(), a.facts.Proficient[c.GetId()])
	case *implementationv1.Criterion_Access:
		return a.access(c.GetAccess())
	case *implementationv1.Criterion_Sponsor:
		return a.sponsor(c)
	case *implementationv1.Criterion_Stakeholders:
		return a.stakeholders(c.GetStakeholders())
	case *implementationv1.Criterion_Pulse:
		return a.pulse(c.GetPulse(), a.facts.Pulses[c.GetPulse().GetSurvey()])
	case *implementationv1.Criterion_Support:
		return a.support(c.GetSupport())
	case *implementationv1.Criterion_Messages:
		return a.messages(c.GetMessages())
	case *implementationv1.Criterion_Challenges:
		return a.challenges()
	case *implementationv1.Criterion_ChangeLoad:
		return a.changeLoad(c.GetChangeLoad())
	case *implementationv1.Criterion_Technical:
		return a.technical(c)
	default: // written by a newer server: what is not understood does not open a gate
		return judged{
			state:   gatev1.Verdict_UNKNOWN,
			result:  &implementationv1.CriterionResult{Status: implementationv1.CriterionResult_UNKNOWN},
			current: "this server does not know the criterion", required: "a server that knows it",
			command: readinessCommand(a.plan),
		}
	}
}

// must says whether the criterion gates: unless it says that it does not.
func must(c *implementationv1.Criterion) bool { return c.Must == nil || c.GetMust() }

// passed says that the planned go-live is over.
func (a Assessment) passed() bool {
	return a.plan.GetGoLiveTime() != nil && !a.facts.Now.Before(a.plan.GetGoLiveTime().AsTime())
}

// State is the worst of what gates.
func (a Assessment) State() gatev1.Verdict_State {
	if len(a.criteria) == 0 {
		return gatev1.Verdict_UNKNOWN
	}
	worst := gatev1.Verdict_PASS
	for _, j := range a.criteria {
		if j.result.GetMust() && severity(j.state) > severity(worst) {
			worst = j.state
		}
	}
	return worst
}

func severity(s gatev1.Verdict_State) int {
	switch s {
	case gatev1.Verdict_PASS, gatev1.Verdict_WAIVED:
		return 0
	case gatev1.Verdict_WAIT:
		return 1
	case gatev1.Verdict_FAIL:
		return 3
	default:
		return 2
	}
}

// Readiness is the assessment with the numbers of every criterion, in the order of the policy.
func (a Assessment) Readiness() *implementationv1.Readiness {
	r := &implementationv1.Readiness{
		CohortPlan: a.plan.GetName(),
		State:      a.State(),
		AsOf:       timestamppb.New(a.facts.Now),
		Headcount:  a.facts.Headcount,
	}
	for _, j := range a.criteria {
		r.Criteria = append(r.Criteria, j.result)
	}
	r.Score, r.ScoreCoverage = a.score()
	return r
}
