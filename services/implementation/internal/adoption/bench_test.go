package adoption_test

import (
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/golive-dev/golive/services/implementation/internal/adoption"
	"github.com/golive-dev/golive/services/implementation/internal/cputime"
)

// BenchmarkMatrix is 50 cohorts × 90 days over 100 000 people, from the stored bytes of the days on: each
// person is in one of the cohorts, and active on three days of ten.
func BenchmarkMatrix(b *testing.B) {
	const persons, cohorts, days, window = 100_000, 50, 90, 28
	random := rand.New(rand.NewPCG(1, 2))
	stored := make([][]byte, days+window-1)
	for i := range stored {
		set := roaring.New()
		for p := range uint32(persons) {
			if random.Float64() < .3 {
				set.Add(p)
			}
		}
		stored[i], _ = set.ToBytes()
	}
	eligible := make([]*adoption.Set, cohorts)
	for c := range eligible {
		eligible[c] = roaring.New()
	}
	for p := range uint32(persons) {
		eligible[random.IntN(cohorts)].Add(p)
	}
	defer cputime.Measure(b)()
	for b.Loop() {
		usage := adoption.Usage{Sets: make([]*adoption.Set, len(stored))}
		for i, bytes := range stored {
			usage.Sets[i] = roaring.New()
			if _, err := usage.Sets[i].FromBuffer(bytes); err != nil {
				b.Fatal(err)
			}
		}
		sum := int64(0)
		for _, active := range usage.Active(window-1, days+window-2, adoption.Window{Days: window, Active: 2}) {
			for _, e := range eligible {
				sum += adoption.Count(active, e)
			}
		}
		if sum == 0 {
			b.Fatal("nobody is active")
		}
	}
}

// BenchmarkForecast is one forecast with its band.
func BenchmarkForecast(b *testing.B) {
	for b.Loop() {
		if _, err := adoption.Extrapolate(series, 26, 70000, 60000, 7); err != nil {
			b.Fatal(err)
		}
	}
}
