// Package adoption counts who uses the new way of working, and says how that may go on.
//
// Everything is a set of people, as a roaring bitmap over ordinals, on a [Day]:
//
//	E(t)     eligible: members on day t, less those who opted out      group.go
//	A(t, w)  active: distinct people with at least d active days
//	         in the w days that end with t                             window.go
//	adoption = |A ∩ E| / |E|, exact: a census has no interval          window.go
//	utilisation: its plateau                                           utilisation.go
//	proficiency: who of A ∩ E does the tasks                           window.go
//	speed: Kaplan-Meier median of days to the first active day         speed.go
//	diffusion: Bass by nonlinear least squares, with a band            bass.go, fit.go, forecast.go
//
// What may be told of it is decided by [Family]: of groups that are too small nothing is, and
// the groups that numbers were ever told about differ by nobody or by enough people, so that
// none who is alone follows from taking one number from another.
//
// The package is pure: no clock, no randomness without a seed, nothing is read or written. It
// never changes a set that it is given.
package adoption

import (
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
)

// SmallestGroup is how many people a group must have for anything to be told about it, and by how
// many people two groups must differ.
const SmallestGroup = 10

// Set is a set of people, by ordinal. Nil is the empty one.
type Set = roaring.Bitmap

// Day is a day in UTC, counted from 1970-01-01.
type Day int32

const secondsOfDay = 24 * 60 * 60

// DayOf is the day of a moment, in UTC.
func DayOf(t time.Time) Day {
	seconds := t.Unix()
	day := seconds / secondsOfDay
	if seconds%secondsOfDay < 0 {
		day--
	}
	return Day(day) //nolint:gosec // G115: five million years
}

// ParseDay reads `2026-03-02`.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("day %q is not YYYY-MM-DD: %w", s, err)
	}
	return DayOf(t), nil
}

// Time is the first moment of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*secondsOfDay, 0).UTC() }

// Add is the day some days later.
func (d Day) Add(days int) Day { return d + Day(days) } //nolint:gosec // G115: some years

// String writes `2026-03-02`.
func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// Window says who is active: on at least Active of Days days. Use [Window.OrDefault] to fill in what is not said.
type Window struct {
	Days   int
	Active int
}

// OrDefault is the window with 28 days and 2 of them where it says nothing.
func (w Window) OrDefault() Window {
	if w.Days <= 0 {
		w.Days = 28
	}
	if w.Active <= 0 {
		w.Active = 2
	}
	w.Active = min(w.Active, w.Days)
	return w
}
