// Package rating is the statistics of ratings from 1 to 5: a mean with its interval, and the
// difference of two means. It is pure.
//
// Both intervals are the usual ones of Student's t: for one mean with n-1 degrees of freedom, for a difference by
// Welch's approximation, which does not assume that both groups scatter alike (B. L. Welch, Biometrika 34, 1947).
// Ratings are bounded and discrete, so with fewer than about ten of them the intervals are rough.
package rating

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// The ends of the scale.
const (
	Lowest  = 1
	Highest = 5
)

// confidence is the share of intervals that hold the truth.
const confidence = 0.95

// Histogram counts the ratings 1, 2, 3, 4 and 5.
type Histogram [Highest]int64

// Plus adds two histograms.
func (h Histogram) Plus(other Histogram) Histogram {
	for i, n := range other {
		h[i] += n
	}
	return h
}

// Summary is a mean and its 95 % interval, within the scale. With fewer than two ratings the interval is the scale.
type Summary struct {
	Count              int64
	Mean, Lower, Upper float64
}

// Summarize returns the mean of some ratings. Of none it is 0.
func Summarize(h Histogram) Summary {
	n, mean, variance := moments(h)
	s := Summary{Count: n, Mean: mean, Lower: Lowest, Upper: Highest}
	if n >= 2 {
		half := quantile(float64(n-1)) * math.Sqrt(variance/float64(n))
		s.Lower, s.Upper = max(mean-half, Lowest), min(mean+half, Highest)
	}
	return s
}

// Difference is how much higher one group rates than another, with its 95 % interval. It is defined from two ratings in each group.
type Difference struct {
	Defined            bool
	Mean, Lower, Upper float64
}

// Compare returns the difference of the means, first less second.
func Compare(first, second Histogram) Difference {
	n1, mean1, var1 := moments(first)
	n2, mean2, var2 := moments(second)
	if n1 < 2 || n2 < 2 {
		return Difference{}
	}
	e1, e2 := var1/float64(n1), var2/float64(n2)
	d := Difference{Defined: true, Mean: mean1 - mean2}
	half := 0.0
	if e1+e2 > 0 {
		freedom := (e1 + e2) * (e1 + e2) / (e1*e1/float64(n1-1) + e2*e2/float64(n2-1))
		half = quantile(freedom) * math.Sqrt(e1+e2)
	}
	d.Lower, d.Upper = d.Mean-half, d.Mean+half
	return d
}

// quantile is that of Student's t for a two-sided interval.
func quantile(freedom float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile(1 - (1-confidence)/2)
}

// moments returns count, mean and unbiased variance; the variance of fewer than two is 0.
func moments(h Histogram) (n int64, mean, variance float64) {
	sum := 0.0
	for i, count := range h {
		n += count
		sum += float64(count) * float64(i+Lowest)
	}
	if n == 0 {
		return 0, 0, 0
	}
	mean = sum / float64(n)
	if n < 2 {
		return n, mean, 0
	}
	for i, count := range h {
		d := float64(i+Lowest) - mean
		variance += float64(count) * d * d
	}
	return n, mean, variance / float64(n-1)
}
