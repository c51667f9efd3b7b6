package adoption_test

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
)

// persons are the ordinals from … to.
func persons(from, to uint64) *adoption.Set {
	set := roaring.New()
	set.AddRange(from, to)
	return set
}

func TestHabitsAreCountsOverPeopleWhoMayBeCounted(t *testing.T) {
	const last, days = adoption.Day(1000), adoption.Day(14)
	used := func(sets map[adoption.Day]*adoption.Set) adoption.Usage {
		u := adoption.Usage{First: last - 60, Sets: make([]*adoption.Set, 61)}
		for d, set := range sets {
			u.Sets[d-u.First] = set
		}
		return u
	}
	cohort := adoption.NewCohort(&implementationv1.CohortPlan{Adoption: &implementationv1.AdoptionPlan{Features: []string{"new"}, LegacyFeatures: []string{"old"}}}, nil)
	cohort.Shown = []adoption.Composition{{From: last - 60, People: persons(0, 30)}}
	facts := adoption.Facts{First: last, Last: last, Cohorts: []adoption.Cohort{cohort}, Usage: map[string]adoption.Usage{
		// 20 came over before the last two weeks, on two days; 8 of them, and 40 who are not shown, used it since.
		"new": used(map[adoption.Day]*adoption.Set{last - 20: persons(0, 20), last - 18: persons(0, 20), last - 13: persons(0, 8), last: persons(100, 140)}),
		// 5 of those who came over used only the old way since, 3 both.
		"old": used(map[adoption.Day]*adoption.Set{last - 3: persons(5, 13)}),
	}}
	require.Equal(t, adoption.Habits{Trained: 25, Idle: 17, Adopted: 20, Reverted: 5}, adoption.HabitsOf(facts, cohort, persons(0, 25), days))
	require.Equal(t, adoption.Habits{Adopted: 20, Reverted: 5}, adoption.HabitsOf(facts, cohort, persons(0, 9), days), "nine who were trained are too few to be told about")
	require.Equal(t, adoption.Habits{Adopted: 20, Reverted: 5}, adoption.HabitsOf(facts, cohort, nil, days), "a group of whom nothing may be told")
	cohort.Shown = []adoption.Composition{{From: last - 60}}
	require.Zero(t, adoption.HabitsOf(facts, cohort, persons(0, 25), days), "who is not shown is not counted")
}
