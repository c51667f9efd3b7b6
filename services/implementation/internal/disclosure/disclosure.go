// Package disclosure decides which numbers about groups of people may be told,
// and is the only one that reads what single people answered.
//
// A number is told of a group, never of a person, and only of groups that were
// fixed when a wave opened (see [Lattice]). Four things are looked at, in this order:
//
//  1. Enough people answered: at least k, 5 or more.
//  2. The group is whole. People who are too few of their kind to be a group were
//     counted with others from the beginning, so that not even a stored answer says
//     more about who gave it than that it was one of k.
//  3. Nothing too small follows from it and the other numbers of the wave: a cohort less the
//     sites that are told is the site that is not.
//  4. Nothing too small follows from it and the numbers of other waves: last month's
//     number less this month's is the one who left.
//
// The last two are one question, and linear algebra answers it. Every number that
// was told is a sum over people. Whoever knows sums can add and subtract them, and
// nothing else: what they can find out is the space that the sums span. So [Audit] keeps that
// space, and refuses a sum that would put a combination of fewer than k people into
// it. What was refused once stays refused, because what was told stays told.
//
// What this does not do: where everybody in a group says the same, their answers
// are known; and nobody can keep people from telling what they themselves said.
package disclosure

import "slices"

// prime is 2⁶¹−1. Sums are added and subtracted modulo this prime: exact, where
// floating point would need to guess what is zero.
const prime = 1<<61 - 1

// most bounds how many sets of classes are tried for one sum; above it the sum is
// refused, which is safe.
const most = 200_000

// Audit is what follows from the sums that were told so far.
//
// People whom no sum tells apart are one class. A sum is a vector over classes,
// and the basis is in echelon form with the classes of k people or more in front: the rows
// that begin behind them span exactly those combinations in which no large class is left.
type Audit struct {
	k      int64
	weight []int64 // by column: how many people
	column []int   // by class; −1 where nobody is in it
	large  int     // columns below have weight ≥ k
	basis  map[int][]uint64
}

// NewAudit begins with nothing told, of classes of so many people.
func NewAudit(k int64, classes []int64) *Audit {
	a := &Audit{k: k, column: make([]int, len(classes)), basis: make(map[int][]uint64)}
	for class, people := range classes {
		a.column[class] = -1
		if people >= k {
			a.column[class] = len(a.weight)
			a.weight = append(a.weight, people)
		}
	}
	a.large = len(a.weight)
	for class, people := range classes {
		if people > 0 && people < k {
			a.column[class] = len(a.weight)
			a.weight = append(a.weight, people)
		}
	}
	return a
}

// Told takes in a sum that is known already, whatever follows from it.
func (a *Audit) Told(classes []int) { a.keep(a.reduce(a.vector(classes))) }

// Allows says that the sum over the classes may be told: that no combination of
// it and what is known is about fewer than k people, and at least one.
func (a *Audit) Allows(classes []int) bool {
	pivot, row := a.reduce(a.vector(classes))
	return row == nil || pivot < a.large || !a.isolates(pivot, row)
}

// Admit takes the sum in if it may be told.
func (a *Audit) Admit(classes []int) bool {
	if !a.Allows(classes) {
		return false
	}
	a.Told(classes)
	return true
}

func (a *Audit) vector(classes []int) []uint64 {
	v := make([]uint64, len(a.weight))
	for _, class := range classes {
		if c := a.column[class]; c >= 0 {
			v[c] = 1
		}
	}
	return v
}

// reduce subtracts what is known; the row is nil where nothing is left, and begins with 1 at the pivot otherwise.
func (a *Audit) reduce(v []uint64) (pivot int, row []uint64) {
	for c := range v {
		if v[c] == 0 {
			continue
		}
		known, ok := a.basis[c]
		if !ok {
			if row == nil {
				pivot, row = c, v
			}
			continue
		}
		subtract(v, known, v[c], c)
	}
	if row != nil {
		scale(row, inverse(row[pivot]))
	}
	return pivot, row
}

func (a *Audit) keep(pivot int, row []uint64) {
	if row == nil {
		return
	}
	for _, other := range a.basis {
		if other[pivot] != 0 {
			subtract(other, row, other[pivot], pivot)
		}
	}
	a.basis[pivot] = row
}

// isolates says that with the row, some combination is about fewer than k people.
//
// Such a combination is made of the rows that begin behind the large classes.
// They have, as every space does, equations that hold for exactly its vectors:
// for each column without a pivot, one. A combination over few columns exists
// exactly where the equations' coefficients of these columns depend on each
// other. The search walks through sets of columns of together fewer than k people, and holds each
// new column against the ones chosen.
func (a *Audit) isolates(pivot int, row []uint64) bool {
	rows := map[int][]uint64{pivot: row}
	for p, known := range a.basis {
		if p >= a.large {
			if known[pivot] != 0 {
				known = slices.Clone(known)
				subtract(known, row, known[pivot], pivot)
			}
			rows[p] = known
		}
	}
	s := search{weight: a.weight[a.large:], left: most}
	free := 0
	for c := a.large; c < len(a.weight); c++ {
		if rows[c] == nil {
			free++
		}
	}
	at := 0
	for c := a.large; c < len(a.weight); c++ {
		equation := make([]uint64, free)
		if r := rows[c]; r == nil {
			equation[at] = prime - 1
			at++
		} else {
			i := 0
			for f := a.large; f < len(a.weight); f++ {
				if rows[f] == nil {
					equation[i] = r[f]
					i++
				}
			}
		}
		s.equations = append(s.equations, equation)
	}
	return s.dependent(0, a.k-1, nil)
}

// search looks for columns that depend on each other.
type search struct {
	equations [][]uint64 // by column
	weight    []int64
	left      int // how many more sets may be tried
}

// chosen is a column held against those before it: it begins with 1 at its pivot.
type chosen struct {
	pivot int
	row   []uint64
}

// dependent says that some set of columns from first on, of at most so many people, depends
// on the chosen ones. It says so, too, where there are too many sets to try.
func (s *search) dependent(first int, people int64, have []chosen) bool {
	for c := first; c < len(s.equations); c++ {
		if s.weight[c] > people {
			continue
		}
		if s.left--; s.left < 0 {
			return true
		}
		next, independent := against(have, s.equations[c])
		if !independent || s.dependent(c+1, people-s.weight[c], append(have, next)) {
			return true
		}
	}
	return false
}

// against subtracts the chosen columns from another one.
func against(have []chosen, equation []uint64) (chosen, bool) {
	row := slices.Clone(equation)
	for _, one := range have {
		if row[one.pivot] != 0 {
			subtract(row, one.row, row[one.pivot], 0)
		}
	}
	pivot := slices.IndexFunc(row, func(x uint64) bool { return x != 0 })
	if pivot < 0 {
		return chosen{}, false
	}
	scale(row, inverse(row[pivot]))
	return chosen{pivot, row}, true
}
