// Package calendar counts working minutes: how many lie between two moments, and
// which moment is so many of them after another.
//
// A calendar is a line of time in segments. Within a segment every week is
// like the other, so that its minutes are counted by a division; the segments carry how
// many minutes were worked before them, so that a question is two binary searches
// however far the moments are apart, and nothing is ever walked day by day:
//
//	week + exceptions (wall clock) ──zone──▶ segments (UTC) ──absences, Intersect──▶ segments
//
// Everything rests on one function, worked(t), the minutes worked before t. It never
// falls, and its two inverses give the earliest and the latest moment with so many minutes behind
// it: Friday 17:00 and Monday 09:00 have the same ones behind them. Work ends at the
// earliest, and begins at the latest.
//
// A minute counts when it exists on the wall clock: a shift over the night in which the
// clock goes back is an hour longer, one over the night in which it goes forward an hour shorter.
// Clock changes are known from 1990 to 2110; before and after, the first and the last offset stay.
package calendar

import (
	"slices"
	"sort"
	"time"
	_ "time/tzdata" // zones without the host's files

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// ReasonImpossible says that from some moment on no minute is worked any more.
const ReasonImpossible = "CALENDAR_IMPOSSIBLE"

// Minute is a moment, in minutes since 1970-01-01 00:00 UTC.
type Minute int64

// MinuteOf is the minute that a moment lies in.
func MinuteOf(t time.Time) Minute {
	return Minute(floorDiv(t.Unix(), 60))
}

// MinuteAfter is the first minute that does not begin before the moment.
func MinuteAfter(t time.Time) Minute {
	m := MinuteOf(t)
	if m.Time().Before(t) {
		m++
	}
	return m
}

// Time is the moment, in UTC.
func (m Minute) Time() time.Time { return time.Unix(int64(m)*60, 0).UTC() }

// Span is from a moment to before another.
type Span struct{ Start, End time.Time }

// Calendar knows which minutes are worked. It never changes, and any number of goroutines may ask it.
type Calendar struct {
	line []segment
	from []Minute // where each segment begins; the first one begins before all time
	cum  []int64  // the minutes worked before it
	base []int64  // what the count of its pattern is off by
}

// New builds the calendar of a message; nil is Monday to Friday from 09:00 to 17:00 UTC.
func New(c *implementationv1.Calendar) (*Calendar, error) {
	wall, err := wallLine(c)
	if err != nil {
		return nil, err
	}
	loc, err := location(c.GetTimeZone())
	if err != nil {
		return nil, err
	}
	return seal(inZone(wall, loc), "the calendar has no working time")
}

// Intersect is the calendar of what all have to work on together.
func Intersect(all ...*Calendar) (*Calendar, error) {
	if len(all) == 0 {
		return New(nil)
	}
	line := all[0].line
	for _, c := range all[1:] {
		if c != all[0] {
			line = combine(line, c.line, intersection())
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return seal(line, "they never work at the same time")
}

// Without is the calendar less some absences, which may overlap.
func (c *Calendar) Without(spans ...Span) (*Calendar, error) {
	if len(spans) == 0 {
		return c, nil
	}
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, func(a, b Span) int { return a.Start.Compare(b.Start) })
	never, always := newWeek(nil), newWeek([]span{{0, minutesOfWeek}})
	away := []segment{{from: beginning, week: always}}
	end := beginning
	for _, s := range sorted {
		from, to := MinuteOf(s.Start), MinuteAfter(s.End)
		if !s.Start.Before(s.End) {
			return nil, fault.Invalid("CALENDAR_SPAN", "an absence ends at %s, before it begins at %s; give an end after the start",
				s.End.UTC().Format(time.RFC3339), s.Start.UTC().Format(time.RFC3339))
		}
		if to <= end {
			continue
		}
		if from > end {
			away = append(away, segment{from: from, week: never})
		} else {
			away = away[:len(away)-1] // it goes on where the one before ends
		}
		away = append(away, segment{from: to, week: always})
		end = to
	}
	return seal(combine(c.line, away, intersection()), "the absences leave no working time")
}

// Add is the moment with so many working minutes between it and t: the earliest one,
// where work ends, for more than 0; the latest one, where work begins, for less; t itself for 0.
func (c *Calendar) Add(t time.Time, minutes int64) time.Time {
	if minutes == 0 {
		return t
	}
	return c.Shift(MinuteOf(t), minutes).Time()
}

// Shift is Add, in minutes.
func (c *Calendar) Shift(m Minute, minutes int64) Minute {
	switch {
	case minutes > 0:
		return c.earliest(c.worked(m) + minutes)
	case minutes < 0:
		return c.latest(c.worked(m) + minutes)
	default:
		return m
	}
}

// Between is how many minutes are worked from a to before b; negative where b is before a.
func (c *Calendar) Between(a, b time.Time) int64 { return c.Count(MinuteOf(a), MinuteOf(b)) }

// Count is Between, in minutes.
func (c *Calendar) Count(a, b Minute) int64 { return c.worked(b) - c.worked(a) }

// Next is when work goes on: t, or the next moment at which a worked minute begins.
func (c *Calendar) Next(t time.Time) time.Time { return c.Begin(MinuteAfter(t)).Time() }

// Begin is Next, in minutes.
func (c *Calendar) Begin(m Minute) Minute { return c.latest(c.worked(m)) }

// Previous is when work was last done: t, or the moment before it at which a worked minute ends.
func (c *Calendar) Previous(t time.Time) time.Time { return c.End(MinuteOf(t)).Time() }

// End is Previous, in minutes.
func (c *Calendar) End(m Minute) Minute { return c.earliest(c.worked(m)) }

// worked is how many minutes are worked before m, from a beginning of its own.
func (c *Calendar) worked(m Minute) int64 {
	i := c.at(m)
	return c.base[i] + c.line[i].week.count(m)
}

// at is the segment that a minute lies in.
func (c *Calendar) at(m Minute) int {
	lo, hi := 1, len(c.from)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); c.from[mid] <= m {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// earliest is the first moment with n minutes worked before it.
func (c *Calendar) earliest(n int64) Minute {
	i := sort.Search(len(c.cum)-1, func(i int) bool { return c.cum[i+1] >= n })
	return c.line[i].week.earliest(n - c.base[i])
}

// latest is the last moment with n minutes worked before it.
func (c *Calendar) latest(n int64) Minute {
	i := sort.Search(len(c.cum)-1, func(i int) bool { return c.cum[i+1] > n })
	return c.line[i].week.latest(n - c.base[i])
}

// seal counts what is worked before each segment, and refuses a line on which work ends for good.
func seal(line []segment, why string) (*Calendar, error) {
	line = slices.Clone(line)
	if err := evergreen(line, why); err != nil {
		return nil, err
	}
	c := &Calendar{line: line, from: make([]Minute, len(line)), cum: make([]int64, len(line)), base: make([]int64, len(line))}
	for i, s := range line {
		c.from[i] = s.from
		if i > 0 {
			c.cum[i] = c.base[i-1] + line[i-1].week.count(s.from)
			c.base[i] = c.cum[i] - s.week.count(s.from)
		}
	}
	return c, nil
}

// evergreen sees to it that a line has work at both of its ends. People of two zones may meet in one half of
// the year only: where the last known clock change ended that half, the one before it goes on.
func evergreen(line []segment, why string) error {
	const century = 100 * 365 * minutesOfDay
	first, last := slices.IndexFunc(line, working), len(line)-1
	for last >= 0 && !working(line[last]) {
		last--
	}
	impossible := first < 0 ||
		first > 0 && line[first].from > firstChange+century/100 ||
		last < len(line)-1 && line[last+1].from < lastChange-century/100
	idle := Minute(0)
	for i := 1; i < len(line)-1 && !impossible; i++ {
		if working(line[i]) {
			idle = 0
			continue
		}
		idle += line[i+1].from - line[i].from
		impossible = idle > century
	}
	if impossible {
		return fault.Invalid(ReasonImpossible, "%s; give hours that come again", why)
	}
	line[0].week, line[len(line)-1].week = line[first].week, line[last].week
	return nil
}

func working(s segment) bool { return s.week.total > 0 }
