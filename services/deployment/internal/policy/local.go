package policy

import (
	"time"
	_ "time/tzdata" // zones without the host's files
)

// wall is a local time without its zone: what a clock on a wall shows. It is kept as
// that time in UTC, so that its arithmetic knows no changes of clocks.
type wall struct{ time.Time }

// wallAt returns what clocks of a zone show at a moment.
func wallAt(t time.Time, zone *time.Location) wall {
	local := t.In(zone)
	return wall{time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)}
}

// instant returns the first moment at which clocks of the zone show w or later: of a time that
// exists twice the first, and for one that is skipped the moment of the jump. It never
// runs backwards: a later w has no earlier instant.
func (w wall) instant(zone *time.Location) time.Time {
	guess := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), zone)
	// The zone's rule at the guess and the ones beside it hold every moment that can show w:
	// go back to the first stretch between two changes whose clocks have not yet shown it all.
	start, _ := guess.ZoneBounds()
	for range 2 {
		if start.IsZero() {
			break
		}
		guess = start.Add(-time.Nanosecond)
		start, _ = guess.ZoneBounds()
	}
	for {
		start, end := guess.ZoneBounds()
		_, offset := guess.Zone()
		at := w.Add(-time.Duration(offset) * time.Second)
		switch {
		case !start.IsZero() && at.Before(start):
			return start // skipped by the jump at which this stretch begins
		case end.IsZero() || at.Before(end):
			return at.In(zone)
		}
		guess = end
	}
}
