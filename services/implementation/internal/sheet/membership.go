package sheet

import "time"

// Membership is one row of an import of memberships.
type Membership struct {
	Line int
	// Person is the person's id.
	Person string
	// Start and End bound the membership, the end excluded; zero is open.
	Start, End time.Time
}

// Relation is how a membership stands to others of the same person and cohort.
type Relation int

// The relations.
const (
	Fresh Relation = iota
	Known
	Overlapping
)

// Against compares a membership with those that are there.
func (m Membership) Against(others []Membership) Relation {
	r, _ := m.against(others)
	return r
}

func (m Membership) against(others []Membership) (Relation, Membership) {
	for _, o := range others {
		if m.Start.Equal(o.Start) && m.End.Equal(o.End) {
			return Known, o
		}
		if (m.End.IsZero() || o.Start.Before(m.End)) && (o.End.IsZero() || m.Start.Before(o.End)) {
			return Overlapping, o
		}
	}
	return Fresh, Membership{}
}

// Memberships reads columns person, start_date and end_date. Names of people
// must lie in the workspace. Overlaps inside of the file are found here.
func Memberships(data []byte, columns map[string]string, workspace string) ([]Membership, *File, error) {
	f, err := Read(data, []Field{{Name: "person", Required: true}, {Name: "start_date"}, {Name: "end_date"}}, columns)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Membership, 0, len(f.Rows))
	seen := make(map[string][]Membership, len(f.Rows))
	for _, row := range f.Rows {
		m := Membership{Line: row.Line}
		var good [3]bool
		m.Person, good[0] = f.person(row, 0, workspace)
		m.Start, good[1] = f.date(row, 1)
		m.End, good[2] = f.date(row, 2)
		if good != [3]bool{true, true, true} {
			continue
		}
		if !m.End.IsZero() && !m.End.After(m.Start) {
			f.Problems.Add(m.Line, f.Column(2), "DATE_INVALID", "the membership ends before it begins")
			continue
		}
		if f.overlaps(m, seen[m.Person]) {
			continue
		}
		seen[m.Person] = append(seen[m.Person], m)
		all = append(all, m)
	}
	return all, f, nil
}

func (f *File) overlaps(m Membership, others []Membership) bool {
	relation, other := m.against(others)
	switch relation {
	case Known:
		f.Problems.Add(m.Line, "", "DUPLICATE_ROW", "the row says the same as line %d", other.Line)
	case Overlapping:
		f.Problems.Add(m.Line, "", "MEMBERSHIP_OVERLAPS", "the membership overlaps the one in line %d", other.Line)
	default:
		return false
	}
	return true
}
