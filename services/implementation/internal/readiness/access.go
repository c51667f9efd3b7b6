package readiness

import (
	"fmt"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// access judges the share of members with an account, in the application that has the fewest.
func (a Assessment) access(c *implementationv1.AccessCriterion) judged {
	const otherwise = 0.98
	threshold := or(c.GetThreshold(), otherwise)
	required := fmt.Sprintf("at least %s with an account", percent(threshold))
	help := "golive accounts import -f FILE"
	applications := a.facts.Applications
	if c.GetApplication() != "" {
		applications = []string{c.GetApplication()}
	}
	switch {
	case len(applications) == 0:
		return a.found(unknown, "neither the criterion nor the implementation names an application", required, help).of(a.plan.GetName())
	case a.facts.Headcount <= 0:
		return a.found(unknown, "the cohort has no members at the go-live", required+", of at least one person", help).counted(0, 0, threshold).of(applications...)
	}
	least := applications[0]
	for _, application := range applications[1:] {
		if a.facts.Provisioned[application] < a.facts.Provisioned[least] {
			least = application
		}
	}
	help = "golive accounts record " + least + " PERSON…"
	s := share{part: a.facts.Provisioned[least], whole: a.facts.Headcount}
	status := notMet
	if s.part >= s.needed(threshold) {
		status = met
	}
	j := a.found(status, fmt.Sprintf("%d of %d have an account in %s (%s)", s.part, s.whole, least, s), required, help)
	return j.counted(s.part, s.whole, threshold).of(least)
}
