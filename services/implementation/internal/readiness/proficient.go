package readiness

import (
	"fmt"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// proficient judges the share of eligible members who have passed every named assessment.
func (a Assessment) proficient(c *implementationv1.ProficientCriterion, t Trained) judged {
	const otherwise = 0.8
	threshold := or(c.GetThreshold(), otherwise)
	whole := t.Members - t.Waived
	required := fmt.Sprintf("at least %s passed", percent(threshold))
	help := command(a.plan, c.GetTrainings())
	if whole <= 0 {
		return a.found(unknown, nobody(t), required+", of at least one person", help).counted(t.Done, whole, threshold).of(c.GetTrainings()...)
	}
	s := share{part: t.Done, whole: whole}
	needed := s.needed(threshold)
	status := notMet
	if s.part >= needed {
		status = met
	}
	j := a.found(status, fmt.Sprintf("%d of %d passed (%s)", s.part, s.whole, s), required, help).counted(s.part, s.whole, threshold).of(c.GetTrainings()...)
	j.result.Waived, j.result.Expired = t.Waived, t.Expired
	j.result.Message += fmt.Sprintf(", at least %d needed", needed) + apart(t)
	return j
}
