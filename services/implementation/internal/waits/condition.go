package waits

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// DefaultWindow is over how long shares are counted where a condition does not say.
const DefaultWindow = time.Hour

// The criteria of evidence that bounds are held against.
const (
	availability = "availability"
	errorRate    = "error_rate"
)

// Window is over how long the shares of a condition are counted.
func Window(c *implementationv1.StageCondition) time.Duration {
	return cmp.Or(c.GetWindow().AsDuration(), DefaultWindow)
}

// Same says that two conditions ask the same of the same machines, so that what held of one holds of the other.
func Same(a, b *implementationv1.StageCondition) bool {
	return Window(a) == Window(b) && a.GetResource() == b.GetResource() && a.GetMinAvailability() == b.GetMinAvailability() &&
		(a.MaxErrorRate == nil) == (b.MaxErrorRate == nil) && a.GetMaxErrorRate() == b.GetMaxErrorRate()
}

// finding is what one answer says of a condition, time apart.
type finding struct {
	state    gatev1.Verdict_State
	current  string
	evidence []*gatev1.Evidence
}

// find holds an answer against a condition: its state, and then each bound against its evidence.
func find(c *implementationv1.StageCondition, v *gatev1.Verdict) finding {
	f := finding{state: v.GetState(), current: "the deployment service says " + v.GetState().String()}
	switch f.state {
	case gatev1.Verdict_PASS:
	case gatev1.Verdict_WAIT, gatev1.Verdict_FAIL, gatev1.Verdict_UNDECIDED:
	case gatev1.Verdict_WAIVED: // somebody let it pass there; that is no word about the machines
		f.state = gatev1.Verdict_WAIT
	default:
		f.state = gatev1.Verdict_UNKNOWN
	}
	var why []string
	for _, reason := range v.GetReasons() {
		why = append(why, reason.GetCurrent())
	}
	if len(why) > 0 {
		f.current += ": " + strings.Join(why, "; ")
	}
	for _, e := range v.GetEvidence() {
		f.evidence = append(f.evidence, proto.CloneOf(e))
	}
	if f.state != gatev1.Verdict_PASS {
		return f
	}
	if least := c.GetMinAvailability(); least > 0 {
		f.bound(availability, least, "%s %% up over "+span(Window(c)), func(value float64) bool { return value >= least })
	}
	if c.MaxErrorRate != nil {
		f.bound(errorRate, c.GetMaxErrorRate(), "%s %% of the requests of "+span(Window(c))+" failed", func(value float64) bool { return value <= c.GetMaxErrorRate() })
	}
	return f
}

// bound holds one share against its threshold. What was not counted, or hardly, says nothing either way: UNDECIDED.
func (f *finding) bound(criterion string, threshold float64, words string, met func(float64) bool) {
	var e *gatev1.Evidence
	for _, one := range f.evidence {
		if one.GetCriterion() == criterion {
			e = one
		}
	}
	if e == nil {
		f.fall(gatev1.Verdict_UNDECIDED, "the deployment service says nothing of "+strings.ReplaceAll(criterion, "_", " "))
		return
	}
	e.Threshold = threshold
	part, whole := e.GetNumerator(), e.GetDenominator()
	if whole <= 0 || part < 0 || part > whole || e.GetState() == gatev1.Verdict_UNDECIDED || e.GetState() == gatev1.Verdict_UNKNOWN {
		e.State = gatev1.Verdict_UNDECIDED
		f.fall(gatev1.Verdict_UNDECIDED, cmp.Or(e.GetDetail(), "too little was counted of "+strings.ReplaceAll(criterion, "_", " ")))
		return
	}
	e.Value = float64(part) / float64(whole)
	if met(e.GetValue()) {
		e.State = gatev1.Verdict_PASS
		return
	}
	e.State = gatev1.Verdict_WAIT
	f.fall(gatev1.Verdict_WAIT, fmt.Sprintf(words, percent(e.GetValue(), threshold)))
}

// fall takes the worse of two states, and says both.
func (f *finding) fall(to gatev1.Verdict_State, current string) {
	if f.state == gatev1.Verdict_PASS {
		f.state, f.current = to, current
		return
	}
	f.current += "; " + current
	if severity(to) > severity(f.state) {
		f.state = to
	}
}

// required is what a condition asks, for a person to read.
func required(c *implementationv1.StageCondition) string {
	all := []string{"PASS from the deployment service"}
	if least := c.GetMinAvailability(); least > 0 {
		all = append(all, fmt.Sprintf("at least %s %% up over %s", number(100*least), span(Window(c))))
	}
	if c.MaxErrorRate != nil {
		all = append(all, fmt.Sprintf("at most %s %% of the requests of %s failed", number(100*c.GetMaxErrorRate()), span(Window(c))))
	}
	if hold := c.GetHoldFor().AsDuration(); hold > 0 {
		all = append(all, "for "+span(hold)+" without a break")
	}
	return strings.Join(all, ", ")
}

// percent writes a share with as many digits as it takes to see that it misses its threshold.
func percent(value, threshold float64) string {
	const most = 6
	for digits := 2; digits < most; digits++ {
		if text := strconv.FormatFloat(100*value, 'f', digits, 64); text != strconv.FormatFloat(100*threshold, 'f', digits, 64) {
			return text
		}
	}
	return strconv.FormatFloat(100*value, 'f', most, 64)
}

func number(value float64) string {
	const places = 1e6
	return strconv.FormatFloat(math.Round(value*places)/places, 'f', -1, 64)
}

// span writes a duration in the largest unit that fits it whole.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day && d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	default:
		return d.String()
	}
}

// severity orders states by how far from open they are.
func severity(s gatev1.Verdict_State) int {
	switch s {
	case gatev1.Verdict_PASS:
		return 0
	case gatev1.Verdict_WAIVED:
		return 1
	case gatev1.Verdict_WAIT:
		return 2
	case gatev1.Verdict_FAIL:
		return 4
	default:
		return 3
	}
}

// Open says that a state opens what waits for it.
func Open(s gatev1.Verdict_State) bool { return s == gatev1.Verdict_PASS || s == gatev1.Verdict_WAIVED }
