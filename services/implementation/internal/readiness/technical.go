package readiness

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// technicalAge is how old the word of the deployment service may be where the criterion does not say.
const technicalAge = 10 * time.Minute

// technical judges by what the deployment service last said. Who was never asked said nothing: UNKNOWN.
func (a Assessment) technical(c *implementationv1.Criterion) judged {
	resource := c.GetTechnical().GetResource()
	const required = "PASS from the deployment service"
	help := "golive why " + resource
	t, asked := a.facts.Technical[resource]
	if !asked || t.Asked.IsZero() {
		return a.found(unknown, "the deployment service has not answered", required, help).of(resource)
	}
	var status implementationv1.CriterionResult_Status
	switch t.State {
	case gatev1.Verdict_PASS, gatev1.Verdict_WAIVED:
		status = met
	case gatev1.Verdict_WAIT, gatev1.Verdict_FAIL:
		status = notMet
	default:
		status = unknown
	}
	current := "the deployment service says " + t.State.String()
	var why []string
	for _, reason := range t.Reasons {
		why = append(why, reason.GetCurrent())
	}
	if len(why) > 0 {
		current += ": " + strings.Join(why, "; ")
	}
	j := a.found(status, current, required, help).of(append([]string{resource}, t.Waiting...)...)
	if t.State == gatev1.Verdict_FAIL {
		j.state = gatev1.Verdict_FAIL
	}
	j.result.AsOf, j.result.MaxAge = timestamppb.New(t.Asked), durationpb.New(technicalAge)
	return j
}
