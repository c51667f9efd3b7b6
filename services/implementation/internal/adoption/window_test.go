package adoption_test

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// Union ∩ eligible equals a count over plain sets, for random and adversarial usage: windows longer than what is known, days
// without anybody, ordinals on the borders of containers, every d from 1 to w.
func TestActiveEqualsACountOverSets(t *testing.T) {
	t.Parallel()
	ordinals := []uint32{0, 1, 2, 3, 65535, 65536, 65537, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.IntRange(1, 70).Draw(t, "days")
		first := adoption.Day(rapid.IntRange(-5, 20000).Draw(t, "first"))
		window := adoption.Window{Days: rapid.IntRange(1, 40).Draw(t, "w")}
		window.Active = rapid.IntRange(1, min(window.Days, 6)).Draw(t, "d")
		used := make([]map[uint32]bool, days)
		usage := adoption.Usage{First: first, Sets: make([]*adoption.Set, days)}
		for i := range days {
			used[i] = map[uint32]bool{}
			for _, o := range rapid.SliceOf(rapid.SampledFrom(ordinals)).Draw(t, "who") {
				used[i][o] = true
				if usage.Sets[i] == nil {
					usage.Sets[i] = roaring.New()
				}
				usage.Sets[i].Add(o)
			}
		}
		eligible := rapid.SliceOfDistinct(rapid.SampledFrom(ordinals), func(o uint32) uint32 { return o }).Draw(t, "eligible")

		from := first - adoption.Day(rapid.IntRange(0, 5).Draw(t, "before"))
		to := first + adoption.Day(days-1+rapid.IntRange(0, 5).Draw(t, "after"))
		active := usage.Active(from, to, window)
		require.Len(t, active, int(to-from)+1)
		for i, set := range active {
			want := int64(0)
			for _, o := range eligible {
				on := 0
				for d := range window.Days {
					at := int(from) + i - d - int(first)
					if at >= 0 && at < days && used[at][o] {
						on++
					}
				}
				if on >= window.Active {
					want++
				}
			}
			require.Equal(t, want, adoption.Count(set, roaring.BitmapOf(eligible...)), "day %d", i)
		}
	})
}

func TestNothingThatIsGivenIsChanged(t *testing.T) {
	t.Parallel()
	a, b := roaring.BitmapOf(1, 2), roaring.BitmapOf(2, 3)
	usage := adoption.Usage{First: 10, Sets: []*adoption.Set{a, nil, b}}
	active := usage.Active(12, 14, adoption.Window{Days: 3, Active: 2})
	require.Equal(t, []uint32{2}, active[0].ToArray())
	require.Zero(t, adoption.Size(active[1]))
	require.Equal(t, []uint32{1, 2, 3}, adoption.Union(10, 12, []adoption.Usage{{First: 10, Sets: []*adoption.Set{a}}, {First: 10, Sets: []*adoption.Set{b}}}).Sets[0].ToArray())
	require.Equal(t, []uint32{1, 2}, a.ToArray())
	require.Equal(t, []uint32{2, 3}, b.ToArray())
}

func TestProficientDoEnoughTasksOnEnoughDaysEach(t *testing.T) {
	t.Parallel()
	on := func(days ...*adoption.Set) adoption.Usage { return adoption.Usage{First: 0, Sets: days} }
	of := roaring.BitmapOf
	quotes := on(of(1, 2, 3), of(1, 2), nil)
	orders := on(of(1, 4), nil, of(1, 2))
	tasks := []adoption.Usage{quotes, orders}
	require.Equal(t, []uint32{1, 2}, adoption.Proficient(2, 3, tasks, adoption.Standard{}).ToArray(), "all tasks on one day each")
	require.Equal(t, []uint32{1}, adoption.Proficient(2, 3, tasks, adoption.Standard{Tasks: 2, Days: 2}).ToArray())
	require.Equal(t, []uint32{1, 2}, adoption.Proficient(2, 3, tasks, adoption.Standard{Tasks: 1, Days: 2}).ToArray())
	require.Equal(t, []uint32{1, 2, 3, 4}, adoption.Proficient(2, 3, tasks, adoption.Standard{Tasks: 1}).ToArray())
	require.Zero(t, adoption.Size(adoption.Proficient(2, 3, nil, adoption.Standard{})), "without tasks there is nobody")
}

func TestDays(t *testing.T) {
	t.Parallel()
	d, err := adoption.ParseDay("2026-03-29") // clocks change in Berlin; days in UTC do not
	require.NoError(t, err)
	require.Equal(t, "2026-03-29", d.String())
	require.Equal(t, "2026-03-30", (d + 1).String())
	require.Equal(t, d, adoption.DayOf(d.Time()))
	require.Equal(t, adoption.Day(-1), adoption.DayOf(adoption.Day(0).Time().Add(-1)))
	for _, bad := range []string{"", "2026-02-30", "29.3.2026", "2026-3-1", "2026-03-01T00:00:00Z"} {
		_, err := adoption.ParseDay(bad)
		require.Error(t, err, bad)
	}
}
