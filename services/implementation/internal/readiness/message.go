package readiness

import (
	"fmt"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// messages judges whether what must be known was told, by the communication that reached the fewest.
func (a Assessment) messages(c *implementationv1.MessagesCriterion) judged {
	const otherwise = 0.9
	threshold := or(c.GetThreshold(), otherwise)
	required := fmt.Sprintf("each delivered to at least %s", percent(threshold))
	help := "golive list communications " + implementationOf(a.plan)
	if len(a.facts.Messages) == 0 {
		return a.found(unknown, "no communication is marked as one that the cohort must know", required, help).of(a.plan.GetName())
	}
	var behind []string
	least := a.facts.Messages[0]
	for _, m := range a.facts.Messages {
		if reached(m) < reached(least) {
			least = m
		}
		if s := (share{part: m.Delivered, whole: m.Audience}); m.Audience == 0 || s.part < s.needed(threshold) {
			behind = append(behind, m.Name)
		}
	}
	status, about := met, []string{least.Name}
	if len(behind) > 0 {
		status, about = notMet, behind
	}
	current := fmt.Sprintf("%q was delivered to %d of %d", least.Display, least.Delivered, least.Audience)
	if n := len(behind); n > 1 {
		current += fmt.Sprintf(", and %d more are behind", n-1)
	}
	return a.found(status, current, required, help).counted(least.Delivered, least.Audience, threshold).of(about...)
}

func reached(m Message) float64 {
	if m.Audience == 0 {
		return 0
	}
	return float64(m.Delivered) / float64(m.Audience)
}
