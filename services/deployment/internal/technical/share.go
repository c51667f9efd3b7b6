package technical

import (
	"fmt"
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// The criteria of evidence that is counted over a window. Whoever asks sets the bounds; here nothing depends on them.
const (
	Availability = "availability"
	ErrorRate    = "error_rate"
)

// Shares are what was counted of a resource over a window.
type Shares struct {
	Window         time.Duration
	Good, Observed time.Duration // summed over targets
	Expected       time.Duration // how long it ran in the window, observed or not
	MinCoverage    float64       // observed over expected below which nothing is said
	Requests       int64
	Errors         int64
}

// Add puts the shares beside the other evidence of a verdict. They move with every probe, so the revision says nothing of them.
func (s Shares) Add(v *gatev1.Verdict) {
	v.Evidence = append(v.Evidence, s.availability(v), s.errorRate(v))
}

// availability has the state UNKNOWN where nothing was observed, and UNDECIDED where too little was.
func (s Shares) availability(v *gatev1.Verdict) *gatev1.Evidence {
	e := &gatev1.Evidence{
		Criterion: Availability, State: gatev1.Verdict_UNKNOWN, Numerator: s.Good.Milliseconds(), Denominator: s.Observed.Milliseconds(),
		AsOf: v.GetEvaluatedAt(), Resource: v.GetResource(),
	}
	if e.GetDenominator() <= 0 {
		e.Detail = "nothing was observed in the last " + span(s.Window)
		return e
	}
	coverage := 1.0
	if s.Expected > 0 {
		coverage = min(1, float64(s.Observed)/float64(s.Expected))
	}
	e.Value, e.State = float64(e.GetNumerator())/float64(e.GetDenominator()), gatev1.Verdict_PASS
	e.Detail = fmt.Sprintf("%.1f %% of the time it ran in the last %s was observed", 100*coverage, span(s.Window))
	if coverage < s.MinCoverage {
		e.State = gatev1.Verdict_UNDECIDED
		e.Detail += fmt.Sprintf(", of which %.1f %% are needed to judge", 100*s.MinCoverage)
	}
	return e
}

func (s Shares) errorRate(v *gatev1.Verdict) *gatev1.Evidence {
	e := &gatev1.Evidence{
		Criterion: ErrorRate, State: gatev1.Verdict_UNKNOWN, Numerator: s.Errors, Denominator: s.Requests,
		AsOf: v.GetEvaluatedAt(), Resource: v.GetResource(),
	}
	if s.Requests <= 0 {
		e.Denominator, e.Detail = 0, "nothing counted requests in the last "+span(s.Window)
		return e
	}
	e.Value, e.State = float64(s.Errors)/float64(s.Requests), gatev1.Verdict_PASS
	e.Detail = fmt.Sprintf("%d of %d requests of the last %s", s.Errors, s.Requests, span(s.Window))
	return e
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
