package adoption_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// series is the example with which the model is taught: newly begun, by period.
var series = []float64{840, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890}

func TestPublishedDiffusions(t *testing.T) {
	t.Parallel()
	t.Run("density form", func(t *testing.T) {
		t.Parallel()
		f, err := adoption.FitDensity(series)
		require.NoError(t, err)
		require.InDelta(t, 67980.9, f.M, .05)
		require.InDelta(t, .006594, f.P, 5e-7)
		require.InDelta(t, .638091, f.Q, 5e-7)
		require.InDelta(t, 727.19, f.Error, .005)
	})
	t.Run("Srinivasan and Mason", func(t *testing.T) {
		t.Parallel()
		f, err := adoption.FitIntervals(series, 0)
		require.NoError(t, err)
		require.InDelta(t, 67660, f.M, .5)
		require.InDelta(t, .008789, f.P, 5e-7)
		require.InDelta(t, .642159, f.Q, 5e-7)
		require.InDelta(t, 724.3, f.Error, .05)
		peak, ok := f.Peak()
		require.True(t, ok)
		require.InDelta(t, 6.59, peak, .005)
		require.False(t, f.Capped)
	})
	t.Run("least squares of 1969", func(t *testing.T) {
		t.Parallel()
		b, err := adoption.FitLinear(series)
		require.NoError(t, err)
		require.InDelta(t, 62665, b.M, .5)
		require.InDelta(t, .02165, b.P, 5e-6)
		require.InDelta(t, .68053, b.Q, 5e-6)
	})
}

func TestTheMarketIsHeldAtThoseWhoExist(t *testing.T) {
	t.Parallel()
	f, err := adoption.FitIntervals(series, 61000)
	require.NoError(t, err)
	require.True(t, f.Capped)
	require.InDelta(t, 61000, f.M, 1e-9)
	free, err := adoption.FitIntervals(series, 70000)
	require.NoError(t, err)
	require.False(t, free.Capped)
}

func TestExactSeriesAreRecovered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := adoption.Bass{
			M: rapid.Float64Range(50, 1e5).Draw(t, "m"), P: rapid.Float64Range(.005, .08).Draw(t, "p"), Q: rapid.Float64Range(.2, .9).Draw(t, "q"),
		}
		x := make([]float64, 20)
		for i := range x {
			x[i] = want.M * (want.Share(float64(i+1)) - want.Share(float64(i)))
		}
		got, err := adoption.FitIntervals(x, 0)
		require.NoError(t, err)
		require.InEpsilon(t, want.M, got.M, 1e-3)
		require.InEpsilon(t, want.P, got.P, 1e-3)
		require.InEpsilon(t, want.Q, got.Q, 1e-3)
	})
}

func TestWhatIsNoDiffusionIsSaidToBeNone(t *testing.T) {
	t.Parallel()
	_, err := adoption.FitIntervals([]float64{1, 2, 3}, 0)
	require.ErrorIs(t, err, adoption.ErrTooShort)
	_, err = adoption.FitIntervals(make([]float64, 10), 100)
	require.ErrorIs(t, err, adoption.ErrNoFit)
	_, err = adoption.FitLinear(make([]float64, 10))
	require.ErrorIs(t, err, adoption.ErrNoFit)
}

func TestForecast(t *testing.T) {
	t.Parallel()
	t.Run("less than six periods are too few", func(t *testing.T) {
		t.Parallel()
		_, err := adoption.Extrapolate(series[:5], 10, 70000, 0, 1)
		require.ErrorIs(t, err, adoption.ErrTooFew)
	})
	t.Run("the same seed gives the same band, another seed another", func(t *testing.T) {
		t.Parallel()
		one, err := adoption.Extrapolate(series, 12, 70000, 60000, 7)
		require.NoError(t, err)
		again, err := adoption.Extrapolate(series, 12, 70000, 60000, 7)
		require.NoError(t, err)
		require.Equal(t, one, again)
		other, err := adoption.Extrapolate(series, 12, 70000, 60000, 8)
		require.NoError(t, err)
		require.NotEqual(t, one.P90, other.P90)
	})
	t.Run("bands are in order, rise, and end at those who exist", func(t *testing.T) {
		t.Parallel()
		f, err := adoption.Extrapolate(series, 30, 66000, 65000, 7)
		require.NoError(t, err)
		for j := range f.P50 {
			require.LessOrEqual(t, f.P10[j], f.P50[j])
			require.LessOrEqual(t, f.P50[j], f.P90[j])
			require.LessOrEqual(t, f.P90[j], 66000.0)
			if j > 0 {
				require.GreaterOrEqual(t, f.P50[j], f.P50[j-1])
			}
		}
		require.LessOrEqual(t, f.Reach50, f.Reach80)
		require.Greater(t, f.Reach50, len(series))
	})
	t.Run("a target that was reached is reached in the week it was", func(t *testing.T) {
		t.Parallel()
		f, err := adoption.Extrapolate(series, 3, 70000, 2000, 7)
		require.NoError(t, err)
		require.Equal(t, 2, f.Reach50)
		require.Equal(t, 2, f.Reach80)
	})
	t.Run("what comes lies between P10 and P90 about as often as it says", func(t *testing.T) {
		t.Parallel()
		truth := adoption.Bass{M: 800, P: .02, Q: .5}
		random := rand.New(rand.NewPCG(1, 2))
		const runs = 60
		within := 0
		for run := range runs {
			x := make([]float64, 14)
			for i := range x {
				x[i] = max(0, 800*(truth.Share(float64(i+1))-truth.Share(float64(i)))+8*random.NormFloat64())
			}
			f, err := adoption.Extrapolate(x[:10], 4, 1000, 0, uint64(run))
			require.NoError(t, err)
			begun := 0.0
			for _, v := range x {
				begun += v
			}
			if f.P10[3] <= begun && begun <= f.P90[3] {
				within++
			}
		}
		t.Logf("%d of %d", within, runs)
		require.Greater(t, within, runs*65/100)
		require.Less(t, within, runs*95/100)
	})
	t.Run("three periods ahead it is near what came", func(t *testing.T) {
		t.Parallel()
		f, err := adoption.Extrapolate(series[:7], 3, 80000, 0, 7)
		require.NoError(t, err)
		begun := 0.0
		for _, v := range series {
			begun += v
		}
		require.Less(t, math.Abs(f.P50[2]-begun), 12000.0)
	})
}
