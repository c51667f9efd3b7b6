package readiness

import (
	"fmt"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// challenges judges whether a critical challenge stands in the way.
func (a Assessment) challenges() judged {
	help := "golive challenges " + implementationOf(a.plan)
	const required = "no open critical challenge on the cohort"
	if n := len(a.facts.Critical); n > 0 {
		return a.found(notMet, fmt.Sprintf("%d critical %s open", n, plural(n, "challenge is", "challenges are")), required, help).of(a.facts.Critical...)
	}
	return a.found(met, "none is open", required, help).of(a.plan.GetName())
}

// changeLoad judges whether the cohort is asked for more change than it can take in any week of the window.
func (a Assessment) changeLoad(c *implementationv1.ChangeLoadCriterion) judged {
	const otherwise = 4
	weeks := int(c.GetWeeks())
	if weeks == 0 {
		weeks = otherwise
	}
	required := fmt.Sprintf("at most %.3g points of change in each of the %d weeks from the go-live on", a.facts.Capacity, weeks)
	help := "golive describe cohort " + a.plan.GetCohort()
	switch {
	case a.facts.Capacity <= 0:
		return a.found(unknown, "the cohort has no change capacity", "a change capacity of the cohort", help).of(a.plan.GetCohort())
	case a.plan.GetGoLiveTime() == nil:
		return a.found(unknown, "the go-live has no date", "a date for the go-live", help).of(a.plan.GetName())
	}
	var worst Load
	for _, l := range a.facts.Loads[:min(weeks, len(a.facts.Loads))] {
		if l.Load > worst.Load {
			worst = l
		}
	}
	current := fmt.Sprintf("at most %.3g points in a week", worst.Load)
	status := met
	if worst.Load > a.facts.Capacity {
		status = notMet
		current = fmt.Sprintf("%.3g points in the week of %s, from %d %s", worst.Load, worst.Week.Format("2006-01-02"),
			len(worst.From), plural(len(worst.From), "implementation", "implementations"))
	}
	j := a.found(status, current, required, help).of(worst.From...)
	j.result.Value, j.result.Threshold = new(worst.Load), a.facts.Capacity
	return j
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
