package sheet

import (
	"strconv"
	"time"
)

// Session is one row of an import of sessions.
type Session struct {
	Line int
	// ID is the session's.
	ID string
	// Start and End bound it.
	Start, End time.Time
	Place      string
	// Seats is 0 where the file does not say it.
	Seats int32
	// Trainer is the id of a resource, or empty.
	Trainer string
}

// The columns of sessions, by their place among the fields.
const (
	sessionID = iota
	sessionStart
	sessionEnd
	sessionPlace
	sessionSeats
	sessionTrainer
)

// Sessions reads columns session, start_time, end_time, place, seats and trainer. A session may be there once.
func Sessions(data []byte, columns map[string]string, training, workspace string) ([]Session, *File, error) {
	f, err := Read(data, []Field{
		sessionID: {Name: "session", Required: true}, sessionStart: {Name: "start_time", Required: true}, sessionEnd: {Name: "end_time", Required: true},
		sessionPlace: {Name: "place"}, sessionSeats: {Name: "seats"}, sessionTrainer: {Name: "trainer"},
	}, columns)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Session, 0, len(f.Rows))
	seen := make(map[string]int, len(f.Rows))
	for _, row := range f.Rows {
		s := Session{Line: row.Line}
		good := [6]bool{sessionTrainer: true}
		s.ID, good[sessionID] = f.id(row, sessionID, training, "sessions")
		s.Start, good[sessionStart] = f.date(row, sessionStart)
		s.End, good[sessionEnd] = f.date(row, sessionEnd)
		s.Place, good[sessionPlace] = f.text(row, sessionPlace, 500)
		s.Seats, good[sessionSeats] = f.seats(row, sessionSeats)
		if row.Value(sessionTrainer) != "" {
			s.Trainer, good[sessionTrainer] = f.id(row, sessionTrainer, workspace, "resources")
		}
		if good != [6]bool{true, true, true, true, true, true} {
			continue
		}
		if f.once(row, s.ID, seen) {
			all = append(all, s)
		}
	}
	return all, f, nil
}

// text reads a text of a bounded length.
func (f *File) text(row Row, i, most int) (string, bool) {
	text := row.Value(i)
	if len(text) > most {
		f.Problems.Add(row.Line, f.Column(i), "VALUE_TOO_LONG", "%s is longer than %d bytes", describe(text), most)
		return "", false
	}
	return text, true
}

func (f *File) seats(row Row, i int) (int32, bool) {
	text := row.Value(i)
	if text == "" {
		return 0, true
	}
	const most = 100_000
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 || n > most {
		f.Problems.Add(row.Line, f.Column(i), "SEATS_INVALID", "%s is no number of seats; write one from 1 to %d", describe(text), most)
		return 0, false
	}
	return int32(n), true
}
