// Package interval says how far a number from a sample may be from the truth.
//
// A share gets Wilson's score interval, which stays within 0 and 1 and holds its
// promise for small samples, where the textbook's does not. A difference of two
// shares gets Newcombe's hybrid score interval (his method 10), made of two of
// Wilson's. A net promoter score gets Rocks's adjusted Wald interval, a mean
// Student's t, a ratio of two rates the exact conditional interval.
//
// Where there is nothing to estimate from, the answer is everything that is
// possible, never a number that looks known.
//
//	Wilson 1927, Journal of the American Statistical Association 22:209
//	Newcombe 1998, Statistics in Medicine 17:857 (one share) and 17:873 (two)
//	Rocks 2016, The American Statistician 70:365
//	Przyborowski and Wilenski 1940, Biometrika 31:313, as poisson.test of R has it
package interval

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is the bounds of what is plausible, both included.
type Interval struct{ Lower, Upper float64 }

// Excludes says that a value is not plausible.
func (i Interval) Excludes(value float64) bool { return value < i.Lower || value > i.Upper }

// Wilson is the interval of the share x of n, at a confidence such as 0.95. It is
// 0 to 1 where n is not above 0. A count outside of 0 … n is taken for the nearest inside.
func Wilson(x, n int64, confidence float64) Interval {
	if n <= 0 {
		return Interval{0, 1}
	}
	x = min(max(x, 0), n)
	z := quantile(confidence)
	count, p := float64(n), float64(x)/float64(n)
	centre := p + z*z/(2*count)
	reach := z * math.Sqrt(p*(1-p)/count+z*z/(4*count*count))
	scale := 1 + z*z/count
	found := Interval{max((centre-reach)/scale, 0), min((centre+reach)/scale, 1)}
	// The ends are exact; floating point would leave 1e-17 of them.
	if x == 0 {
		found.Lower = 0
	}
	if x == n {
		found.Upper = 1
	}
	return found
}

// Newcombe is the interval of the difference x1/n1 − x2/n2. It is −1 to 1 where
// one of them has no sample.
func Newcombe(x1, n1, x2, n2 int64, confidence float64) Interval {
	if n1 <= 0 || n2 <= 0 {
		return Interval{-1, 1}
	}
	x1, x2 = min(max(x1, 0), n1), min(max(x2, 0), n2)
	p1, p2 := float64(x1)/float64(n1), float64(x2)/float64(n2)
	first, second := Wilson(x1, n1, confidence), Wilson(x2, n2, confidence)
	return Interval{
		Lower: p1 - p2 - math.Hypot(p1-first.Lower, second.Upper-p2),
		Upper: p1 - p2 + math.Hypot(first.Upper-p1, p2-second.Lower),
	}
}

// rocks is how many answers the adjusted Wald interval adds: half of them to the passive ones.
const rocks = 3

// AdjustedWald is the interval of a net promoter score, −1 to 1, of so many
// promoters, passives and detractors. It is −1 to 1 where nobody answered.
func AdjustedWald(promoters, passives, detractors int64, confidence float64) Interval {
	n := float64(promoters) + float64(passives) + float64(detractors)
	if n <= 0 {
		return Interval{-1, 1}
	}
	n += rocks
	up, down := (float64(promoters)+rocks/4.0)/n, (float64(detractors)+rocks/4.0)/n
	score := up - down
	reach := quantile(confidence) * math.Sqrt(max(up+down-score*score, 0)/n)
	return Interval{max(score-reach, -1), min(score+reach, 1)}
}

// Mean is Student's interval of the mean of values. It is infinite for fewer than two.
func Mean(values []float64, confidence float64) (mean float64, _ Interval) {
	if len(values) == 0 {
		return math.NaN(), Interval{math.Inf(-1), math.Inf(1)}
	}
	if len(values) == 1 {
		return values[0], Interval{math.Inf(-1), math.Inf(1)}
	}
	mean, deviation := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	reach := student.Quantile(1-(1-confidence)/2) * deviation / math.Sqrt(n)
	return mean, Interval{mean - reach, mean + reach}
}

// PoissonRatio is the interval of (x1/exposure1) / (x2/exposure2), two rates of
// rare events. Given how many there were together, the first count is binomial,
// and its exact bounds are those of the ratio. It is 0 to infinity where nothing
// happened or an exposure is not above 0.
func PoissonRatio(x1 int64, exposure1 float64, x2 int64, exposure2, confidence float64) Interval {
	if x1 < 0 || x2 < 0 || x1+x2 == 0 || !(exposure1 > 0) || !(exposure2 > 0) {
		return Interval{0, math.Inf(1)}
	}
	part := clopperPearson(x1, x1+x2, confidence)
	ratio := func(p float64) float64 { return p / (1 - p) * exposure2 / exposure1 }
	found := Interval{ratio(part.Lower), math.Inf(1)}
	if x2 > 0 {
		found.Upper = ratio(part.Upper)
	}
	return found
}

// clopperPearson is the exact interval of a share; n is above 0.
func clopperPearson(x, n int64, confidence float64) Interval {
	tail := (1 - confidence) / 2
	found := Interval{0, 1}
	if x > 0 {
		found.Lower = distuv.Beta{Alpha: float64(x), Beta: float64(n - x + 1)}.Quantile(tail)
	}
	if x < n {
		found.Upper = distuv.Beta{Alpha: float64(x + 1), Beta: float64(n - x)}.Quantile(1 - tail)
	}
	return found
}

// quantile is how many standard errors a two-sided interval reaches.
func quantile(confidence float64) float64 { return distuv.UnitNormal.Quantile(1 - (1-confidence)/2) }
