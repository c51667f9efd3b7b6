package risk

import (
	"math"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// The grid on which a quantile function is tabulated: standard normal scores
// from -reach to reach. Beyond it are 8 of 100 billion draws, which get the ends.
const (
	cells = 512
	reach = 6.5
)

// Estimate is a three-point estimate of a duration, in working minutes, with
// Optimistic ≤ Likely ≤ Pessimistic.
type Estimate struct{ Optimistic, Likely, Pessimistic float64 }

// estimateOf is the estimate of a message.
func estimateOf(m *implementationv1.Estimate) Estimate {
	o, likely, p := plan.ThreePoints(m)
	return Estimate{float64(o), float64(likely), float64(p)}
}

// Certain says that all three are the same.
func (e Estimate) Certain() bool { return e.Optimistic == e.Pessimistic }

// scaled is the estimate of the part that is left, so that the likely value is left.
func (e Estimate) scaled(left float64) Estimate {
	if e.Likely <= 0 {
		return Estimate{left, left, left}
	}
	f := left / e.Likely
	return Estimate{e.Optimistic * f, left, e.Pessimistic * f}
}

// Expected is (o+4m+p)/6, the mean of beta-PERT.
func (e Estimate) Expected() float64 { return (e.Optimistic + 4*e.Likely + e.Pessimistic) / 6 }

// Variance is ((p−o)/6)², the variance of classical PERT. It is the rule of 1959 and not the variance of beta-PERT.
func (e Estimate) Variance() float64 {
	sigma := (e.Pessimistic - e.Optimistic) / 6
	return sigma * sigma
}

// quantiles maps a standard normal score to a duration: the quantile function of
// the duration at Φ(z), at cells+1 scores and straight between them. A draw costs
// a look-up whatever the distribution.
type quantiles [cells + 1]float64

func (q *quantiles) at(z float64) float64 {
	x := (z + reach) * (cells / (2 * reach))
	if x <= 0 {
		return q[0]
	}
	if x >= cells {
		return q[cells]
	}
	i := int(x)
	return q[i] + (x-float64(i))*(q[i+1]-q[i])
}

// grid is what the tables of all tasks share.
type grid struct {
	below [cells + 1]float64 // Φ at the scores
	// The unit interval at x = sin²(πs/2) for even s, which is dense where beta
	// densities have infinite slopes: logarithms of x and of 1-x, and dx/ds.
	x, logX, logRest, slope [cells + 1]float64
}

func newGrid() *grid {
	g := &grid{}
	for i := range g.below {
		z := reach * (2*float64(i)/cells - 1)
		g.below[i] = math.Erfc(-z/math.Sqrt2) / 2
		sin, cos := math.Sincos(math.Pi / 2 * float64(i) / cells)
		g.x[i], g.slope[i] = sin*sin, sin*cos
		g.logX[i], g.logRest[i] = 2*math.Log(sin), 2*math.Log(cos)
	}
	return g
}

// tabulate makes the table of an estimate under a distribution.
func (g *grid) tabulate(e Estimate, d implementationv1.Forecast_Distribution) *quantiles {
	var q quantiles
	if d == implementationv1.Forecast_TRIANGULAR {
		g.triangular(e, &q)
	} else {
		g.betaPERT(e, &q)
	}
	return &q
}

func (g *grid) triangular(e Estimate, q *quantiles) {
	width, left := e.Pessimistic-e.Optimistic, e.Likely-e.Optimistic
	for i, u := range g.below {
		if u*width < left {
			q[i] = e.Optimistic + math.Sqrt(u*width*left)
		} else {
			q[i] = e.Pessimistic - math.Sqrt((1-u)*width*(width-left))
		}
	}
}

// betaPERT integrates the density x^(α-1)·(1-x)^(β-1) over the grid, where α-1 =
// 4(m−o)/(p−o) and β-1 = 4(p−m)/(p−o), and reads its inverse at the scores.
func (g *grid) betaPERT(e Estimate, q *quantiles) {
	width := e.Pessimistic - e.Optimistic
	a := 4 * (e.Likely - e.Optimistic) / width
	b := 4 - a
	var total [cells + 1]float64
	var before float64
	for i := 1; i <= cells; i++ {
		density := 0.0 // at both ends, where the slope of x is 0
		if i < cells {
			density = math.Exp(a*g.logX[i]+b*g.logRest[i]) * g.slope[i]
		}
		total[i] = total[i-1] + (before+density)/2
		before = density
	}
	at := 1
	for i, u := range g.below {
		u *= total[cells]
		for at < cells && total[at] < u {
			at++
		}
		share := 0.0
		if step := total[at] - total[at-1]; step > 0 {
			share = (u - total[at-1]) / step
		}
		q[i] = e.Optimistic + width*(g.x[at-1]+share*(g.x[at]-g.x[at-1]))
	}
}
