package level

import (
	"slices"

	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// days is the grid of days that capacity is counted by, from the day of the origin on.
type days struct {
	start []calendar.Minute
	next  func(day int) calendar.Minute // the beginning of a day
}

// upTo makes the grid reach to the beginning of a day.
func (d *days) upTo(day int) {
	for len(d.start) <= day {
		d.start = append(d.start, d.next(len(d.start)))
	}
}

// ruler is a calendar as levelling sees it: working minutes in a row, numbered
// from the origin, and which of them lie on which day. Equal calendars share one,
// so that most links need no conversion.
type ruler struct {
	calendar *calendar.Calendar
	days     *days
	before   []int64 // the working minutes before each day
}

// upTo makes the ruler reach to the beginning of a day.
func (r *ruler) upTo(day int) {
	r.days.upTo(day)
	for i := len(r.before); i <= day; i++ {
		r.before = append(r.before, r.calendar.Count(r.days.start[0], r.days.start[i]))
	}
}

// of is the minute of the ruler at a moment, and moment its inverse where work
// begins; ended is the inverse where work ends.
func (r *ruler) of(m calendar.Minute) int64 { return r.calendar.Count(r.days.start[0], m) }

func (r *ruler) moment(n int64) calendar.Minute {
	return r.calendar.Begin(r.calendar.Shift(r.days.start[0], n))
}

func (r *ruler) ended(n int64) calendar.Minute { return r.calendar.Shift(r.days.start[0], n) }

// day is the day on which the n-th minute is worked; from is a day that is not later.
func (r *ruler) day(n int64, from int) int {
	for last := len(r.before) - 1; r.before[last] <= n; last = len(r.before) - 1 {
		r.upTo(2*last + 64)
	}
	for step := from; step < from+4; step++ { // most are near
		if r.before[step+1] > n {
			return step
		}
	}
	found, _ := slices.BinarySearch(r.before[from:], n+1)
	return from + found - 1
}
