package canary

import (
	"math"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// tunedFor is the number of intervals at which the confidence sequence is narrowest.
	tunedFor = 20
	// priorIntervals is how many intervals the variance of plain coin tosses weighs in the estimate of the
	// variance. It keeps a few equal intervals from looking like certainty, and vanishes as they become many.
	priorIntervals = 8
)

// welford takes one more value into a running mean and sum of squared deviations.
// (Welford, Note on a method for calculating corrected sums of squares and products, 1962.)
func welford(n int64, mean, m2 *float64, x float64) {
	delta := x - *mean
	*mean += delta / float64(n)
	*m2 += delta * (x - *mean)
}

// halfWidth is half the width, to one side, of the asymptotic confidence sequence for a mean after t values
// with standard deviation σ (Waudby-Smith et al., Robbins' normal mixture):
//
//	σ · sqrt( 2(tρ²+1)/(t²ρ²) · ln(1 + sqrt(tρ²+1)/(2α)) )
func halfWidth(sigma float64, n int64, alpha float64) float64 {
	t, rho2 := float64(n), rhoSquared(alpha)
	return sigma * math.Sqrt(2*(t*rho2+1)/(t*t*rho2)*math.Log1p(math.Sqrt(t*rho2+1)/(2*alpha)))
}

// rhoSquared makes the sequence narrowest near tunedFor values: ρ² = (−2 ln 2α + ln(−2 ln 2α) + 1)/t.
func rhoSquared(alpha float64) float64 {
	l := -2 * math.Log(2*alpha)
	return (l + math.Log(l) + 1) / tunedFor
}

// deviation estimates the standard deviation of d from its squared deviations, together with
// priorIntervals of what coin tosses of the pooled share would show at the same traffic:
//
//	p(1−p) · (1/n̄c + (1+δ)²/n̄b)
func deviation(s *deploymentv1.AnalysisStatistics, m2, margin float64) float64 {
	n := float64(s.GetN())
	p := (float64(s.GetPooledBad()) + 1) / (float64(s.GetCanaryTotal()+s.GetBaselineTotal()) + 2)
	tosses := p * (1 - p) * n * (1/float64(s.GetCanaryTotal()) + (1+margin)*(1+margin)/float64(s.GetBaselineTotal()))
	return math.Sqrt((m2 + priorIntervals*tosses) / (n - 1 + priorIntervals))
}
