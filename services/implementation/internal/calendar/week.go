package calendar

import "slices"

const minutesOfWeek = 7 * 24 * 60

// span is some minutes of a week, which begins on Thursday 00:00 as the epoch does.
type span struct{ start, end int64 }

// week is what is worked in every week of a segment.
type week struct {
	spans  []span  // sorted, apart from each other
	before []int64 // the minutes worked in the week before each span
	total  int64
}

// newWeek sorts spans and joins those that touch.
func newWeek(spans []span) *week {
	slices.SortFunc(spans, func(a, b span) int { return int(a.start - b.start) })
	w := &week{}
	for _, s := range spans {
		if n := len(w.spans); n > 0 && s.start <= w.spans[n-1].end {
			w.spans[n-1].end = max(w.spans[n-1].end, s.end)
		} else if s.start < s.end {
			w.spans = append(w.spans, s)
		}
	}
	for _, s := range w.spans {
		w.before = append(w.before, w.total)
		w.total += s.end - s.start
	}
	return w
}

// count is how many minutes are worked before m, from the epoch on.
func (w *week) count(m Minute) int64 {
	weeks := floorDiv(int64(m), minutesOfWeek)
	return weeks*w.total + w.within(int64(m)-weeks*minutesOfWeek)
}

// within is how many minutes of the week are worked before its minute at.
func (w *week) within(at int64) int64 {
	for i, s := range w.spans {
		if at <= s.end {
			return w.before[i] + max(0, at-s.start)
		}
	}
	return w.total
}

// earliest is the first moment that count gives n for. The week must have work.
func (w *week) earliest(n int64) Minute {
	weeks := floorDiv(n-1, w.total)
	rest := n - weeks*w.total // 1 to total
	i := len(w.spans) - 1
	for w.before[i] >= rest {
		i--
	}
	return Minute(weeks*minutesOfWeek + w.spans[i].start + rest - w.before[i])
}

// latest is the last moment that count gives n for. The week must have work.
func (w *week) latest(n int64) Minute {
	weeks := floorDiv(n, w.total)
	rest := n - weeks*w.total // 0 to total-1
	i := len(w.spans) - 1
	for w.before[i] > rest {
		i--
	}
	return Minute(weeks*minutesOfWeek + w.spans[i].start + rest - w.before[i])
}

// rotate is the week on a clock that is offset minutes behind.
func (w *week) rotate(offset int64) *week {
	var spans []span
	for _, s := range w.spans {
		start := floorMod(s.start-offset, minutesOfWeek)
		end := start + s.end - s.start
		spans = append(spans, span{start, min(end, minutesOfWeek)})
		if end > minutesOfWeek {
			spans = append(spans, span{0, end - minutesOfWeek})
		}
	}
	return newWeek(spans)
}

// intersect is what both work.
func (w *week) intersect(o *week) *week {
	var spans []span
	for i, j := 0, 0; i < len(w.spans) && j < len(o.spans); {
		a, b := w.spans[i], o.spans[j]
		if start, end := max(a.start, b.start), min(a.end, b.end); start < end {
			spans = append(spans, span{start, end})
		}
		if a.end < b.end {
			i++
		} else {
			j++
		}
	}
	return newWeek(spans)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
