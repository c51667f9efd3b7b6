package adoption

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

const (
	// LeastPeriods is how many periods a forecast needs: with fewer, three parameters say what one likes.
	LeastPeriods = 6
	// draws is how often the series is drawn again for the band.
	draws = 300
)

// ErrTooFew says that there are not yet enough periods.
var ErrTooFew = errors.New("there are less than six full weeks")

// Forecast is how a series may go on, in people who have begun by the end of each period to come.
type Forecast struct {
	Fitted

	P10, P50, P90 []float64
	// Reach50 and Reach80 are the periods, from 1 at the begin of the series, by whose end the target is reached in half and in four
	// fifths of the draws; 0 where it is not.
	Reach50, Reach80 int
}

// Extrapolate fits the model to the newly begun of each period and draws how it may go on for some periods ahead. Most is how many
// can begin at all, target how many are to.
//
// The band is a bootstrap of residuals: each draw adds residuals, drawn again, to the fitted series, fits it anew, and
// goes on from what is known with residuals on top. The same seed gives the same band.
func Extrapolate(x []float64, ahead int, most, target float64, seed uint64) (Forecast, error) {
	if len(x) < LeastPeriods {
		return Forecast{}, ErrTooFew
	}
	fitted, err := FitIntervals(x, most)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{Fitted: fitted}
	random := rand.New(rand.NewPCG(seed, uint64(len(x)))) //nolint:gosec // G404: draws are to be the same again
	paths := make([][]float64, draws)
	for i := range paths {
		paths[i] = draw(x, fitted, ahead, most, random)
	}
	f.P10, f.P50, f.P90 = band(paths, ahead)
	f.Reach50, f.Reach80 = reach(x, paths, target)
	return f, nil
}

// draw is one way on.
func draw(x []float64, fitted Fitted, ahead int, most float64, random *rand.Rand) []float64 {
	series, rest := make([]float64, len(x)), residualsOf(x, fitted.Bass)
	for i := range series {
		series[i] = max(0, x[i]-rest[i]+rest[random.IntN(len(rest))])
	}
	model := fitted.Bass
	again, ok := fitFrom(series, model, most, func(b Bass, i int) float64 { return b.M * (b.Share(float64(i)) - b.Share(float64(i-1))) })
	if ok {
		model = again.Bass
	}
	begun := 0.0
	for _, v := range x {
		begun += v
	}
	path := make([]float64, ahead)
	for j := range path {
		t := float64(len(x) + j + 1)
		begun += max(0, model.M*(model.Share(t)-model.Share(t-1))+rest[random.IntN(len(rest))])
		path[j] = min(begun, most)
		begun = path[j]
	}
	return path
}

// residualsOf are what the model leaves of the series, widened for the parameters that were fitted, with mean 0.
func residualsOf(x []float64, b Bass) []float64 {
	rest := make([]float64, len(x))
	for i, v := range x {
		rest[i] = v - b.M*(b.Share(float64(i+1))-b.Share(float64(i)))
	}
	mean := stat.Mean(rest, nil)
	widen := math.Sqrt(float64(len(x)) / float64(len(x)-3))
	for i := range rest {
		rest[i] = (rest[i] - mean) * widen
	}
	return rest
}

func band(paths [][]float64, ahead int) (p10, p50, p90 []float64) {
	at := make([]float64, len(paths))
	for j := range ahead {
		for i, path := range paths {
			at[i] = path[j]
		}
		slices.Sort(at)
		p10 = append(p10, stat.Quantile(.1, stat.Empirical, at, nil))
		p50 = append(p50, stat.Quantile(.5, stat.Empirical, at, nil))
		p90 = append(p90, stat.Quantile(.9, stat.Empirical, at, nil))
	}
	return p10, p50, p90
}

// reach counts in how many paths the target is reached by each period.
func reach(x []float64, paths [][]float64, target float64) (half, most int) {
	if target <= 0 {
		return 0, 0
	}
	begun := 0.0
	for i, v := range x {
		if begun += v; begun >= target {
			return i + 1, i + 1
		}
	}
	for j := range paths[0] {
		reached := 0
		for _, path := range paths {
			if path[j] >= target {
				reached++
			}
		}
		if half == 0 && 2*reached >= len(paths) {
			half = len(x) + j + 1
		}
		if 5*reached >= 4*len(paths) {
			return half, len(x) + j + 1
		}
	}
	return half, 0
}
