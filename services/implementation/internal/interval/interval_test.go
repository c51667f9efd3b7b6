package interval_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/services/implementation/internal/interval"
)

// The published examples, to the digits they are published with.
func TestPublishedExamples(t *testing.T) {
	for _, c := range []struct {
		name         string
		got          interval.Interval
		lower, upper float64
		digits       float64
	}{
		// Newcombe 1998 (one proportion), table I, method 3.
		{"Wilson 81 of 263", interval.Wilson(81, 263, .95), .2553, .3662, 5e-5},
		{"Wilson 15 of 148", interval.Wilson(15, 148, .95), .0624, .1605, 5e-5},
		{"Wilson 0 of 20", interval.Wilson(0, 20, .95), 0, .1611, 5e-5},
		{"Wilson 1 of 29", interval.Wilson(1, 29, .95), .0061, .1718, 5e-5},
		{"Wilson 29 of 29", interval.Wilson(29, 29, .95), 1 - .1170, 1, 5e-5},
		// Newcombe 1998 (two proportions), table II, method 10.
		{"Newcombe 56/70 - 48/80", interval.Newcombe(56, 70, 48, 80, .95), .0524, .3339, 5e-5},
		{"Newcombe 9/10 - 3/10", interval.Newcombe(9, 10, 3, 10, .95), .1705, .8090, 5e-5},
		{"Newcombe 6/7 - 2/7", interval.Newcombe(6, 7, 2, 7, .95), .0582, .8062, 5e-5},
		{"Newcombe 5/56 - 0/29", interval.Newcombe(5, 56, 0, 29, .95), -.0381, .1926, 5e-5},
		{"Newcombe 0/10 - 0/20", interval.Newcombe(0, 10, 0, 20, .95), -.1611, .2775, 5e-5},
		{"Newcombe 10/10 - 0/10", interval.Newcombe(10, 10, 0, 10, .95), .6075, 1, 5e-5},
		// 19 promoters, 9 passives, 8 detractors: a score of 31.
		{"adjusted Wald 19/9/8", interval.AdjustedWald(19, 9, 8, .95), .029, .535, 5e-4},
		// R: poisson.test(c(11, 6+8+7), c(800, 1083+1050+878)).
		{"Poisson ratio 11/800, 21/3011", interval.PoissonRatio(11, 800, 21, 3011, .95), .8584264, 4.2772659, 5e-6},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.InDelta(t, c.lower, c.got.Lower, c.digits)
			require.InDelta(t, c.upper, c.got.Upper, c.digits)
		})
	}
}

func TestStudentsInterval(t *testing.T) {
	// R: t.test(sleep$extra[1:10]) answers 0.75 with -0.5297804 and 2.0297804.
	mean, found := interval.Mean([]float64{.7, -1.6, -.2, -1.2, -.1, 3.4, 3.7, .8, 0, 2}, .95)
	require.InDelta(t, .75, mean, 1e-12)
	require.InDelta(t, -.5297804, found.Lower, 5e-6)
	require.InDelta(t, 2.0297804, found.Upper, 5e-6)
}

func TestNothingToEstimateFromIsEverythingPossible(t *testing.T) {
	require.Equal(t, interval.Interval{Lower: 0, Upper: 1}, interval.Wilson(0, 0, .95))
	require.Equal(t, interval.Interval{Lower: -1, Upper: 1}, interval.Newcombe(1, 2, 0, 0, .95))
	require.Equal(t, interval.Interval{Lower: -1, Upper: 1}, interval.AdjustedWald(0, 0, 0, .95))
	require.Equal(t, interval.Interval{Lower: 0, Upper: math.Inf(1)}, interval.PoissonRatio(0, 1, 0, 1, .95))
	require.Equal(t, interval.Interval{Lower: 0, Upper: math.Inf(1)}, interval.PoissonRatio(3, 0, 1, 1, .95))
	_, found := interval.Mean([]float64{3}, .95)
	require.True(t, math.IsInf(found.Upper, 1))
}

func TestIntervalsHoldTheirEstimate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n1, n2 := rapid.Int64Range(1, 1e6).Draw(t, "n1"), rapid.Int64Range(1, 1e6).Draw(t, "n2")
		x1, x2 := rapid.Int64Range(0, n1).Draw(t, "x1"), rapid.Int64Range(0, n2).Draw(t, "x2")
		confidence := rapid.Float64Range(.5, .999).Draw(t, "confidence")
		p1, p2 := float64(x1)/float64(n1), float64(x2)/float64(n2)

		w := interval.Wilson(x1, n1, confidence)
		require.False(t, w.Excludes(p1))
		require.GreaterOrEqual(t, w.Lower, 0.)
		require.LessOrEqual(t, w.Upper, 1.)
		mirrored := interval.Wilson(n1-x1, n1, confidence)
		require.InDelta(t, 1-w.Upper, mirrored.Lower, 1e-9)

		d := interval.Newcombe(x1, n1, x2, n2, confidence)
		require.False(t, d.Excludes(p1-p2))
		require.GreaterOrEqual(t, d.Lower, -1-1e-9)
		require.LessOrEqual(t, d.Upper, 1+1e-9)
		turned := interval.Newcombe(x2, n2, x1, n1, confidence)
		require.InDelta(t, d.Lower, -turned.Upper, 1e-9)
	})
}

func TestMoreConfidenceIsWider(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x1, x2 := rapid.Int64Range(0, 300).Draw(t, "x1"), rapid.Int64Range(1, 300).Draw(t, "x2")
		narrow := interval.PoissonRatio(x1, 10, x2, 20, .8)
		wide := interval.PoissonRatio(x1, 10, x2, 20, .95)
		require.LessOrEqual(t, wide.Lower, narrow.Lower)
		require.GreaterOrEqual(t, wide.Upper, narrow.Upper)
	})
}
