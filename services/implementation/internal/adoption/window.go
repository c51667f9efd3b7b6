package adoption

import "github.com/RoaringBitmap/roaring/v2"

// Usage is who used something on each of consecutive days from First on.
type Usage struct {
	First Day
	Sets  []*Set // nil where nobody did
}

// On is who did on a day; nil outside of what is known.
func (u Usage) On(d Day) *Set {
	if i := int(d - u.First); i >= 0 && i < len(u.Sets) {
		return u.Sets[i]
	}
	return nil
}

// Active is A(t, w) for every day t from first to last: who is in at least w.Active of the w.Days sets that
// end with t.
//
// A window is the end of one block of w days and the begin of the next, so what each
// begin and each end of a block hold is enough to know every window, whatever its
// length: three combinations a day instead of w.
func (u Usage) Active(first, last Day, w Window) []*Set {
	if last < first {
		return nil
	}
	begin := first.Add(1 - w.Days)
	n := int(last-begin) + 1
	until, from := make([]levels, n), make([]levels, n)
	for i := range n {
		if i%w.Days == 0 {
			until[i] = levels{}.and(u.On(begin.Add(i)), w.Active)
		} else {
			until[i] = until[i-1].and(u.On(begin.Add(i)), w.Active)
		}
	}
	for i := n - 1; i >= 0; i-- {
		if i == n-1 || (i+1)%w.Days == 0 {
			from[i] = levels{}.and(u.On(begin.Add(i)), w.Active)
		} else {
			from[i] = from[i+1].and(u.On(begin.Add(i)), w.Active)
		}
	}
	active := make([]*Set, last-first+1)
	for i := range active {
		end := i + w.Days - 1
		if i%w.Days == 0 {
			active[i] = until[end].at(w.Active)
		} else {
			active[i] = from[i].joined(until[end], w.Active)
		}
	}
	return active
}

// levels holds at [j-1] who is in at least j of some sets.
type levels []*Set

// at is who is in at least j; nil for nobody.
func (l levels) at(j int) *Set {
	if j <= len(l) {
		return l[j-1]
	}
	return nil
}

// and is the levels with one set more, up to a highest.
func (l levels) and(set *Set, highest int) levels {
	if set == nil || set.IsEmpty() {
		return l
	}
	next := make(levels, min(highest, len(l)+1))
	for j := range next {
		if j == 0 {
			next[0] = or(l.at(1), set)
			continue
		}
		next[j] = or(l.at(j+1), both(l.at(j), set))
	}
	return next
}

// joined is who is in at least j of the sets of both.
func (l levels) joined(m levels, j int) *Set {
	all := or(l.at(j), m.at(j))
	for i := 1; i < j; i++ {
		all = or(all, both(l.at(i), m.at(j-i)))
	}
	return all
}

// or is the union; it may be one of the two.
func or(a, b *Set) *Set {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	default:
		return roaring.Or(a, b)
	}
}

func both(a, b *Set) *Set {
	if a == nil || b == nil {
		return nil
	}
	return roaring.And(a, b)
}

// Count is |a ∩ b|.
func Count(a, b *Set) int64 {
	if a == nil || b == nil {
		return 0
	}
	return int64(a.AndCardinality(b)) //nolint:gosec // G115: at most 2^32
}

// Size is |a|.
func Size(a *Set) int64 {
	if a == nil {
		return 0
	}
	return int64(a.GetCardinality()) //nolint:gosec // G115: at most 2^32
}

// Union is the usage of several features together, over the days from first to last.
func Union(first, last Day, features []Usage) Usage {
	all := Usage{First: first, Sets: make([]*Set, max(0, int(last-first)+1))}
	for i := range all.Sets {
		var sets []*Set
		for _, f := range features {
			if set := f.On(first.Add(i)); set != nil {
				sets = append(sets, set)
			}
		}
		switch len(sets) {
		case 0:
		case 1:
			all.Sets[i] = sets[0]
		default:
			all.Sets[i] = roaring.FastOr(sets...)
		}
	}
	return all
}

// Standard says who is proficient: at least Tasks different tasks within the window, each on at least Days days.
type Standard struct {
	Tasks int // all of them when 0
	Days  int // 1 when 0
}

// Proficient is who met the standard in the window of so many days that ends with a day. Without a task there is nobody.
func Proficient(on Day, windowDays int, tasks []Usage, s Standard) *Set {
	if s.Tasks <= 0 {
		s.Tasks = max(1, len(tasks))
	}
	var done levels
	for _, task := range tasks {
		enough := task.Active(on, on, Window{Days: windowDays, Active: max(1, s.Days)})
		done = done.and(enough[0], s.Tasks)
	}
	return done.at(s.Tasks)
}
