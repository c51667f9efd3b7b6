package rating_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/services/deployment/internal/rating"
)

func TestAMeanComesWithItsInterval(t *testing.T) {
	t.Parallel()
	// 3, 4, 5, 4, 4: mean 4, s = sqrt(1/2), t(0.975, 4) = 2.776445; half = 2.776445 x 0.7071068 / sqrt(5) = 0.877988.
	s := rating.Summarize(rating.Histogram{0, 0, 1, 3, 1})
	require.EqualValues(t, 5, s.Count)
	require.InDelta(t, 4, s.Mean, 1e-12)
	require.InDelta(t, 4-0.877988, s.Lower, 1e-5)
	require.InDelta(t, 4+0.877988, s.Upper, 1e-5)

	require.Equal(t, rating.Summary{Lower: 1, Upper: 5}, rating.Summarize(rating.Histogram{}), "of none nothing is known")
	require.Equal(t, rating.Summary{Count: 1, Mean: 3, Lower: 1, Upper: 5}, rating.Summarize(rating.Histogram{0, 0, 1}))
	require.Equal(t, rating.Summary{Count: 9, Mean: 5, Lower: 5, Upper: 5}, rating.Summarize(rating.Histogram{0, 0, 0, 0, 9}), "nobody differs")
}

func TestADifferenceIsWelchs(t *testing.T) {
	t.Parallel()
	// A: 10 x 4, 10 x 5: mean 4.5, s2 = 0.263158. B: 5 x 2, 5 x 4: mean 3, s2 = 1.111111.
	// se = sqrt(0.263158/20 + 1.111111/10) = 0.352537; df = 11.1758; t = 2.19683; half = 0.77446.
	d := rating.Compare(rating.Histogram{0, 0, 0, 10, 10}, rating.Histogram{0, 5, 0, 5, 0})
	require.True(t, d.Defined)
	require.InDelta(t, 1.5, d.Mean, 1e-12)
	require.InDelta(t, 1.5-0.7745, d.Lower, 1e-3)
	require.InDelta(t, 1.5+0.7745, d.Upper, 1e-3)
	require.False(t, rating.Compare(rating.Histogram{0, 0, 0, 10}, rating.Histogram{1}).Defined, "one rating is no group")
}

func TestIntervalsHoldWhateverIsRated(t *testing.T) {
	t.Parallel()
	histogram := rapid.Custom(func(t *rapid.T) (h rating.Histogram) {
		for i := range h {
			h[i] = rapid.Int64Range(0, 50).Draw(t, "n")
		}
		return h
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := histogram.Draw(t, "a"), histogram.Draw(t, "b")
		s := rating.Summarize(a)
		if s.Count > 0 {
			require.True(t, s.Lower <= s.Mean && s.Mean <= s.Upper, "%v", s)
		}
		require.True(t, 1 <= s.Lower && s.Upper <= 5, "%v", s)
		there, back := rating.Compare(a, b), rating.Compare(b, a)
		require.Equal(t, there.Defined, back.Defined)
		require.InDelta(t, there.Lower, -back.Upper, 1e-9, "the other way round is the mirror image")
	})
}
