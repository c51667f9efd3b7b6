package sheet

import (
	"strings"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Membership is one row of an import of memberships.
type Membership struct {
	Line int
	// Name is the membership's, of one that is there.
	Name string
	// Cohort is the cohort's id, where the file says it.
	Cohort string
	// Person is the person's id.
	Person string
	// Role is 0 where the file does not say it.
	Role implementationv1.Membership_Role
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
	// Changed is known in another role.
	Changed
)

// Against compares a membership with those that are there.
func (m Membership) Against(others []Membership) (Relation, Membership) {
	return m.against(others)
}

func (m Membership) against(others []Membership) (Relation, Membership) {
	for _, o := range others {
		if m.Start.Equal(o.Start) && m.End.Equal(o.End) {
			if m.Role != 0 && m.Role != max(o.Role, implementationv1.Membership_MEMBER) {
				return Changed, o
			}
			return Known, o
		}
		if (m.End.IsZero() || o.Start.Before(m.End)) && (o.End.IsZero() || m.Start.Before(o.End)) {
			return Overlapping, o
		}
	}
	return Fresh, Membership{}
}

// The columns of memberships, by their place among the fields.
const (
	memberPerson = iota
	memberStart
	memberEnd
	memberRole
	memberCohort
)

// Memberships reads columns person, start_date, end_date and role, and cohort
// where the file is of many. Names of people and cohorts must lie in the
// workspace. Overlaps inside of the file are found here.
func Memberships(data []byte, columns map[string]string, workspace string, many bool) ([]Membership, *File, error) {
	fields := []Field{{Name: "person", Required: true}, {Name: "start_date"}, {Name: "end_date"}, {Name: "role"}}
	if many {
		fields = append(fields, Field{Name: "cohort", Required: true})
	}
	f, err := Read(data, fields, columns)
	if err != nil {
		return nil, nil, err
	}
	type of struct{ cohort, person string }
	all := make([]Membership, 0, len(f.Rows))
	seen := make(map[of][]Membership, len(f.Rows))
	for _, row := range f.Rows {
		m, ok := f.membership(row, workspace, many)
		if !ok {
			continue
		}
		who := of{m.Cohort, m.Person}
		if f.overlaps(m, seen[who]) {
			continue
		}
		seen[who] = append(seen[who], m)
		all = append(all, m)
	}
	return all, f, nil
}

func (f *File) membership(row Row, workspace string, many bool) (Membership, bool) {
	m := Membership{Line: row.Line}
	var good [5]bool
	m.Person, good[memberPerson] = f.person(row, memberPerson, workspace)
	m.Start, good[memberStart] = f.date(row, memberStart)
	m.End, good[memberEnd] = f.date(row, memberEnd)
	m.Role, good[memberRole] = f.role(row, memberRole)
	good[memberCohort] = true
	if many {
		m.Cohort, good[memberCohort] = f.id(row, memberCohort, workspace, "cohorts")
	}
	if good != [5]bool{true, true, true, true, true} {
		return m, false
	}
	if !m.End.IsZero() && !m.End.After(m.Start) {
		f.Problems.Add(m.Line, f.Column(memberEnd), "DATE_INVALID", "the membership ends before it begins")
		return m, false
	}
	return m, true
}

// role reads MEMBER or SUPER_USER, however it is written: "Super user", "super-user".
func (f *File) role(row Row, i int) (implementationv1.Membership_Role, bool) {
	text := row.Value(i)
	if text == "" {
		return 0, true
	}
	number, ok := implementationv1.Membership_Role_value[strings.ToUpper(normal(text))]
	if !ok || number == 0 {
		f.Problems.Add(row.Line, f.Column(i), "ROLE_INVALID", "%s is no role; write MEMBER or SUPER_USER", describe(text))
		return 0, false
	}
	return implementationv1.Membership_Role(number), true
}

func (f *File) overlaps(m Membership, others []Membership) bool {
	relation, other := m.against(others)
	switch relation {
	case Known, Changed:
		f.Problems.Add(m.Line, "", "DUPLICATE_ROW", "the row is of the same time as line %d", other.Line)
	case Overlapping:
		f.Problems.Add(m.Line, "", "MEMBERSHIP_OVERLAPS", "the membership overlaps the one in line %d", other.Line)
	default:
		return false
	}
	return true
}
