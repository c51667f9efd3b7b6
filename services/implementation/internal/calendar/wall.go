package calendar

import (
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const minutesOfDay = 24 * 60

// wallLine is the calendar on the clock of its zone.
func wallLine(c *implementationv1.Calendar) ([]segment, error) {
	usual, err := usualWeek(c.GetWeek())
	if err != nil {
		return nil, err
	}
	line, never := []segment{{beginning, usual}}, newWeek(nil)
	for _, e := range c.GetExceptions() {
		from, to, err := dates(e)
		if err != nil {
			return nil, err
		}
		day, err := spansOf(e.GetHours())
		if err != nil {
			return nil, fault.From(err).Field("calendar.exceptions", e.GetStartDate()+" has hours that are not possible")
		}
		w := never
		if len(day) > 0 {
			w = everyDay(day)
		}
		line = overlay(line, from, to, w)
	}
	return line, nil
}

// usualWeek reads the week; Monday to Friday from 09:00 to 17:00 when it is empty.
func usualWeek(hours []*implementationv1.WorkingHours) (*week, error) {
	if len(hours) == 0 {
		hours = []*implementationv1.WorkingHours{{
			Days: []implementationv1.Weekday{
				implementationv1.Weekday_MONDAY, implementationv1.Weekday_TUESDAY, implementationv1.Weekday_WEDNESDAY,
				implementationv1.Weekday_THURSDAY, implementationv1.Weekday_FRIDAY,
			}, Start: "09:00", End: "17:00",
		}}
	}
	var byDay [8][]span
	var all []span
	for _, h := range hours {
		s, err := clockSpan(h.GetStart(), h.GetEnd())
		if err != nil {
			return nil, err
		}
		for _, d := range h.GetDays() {
			if d < implementationv1.Weekday_MONDAY || d > implementationv1.Weekday_SUNDAY {
				return nil, fault.Invalid("CALENDAR_DAY", "the week names a day that is none; write MONDAY to SUNDAY").Field("calendar.week", "has no such day")
			}
			if other, clash := overlapping(byDay[d], s); clash {
				return nil, fault.Invalid("CALENDAR_OVERLAP", "%s is worked from %s and also from %s; join the spans or part them",
					d, other, s).Field("calendar.week", "has spans that overlap on "+d.String())
			}
			byDay[d] = append(byDay[d], s)
			offset := int64(d-implementationv1.Weekday_THURSDAY+7) % 7 * minutesOfDay
			all = append(all, span{offset + s.start, offset + s.end})
		}
	}
	w := newWeek(all)
	if w.total == 0 {
		return nil, fault.Invalid(ReasonImpossible, "the week has no working minute; give it hours on a day").Field("calendar.week", "has no working time")
	}
	return w, nil
}

func spansOf(hours []*implementationv1.WorkingSpan) ([]span, error) {
	var day []span
	for _, h := range hours {
		s, err := clockSpan(h.GetStart(), h.GetEnd())
		if err != nil {
			return nil, err
		}
		if other, clash := overlapping(day, s); clash {
			return nil, fault.Invalid("CALENDAR_OVERLAP", "a day is worked from %s and also from %s; join the spans or part them", other, s)
		}
		day = append(day, s)
	}
	return day, nil
}

func overlapping(day []span, s span) (span, bool) {
	for _, o := range day {
		if s.start < o.end && o.start < s.end {
			return o, true
		}
	}
	return span{}, false
}

// String is the span on a clock, if it is one of a day.
func (s span) String() string { return clock(s.start) + " to " + clock(s.end) }

func clock(minute int64) string {
	if minute == minutesOfDay {
		return "24:00"
	}
	return Minute(minute).Time().Format("15:04")
}

func everyDay(day []span) *week {
	var all []span
	for d := range int64(7) {
		for _, s := range day {
			all = append(all, span{d*minutesOfDay + s.start, d*minutesOfDay + s.end})
		}
	}
	return newWeek(all)
}

func clockSpan(start, end string) (span, error) {
	s, errStart := clockMinute(start)
	e, errEnd := clockMinute(end)
	switch {
	case errStart != nil:
		return span{}, errStart
	case errEnd != nil:
		return span{}, errEnd
	case e <= s:
		return span{}, fault.Invalid("CALENDAR_SPAN", "work from %s to %s ends before it begins; a night is two spans, to 24:00 and from 00:00", start, end).
			Field("calendar.week", "has a span that ends before it begins")
	}
	return span{s, e}, nil
}

func clockMinute(s string) (int64, error) {
	if s == "24:00" {
		return minutesOfDay, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fault.Invalid("CALENDAR_SPAN", "%q is no time of day; write 09:00", clip(s)).Field("calendar.week", "has a time that cannot be read").Cause(err)
	}
	return int64(t.Hour()*60 + t.Minute()), nil
}

// dates are the first minute of an exception, and the first one after it.
func dates(e *implementationv1.CalendarException) (from, to Minute, err error) {
	first, err := date(e.GetStartDate())
	if err != nil {
		return 0, 0, err
	}
	last := first
	if e.GetEndDate() != "" {
		if last, err = date(e.GetEndDate()); err != nil {
			return 0, 0, err
		}
	}
	if last < first {
		return 0, 0, fault.Invalid("CALENDAR_SPAN", "the exception of %s ends on %s, before it begins; correct its end_date", e.GetStartDate(), e.GetEndDate()).
			Field("calendar.exceptions", "has a range that ends before it begins")
	}
	return first, last + minutesOfDay, nil
}

func date(s string) (Minute, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fault.Invalid("CALENDAR_DATE", "%q is no date; write 2026-12-24", clip(s)).Field("calendar.exceptions", "has a date that cannot be read").Cause(err)
	}
	return MinuteOf(t), nil
}

func location(name string) (*time.Location, error) {
	switch name {
	case "", "UTC":
		return time.UTC, nil
	case "Local":
		name = "Local (the zone of a server)"
	default:
		if loc, err := time.LoadLocation(name); err == nil {
			return loc, nil
		}
	}
	return nil, fault.Invalid("TIME_ZONE_UNKNOWN", "%q is no time zone; give its IANA name, Europe/Berlin", clip(name)).
		Field("calendar.time_zone", "is no IANA name")
}

func clip(s string) string {
	const most = 60
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
