package readiness

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/interval"
)

const (
	pulseConfidence = 0.95
	// minResponse is the share of those asked that must have answered.
	minResponse = 0.3
)

// pulse judges whether the people agree, by the lower bound of Wilson's
// interval: few answers have a wide one, and do not pass by luck.
func (a Assessment) pulse(c *implementationv1.PulseCriterion, p Pulse) judged {
	const otherwise = 0.6
	threshold := or(c.GetThreshold(), otherwise)
	elements := c.GetElements()
	if len(elements) == 0 {
		elements = []implementationv1.PulseCriterion_Element{
			implementationv1.PulseCriterion_AWARENESS, implementationv1.PulseCriterion_DESIRE, implementationv1.PulseCriterion_ABILITY,
		}
	}
	required := fmt.Sprintf("at least %s agree, by the lower bound of the interval", percent(threshold))
	help := "golive survey results " + c.GetSurvey()
	unknowable := func(why string) judged {
		j := a.found(unknown, why, required, help).of(c.GetSurvey())
		if p.Wave != "" {
			j.result.AsOf = timestamppb.New(p.Closed)
		}
		return j
	}
	switch {
	case p.Wave == "":
		return unknowable("no wave of the survey has been closed")
	case p.Hidden != "":
		return unknowable("the answers are not shown: " + p.Hidden)
	case p.Invited == 0 || float64(p.Answered) < minResponse*float64(p.Invited):
		return unknowable(fmt.Sprintf("%d of %d answered, less than %s", p.Answered, p.Invited, percent(minResponse)))
	}
	return a.weakest(c, p, elements, threshold, required, help)
}

// weakest judges by the element with the lowest bound, which is the one to work on.
func (a Assessment) weakest(c *implementationv1.PulseCriterion, p Pulse, elements []implementationv1.PulseCriterion_Element, threshold float64, required, help string) judged {
	var at implementationv1.PulseCriterion_Element
	bounds := interval.Interval{Lower: 2}
	for _, element := range elements {
		count, asked := p.Agree[element]
		if !asked || count.Whole == 0 {
			j := a.found(unknown, "the survey does not ask about "+strings.ToLower(element.String()), required, help).of(c.GetSurvey())
			j.result.AsOf = timestamppb.New(p.Closed)
			return j
		}
		if b := interval.Wilson(count.Part, count.Whole, pulseConfidence); b.Lower < bounds.Lower {
			at, bounds = element, b
		}
	}
	status := notMet
	if bounds.Lower >= threshold {
		status = met
	}
	count := p.Agree[at]
	current := fmt.Sprintf("%s: %d of %d agree (%.1f %%, 95 %% interval %.1f to %.1f %%), %d of %d answered", strings.ToLower(at.String()),
		count.Part, count.Whole, 100*float64(count.Part)/float64(count.Whole), 100*bounds.Lower, 100*bounds.Upper, p.Answered, p.Invited)
	j := a.found(status, current, required, help).counted(count.Part, count.Whole, threshold).of(p.Wave)
	j.attained = new(min(1, bounds.Lower/threshold))
	j.result.Interval = &implementationv1.Interval{Lower: bounds.Lower, Upper: bounds.Upper}
	j.result.AsOf = timestamppb.New(p.Closed)
	return j
}
