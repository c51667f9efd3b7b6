package readiness

import (
	"fmt"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// support judges whether there are super-users enough, and a help desk after the go-live.
func (a Assessment) support(c *implementationv1.SupportCriterion) judged {
	const perSuperUser, deskDays = 10, 14
	per := int64(c.GetPeoplePerSuperUser())
	if per == 0 {
		per = perSuperUser
	}
	cover := deskDays
	if c.HelpDeskDays != nil {
		cover = int(c.GetHelpDeskDays())
	}
	needed := (a.facts.Headcount + per - 1) / per
	required := fmt.Sprintf("%d super-users (one for %d people), help desk for %d days after the go-live", needed, per, cover)
	help := "golive members import " + a.plan.GetCohort() + " -f FILE"
	if a.facts.Headcount <= 0 {
		return a.found(unknown, "the cohort has no members at the go-live", required, help).of(a.plan.GetCohort())
	}
	current := fmt.Sprintf("%d super-users for %d people", a.facts.SuperUsers, a.facts.Headcount)
	gap := a.deskGap(cover)
	if gap != "" {
		current += "; " + gap
	} else if cover > 0 {
		current += "; the help desk is there"
	}
	status := met
	if a.facts.SuperUsers < needed || gap != "" {
		status = notMet
	}
	j := a.found(status, current, required, help).of(a.plan.GetCohort())
	j.result.Numerator, j.result.Denominator = a.facts.SuperUsers, needed
	return j
}

// deskGap says what is missing of a help desk for so many days from the go-live on; empty for nothing.
func (a Assessment) deskGap(cover int) string {
	desk := a.plan.GetHelpDesk()
	from := a.facts.Now
	if a.plan.GetGoLiveTime() != nil {
		from = a.plan.GetGoLiveTime().AsTime()
	}
	until := from.AddDate(0, 0, cover)
	switch {
	case cover == 0:
		return ""
	case desk == nil:
		return "no help desk is planned"
	case desk.GetStartTime() != nil && desk.GetStartTime().AsTime().After(from):
		return "the help desk begins only on " + desk.GetStartTime().AsTime().Format(time.DateOnly)
	case desk.GetEndTime() != nil && desk.GetEndTime().AsTime().Before(until):
		return "the help desk ends on " + desk.GetEndTime().AsTime().Format(time.DateOnly)
	default:
		return ""
	}
}
