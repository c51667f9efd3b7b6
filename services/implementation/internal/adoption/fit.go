package adoption

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	maxSteps  = 200
	tolerance = 1e-12 // of the sum of squares, relative
	flattest  = 1e12  // the damping at which there is no way down
)

// leastSquares is the method of Levenberg and Marquardt: it walks from p to where the sum of the squares of n residuals is
// least nearby. False when it does not come to rest.
func leastSquares(residuals func(p, r []float64), start []float64, n int) (p []float64, rss float64, ok bool) {
	p = slices.Clone(start)
	r, next := make([]float64, n), make([]float64, n)
	residuals(p, r)
	rss = squares(r)
	damping := 1e-3
	for range maxSteps {
		slopes := jacobian(residuals, p, n)
		moved := false
		for damping < flattest {
			trial, err := step(slopes, p, r, damping)
			if err == nil {
				residuals(trial, next)
			}
			if sum := squares(next); err == nil && sum < rss { // false for NaN
				moved = rss-sum > tolerance*rss
				p, rss = trial, sum
				r, next = next, r
				damping = max(damping/10, 1e-12)
				break
			}
			damping *= 10
		}
		if !moved {
			return p, rss, !math.IsNaN(rss) && !math.IsInf(rss, 0)
		}
	}
	return p, rss, false
}

// step solves (JᵀJ + λ·diag(JᵀJ))·δ = −Jᵀr and is p + δ.
func step(slopes *mat.Dense, p, r []float64, damping float64) ([]float64, error) {
	var normal mat.Dense
	normal.Mul(slopes.T(), slopes)
	for i := range p {
		normal.Set(i, i, normal.At(i, i)*(1+damping)+math.SmallestNonzeroFloat64)
	}
	var right, delta mat.VecDense
	right.MulVec(slopes.T(), mat.NewVecDense(len(r), r))
	if err := delta.SolveVec(&normal, &right); err != nil {
		return nil, err
	}
	trial := slices.Clone(p)
	for i := range trial {
		trial[i] -= delta.AtVec(i)
	}
	return trial, nil
}

// jacobian is the slope of each residual by each parameter, by central differences.
func jacobian(residuals func(p, r []float64), p []float64, n int) *mat.Dense {
	slopes := mat.NewDense(n, len(p), nil)
	above, below := make([]float64, n), make([]float64, n)
	moved := slices.Clone(p)
	for j := range p {
		h := 1e-6 * max(1, math.Abs(p[j]))
		moved[j] = p[j] + h
		residuals(moved, above)
		moved[j] = p[j] - h
		residuals(moved, below)
		moved[j] = p[j]
		for i := range n {
			slopes.Set(i, j, (above[i]-below[i])/(2*h))
		}
	}
	return slopes
}

func squares(r []float64) (sum float64) {
	for _, v := range r {
		sum += v * v
	}
	return sum
}
