package disclosure

import (
	"cmp"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Stratum is the people of one cohort with one value of the attribute, as a wave
// found them when it opened. They are counted in a cell, perhaps with others.
type Stratum struct {
	Cohort string
	Value  string // empty where the wave has no attribute
	People *roaring.Bitmap
	Cell   int
}

// Lattice is the strata of a wave, fixed when it opens. Every group of which
// numbers can ever be told is made of its cells, and every cell is k people or more.
type Lattice []Stratum

// NewLattice counts strata that are too small together with others: first with
// others of the same cohort, the smallest first, then whole cohorts with each other. It
// is false where all together are fewer than k.
func NewLattice(k uint64, strata []Stratum) (Lattice, bool) {
	l := Lattice(slices.Clone(strata))
	slices.SortFunc(l, func(a, b Stratum) int {
		return cmp.Or(cmp.Compare(a.Cohort, b.Cohort), cmp.Compare(a.Value, b.Value))
	})
	l = slices.DeleteFunc(l, func(s Stratum) bool { return s.People.IsEmpty() })
	cohorts := make(map[string][]int)
	for i := range l {
		l[i].Cell = i
		cohorts[l[i].Cohort] = append(cohorts[l[i].Cohort], i)
	}
	whole := make([][]int, 0, len(cohorts))
	for _, cohort := range slices.Sorted(maps.Keys(cohorts)) {
		single := make([][]int, len(cohorts[cohort]))
		for i, s := range cohorts[cohort] {
			single[i] = []int{s}
		}
		l.pool(k, single)
		whole = append(whole, cohorts[cohort])
	}
	return l, l.pool(k, whole)
}

// pool gives the parts that are fewer than k people one cell, together with the
// smallest others until they are enough. It is false where they never are.
func (l Lattice) pool(k uint64, parts [][]int) bool {
	size := func(part []int) (n uint64) {
		for _, s := range part {
			n += l[s].People.GetCardinality()
		}
		return n
	}
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b []int) int { return cmp.Compare(size(a), size(b)) })
	var pooled []int
	var people uint64
	for _, part := range parts {
		if size(part) >= k && (people == 0 || people >= k) {
			break
		}
		pooled, people = append(pooled, part...), people+size(part)
	}
	for _, s := range pooled {
		l[s].Cell = l[pooled[0]].Cell
	}
	return people == 0 && len(parts) > 0 || people >= k
}

// Cells are the people of each cell, by its number; nil where no stratum is in it.
func (l Lattice) Cells() []*roaring.Bitmap {
	all := make([]*roaring.Bitmap, len(l))
	for _, s := range l {
		if all[s.Cell] == nil {
			all[s.Cell] = roaring.New()
		}
		all[s.Cell].Or(s.People)
	}
	return all
}

// Group is people of whom numbers may perhaps be told: all, a cohort, a value, or both.
type Group struct {
	Cohort string // empty: all cohorts
	Value  string // empty: all values
	People *roaring.Bitmap
	Cells  []int
	Whole  bool // no cell has people of another group
}

// Groups are all groups there are: everybody, the cohorts in the order given,
// the values, and where there are several of each, both together.
func (l Lattice) Groups(cohorts []string) []Group {
	values := make(map[string]bool)
	for _, s := range l {
		values[s.Value] = true
	}
	sorted := slices.Sorted(maps.Keys(values))
	groups := []Group{l.group("", "")}
	for _, cohort := range cohorts {
		groups = append(groups, l.group(cohort, ""))
	}
	if len(sorted) == 1 && sorted[0] == "" {
		return groups
	}
	for _, value := range sorted {
		groups = append(groups, l.group("", value))
	}
	if len(cohorts) > 1 && len(sorted) > 1 {
		for _, cohort := range cohorts {
			for _, value := range sorted {
				if g := l.group(cohort, value); !g.People.IsEmpty() {
					groups = append(groups, g)
				}
			}
		}
	}
	return groups
}

func (l Lattice) group(cohort, value string) Group {
	g := Group{Cohort: cohort, Value: value, People: roaring.New(), Whole: true}
	inside := make(map[int]bool)
	belongs := func(s Stratum) bool {
		return (cohort == "" || s.Cohort == cohort) && (value == "" || s.Value == value)
	}
	for _, s := range l {
		if belongs(s) {
			g.People.Or(s.People)
			inside[s.Cell] = true
		}
	}
	for _, s := range l {
		if inside[s.Cell] && !belongs(s) {
			g.Whole = false
		}
	}
	g.Cells = slices.Sorted(maps.Keys(inside))
	return g
}

// Partition splits people by which of the sets they are in: how many people each
// class has, and the classes that each set is made of.
func Partition(sets []*roaring.Bitmap) (classes []int64, of [][]int) {
	class := make(map[uint32]int)
	classes = append(classes, 0) // nobody stays in the first one
	for _, set := range sets {
		moved := make(map[int]int)
		for it := set.Iterator(); it.HasNext(); {
			person := it.Next()
			old := class[person]
			next, ok := moved[old]
			if !ok {
				next = len(classes)
				moved[old] = next
				classes = append(classes, 0)
			}
			if old != 0 {
				classes[old]--
			}
			classes[next]++
			class[person] = next
		}
	}
	of = make([][]int, len(sets))
	for i, set := range sets {
		seen := make(map[int]bool)
		for it := set.Iterator(); it.HasNext(); {
			seen[class[it.Next()]] = true
		}
		of[i] = slices.Sorted(maps.Keys(seen))
	}
	return classes, of
}
