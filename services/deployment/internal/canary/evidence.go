package canary

import (
	"math"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// ratios is how many ways of being worse the disaster test bets on, from leastRatio to mostRatio
	// times what is allowed, evenly on a logarithmic scale.
	ratios                = 10
	leastRatio, mostRatio = 1.25, 30.0
	// priorDispersion is taken for the over-dispersion before anything is known of it, and weighs as
	// much as dispersionWeight intervals. Errors come in bursts: a plain count test takes each for a disaster.
	priorDispersion, dispersionWeight = 2.0, 5.0
)

// bet takes one interval into the disaster test. Given an error, it is the canary's with probability
//
//	q(r) = r·nc / (r·nc + nb)
//
// where r is the ratio of the two shares of errors. For each ratio of the mixture the test keeps the
// likelihood ratio of q(r·r0) against q(r0), r0 being the most that is allowed. Each factor is tempered by
// the over-dispersion that earlier intervals showed, so that it is known before the bet is made.
func bet(s *deploymentv1.AnalysisStatistics, p *deploymentv1.AnalysisPoint, failMargin, absolute float64) {
	if len(s.GetLogEvidence()) == 0 {
		s.LogEvidence = make([]float64, ratios)
	}
	nc, nb := float64(p.GetCanaryTotal()), float64(p.GetBaselineTotal())
	xc, xb := float64(p.GetCanaryBad()), float64(p.GetBaselineBad())
	// The absolute margin as a ratio: by how much it lifts the baseline's share of earlier intervals.
	allowed := 1 + failMargin + absolute*(float64(s.GetBaselineTotal())+1)/(float64(s.GetBaselineBad())+1)
	fair, temper := odds(allowed, nc, nb), dispersion(s)
	for i := range s.GetLogEvidence() {
		q := odds(allowed*ratio(i), nc, nb)
		s.LogEvidence[i] += (xc*math.Log(q/fair) + xb*math.Log((1-q)/(1-fair))) / temper
	}
}

// disperse takes the Pearson residual of an interval, around the ratio that earlier intervals showed:
// how much the canary's share of the errors jumps beyond what chance explains.
func disperse(s *deploymentv1.AnalysisStatistics, p *deploymentv1.AnalysisPoint) {
	errors := float64(p.GetCanaryBad() + p.GetBaselineBad())
	if s.GetN() == 0 || errors == 0 {
		return
	}
	usual := share(s.GetCanaryBad(), s.GetCanaryTotal()) / share(s.GetBaselineBad(), s.GetBaselineTotal())
	q := odds(usual, float64(p.GetCanaryTotal()), float64(p.GetBaselineTotal()))
	residual := float64(p.GetCanaryBad()) - errors*q
	// An expected variance below a quarter of an error says nothing: one error more would look like a burst.
	s.DispersionSum += residual * residual / max(errors*q*(1-q), 0.25)
	s.DispersionN++
}

// dispersion is the variance of the errors over that of coin tosses, shrunk to priorDispersion; never
// below 1, for errors that come more evenly than chance are no reason to bet more.
func dispersion(s *deploymentv1.AnalysisStatistics) float64 {
	return max(1, (dispersionWeight*priorDispersion+s.GetDispersionSum())/(dispersionWeight+float64(s.GetDispersionN())))
}

// logEvidence is the logarithm of the mixture: what a gambler who spread one coin evenly over the ratios
// would have now. Under "no worse than the margin" it exceeds 1/α at any time with probability at most α
// (Ville, Étude critique de la notion de collectif, 1939).
func logEvidence(s *deploymentv1.AnalysisStatistics) float64 {
	if len(s.GetLogEvidence()) == 0 {
		return 0
	}
	most, sum := math.Inf(-1), 0.0
	for _, l := range s.GetLogEvidence() {
		most = max(most, l)
	}
	for _, l := range s.GetLogEvidence() {
		sum += math.Exp(l - most)
	}
	return most + math.Log(sum/float64(len(s.GetLogEvidence())))
}

func ratio(i int) float64 {
	return leastRatio * math.Pow(mostRatio/leastRatio, float64(i)/(ratios-1))
}

func odds(ratio, nc, nb float64) float64 { return ratio * nc / (ratio*nc + nb) }

// share is a share that is never 0, so that ratios of it exist.
func share(bad, total int64) float64 { return (float64(bad) + 0.5) / (float64(total) + 1) }
