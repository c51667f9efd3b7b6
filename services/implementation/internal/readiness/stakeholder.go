package readiness

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// sponsorSilence is how long ago a sponsor may have acted last where the criterion does not say.
const sponsorSilence = 30 * 24 * time.Hour

// sponsor judges whether a sponsor has acted lately.
func (a Assessment) sponsor(c *implementationv1.Criterion) judged {
	limit := c.GetMaxAge().AsDuration()
	if limit == 0 {
		limit = sponsorSilence
	}
	required := "a sponsor who has acted in the last " + days(limit)
	help := "golive list stakeholders " + implementationOf(a.plan)
	var last *Stakeholder
	for i, s := range a.facts.Stakeholders {
		if s.Sponsor && (last == nil || s.Acted.After(last.Acted)) {
			last = &a.facts.Stakeholders[i]
		}
	}
	if last == nil {
		return a.found(notMet, "no stakeholder is a sponsor", required, help).of(a.plan.GetName())
	}
	help = "golive stakeholder contact " + last.Name + " --acted"
	if last.Acted.IsZero() {
		return a.found(notMet, "the sponsor has not acted", required, help).of(last.Name)
	}
	silent := a.facts.Now.Sub(last.Acted)
	status := met
	if silent > limit {
		status = notMet // an old act is known to be old: not met, rather than unknown
	}
	j := a.found(status, fmt.Sprintf("the sponsor acted %s ago", days(silent)), required, help).of(last.Name)
	j.result.AsOf, j.result.MaxAge = timestamppb.New(a.facts.Now), durationpb.New(limit)
	return j
}

// stakeholders judges whether those of influence stand behind it.
func (a Assessment) stakeholders(c *implementationv1.StakeholdersCriterion) judged {
	const otherwise = 4
	influence := c.GetMinInfluence()
	if influence == 0 {
		influence = otherwise
	}
	required := fmt.Sprintf("every stakeholder of influence %d or more SUPPORTIVE or CHAMPION", influence)
	var all int64
	var against []string
	for _, s := range a.facts.Stakeholders {
		if s.Influence < influence {
			continue
		}
		all++
		if !s.Supportive {
			against = append(against, s.Name)
		}
	}
	help := "golive list stakeholders " + implementationOf(a.plan)
	if all == 0 {
		return a.found(unknown, fmt.Sprintf("no stakeholder of influence %d or more is known", influence), required, help).of(a.plan.GetName())
	}
	status, current := met, fmt.Sprintf("all %d support it", all)
	if len(against) > 0 {
		status, current = notMet, fmt.Sprintf("%d of %d support it", all-int64(len(against)), all)
	}
	return a.found(status, current, required, help).counted(all-int64(len(against)), all, 1).of(against...)
}

func days(d time.Duration) string {
	const day = 24 * time.Hour
	if n := int(d / day); n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "1 day"
}

// implementationOf is the implementation of a plan.
func implementationOf(plan *implementationv1.CohortPlan) string {
	name, _, _ := strings.Cut(plan.GetName(), "/cohortPlans/")
	return name
}
