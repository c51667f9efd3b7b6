package adoption_test

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// Members less those who opted out, on every day, equals a look at every person: with joining in the middle, leaving,
// coming back, and opting out and in again.
func TestEligibleEqualsALookAtEveryPerson(t *testing.T) {
	t.Parallel()
	span := rapid.Custom(func(t *rapid.T) adoption.Span {
		start := rapid.IntRange(0, 30).Draw(t, "start")
		s := adoption.Span{Start: adoption.Day(start)}
		if rapid.Bool().Draw(t, "ends") {
			s.End = s.Start + adoption.Day(rapid.IntRange(1, 15).Draw(t, "length"))
		}
		return s
	})
	// chain gives one person spans that do not overlap.
	chain := func(t *rapid.T, ordinal uint32) (spans []adoption.Span) {
		next := adoption.Day(0)
		for range rapid.IntRange(0, 3).Draw(t, "spans") {
			s := span.Draw(t, "span")
			s.Ordinal, s.Start = ordinal, s.Start+next
			if s.End != 0 {
				s.End += next
			}
			spans = append(spans, s)
			if s.End == 0 {
				break
			}
			next = s.End // perhaps on the same day
		}
		return spans
	}
	in := func(spans []adoption.Span, o uint32, d adoption.Day) bool {
		for _, s := range spans {
			if s.Ordinal == o && s.Start <= d && (s.End == 0 || d < s.End) {
				return true
			}
		}
		return false
	}
	rapid.Check(t, func(t *rapid.T) {
		var members, out []adoption.Span
		for o := range uint32(6) {
			members = append(members, chain(t, o)...)
			out = append(out, chain(t, o)...)
		}
		first := adoption.Day(rapid.IntRange(0, 20).Draw(t, "first"))
		last := first + adoption.Day(rapid.IntRange(0, 40).Draw(t, "days"))
		eligible := adoption.Less(adoption.Compositions(first, last, members), adoption.Compositions(first, last, out))
		for d := first; d <= last; d++ {
			got := adoption.At(eligible, d).People
			for o := range uint32(6) {
				require.Equal(t, in(members, o, d) && !in(out, o, d), got.Contains(o), "person %d on day %d", o, d)
			}
		}
	})
}

func people(from, to uint64) *adoption.Set {
	set := roaring.New()
	set.AddRange(from, to)
	return set
}

func TestGroupsThatAreTooSmallAreNotShown(t *testing.T) {
	t.Parallel()
	f := adoption.NewFamily(10)
	shown, released := f.Publish("sales", []adoption.Composition{{From: 1, People: people(0, 9)}, {From: 5, People: people(0, 10)}})
	require.Len(t, shown, 2)
	require.Nil(t, shown[0].People)
	require.EqualValues(t, 10, adoption.Size(shown[1].People))
	require.Len(t, released, 1)
}

func TestACompositionIsFrozenUntilEnoughChanged(t *testing.T) {
	t.Parallel()
	f := adoption.NewFamily(10)
	shown, released := f.Publish("sales", []adoption.Composition{
		{From: 1, People: people(0, 50)}, {From: 2, People: people(0, 51)}, {From: 3, People: people(0, 59)}, {From: 4, People: people(0, 60)},
	})
	require.Len(t, released, 2)
	require.Len(t, shown, 2)
	require.Equal(t, adoption.Day(1), shown[0].From)
	require.EqualValues(t, 50, adoption.Size(adoption.At(shown, 3).People), "nine new people wait")
	require.EqualValues(t, 60, adoption.Size(adoption.At(shown, 4).People), "ten do not")

	shown, released = f.Publish("sales", []adoption.Composition{{From: 1, People: people(1, 50)}})
	require.Empty(t, released, "a person taken out of the past changes nothing that was told")
	require.EqualValues(t, 50, adoption.Size(shown[0].People))
}

func TestAnotherCohortThatDiffersByOneIsNotShown(t *testing.T) {
	t.Parallel()
	f := adoption.NewFamily(10)
	f.Publish("sales", []adoption.Composition{{From: 1, People: people(0, 50)}})
	shown, released := f.Publish("probe", []adoption.Composition{{From: 1, People: people(0, 49)}})
	require.Empty(t, released)
	require.Nil(t, shown[0].People)
	shown, _ = f.Publish("twin", []adoption.Composition{{From: 1, People: people(0, 50)}})
	require.EqualValues(t, 50, adoption.Size(shown[0].People), "the same people are no news")
}

// An attacker who moves people at will never gets two groups whose difference is somebody in particular.
func TestNoSequenceOfReleasesIsolatesAnybody(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := adoption.NewFamily(4)
		var told []*adoption.Set
		for range rapid.IntRange(1, 12).Draw(t, "releases") {
			ordinals := rapid.SliceOfDistinct(rapid.Uint32Range(0, 15), func(o uint32) uint32 { return o }).Draw(t, "who")
			subject := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "subject")
			shown, _ := f.Publish(subject, []adoption.Composition{{From: 1, People: roaring.BitmapOf(ordinals...)}})
			if shown[0].People != nil {
				told = append(told, shown[0].People)
			}
		}
		for i, a := range told {
			require.GreaterOrEqual(t, adoption.Size(a), int64(4))
			for _, b := range told[:i] {
				d := adoption.Size(roaring.Xor(a, b))
				require.True(t, d == 0 || d >= 4, "%v and %v", a.ToArray(), b.ToArray())
			}
		}
	})
}

func TestATotalDoesNotTellOfThoseWhoAreInTwoCohorts(t *testing.T) {
	t.Parallel()
	f := adoption.NewFamily(10)
	require.EqualValues(t, 100, adoption.Size(f.Together([]*adoption.Set{people(0, 50), nil, people(50, 100)})))
	require.Nil(t, f.Together([]*adoption.Set{people(0, 51), people(50, 100)}), "one is in both")
	require.EqualValues(t, 100, adoption.Size(f.Together([]*adoption.Set{people(0, 60), people(50, 100)})), "ten are")
}
