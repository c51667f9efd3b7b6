package sheet

import (
	"regexp"
	"strings"
	"time"
)

// personID is what a pseudonym may be. An address is none: who is behind the
// pseudonym is known where it was made, and nowhere else.
var personID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,62}$`)

// IsPersonID says whether a text can be the id of a person.
func IsPersonID(id string) bool { return personID.MatchString(id) }

// person reads an id, or the full name of a person of the workspace.
func (f *File) person(row Row, i int, workspace string) (id string, ok bool) {
	text := row.Value(i)
	id = text
	if of, rest, full := strings.Cut(text, "/people/"); full {
		if of != workspace {
			f.Problems.Add(row.Line, f.Column(i), "OTHER_WORKSPACE", "%s is not of %s", describe(text), workspace)
			return "", false
		}
		id = rest
	}
	if !IsPersonID(id) {
		f.Problems.Add(row.Line, f.Column(i), "PERSON_INVALID",
			"%s is no pseudonym; write up to 63 letters, digits, or . _ ~ - (no address)", describe(text))
		return "", false
	}
	return id, true
}

// resourceID is the id of what people name: cohorts, sessions, applications (AIP-122).
var resourceID = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// id reads the id of a resource below the workspace, or below another parent, or its full name.
func (f *File) id(row Row, i int, parent, collection string) (id string, ok bool) {
	text := row.Value(i)
	id = strings.TrimPrefix(text, parent+"/"+collection+"/")
	if !resourceID.MatchString(id) {
		f.Problems.Add(row.Line, f.Column(i), "INVALID_RESOURCE_ID", "%s is no id of %s; write up to 63 lower-case letters, digits or -", describe(text), collection)
		return "", false
	}
	return id, true
}

// date reads YYYY-MM-DD (in UTC) or RFC 3339; an empty value is the zero time.
func (f *File) date(row Row, i int) (time.Time, bool) {
	text := row.Value(i)
	if text == "" {
		return time.Time{}, true
	}
	layout := time.RFC3339
	if len(text) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	t, err := time.Parse(layout, text)
	if err != nil || t.UnixMicro() <= 0 || t.Year() > 9999 {
		f.Problems.Add(row.Line, f.Column(i), "DATE_INVALID", "%s is no date; write YYYY-MM-DD or RFC 3339", describe(text))
		return time.Time{}, false
	}
	return t.UTC().Truncate(time.Microsecond), true
}
