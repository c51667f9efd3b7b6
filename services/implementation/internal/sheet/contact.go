package sheet

import (
	"strings"

	"golang.org/x/text/language"

	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

// Contact is one row of an import of contacts.
type Contact struct {
	Line int
	// Person is the person's id.
	Person string
	// Email is the address, Language a BCP 47 tag or empty.
	Email, Language string
}

// Contacts reads columns person, email and language. No problem repeats a value: a column that was taken for another may hold addresses.
func Contacts(data []byte, columns map[string]string, workspace string) ([]Contact, *File, error) {
	f, err := Read(data, []Field{{Name: "person", Required: true}, {Name: "email", Required: true}, {Name: "language"}}, columns)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Contact, 0, len(f.Rows))
	seen := make(map[string]int, len(f.Rows))
	for _, row := range f.Rows {
		c := Contact{Line: row.Line, Person: strings.TrimPrefix(row.Value(0), workspace+"/people/")}
		var address, tag bool
		c.Email, address = mail.Address(row.Value(1))
		c.Language, tag = Language(row.Value(2))
		switch {
		case !IsPersonID(c.Person):
			f.Problems.Add(row.Line, f.Column(0), "PERSON_INVALID", "the value is no pseudonym of %s; write up to 63 letters, digits, or . _ ~ - (no address)", workspace)
		case !address:
			f.Problems.Add(row.Line, f.Column(1), "ADDRESS_INVALID", "the value is no address; write one like ada@example.com, without a name")
		case !tag:
			f.Problems.Add(row.Line, f.Column(2), "LANGUAGE_INVALID", "the value is no language tag; write one like de or pt-BR")
		case seen[c.Person] != 0:
			f.Problems.Add(row.Line, f.Column(0), "DUPLICATE_ROW", "the person is in line %d already", seen[c.Person])
		default:
			seen[c.Person] = row.Line
			all = append(all, c)
		}
	}
	return all, f, nil
}

// Language reads a BCP 47 tag, which may be empty.
func Language(text string) (tag string, ok bool) {
	if text == "" {
		return "", true
	}
	t, err := language.Parse(text)
	return t.String(), err == nil
}
