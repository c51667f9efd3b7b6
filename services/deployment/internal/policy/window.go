package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// ReasonWindowInvalid is the reason of every refused window.
const ReasonWindowInvalid = "POLICY_WINDOW_INVALID"

// What keeps a window cheap to evaluate.
const (
	// firstYear and lastYear bound the start of a window.
	firstYear, lastYear = 1970, 2200
	// maxLength is how long one occurrence of a recurring window may be, by local clocks.
	maxLength = 366 * 24 * time.Hour
	// maxCount bounds COUNT: the occurrences have to be counted from the first one on.
	maxCount = 1000
	// maxInterval bounds INTERVAL.
	maxInterval = 1000
	// maxADay bounds how often BYHOUR and BYMINUTE may begin a window on one day.
	maxADay = 96
	// maxGap is within how many years after its start a window has to occur at all.
	maxGap = 40
)

// Window is a stretch of local time, made ready to be asked.
type Window struct {
	zone       *time.Location
	start, end wall
	label      string
	// rule is nil for a window that occurs once. It counts in walls, as if they were UTC.
	rule *rrule.RRule
	// until is the last moment at which an occurrence may begin; zero without UNTIL.
	until time.Time
}

// NewWindow makes a window ready, or says which of its fields is wrong. path is where it
// stands in the request, for the fault.
func NewWindow(spec *deploymentv1.Window, path string) (*Window, error) {
	refuse := func(field, format string, args ...any) error {
		why := fmt.Sprintf(format, args...)
		return fault.Invalid(ReasonWindowInvalid, "%s.%s %s; correct it and send the request again", path, field, why).Field(path+"."+field, why)
	}
	w := &Window{label: spec.GetDisplayName()}
	var err error
	// "Local" would be the zone of the machine, and "" is UTC by accident.
	if name := spec.GetTimeZone(); name == "" || name == "Local" {
		return nil, refuse("time_zone", "must be a zone of the IANA data base such as Europe/Berlin")
	}
	if w.zone, err = time.LoadLocation(spec.GetTimeZone()); err != nil {
		return nil, refuse("time_zone", "must be a zone of the IANA data base such as Europe/Berlin; %q is none", spec.GetTimeZone())
	}
	if w.start, err = parseWall(spec.GetStart()); err != nil {
		return nil, refuse("start", "must be a local time such as 2026-12-20T18:00; %q is none", spec.GetStart())
	}
	if w.end, err = parseWall(spec.GetEnd()); err != nil {
		return nil, refuse("end", "must be a local time such as 2026-12-20T18:00; %q is none", spec.GetEnd())
	}
	switch {
	case w.start.Year() < firstYear || w.start.Year() > lastYear:
		return nil, refuse("start", "must be between the years %d and %d", firstYear, lastYear)
	case w.end.Year() > lastYear:
		return nil, refuse("end", "must not be after the year %d", lastYear)
	case !w.start.Before(w.end.Time):
		return nil, refuse("end", "must be after start")
	case spec.GetRecurrence() == "":
		return w, nil
	case w.length() > maxLength:
		return nil, refuse("end", "must be at most %d days after start where the window recurs", int(maxLength.Hours()/24))
	}
	if why := w.recur(spec.GetRecurrence()); why != "" {
		return nil, refuse("recurrence", "%s", why)
	}
	return w, nil
}

// length is how long an occurrence is by local clocks.
func (w *Window) length() time.Duration { return w.end.Sub(w.start.Time) }

func parseWall(text string) (wall, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return wall{t}, nil
		}
	}
	return wall{}, fmt.Errorf("%q is no local time", text)
}

// recur takes over an RRULE, or says what is wrong with it.
func (w *Window) recur(text string) string {
	option, why := w.option(text)
	if why != "" {
		return why
	}
	option.Dtstart = w.start.Time
	var err error
	if w.rule, err = rrule.NewRRule(*option); err != nil {
		return "must be a rule of RFC 5545: " + err.Error()
	}
	if !w.occurs() {
		return fmt.Sprintf("never happens within %d years of start; mend the rule, or leave the window out", maxGap)
	}
	return ""
}

func (w *Window) option(text string) (*rrule.ROption, string) {
	text = strings.TrimPrefix(strings.ToUpper(text), "RRULE:")
	if strings.ContainsAny(text, "\r\n") || strings.Contains(text, "DTSTART") {
		return nil, "must be one RRULE; the field start says when it begins"
	}
	text, why := w.takeUntil(text)
	if why != "" {
		return nil, why
	}
	option, err := rrule.StrToROption(text)
	if err != nil {
		return nil, "must be a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=FR: " + err.Error()
	}
	switch {
	case option.Freq > rrule.DAILY:
		return nil, "must not be more frequent than FREQ=DAILY; name the hours with BYHOUR"
	case len(option.Bysecond) > 0:
		return nil, "must not have BYSECOND; a window begins at the second of its start"
	case len(option.Byeaster) > 0:
		return nil, "must not have BYEASTER, which is no part of RFC 5545"
	case max(1, len(option.Byhour))*max(1, len(option.Byminute)) > maxADay:
		return nil, fmt.Sprintf("must not begin more than %d times a day", maxADay)
	case option.Interval < 0, option.Interval > maxInterval, strings.Contains(text, "INTERVAL=0"):
		return nil, fmt.Sprintf("must have an INTERVAL between 1 and %d", maxInterval)
	case option.Count < 0, option.Count > maxCount, strings.Contains(text, "COUNT=0"):
		return nil, fmt.Sprintf("must have a COUNT between 1 and %d", maxCount)
	case option.Count > 0 && !w.until.IsZero():
		return nil, "must not have both COUNT and UNTIL"
	}
	return option, misplaced(option)
}

// misplaced names a part that RFC 5545 does not have for the frequency, and that a library may
// understand in a way of its own.
func misplaced(o *rrule.ROption) string {
	numbered := slices.ContainsFunc(o.Byweekday, func(d rrule.Weekday) bool { return d.N() != 0 })
	parts := len(o.Bymonth) + len(o.Byweekno) + len(o.Byyearday) + len(o.Bymonthday) + len(o.Byweekday) + len(o.Byhour) + len(o.Byminute)
	for _, rule := range []struct {
		broken bool
		why    string
	}{
		{numbered && o.Freq > rrule.MONTHLY, "must not number the days of BYDAY unless FREQ is MONTHLY or YEARLY"},
		{numbered && len(o.Byweekno) > 0, "must not number the days of BYDAY together with BYWEEKNO"},
		{len(o.Byweekno) > 0 && o.Freq != rrule.YEARLY, "must not have BYWEEKNO unless FREQ is YEARLY"},
		{len(o.Byyearday) > 0 && o.Freq != rrule.YEARLY, "must not have BYYEARDAY unless FREQ is YEARLY"},
		{len(o.Bymonthday) > 0 && o.Freq == rrule.WEEKLY, "must not have BYMONTHDAY where FREQ is WEEKLY"},
		{len(o.Bysetpos) > 0 && parts == 0, "must not have BYSETPOS without another BY part"},
	} {
		if rule.broken {
			return rule.why
		}
	}
	return ""
}

// takeUntil cuts UNTIL out of a rule. It is compared with moments rather than with local
// times, because a moment in UTC has no one local time when clocks go back.
func (w *Window) takeUntil(text string) (rest, why string) {
	var parts []string
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(part, "=")
		if seen[key] {
			return "", fmt.Sprintf("must have %s once", key)
		}
		if seen[key] = true; key != "UNTIL" {
			parts = append(parts, part)
			continue
		}
		if t, err := time.Parse("20060102T150405Z", value); err == nil {
			w.until = t
		} else if t, err := time.Parse("20060102T150405", value); err == nil {
			w.until = wall{t}.instant(w.zone)
		} else if t, err := time.Parse("20060102", value); err == nil { // the whole of that day
			w.until = wall{t.AddDate(0, 0, 1)}.instant(w.zone).Add(-time.Nanosecond)
		} else {
			return "", fmt.Sprintf("must have an UNTIL such as 20270101T000000Z; %q is none", value)
		}
		if w.until.Before(w.start.instant(w.zone)) {
			return "", "must have an UNTIL after start"
		}
	}
	return strings.Join(parts, ";"), ""
}

// edge asks the window about one moment: while it is open, the latest end of the
// occurrences that are; while it is closed, the start of the next one, zero if none comes.
func (w *Window) edge(t time.Time) (open bool, at time.Time) {
	if w.rule == nil {
		start, end := w.start.instant(w.zone), w.end.instant(w.zone)
		switch {
		case t.Before(start) && start.Before(end):
			return false, start
		case !t.Before(start) && t.Before(end):
			return true, end
		default:
			return false, time.Time{}
		}
	}
	next := w.from(t).Iterator()
	for {
		begins, ok := next()
		if !ok {
			return open, at
		}
		start, end := wall{begins}.instant(w.zone), wall{begins.Add(w.length())}.instant(w.zone)
		if !w.until.IsZero() && start.After(w.until) {
			return open, at
		}
		switch {
		case start.After(t) && open:
			return true, at
		case start.After(t) && start.Before(end):
			return false, start
		case t.Before(end) && !start.After(t):
			open, at = true, later(at, end)
		}
	}
}

// from returns the rule begun anew shortly before t, so that its cost does not grow with its age.
// A rule with COUNT has to be counted from its start.
func (w *Window) from(t time.Time) *rrule.RRule {
	// Nothing that begins earlier by local clocks can still be open. Two days are more than any change of clocks.
	after := wallAt(t, w.zone).Add(-w.length() - 48*time.Hour)
	if w.rule.OrigOptions.Count > 0 || !w.start.Before(after) {
		return w.rule
	}
	option := w.rule.Options // with the days that followed from the start filled in; the time of day comes here
	start, every := w.start.Time, option.Interval
	for part, value := range map[*[]int]int{&option.Byhour: start.Hour(), &option.Byminute: start.Minute(), &option.Bysecond: start.Second()} {
		if len(*part) == 0 {
			*part = []int{value}
		}
	}
	switch option.Freq {
	case rrule.YEARLY:
		years := (after.Year() - start.Year() - 1) / every * every
		start = time.Date(start.Year()+years, 1, 1, 0, 0, 0, 0, time.UTC)
	case rrule.MONTHLY:
		months := ((after.Year()-start.Year())*12 + int(after.Month()-start.Month()) - 1) / every * every
		start = time.Date(start.Year(), start.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	case rrule.WEEKLY:
		start = start.AddDate(0, 0, (days(start, after)/7-1)/every*every*7)
	default:
		start = start.AddDate(0, 0, (days(start, after)-1)/every*every)
	}
	if !start.After(w.start.Time) {
		return w.rule
	}
	option.Dtstart = start
	moved, err := rrule.NewRRule(option)
	if err != nil {
		return w.rule // it was a rule before
	}
	return moved
}

func days(from, to time.Time) int { return int(to.Sub(from) / (24 * time.Hour)) }

// occurs reports whether the window occurs soon enough after its start. The calendar is
// the same every 400 years, so the rule is asked in the last of them that package rrule knows:
// of a rule without any occurrence it then sees a few centuries, and not all years up to the last.
func (w *Window) occurs() bool {
	option := w.rule.OrigOptions
	ahead := (rrule.MAXYEAR - w.start.Year() - maxGap) / 400 * 400
	option.Dtstart = w.start.AddDate(ahead, 0, 0)
	shifted, err := rrule.NewRRule(option)
	if err != nil {
		return false
	}
	first, ok := shifted.Iterator()()
	return ok && first.Before(option.Dtstart.AddDate(maxGap, 0, 0))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
