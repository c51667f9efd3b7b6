package detect

import (
	"fmt"
	"strconv"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
)

// The reasons of faults about weeks.
const (
	ReasonWeekInvalid = "WEEK_INVALID"
	ReasonWeekNotOver = "WEEK_NOT_OVER"
)

// Week is a week of ISO 8601, from Monday 00:00 to Monday 00:00 UTC: 2026-W47.
type Week struct{ year, number int }

// WeekOf is the week of a moment.
func WeekOf(t time.Time) Week {
	year, number := t.UTC().ISOWeek()
	return Week{year, number}
}

// ParseWeek reads "2026-W47"; WEEK_INVALID where there is no such week.
func ParseWeek(text string) (Week, error) {
	invalid := fault.Invalid(ReasonWeekInvalid, "%q is no week of ISO 8601; write it like 2026-W47", text)
	if len(text) != len("2026-W47") || text[4:6] != "-W" {
		return Week{}, invalid
	}
	year, err := strconv.ParseUint(text[:4], 10, 16)
	if err != nil || year == 0 {
		return Week{}, invalid
	}
	number, err := strconv.ParseUint(text[6:], 10, 8)
	if err != nil {
		return Week{}, invalid
	}
	w := Week{int(year), int(number)}
	if WeekOf(w.Start()) != w { // a week 54, or 53 in a year of 52
		return Week{}, invalid
	}
	return w, nil
}

// String is the week as ISO 8601 writes it.
func (w Week) String() string { return fmt.Sprintf("%04d-W%02d", w.year, w.number) }

// Start is its first moment.
func (w Week) Start() time.Time {
	// The fourth of January is always in the first week.
	fourth := time.Date(w.year, time.January, 4, 0, 0, 0, 0, time.UTC)
	monday := fourth.AddDate(0, 0, -(int(fourth.Weekday())+6)%7)
	return monday.AddDate(0, 0, 7*(w.number-1))
}

// End is the first moment after it.
func (w Week) End() time.Time { return w.Start().AddDate(0, 0, 7) }

// Add is the week so many weeks later.
func (w Week) Add(weeks int) Week { return WeekOf(w.Start().AddDate(0, 0, 7*weeks)) }

// Window is the week as a window of findings.
func (w Week) Window() Window {
	return Window{Name: w.String(), Before: w.Add(-1).String(), End: w.End()}
}
