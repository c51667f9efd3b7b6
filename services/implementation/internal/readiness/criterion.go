package readiness

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// The texts and states that every kind of criterion has in common.
const (
	met     = implementationv1.CriterionResult_MET
	notMet  = implementationv1.CriterionResult_NOT_MET
	unknown = implementationv1.CriterionResult_UNKNOWN
)

// found makes a judged criterion of what was found: not met is open until the
// go-live is over, and cannot become met in time afterwards.
func (a Assessment) found(status implementationv1.CriterionResult_Status, current, required, command string) judged {
	j := judged{
		result:  &implementationv1.CriterionResult{Status: status},
		current: current, required: required, command: command,
	}
	switch status {
	case met:
		j.state, j.attained = gatev1.Verdict_PASS, new(1.0)
	case notMet:
		j.state, j.attained = gatev1.Verdict_WAIT, new(0.0)
		if a.passed() {
			j.state = gatev1.Verdict_FAIL
			j.current += "; the go-live was planned for " + a.plan.GetGoLiveTime().AsTime().Format(time.RFC3339)
		}
	default:
		j.state = gatev1.Verdict_UNKNOWN
	}
	j.result.Message = j.current
	return j
}

// counted gives a judged criterion its numbers.
func (j judged) counted(part, whole int64, threshold float64) judged {
	j.result.Numerator, j.result.Denominator, j.result.Threshold = part, max(whole, 0), threshold
	if whole > 0 {
		j.result.Value = new(float64(part) / float64(whole))
		if threshold > 0 {
			j.attained = new(min(1, j.result.GetValue()/threshold))
		}
	}
	return j
}

// of names the resources that a judged criterion is about, or waits for.
func (j judged) of(resources ...string) judged {
	j.result.Resources = resources
	return j
}

// or is a threshold, or its default where none is given; NaN is none.
func or(threshold, otherwise float64) float64 {
	if threshold > 0 {
		return threshold
	}
	return otherwise
}

// fresh turns a criterion UNKNOWN whose facts are older than they may be.
func (a Assessment) fresh(c *implementationv1.Criterion, j judged) judged {
	limit := c.GetMaxAge().AsDuration()
	if limit == 0 {
		limit = j.result.GetMaxAge().AsDuration()
	}
	if limit == 0 {
		return j
	}
	j.result.MaxAge = durationpb.New(limit)
	age := a.facts.Now.Sub(j.result.GetAsOf().AsTime())
	if age <= limit || j.state == gatev1.Verdict_UNKNOWN {
		return j
	}
	j.state, j.result.Status, j.attained = gatev1.Verdict_UNKNOWN, unknown, nil
	j.current = fmt.Sprintf("%s, but that was %s ago and may be %s old", j.current, age.Round(time.Minute), limit)
	j.result.Message = j.current
	return j
}
