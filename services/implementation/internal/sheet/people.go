package sheet

import "time"

// Person is one row of an import of people.
type Person struct {
	Line int
	// ID is the pseudonym.
	ID string
}

// People reads column person. A person may be there once.
func People(data []byte, columns map[string]string, workspace string) ([]Person, *File, error) {
	f, err := Read(data, []Field{{Name: "person", Required: true}}, columns)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Person, 0, len(f.Rows))
	seen := make(map[string]int, len(f.Rows))
	for _, row := range f.Rows {
		id, ok := f.person(row, 0, workspace)
		if ok && f.once(row, id, seen) {
			all = append(all, Person{Line: row.Line, ID: id})
		}
	}
	return all, f, nil
}

// once refuses what an earlier line is about already. What a line is about is in its first field.
func (f *File) once(row Row, key string, seen map[string]int) bool {
	if earlier, twice := seen[key]; twice {
		f.Problems.Add(row.Line, f.Column(0), "DUPLICATE_ROW", "%s is in line %d already", describe(row.Value(0)), earlier)
		return false
	}
	seen[key] = row.Line
	return true
}

// Assignment is one row of an import of enrolments.
type Assignment struct {
	Line int
	// Person is the person's id.
	Person string
	// Due is until when it should be completed; zero where the file does not say it.
	Due time.Time
}

// Assignments reads columns person and due_time. A person may be there once.
func Assignments(data []byte, columns map[string]string, workspace string) ([]Assignment, *File, error) {
	f, err := Read(data, []Field{{Name: "person", Required: true}, {Name: "due_time"}}, columns)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Assignment, 0, len(f.Rows))
	seen := make(map[string]int, len(f.Rows))
	for _, row := range f.Rows {
		id, good := f.person(row, 0, workspace)
		due, dated := f.date(row, 1)
		if good && dated && f.once(row, id, seen) {
			all = append(all, Assignment{Line: row.Line, Person: id, Due: due})
		}
	}
	return all, f, nil
}

// Account is one row of an import of accounts.
type Account struct {
	Line int
	// Person and Application are ids; the application is empty where the file has no column for it.
	Person, Application string
	// Since and Until bound it; zero is now, and open.
	Since, Until time.Time
}

// Accounts reads columns person, provision_time and revoke_time, and
// application where the request does not say it. An account may be there once.
func Accounts(data []byte, columns map[string]string, workspace string, many bool, now time.Time) ([]Account, *File, error) {
	fields := []Field{{Name: "person", Required: true}, {Name: "provision_time"}, {Name: "revoke_time"}}
	if many {
		fields = append(fields, Field{Name: "application", Required: true})
	}
	f, err := Read(data, fields, columns)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Account, 0, len(f.Rows))
	seen := make(map[string]int, len(f.Rows))
	for _, row := range f.Rows {
		a := Account{Line: row.Line}
		good := [4]bool{3: true}
		a.Person, good[0] = f.person(row, 0, workspace)
		a.Since, good[1] = f.past(row, 1, now)
		a.Until, good[2] = f.past(row, 2, now)
		if many {
			a.Application, good[3] = f.id(row, 3, workspace, "applications")
		}
		if good != [4]bool{true, true, true, true} {
			continue
		}
		if !a.Until.IsZero() && a.Until.Before(a.Since) {
			f.Problems.Add(row.Line, f.Column(2), "DATE_INVALID", "the account ends before it begins")
			continue
		}
		if f.once(row, a.Application+"/"+a.Person, seen) {
			all = append(all, a)
		}
	}
	return all, f, nil
}
