package disclosure_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/disclosure"
)

const k = 5

// isolated is what somebody finds who knows the sums over the sets of classes and
// can solve linear equations: a combination of them about at least one and
// fewer than k people. It is written apart from the audit, with floating point and
// singular values, and tries every set of classes.
func isolated(weight []int64, told [][]int) []int {
	if len(told) == 0 {
		return nil
	}
	all := rank(weight, told, nil)
	var try func(first int, people int64, set map[int]bool) []int
	try = func(first int, people int64, set map[int]bool) []int {
		for c := first; c < len(weight); c++ {
			if weight[c] == 0 || people+weight[c] >= k {
				continue
			}
			set[c] = true
			if rank(weight, told, set) < all {
				found := make([]int, 0, len(set))
				for one := range set {
					found = append(found, one)
				}
				return found
			}
			if found := try(c+1, people+weight[c], set); found != nil {
				return found
			}
			delete(set, c)
		}
		return nil
	}
	return try(0, 0, map[int]bool{})
}

// rank is that of the sums, without the columns left out.
func rank(weight []int64, told [][]int, without map[int]bool) int {
	m := mat.NewDense(len(told), len(weight), nil)
	for i, set := range told {
		for _, c := range set {
			if weight[c] > 0 && !without[c] {
				m.Set(i, c, 1)
			}
		}
	}
	var svd mat.SVD
	if !svd.Factorize(m, mat.SVDNone) {
		return 0
	}
	n := 0
	for _, v := range svd.Values(nil) {
		if v > 1e-7 {
			n++
		}
	}
	return n
}

// The audit refuses everything that the attacker could use, and the attacker finds something in everything that it refuses.
func TestTheAuditAgreesWithAnAttacker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weight := rapid.SliceOfN(rapid.Int64Range(0, 8), 2, 9).Draw(t, "classes")
		audit := disclosure.NewAudit(k, weight)
		var told [][]int
		for range rapid.IntRange(1, 12).Draw(t, "sums") {
			picked := rapid.SliceOfN(rapid.Bool(), len(weight), len(weight)).Draw(t, "sum")
			var sum []int
			for c, in := range picked {
				if in {
					sum = append(sum, c)
				}
			}
			next := append(slices.Clip(told), sum)
			found := isolated(weight, next)
			if audit.Admit(sum) {
				require.Nil(t, found, "told %v, and %v of %v follows", next, found, weight)
				told = next
			} else {
				require.NotNil(t, found, "refused %v beside %v of %v without need", sum, told, weight)
			}
		}
	})
}

// Waves come one after the other, people come and go and move, some answer. Whatever is told, of one
// wave or of all together, nobody finds out about fewer than k.
func TestNoSequenceOfWavesIsolatesAnybody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cohorts, values := []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "cohorts")], rapid.IntRange(1, 3).Draw(t, "values")
		place := rapid.Custom(func(t *rapid.T) [2]int {
			return [2]int{rapid.IntRange(-1, len(cohorts)-1).Draw(t, "cohort"), rapid.IntRange(0, values-1).Draw(t, "value")}
		})
		people := rapid.SliceOfN(place, 6, 60).Draw(t, "people")
		var before []*roaring.Bitmap
		for range rapid.IntRange(1, 4).Draw(t, "waves") {
			for range rapid.IntRange(0, 4).Draw(t, "moves") {
				people[rapid.IntRange(0, len(people)-1).Draw(t, "who")] = place.Draw(t, "where")
			}
			lattice, ok := disclosure.NewLattice(k, strata(cohorts, values, people))
			if !ok {
				continue
			}
			cells := lattice.Cells()
			responses := make([]int64, len(cells))
			for i, cell := range cells {
				if cell == nil {
					continue
				}
				require.GreaterOrEqual(t, cell.GetCardinality(), uint64(k), "every cell is enough people")
				responses[i] = rapid.Int64Range(0, int64(cell.GetCardinality())).Draw(t, "answered")
			}
			var told [][]int
			for _, d := range disclosure.Decide(k, lattice.Groups(cohorts), responses, before) {
				if d.State == implementationv1.SurveyGroup_TOLD {
					require.GreaterOrEqual(t, d.Responses, int64(k))
					told = append(told, d.Cells)
					before = append(before, d.People)
				}
			}
			require.Nil(t, isolated(responses, told), "the answers of a wave")
		}
		weight, of := disclosure.Partition(before)
		require.Nil(t, isolated(weight, of), "the people of all waves")
	})
}

func strata(cohorts []string, values int, people [][2]int) []disclosure.Stratum {
	all := make([]disclosure.Stratum, 0, len(cohorts)*values)
	for c, cohort := range cohorts {
		for v := range values {
			s := disclosure.Stratum{Cohort: cohort, Value: fmt.Sprintf("v%d", v), People: roaring.New()}
			for i, at := range people {
				if at == [2]int{c, v} {
					s.People.AddInt(i)
				}
			}
			all = append(all, s)
		}
	}
	return all
}

func between(from, to uint64) *roaring.Bitmap {
	b := roaring.New()
	b.AddRange(from, to)
	return b
}

// states decides about cohorts a, b … of so many people each, of whom so many answered, at sites.
func states(t *testing.T, before []*roaring.Bitmap, responses map[string]int64, all ...disclosure.Stratum) map[string]string {
	t.Helper()
	lattice, ok := disclosure.NewLattice(k, all)
	require.True(t, ok)
	answered := make([]int64, len(lattice))
	var cohorts []string
	for _, s := range lattice {
		answered[s.Cell] += responses[s.Cohort+"/"+s.Value]
		if len(cohorts) == 0 || cohorts[len(cohorts)-1] != s.Cohort {
			cohorts = append(cohorts, s.Cohort)
		}
	}
	found := make(map[string]string)
	for _, d := range disclosure.Decide(k, lattice.Groups(cohorts), answered, before) {
		found[d.Cohort+"/"+d.Value] = d.State.String()
	}
	return found
}

func TestAHiddenCellDoesNotFollowFromTotals(t *testing.T) {
	found := states(t, nil, map[string]int64{"a/": 12, "b/": 11, "c/": 3},
		disclosure.Stratum{Cohort: "a", People: between(0, 20)}, disclosure.Stratum{Cohort: "b", People: between(20, 40)}, disclosure.Stratum{Cohort: "c", People: between(40, 60)})
	require.Equal(t, map[string]string{"/": "TOLD", "a/": "TOLD", "b/": "COMPLEMENTARY", "c/": "TOO_FEW"}, found,
		"everybody less a and b would be the three of c")
}

func TestAHiddenCellDoesNotFollowFromRowsAndColumns(t *testing.T) {
	stratum := func(cohort, value string, from uint64) disclosure.Stratum {
		return disclosure.Stratum{Cohort: cohort, Value: value, People: between(from, from+20)}
	}
	found := states(t, nil, map[string]int64{"a/x": 4, "a/y": 9, "b/x": 9, "b/y": 9},
		stratum("a", "x", 0), stratum("a", "y", 20), stratum("b", "x", 40), stratum("b", "y", 60))
	require.Equal(t, map[string]string{
		"/": "TOLD", "a/": "TOLD", "b/": "TOLD", "/x": "TOLD", "/y": "TOLD",
		"a/x": "TOO_FEW", "a/y": "COMPLEMENTARY", "b/x": "COMPLEMENTARY", "b/y": "COMPLEMENTARY",
	}, found, "with rows and columns, one cell of four tells the others")
}

func TestADifferenceOfWavesOfAFewPeopleIsRefused(t *testing.T) {
	before := []*roaring.Bitmap{between(0, 20)}
	one := disclosure.Stratum{Cohort: "a", People: between(0, 19)}
	require.Equal(t, "DIFFERENCING", states(t, before, map[string]int64{"a/": 19}, one)["a/"])
	same := disclosure.Stratum{Cohort: "a", People: between(0, 20)}
	require.Equal(t, "TOLD", states(t, before, map[string]int64{"a/": 20}, same)["a/"])
	many := disclosure.Stratum{Cohort: "a", People: between(5, 25)}
	require.Equal(t, "TOLD", states(t, before, map[string]int64{"a/": 20}, many)["a/"])
	// Three groups, of which no two differ by a few: 0-40 less 0-20 less 20-39 is one person.
	before = []*roaring.Bitmap{between(0, 40), between(0, 20)}
	rest := disclosure.Stratum{Cohort: "a", People: between(20, 39)}
	require.Equal(t, "DIFFERENCING", states(t, before, map[string]int64{"a/": 19}, rest)["a/"])
}

func TestPeopleWhoAreTooFewAreCountedWithOthers(t *testing.T) {
	lattice, ok := disclosure.NewLattice(k, []disclosure.Stratum{
		{Cohort: "a", Value: "x", People: between(0, 2)},
		{Cohort: "a", Value: "y", People: between(2, 9)},
		{Cohort: "a", Value: "z", People: between(9, 20)},
		{Cohort: "b", Value: "x", People: between(20, 40)},
	})
	require.True(t, ok)
	whole := make(map[string]bool)
	for _, g := range lattice.Groups([]string{"a", "b"}) {
		whole[g.Cohort+"/"+g.Value] = g.Whole
	}
	require.Equal(t, map[string]bool{
		"/": true, "a/": true, "b/": true, "/x": false, "/y": false, "/z": true,
		"a/x": false, "a/y": false, "a/z": true, "b/x": true,
	}, whole)

	_, ok = disclosure.NewLattice(k, []disclosure.Stratum{{Cohort: "a", People: between(0, 4)}})
	require.False(t, ok, "four are too few however they are counted")
	_, ok = disclosure.NewLattice(k, nil)
	require.False(t, ok)
}

func TestManyGroupsAreDecidedFast(t *testing.T) {
	var all []disclosure.Stratum
	responses := make(map[string]int64)
	for c := range 50 {
		cohort := fmt.Sprintf("c%02d", c)
		from := uint64(c) * 400
		for v := range 8 {
			value := fmt.Sprintf("v%d", v)
			all = append(all, disclosure.Stratum{Cohort: cohort, Value: value, People: between(from+uint64(v)*50, from+uint64(v)*50+50)})
			responses[cohort+"/"+value] = int64((c*7+v*3)%12 + 1)
		}
	}
	found := states(t, nil, responses, all...)
	require.Equal(t, "TOLD", found["/"])
	require.Len(t, found, 1+50+8+400)
}
