package weekly

import (
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
)

// Week is a week of ISO 8601 in a time zone.
type Week struct{ Start, End time.Time }

// WeekOf is the week that a moment is in, where the clock is that of zone.
func WeekOf(t time.Time, zone *time.Location) Week {
	t = t.In(zone)
	monday := time.Date(t.Year(), t.Month(), t.Day()-(int(t.Weekday())+6)%7, 0, 0, 0, 0, zone)
	return Week{Start: monday, End: monday.AddDate(0, 0, 7)}
}

// ParseWeek reads `2026-W12`; the week of now where it is empty. What lies ahead has no report.
func ParseWeek(name string, now time.Time, zone *time.Location) (Week, error) {
	current := WeekOf(now, zone)
	if name == "" {
		return current, nil
	}
	var year, number int
	if _, err := fmt.Sscanf(name, "%d-W%d", &year, &number); err != nil {
		return Week{}, notAWeek(name)
	}
	first := WeekOf(time.Date(year, 1, 4, 12, 0, 0, 0, zone), zone) // the week with 4 January is the first
	start := first.Start.AddDate(0, 0, 7*(number-1))
	week := Week{Start: start, End: start.AddDate(0, 0, 7)}
	if week.String() != name {
		return Week{}, notAWeek(name)
	}
	if week.Start.After(now) {
		return Week{}, fault.Invalid("WEEK_AHEAD", "week %s has not begun; this week is %s", name, current).Field("week", "must not lie ahead")
	}
	return week, nil
}

func notAWeek(name string) error {
	return fault.Invalid("INVALID_FIELD", "week %q is none of ISO 8601; write it as 2026-W12", name).Field("week", "must be a week as YYYY-Www")
}

// String is the week as ISO 8601 writes it.
func (w Week) String() string {
	year, number := w.Start.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, number)
}

// Has says whether a moment is in the week.
func (w Week) Has(t time.Time) bool { return !t.Before(w.Start) && t.Before(w.End) }

// Next is the week after it.
func (w Week) Next() Week { return Week{Start: w.End, End: w.End.AddDate(0, 0, 7)} }

func (w Week) zone() *time.Location { return w.Start.Location() }
