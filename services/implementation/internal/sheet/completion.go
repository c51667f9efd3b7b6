package sheet

import (
	"strconv"
	"time"
)

// Completion is one row of an import of completions.
type Completion struct {
	Line int
	// Person is the person's id.
	Person string
	// Time is when it was completed; zero is now.
	Time time.Time
	// Score is the result of an assessment, nil where there was none.
	Score *float64
}

// Completions reads columns person, complete_time and score. A person may be
// there once. Where there is a column state, as in what is exported, rows of
// people who have completed nothing are passed over.
func Completions(data []byte, columns map[string]string, workspace string, now time.Time) ([]Completion, *File, error) {
	f, err := Read(data, []Field{{Name: "person", Required: true}, {Name: "complete_time"}, {Name: "score"}, {Name: "state"}}, columns)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Completion, 0, len(f.Rows))
	seen := make(map[string]int, len(f.Rows))
	for _, row := range f.Rows {
		if state := row.Value(3); state != "" && state != "COMPLETED" && state != "EXPIRED" {
			continue
		}
		c := Completion{Line: row.Line}
		var good [3]bool
		c.Person, good[0] = f.person(row, 0, workspace)
		c.Time, good[1] = f.past(row, 1, now)
		c.Score, good[2] = f.score(row, 2)
		if good != [3]bool{true, true, true} {
			continue
		}
		if earlier, twice := seen[c.Person]; twice {
			f.Problems.Add(c.Line, f.Column(0), "DUPLICATE_ROW", "the person is in line %d already", earlier)
			continue
		}
		seen[c.Person] = c.Line
		all = append(all, c)
	}
	return all, f, nil
}

// past reads a moment that has been. A bare date is the beginning of that day
// in UTC, and may be tomorrow's: it is in the east by now.
func (f *File) past(row Row, i int, now time.Time) (time.Time, bool) {
	t, ok := f.date(row, i)
	if !ok || t.IsZero() {
		return t, ok
	}
	t, ok = NotInFuture(t, now, len(row.Value(i)) == len(time.DateOnly))
	if !ok {
		f.Problems.Add(row.Line, f.Column(i), "TIME_IN_FUTURE", "%s lies in the future", describe(row.Value(i)))
	}
	return t, ok
}

// NotInFuture lets a clock be a minute ahead, and a date as far as the earth is
// wide, and brings both back to now.
func NotInFuture(t, now time.Time, dateOnly bool) (time.Time, bool) {
	ahead := time.Minute
	if dateOnly {
		ahead = 14 * time.Hour
	}
	switch {
	case !t.After(now):
		return t, true
	case t.Sub(now) <= ahead:
		return now, true
	default:
		return t, false
	}
}

func (f *File) score(row Row, i int) (*float64, bool) {
	text := row.Value(i)
	if text == "" {
		return nil, true
	}
	score, err := strconv.ParseFloat(text, 64)
	if err != nil || !(score >= 0 && score <= 1) {
		f.Problems.Add(row.Line, f.Column(i), "SCORE_INVALID", "%s is no score; write a number from 0 to 1, such as 0.85", describe(text))
		return nil, false
	}
	return &score, true
}
