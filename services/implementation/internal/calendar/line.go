package calendar

import (
	"math"
	"slices"
	"sort"
	"time"
)

// beginning is before all time, far from where sums overflow.
const beginning Minute = math.MinInt64 / 8

// Clock changes are read from firstChange to lastChange.
const (
	firstChange Minute = 20 * 365 * 24 * 60
	lastChange  Minute = 140 * 365 * 24 * 60
)

// segment is a time in which all weeks are alike; it ends where the next one begins.
type segment struct {
	from Minute
	week *week
}

// combine lays one line over another.
func combine(a, b []segment, join func(a, b *week) *week) []segment {
	out := make([]segment, 0, len(a)+len(b))
	for i, j := 0, 0; ; {
		out = push(out, segment{max(a[i].from, b[j].from), join(a[i].week, b[j].week)})
		switch {
		case i+1 < len(a) && j+1 < len(b) && a[i+1].from == b[j+1].from:
			i, j = i+1, j+1
		case i+1 < len(a) && (j+1 == len(b) || a[i+1].from < b[j+1].from):
			i++
		case j+1 < len(b):
			j++
		default:
			return out
		}
	}
}

// push appends a segment unless it goes on as the one before.
func push(line []segment, s segment) []segment {
	if n := len(line); n > 0 && line[n-1].week == s.week {
		return line
	}
	return append(line, s)
}

// intersection joins weeks to what both work, and answers the same pair with the same week.
func intersection() func(a, b *week) *week {
	type pair struct{ a, b *week }
	known := map[pair]*week{}
	return func(a, b *week) *week {
		switch {
		case a == b || a.total == 0 || b.total == minutesOfWeek:
			return a
		case b.total == 0 || a.total == minutesOfWeek:
			return b
		}
		w, ok := known[pair{a, b}]
		if !ok {
			w = a.intersect(b)
			known[pair{a, b}] = w
		}
		return w
	}
}

// overlay gives [from, to) of a line another week.
func overlay(line []segment, from, to Minute, w *week) []segment {
	i := indexAt(line, from)
	j := indexAt(line, to)
	over := []segment{{from, w}, {to, line[j].week}}
	if line[i].from < from {
		i++
	}
	return slices.Replace(line, i, j+1, over...)
}

// indexAt is the segment of a line that a minute lies in.
func indexAt(line []segment, m Minute) int {
	return sort.Search(len(line)-1, func(i int) bool { return line[i+1].from > m })
}

// inZone takes a line from the wall clock of a place to UTC. A wall minute that
// the place skips appears nowhere, one that it repeats appears twice.
func inZone(wall []segment, loc *time.Location) []segment {
	type turned struct {
		week   *week
		offset int64
	}
	known := map[turned]*week{}
	var out []segment
	for from := firstChange; ; {
		at := from.Time().In(loc)
		_, seconds := at.Zone()
		_, change := at.ZoneBounds()
		offset, to, last := Minute(floorDiv(int64(seconds), 60)), MinuteOf(change), false
		if change.IsZero() || to >= lastChange {
			to, last = -beginning, true
		}
		to = max(to, from+minutesOfDay) // the bounds that the library answers for computed years may not move on
		start := from
		if len(out) == 0 {
			start = beginning
		}
		for _, s := range wall[indexAt(wall, start+offset):] {
			if s.from-offset >= to {
				break
			}
			key := turned{s.week, int64(offset)}
			if known[key] == nil {
				known[key] = s.week.rotate(int64(offset))
			}
			out = push(out, segment{max(start, s.from-offset), known[key]})
		}
		if last {
			return out
		}
		from = to
	}
}
