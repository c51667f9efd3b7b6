package adoption_test

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// The remission times of Freireich et al. (1963) under 6-MP, the example of the textbooks: 6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+
// 20+ 22 23 25+ 32+ 32+ 34+ 35+, where + is censored. And under placebo.
func TestPublishedSurvival(t *testing.T) {
	t.Parallel()
	times := func(events, censored []int) adoption.Times {
		of := adoption.Times{Adopted: make([]int64, 36), Censored: make([]int64, 36)}
		for _, at := range events {
			of.Adopted[at]++
		}
		for _, at := range censored {
			of.Censored[at]++
		}
		return of
	}
	treated := times([]int{6, 6, 6, 7, 10, 13, 16, 22, 23}, []int{6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35})
	steps := treated.Estimate()
	want := []struct {
		time      int
		atRisk    int64
		left, err float64
	}{
		{6, 21, .857, .0764}, {7, 17, .807, .0869}, {10, 15, .753, .0963}, {13, 12, .690, .1068}, {16, 11, .627, .1141}, {22, 7, .538, .1282}, {23, 6, .448, .1346},
	}
	require.Len(t, steps, len(want))
	for i, w := range want {
		require.Equal(t, w.time, steps[i].Time)
		require.Equal(t, w.atRisk, steps[i].AtRisk)
		require.InDelta(t, w.left, steps[i].Left, .0005)
		require.InDelta(t, w.err, steps[i].Error, .00005)
	}
	require.Equal(t, adoption.Speed{People: 21, Adopted: 9, Median: 23, Lower: 13, Upper: -1}, treated.Speed())

	placebo := times([]int{1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23}, nil)
	require.Equal(t, adoption.Speed{People: 21, Adopted: 21, Median: 8, Lower: 4, Upper: 11}, placebo.Speed())
}

func TestSpeedWatchesPeopleFromWhenTheyCould(t *testing.T) {
	t.Parallel()
	of := roaring.BitmapOf
	group := []adoption.Composition{
		{From: 100, People: of(1, 2, 3, 4)},
		{From: 103, People: of(1, 2, 4, 5)}, // 3 leaves, 5 joins
		{From: 106, People: of(1, 2, 3, 4, 5)},
	}
	active := make([]*adoption.Set, 10)
	active[0] = of(1)     // on the day itself
	active[5] = of(1, 2)  // 1 again, which is no news
	active[7] = of(3, 5)  // 3 came back and is not watched again; 5 took four days
	active[9] = of(2, 99) // somebody else
	times := adoption.Take(100, 109, group, active)
	require.EqualValues(t, 5, times.People())
	require.Equal(t, []int64{1, 0, 0, 0, 1, 1, 0, 0, 0, 0}, times.Adopted)
	require.Equal(t, []int64{0, 0, 0, 1, 0, 0, 0, 0, 0, 1}, times.Censored)
	require.Equal(t, []uint32{1, 2, 3, 4}, group[0].People.ToArray(), "what is given is not changed")

	require.Equal(t, adoption.Speed{Median: -1, Lower: -1, Upper: -1}, adoption.Take(100, 99, group, nil).Speed(), "before the go-live")
}

func TestUtilisationIsWhereAdoptionRests(t *testing.T) {
	t.Parallel()
	require.Equal(t, adoption.Utilisation{}, adoption.Utilise([]float64{.5, .5, .5, .5}, 100), "four weeks are too few")
	rest := adoption.Utilise([]float64{.1, .4, .60, .61, .59, .60, .60, .61}, 400)
	require.Equal(t, adoption.Plateau, rest.Trend)
	require.InDelta(t, .602, rest.Value, 1e-9)
	require.Equal(t, 6, rest.Weeks)
	require.InDelta(t, .04895, rest.Noise, 1e-5)
	require.Equal(t, adoption.Rising, adoption.Utilise([]float64{.1, .2, .3, .4, .5}, 400).Trend)
	require.Equal(t, adoption.Falling, adoption.Utilise([]float64{.5, .4, .3, .2, .1}, 400).Trend)
	require.Equal(t, adoption.Plateau, adoption.Utilise([]float64{.5, .48, .46, .44, .42}, 20).Trend, "in a small group that is noise")
	require.Equal(t, adoption.Plateau, adoption.Utilise([]float64{1, 1, 1, 1, 1}, 20).Trend)
}

func TestPlannedCurves(t *testing.T) {
	t.Parallel()
	points := &implementationv1.AdoptionPlan{PlannedCurve: &implementationv1.PlannedCurve{Curve: &implementationv1.PlannedCurve_Points{
		Points: &implementationv1.PlannedPoints{Points: []*implementationv1.PlannedPoint{{Day: 10, Share: .2}, {Day: 30, Share: .8}}},
	}}}
	for day, want := range map[int]float64{0: 0, 5: .1, 10: .2, 20: .5, 30: .8, 300: .8} {
		got, ok := adoption.Planned(points, day)
		require.True(t, ok)
		require.InDelta(t, want, got, 1e-12, "day %d", day)
	}
	s := &implementationv1.AdoptionPlan{Target: .8, PlannedCurve: &implementationv1.PlannedCurve{Curve: &implementationv1.PlannedCurve_Logistic{
		Logistic: &implementationv1.LogisticCurve{MidpointDay: 30, RiseDays: 20},
	}}}
	for day, want := range map[int]float64{20: .08, 30: .4, 40: .72} {
		got, _ := adoption.Planned(s, day)
		require.InDelta(t, want, got, 1e-12, "day %d", day)
	}
	_, ok := adoption.Planned(s, -1)
	require.False(t, ok)
	_, ok = adoption.Planned(&implementationv1.AdoptionPlan{Target: .8}, 10)
	require.False(t, ok)
}
