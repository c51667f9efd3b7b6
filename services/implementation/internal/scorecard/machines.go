package scorecard

import (
	"fmt"
	"slices"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/interval"
)

const (
	// enoughSeen is the share of the time that must be observed to go by an uptime, as the deployment service has it.
	enoughSeen = 0.9
	// confidence is that of every interval of a scorecard.
	confidence = 0.95
)

// Machines are what the deployment service says of the applications of an implementation.
type Machines struct {
	Now    *deploymentv1.Measures // nil where nobody answered
	Before *deploymentv1.Measures // as they stood [Back] earlier; nil where nobody asked or answered
	Then   *implementationv1.Scorecard
	Silent string // why nobody answered
}

// machine is a measure that the other half counts; how words its share.
func (f Facts) machine(kind implementationv1.ScorecardMeasure_Kind, unit string, target float64, of func(*deploymentv1.Measures) *deploymentv1.Share, how func(m *implementationv1.ScorecardMeasure)) *implementationv1.ScorecardMeasure {
	m := &implementationv1.ScorecardMeasure{Kind: kind, Unit: unit, Evidence: slices.Concat(f.Applications, f.Environments)}
	share := of(f.Machines.Now)
	switch {
	case len(f.Applications) == 0:
		m.Message = "the implementation names no application"
		return judge(m, target)
	case f.Machines.Now == nil:
		m.Message = f.Machines.Silent
		return judge(m, target)
	}
	m.Day = day(f.Now)
	if share.GetDenominator() == 0 {
		m.Message = "nothing was counted in the last 28 days"
		return judge(m, target)
	}
	m.Numerator, m.Denominator, m.Value = share.GetNumerator(), share.GetDenominator(), new(ratio(share))
	how(m)
	f.compare(m, of(f.Machines.Before))
	return judge(m, target)
}

// compare takes what a snapshot kept before what can be counted again: probes and samples are not kept for ever.
func (f Facts) compare(m *implementationv1.ScorecardMeasure, before *deploymentv1.Share) {
	for _, then := range f.Machines.Then.GetMeasures() {
		if then.GetKind() == m.GetKind() && then.Value != nil {
			since(m, then.GetValue(), then.GetDay())
			return
		}
	}
	if before.GetDenominator() > 0 {
		since(m, ratio(before), day(f.Now.Add(-Back)))
	}
}

func ratio(s *deploymentv1.Share) float64 {
	return float64(s.GetNumerator()) / float64(s.GetDenominator())
}

func (f Facts) uptime() *implementationv1.ScorecardMeasure {
	return f.machine(implementationv1.ScorecardMeasure_UPTIME, "milliseconds", f.Targets.GetUptime(), (*deploymentv1.Measures).GetUptime, func(m *implementationv1.ScorecardMeasure) {
		seen := f.Machines.Now.GetCoverage()
		m.Message = fmt.Sprintf("up %s of the time on %s; %s of it was observed", fine(m.GetValue()), targets(f.Machines.Now.GetTargets()), percent(seen))
		if seen < enoughSeen {
			m.State = unknown
			m.Message += ", which is too little to go by"
		}
	})
}

func (f Facts) performance() *implementationv1.ScorecardMeasure {
	return f.machine(implementationv1.ScorecardMeasure_PERFORMANCE, "requests", f.Targets.GetPerformance(), (*deploymentv1.Measures).GetPerformance, func(m *implementationv1.ScorecardMeasure) {
		m.Message = fmt.Sprintf("%s of %d requests were answered well and in time", fine(m.GetValue()), m.GetDenominator())
		if errors := f.Machines.Now.GetErrors(); errors.GetDenominator() > 0 {
			m.Message += fmt.Sprintf("; %s failed", fine(ratio(errors)))
		}
		if slowest := f.Machines.Now.GetLatencyP95(); slowest != nil {
			m.Message += fmt.Sprintf("; 95 %% of probes took at most %d ms", slowest.AsDuration().Milliseconds())
		}
	})
}

// feedback is a sample: not everybody rates.
func (f Facts) feedback() *implementationv1.ScorecardMeasure {
	return f.machine(implementationv1.ScorecardMeasure_FEEDBACK, "ratings", f.Targets.GetFeedback(), (*deploymentv1.Measures).GetFeedback, func(m *implementationv1.ScorecardMeasure) {
		bounds := interval.Wilson(m.GetNumerator(), m.GetDenominator(), confidence)
		m.Lower, m.Upper = new(bounds.Lower), new(bounds.Upper)
		m.Message = fmt.Sprintf("%d of %d who rated gave 4 or 5 (%s, with 95 %% confidence %s to %s)", m.GetNumerator(), m.GetDenominator(),
			percent(m.GetValue()), percent(m.GetLower()), percent(m.GetUpper()))
	})
}

func targets(n int32) string {
	if n == 1 {
		return "1 target"
	}
	return fmt.Sprintf("%d targets", n)
}

// fine is a share where the second digit after the point matters.
func fine(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }
