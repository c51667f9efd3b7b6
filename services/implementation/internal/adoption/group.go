package adoption

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Span is a time in which somebody belongs to a group, from the day Start until the day before End; 0 is no end.
type Span struct {
	Ordinal    uint32
	Start, End Day
}

// Composition is who a group consists of, from a day on until the next composition begins.
type Composition struct {
	From   Day
	People *Set // nil where nothing may be told
}

// Compositions are who belongs to a group from first to last: one for each day on which that changes, and
// one for the first.
func Compositions(first, last Day, spans []Span) []Composition {
	type change struct {
		day     Day
		ordinal uint32
		joins   bool
	}
	var begin []uint32
	var changes []change
	for _, s := range spans {
		if s.End != 0 && s.End <= max(first, s.Start) || s.Start > last {
			continue
		}
		if s.Start <= first {
			begin = append(begin, s.Ordinal)
		} else {
			changes = append(changes, change{day: s.Start, ordinal: s.Ordinal, joins: true})
		}
		if s.End != 0 && s.End <= last {
			changes = append(changes, change{day: s.End, ordinal: s.Ordinal})
		}
	}
	// Who leaves and comes back on one day has not left.
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.day, b.day), boolean(a.joins)-boolean(b.joins)) })
	slices.Sort(begin)
	people := roaring.New()
	people.AddMany(begin)
	all := []Composition{{From: first, People: people}}
	for i, c := range changes {
		if i == 0 || changes[i-1].day != c.day {
			people = people.Clone()
			all = append(all, Composition{From: c.day, People: people})
		}
		if c.joins {
			people.Add(c.ordinal)
		} else {
			people.Remove(c.ordinal)
		}
	}
	for _, c := range all {
		c.People.RunOptimize() // who was imported together has ordinals in a row, and is counted much faster
	}
	return all
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Less takes the people of one group out of another, day by day. Both begin on the same day.
func Less(all, out []Composition) []Composition {
	var rest []Composition
	for i, j := 0, 0; i < len(all) && j < len(out); {
		c := Composition{From: max(all[i].From, out[j].From), People: all[i].People}
		if !out[j].People.IsEmpty() {
			c.People = roaring.AndNot(all[i].People, out[j].People)
			c.People.RunOptimize()
		}
		if len(rest) == 0 || !same(rest[len(rest)-1].People, c.People) {
			rest = append(rest, c)
		}
		nextAll, nextOut := from(all, i+1), from(out, j+1)
		if nextAll <= nextOut {
			i++
		}
		if nextOut <= nextAll {
			j++
		}
	}
	return rest
}

// from is the first day of the i-th composition; beyond all days where there is none.
func from(all []Composition, i int) Day {
	if i < len(all) {
		return all[i].From
	}
	return 1<<31 - 1
}

// At is the composition in force on a day; one of nobody before the first.
func At(all []Composition, d Day) Composition {
	i, found := slices.BinarySearchFunc(all, d, func(c Composition, d Day) int { return cmp.Compare(c.From, d) })
	if !found {
		i--
	}
	if i < 0 {
		return Composition{}
	}
	return all[i]
}

// same tells whether two sets are equal; where nothing may be told is not the same as nobody.
func same(a, b *Set) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a == b || a.Equals(b)
}

// Family is the groups of a workspace that numbers were ever told about. Any two of them differ by nobody, or by
// at least smallest people, and none is smaller than that.
type Family struct {
	smallest int64
	members  []member
}

type member struct {
	subject string
	people  *Set
	size    int64
}

// NewFamily is a family without members yet.
func NewFamily(smallest int64) *Family { return &Family{smallest: smallest} }

// Add takes a group in that numbers were told about before.
func (f *Family) Add(subject string, people *Set) {
	f.members = append(f.members, member{subject: subject, people: people, size: Size(people)})
}

// Admits tells whether numbers may be told about a group: it is large enough, and differs from all before by nobody or by enough.
func (f *Family) Admits(people *Set) bool {
	size := Size(people)
	if size < f.smallest {
		return false
	}
	return !slices.ContainsFunc(f.members, func(m member) bool {
		if max(m.size-size, size-m.size) >= f.smallest {
			return false // they differ by no less
		}
		d := m.distance(people, size)
		return d > 0 && d < f.smallest
	})
}

// distance is how many people are in one of the two groups only.
func (m member) distance(people *Set, size int64) int64 {
	if m.people == people {
		return 0
	}
	return m.size + size - 2*Count(m.people, people)
}

// Publish gives each composition of a subject the group that numbers may be told about: the composition itself, or
// the nearest of what was told of the subject before, or none. Groups that were not told about before are added to the
// family and returned, to be kept.
func (f *Family) Publish(subject string, fresh []Composition) (shown []Composition, released []*Set) {
	for _, c := range fresh {
		people := c.People
		switch {
		case Size(people) < f.smallest:
			people = nil
		case f.told(subject, people):
		case f.Admits(people):
			f.Add(subject, people)
			released = append(released, people)
		default:
			people = f.nearest(subject, people)
		}
		if len(shown) == 0 || !same(shown[len(shown)-1].People, people) {
			shown = append(shown, Composition{From: c.From, People: people})
		}
	}
	return shown, released
}

// told tells whether numbers of the subject were told about just this group before.
func (f *Family) told(subject string, people *Set) bool {
	size := Size(people)
	return slices.ContainsFunc(f.members, func(m member) bool {
		return m.subject == subject && m.size == size && same(m.people, people)
	})
}

// nearest is the group told of the subject before that differs least from another; nil where there is none.
func (f *Family) nearest(subject string, people *Set) *Set {
	var best *Set
	least, size := int64(-1), Size(people)
	for _, m := range f.members {
		if m.subject != subject {
			continue
		}
		if d := m.distance(people, size); least < 0 || d < least {
			best, least = m.people, d
		}
	}
	return best
}

// Together is the group of several groups, each person once; nil where the people who are in more than one of them are too few: their
// number among the active would follow from the parts and the whole.
func (f *Family) Together(groups []*Set) *Set {
	union, several := roaring.New(), roaring.New()
	for _, g := range groups {
		if g != nil {
			several.Or(roaring.And(union, g))
			union.Or(g)
		}
	}
	if n := Size(several); n > 0 && n < f.smallest {
		return nil
	}
	return union
}

// PublishTotal is the group of all cohorts together, day by day; none where it may not be told about. A total never
// falls back on what was told before: beside parts that are newer it would tell of those who joined since.
func (f *Family) PublishTotal(subject string, parts [][]Composition) (shown []Composition, released []*Set) {
	var days []Day
	for _, part := range parts {
		for _, c := range part {
			days = append(days, c.From)
		}
	}
	slices.Sort(days)
	for _, day := range slices.Compact(days) {
		groups := make([]*Set, len(parts))
		for i, part := range parts {
			groups[i] = At(part, day).People
		}
		people := f.Together(groups)
		switch {
		case people == nil || Size(people) < f.smallest:
			people = nil
		case f.told(subject, people):
		case f.Admits(people):
			f.Add(subject, people)
			released = append(released, people)
		default:
			people = nil
		}
		if len(shown) == 0 || !same(shown[len(shown)-1].People, people) {
			shown = append(shown, Composition{From: day, People: people})
		}
	}
	return shown, released
}
