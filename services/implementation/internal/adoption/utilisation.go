package adoption

import "math"

// plateauWeeks is how many weekly values tell whether adoption has come to rest.
const plateauWeeks = 5

// Trend is what adoption does.
type Trend int

// The trends.
const (
	Unknown Trend = iota // there are too few weeks
	Rising
	Plateau
	Falling
)

// Utilisation is the level at which adoption has come to rest.
type Utilisation struct {
	Trend Trend
	Value float64 // The plateau, where Trend says so.
	Slope float64 // In shares a week.
	Noise float64 // How much the line may rise or fall over the weeks for a plateau.
	Weeks int     // How many weeks it has lasted, where Trend says so.
}

// Utilise looks for a plateau in weekly shares of n people, the latest last.
//
// The line through the last five (least squares) may rise or fall in all by twice √(p(1−p)/n): what
// chance moves in a group of that size, were each of its people active with probability p. Below one person nothing moves.
// The plateau is their mean, and lasts since the first week from which on no value is further from it than that.
func Utilise(weekly []float64, n int64) Utilisation {
	if len(weekly) < plateauWeeks || n <= 0 {
		return Utilisation{}
	}
	last := weekly[len(weekly)-plateauWeeks:]
	mean := 0.0
	for _, v := range last {
		mean += v / plateauWeeks
	}
	const middle = float64(plateauWeeks-1) / 2
	var above, below float64
	for i, v := range last {
		above += (float64(i) - middle) * (v - mean)
		below += (float64(i) - middle) * (float64(i) - middle)
	}
	u := Utilisation{Slope: above / below, Noise: max(2*math.Sqrt(mean*(1-mean)/float64(n)), 1/float64(n))}
	rise := u.Slope * (plateauWeeks - 1)
	switch {
	case rise > u.Noise:
		u.Trend = Rising
	case rise < -u.Noise:
		u.Trend = Falling
	default:
		u.Trend, u.Value = Plateau, mean
		for i := len(weekly) - 1; i >= 0 && math.Abs(weekly[i]-mean) <= u.Noise; i-- {
			u.Weeks++
		}
	}
	return u
}
