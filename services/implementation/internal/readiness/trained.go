package readiness

import (
	"fmt"
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// defaultThreshold is what a criterion without a threshold asks for.
const defaultThreshold = 0.9

// Trained are the counts behind one trained criterion, each over the members of
// the cohort at its go-live. A person's due trainings are those the criterion
// names, less those the person was waived from.
type Trained struct {
	// Members are all of them.
	Members int64
	// Waived have no due training: they leave numerator and denominator.
	Waived int64
	// Done have a completion of every due training that is valid at the go-live.
	Done int64
	// Expired lack a due training that they had completed.
	Expired int64
	// Lost lack a due training that is retired: they cannot complete it any more.
	Lost int64
}

// trained judges the share of eligible members who have completed what they must.
func (a Assessment) trained(c *implementationv1.TrainedCriterion, t Trained) judged {
	threshold := c.GetThreshold()
	if !(threshold > 0) { // nor NaN
		threshold = defaultThreshold
	}
	s := share{part: t.Done, whole: t.Members - t.Waived}
	j := judged{
		result: &implementationv1.CriterionResult{
			Numerator:   s.part,
			Denominator: max(s.whole, 0),
			Threshold:   threshold,
			Waived:      t.Waived,
			Expired:     t.Expired,
			Resources:   c.GetTrainings(),
		},
		required: fmt.Sprintf("at least %s trained", percent(threshold)),
		command:  command(a.plan, c.GetTrainings()),
	}
	if s.whole <= 0 {
		j.state, j.result.Status = gatev1.Verdict_UNKNOWN, implementationv1.CriterionResult_UNKNOWN
		j.current = nobody(t)
		j.required += ", of at least one person"
		j.command = readinessCommand(a.plan)
		j.result.Message = j.current
		return j
	}
	needed := s.needed(threshold)
	j.result.Value = new(float64(s.part) / float64(s.whole))
	j.attained = new(min(1, j.result.GetValue()/threshold))
	j.current = fmt.Sprintf("%d of %d trained (%s)", s.part, s.whole, s)
	j.result.Message = fmt.Sprintf("%s, at least %d needed", j.current, needed) + apart(t)
	a.conclude(&j, t, s, needed)
	return j
}

// conclude says what the count means: enough, not yet, or never in time.
func (a Assessment) conclude(j *judged, t Trained, s share, needed int64) {
	if s.part >= needed {
		j.state, j.result.Status = gatev1.Verdict_PASS, implementationv1.CriterionResult_MET
		return
	}
	j.state, j.result.Status = gatev1.Verdict_WAIT, implementationv1.CriterionResult_NOT_MET
	var why string
	switch attainable := s.whole - t.Lost; {
	case attainable < needed:
		why = fmt.Sprintf("; at most %d can be, because a training is retired", attainable)
	case a.passed():
		why = "; the go-live was planned for " + a.plan.GetGoLiveTime().AsTime().Format(time.RFC3339)
	default:
		return
	}
	j.state = gatev1.Verdict_FAIL
	j.current += why
	j.result.Message += why
}

// nobody says why there is nothing to count.
func nobody(t Trained) string {
	if t.Members > 0 {
		return fmt.Sprintf("nobody is left to count: all %d members are waived", t.Members)
	}
	return "the cohort has no members at the go-live"
}

// apart tells of those who are shown beside the numbers.
func apart(t Trained) string {
	text := ""
	if t.Waived > 0 {
		text += fmt.Sprintf("; %d waived, not counted", t.Waived)
	}
	if t.Expired > 0 {
		text += fmt.Sprintf("; %d expired", t.Expired)
	}
	return text
}

// command is what helps, ready to be completed with people.
func command(plan *implementationv1.CohortPlan, trainings []string) string {
	if len(trainings) == 1 {
		return "golive train record " + trainings[0] + " PERSON…"
	}
	return readinessCommand(plan)
}

func readinessCommand(plan *implementationv1.CohortPlan) string {
	return "golive readiness " + plan.GetName()
}
