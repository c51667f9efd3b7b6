package detect

import (
	"math"
	"strconv"
	"time"
)

// epsilon is what sums of shares are off by; thresholds are people's numbers, with two digits.
const epsilon = 1e-9

func atLeast(a, b float64) bool { return a >= b-epsilon }

func above(a, b float64) bool { return a > b+epsilon }

func share(x, n int64) float64 {
	if n <= 0 {
		return 0
	}
	return float64(x) / float64(n)
}

// number is a number with at most so many decimals, and none that are zeros.
func number(x float64, decimals int) string {
	scale := math.Pow(10, float64(decimals))
	return strconv.FormatFloat(math.Round(x*scale)/scale+0, 'f', -1, 64) // + 0 makes a zero of −0
}

func percent(x float64) string { return number(100*x, 1) + " %" }

func points(x float64) string { return number(100*x, 1) + " points" }

func date(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.DateOnly)
}

// days is the length of a time in days.
func days(d time.Duration) float64 { return d.Hours() / 24 }

// sign is how a sentence compares a value with its threshold.
func sign(it bool, yes, no string) string {
	if it {
		return yes
	}
	return no
}
