package readiness

import (
	"fmt"
	"math"
	"strconv"
)

// share is a part of a whole; the whole is above 0.
type share struct{ part, whole int64 }

// needed is the least part that reaches the threshold. It is found by the
// comparison itself: 0.55 × 100 is above 55 in floating point, and nobody
// would understand why 56 are needed.
func (s share) needed(threshold float64) int64 {
	whole := float64(s.whole)
	n := max(int64(math.Floor(threshold*whole))-1, 0)
	for float64(n)/whole < threshold {
		n++
	}
	return n
}

// String is the share in per cent, cut and not rounded: 1799 of 2000 are not
// yet 90.0 % where 90 % are asked for.
func (s share) String() string {
	permille := s.part * 1000 / s.whole
	return fmt.Sprintf("%d.%d %%", permille/10, permille%10)
}

// percent writes a threshold with one decimal, or as many as it has.
func percent(threshold float64) string {
	hundredfold := math.Round(threshold*1e8) / 1e6 // 0.55 × 100 is not 55
	text := strconv.FormatFloat(hundredfold, 'f', -1, 64)
	if hundredfold == math.Trunc(hundredfold) {
		text += ".0"
	}
	return text + " %"
}
