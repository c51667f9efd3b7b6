package canary

import (
	"cmp"
	"math"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const (
	// FalseAlarms is how often, at most, a deployment whose release is no worse is failed by its analyses.
	FalseAlarms = 0.05
	// DefaultFailMargin is how much worse, relative, fails where a rule does not say.
	DefaultFailMargin = 0.1
	// DefaultPassMargin is up to how much worse passes.
	DefaultPassMargin = 0.5

	// leastIntervals is how many intervals count before the confidence sequence is believed.
	leastIntervals = 8
	// leastDisaster is how many the disaster test needs.
	leastDisaster = 3
	// disasterShare is the part of α that the disaster test may spend: FAIL at 1000 to 1 where α is 0.05.
	disasterShare = 1.0 / 50
	// leastErrors is from how many pooled errors on a PASS is believed.
	leastErrors = 20
	// leastExpected is the same where errors are rarer: a canary with none of its requests bad in 3/m
	// of them has, with 95 %, a share below m (the rule of three).
	leastExpected = 3
	// mostPoints is how long the chart is.
	mostPoints = 1000
)

// Why an interval does not count.
const (
	NoTraffic         = "NO_TRAFFIC"
	NoBaseline        = "NO_BASELINE"
	SourceUnavailable = "SOURCE_UNAVAILABLE"
	NotANumber        = "NOT_A_NUMBER"
)

// Alpha splits what a deployment may spend evenly over its waves with an analysis, and over the critical metrics of each.
func Alpha(waves, metrics int) float64 { return FalseAlarms / float64(max(waves, 1)*max(metrics, 1)) }

// New begins the analysis of a metric that may spend alpha.
func New(name string, rule *deploymentv1.MetricRule, alpha float64) *deploymentv1.Analysis {
	return &deploymentv1.Analysis{
		Name: name, Rule: rule, Alpha: alpha, Statistics: &deploymentv1.AnalysisStatistics{},
		State: gatev1.Verdict_UNDECIDED, Reason: rule.GetId() + ": no interval yet",
	}
}

// Observe takes one interval and judges anew. The point brings its times and counts, or why it has none;
// the rest of it is filled in. Intervals come in their order: one that begins before the last
// one ended was judged already, and changes nothing. It reports whether anything changed.
func Observe(a *deploymentv1.Analysis, p *deploymentv1.AnalysisPoint) bool {
	if a.GetAnalyzedUntil() != nil && p.GetStartTime().AsTime().Before(a.GetAnalyzedUntil().AsTime()) {
		return false
	}
	a.AnalyzedUntil = p.GetEndTime()
	if p.GetSkipped() == "" {
		p.Skipped = uncountable(p)
	}
	if p.GetSkipped() == "" {
		count(a, p)
	}
	judge(a)
	a.Reason = sentence(a, p.GetSkipped())
	p.Lower, p.Upper, p.Estimate, p.State = a.GetLower(), a.GetUpper(), a.GetEstimate(), a.GetState()
	a.Points = append(a.Points, p)
	if over := len(a.GetPoints()) - mostPoints; over > 0 {
		a.Points = a.GetPoints()[over:]
	}
	return true
}

// uncountable returns why counts say nothing, or "".
func uncountable(p *deploymentv1.AnalysisPoint) string {
	switch {
	case min(p.GetCanaryBad(), p.GetBaselineBad()) < 0, p.GetCanaryBad() > p.GetCanaryTotal(), p.GetBaselineBad() > p.GetBaselineTotal():
		return NotANumber
	case p.GetCanaryTotal() == 0:
		return NoTraffic
	case p.GetBaselineTotal() == 0:
		return NoBaseline
	default:
		return ""
	}
}

// count takes the counts of one interval into the statistics.
func count(a *deploymentv1.Analysis, p *deploymentv1.AnalysisPoint) {
	s := a.GetStatistics()
	fail, pass := margins(a.GetRule())
	absolute := a.GetRule().GetAbsoluteMargin()
	bet(s, p, fail, absolute)
	disperse(s, p)
	s.N++
	canary := float64(p.GetCanaryBad()) / float64(p.GetCanaryTotal())
	baseline := float64(p.GetBaselineBad()) / float64(p.GetBaselineTotal())
	welford(s.GetN(), &s.FailMean, &s.FailM2, canary-(1+fail)*baseline-absolute)
	welford(s.GetN(), &s.PassMean, &s.PassM2, canary-(1+pass)*baseline-absolute)
	s.CanaryBad += p.GetCanaryBad()
	s.CanaryTotal += p.GetCanaryTotal()
	s.BaselineBad += p.GetBaselineBad()
	s.BaselineTotal += p.GetBaselineTotal()
	s.PooledBad = s.GetCanaryBad() + s.GetBaselineBad()
}

// judge brings what is shown of the statistics, and the verdict, up to date.
func judge(a *deploymentv1.Analysis) {
	s := a.GetStatistics()
	if s.GetN() == 0 {
		return
	}
	fail, pass := margins(a.GetRule())
	a.Intervals = int32(min(s.GetN(), math.MaxInt32)) //nolint:gosec // G115: bounded right here
	a.CanaryTotal, a.BaselineTotal = s.GetCanaryTotal(), s.GetBaselineTotal()
	a.CanaryShare = float64(s.GetCanaryBad()) / float64(s.GetCanaryTotal())
	a.BaselineShare = float64(s.GetBaselineBad()) / float64(s.GetBaselineTotal())
	a.Estimate = s.GetFailMean()
	a.Lower = s.GetFailMean() - halfWidth(deviation(s, s.GetFailM2(), fail), s.GetN(), a.GetAlpha())
	a.Upper = s.GetPassMean() + halfWidth(deviation(s, s.GetPassM2(), pass), s.GetN(), a.GetAlpha())
	switch {
	case a.GetState() == gatev1.Verdict_FAIL:
	case disaster(a), s.GetN() >= leastIntervals && a.GetLower() > 0:
		a.State = gatev1.Verdict_FAIL
	case s.GetN() >= leastIntervals && a.GetUpper() < 0 && enough(a):
		a.State = gatev1.Verdict_PASS
	}
}

// disaster reports whether the fast path has seen enough.
func disaster(a *deploymentv1.Analysis) bool {
	s := a.GetStatistics()
	return s.GetN() >= leastDisaster && logEvidence(s) >= -math.Log(a.GetAlpha()*disasterShare)
}

// enough guards rare events: there were enough errors, or enough requests for errors to have shown.
func enough(a *deploymentv1.Analysis) bool {
	s := a.GetStatistics()
	_, pass := margins(a.GetRule())
	return s.GetPooledBad() >= leastErrors || float64(s.GetCanaryTotal())*(pass*a.GetBaselineShare()+a.GetRule().GetAbsoluteMargin()) >= leastExpected
}

// margins are how much worse, relative, fails and passes.
func margins(r *deploymentv1.MetricRule) (fail, pass float64) {
	fail = cmp.Or(r.GetFailMargin(), DefaultFailMargin)
	return fail, max(fail, cmp.Or(r.GetPassMargin(), DefaultPassMargin))
}
