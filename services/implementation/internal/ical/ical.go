// Package ical writes the dates of a go-live as iCalendar (RFC 5545).
//
// An [Entry] is one event. What it says has a digest, so that whoever keeps the
// digests can give each version a sequence and a time of its own: a calendar that
// is told nothing new stays byte for byte the same.
package ical

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"
)

// refresh is how often calendars are asked to read again.
const refresh = "PT1H"

// Entry is one event of a calendar. None of them makes its reader busy.
type Entry struct {
	UID      string // stable for as long as it is the same thing
	Summary  string
	Category string // Milestone, Stage, …
	Owner    string // a principal; the only person that is named
	Details  string
	Place    string
	URL      string
	// Start and End are moments; an event of days has them at midnights of its zone, End not in it. A zero End is a moment.
	Start, End time.Time
	AllDay     bool

	Sequence int64     // rises with every change
	Changed  time.Time // when it last changed
}

// Days makes an event of the local days from start to end: both are in it.
func (e Entry) Days(start, end time.Time, zone *time.Location) Entry {
	first, last := midnight(start, zone), midnight(end, zone)
	if last.Equal(end) && last.After(first) {
		last = last.AddDate(0, 0, -1) // it ends as that day begins
	}
	e.AllDay, e.Start, e.End = true, first, last.AddDate(0, 0, 1)
	return e
}

// Moment makes an event of one moment: of the whole day where it is the midnight that begins it.
func (e Entry) Moment(at time.Time, zone *time.Location) Entry {
	if midnight(at, zone).Equal(at) {
		return e.Days(at, at, zone)
	}
	e.Start = at
	return e
}

func midnight(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
}

// Digest is of all that an entry says.
func (e Entry) Digest() string {
	start, end := e.times()
	sum := sha256.Sum256([]byte(strings.Join([]string{e.Summary, e.Category, e.Owner, e.Details, e.Place, e.URL, start, end}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// times are start and end as they are written: days, or moments in UTC.
func (e Entry) times() (start, end string) {
	layout := "20060102T150405Z"
	if e.AllDay {
		layout = "20060102"
	} else {
		e.Start, e.End = e.Start.UTC(), e.End.UTC()
	}
	if !e.End.IsZero() {
		end = e.End.Format(layout)
	}
	return e.Start.Format(layout), end
}

// Calendar is a feed.
type Calendar struct {
	Name    string
	Entries []Entry
}

// Encode writes the calendar, with the line ends and the folding of RFC 5545.
func (c Calendar) Encode() string {
	out := ics.NewCalendarFor("golive")
	out.SetMethod(ics.MethodPublish)
	out.SetName(clean(c.Name))
	out.SetXWRCalName(clean(c.Name))
	out.SetRefreshInterval(refresh)
	out.SetXPublishedTTL(refresh)
	for _, e := range c.Entries {
		e.add(out)
	}
	return out.Serialize(ics.WithNewLineWindows)
}

func (e Entry) add(out *ics.Calendar) {
	event := out.AddEvent(e.UID)
	event.SetDtStampTime(e.Changed)
	event.SetModifiedAt(e.Changed)
	event.SetSequence(int(e.Sequence))
	event.SetSummary(clean(e.Summary))
	start, end := e.times()
	var kind []ics.PropertyParameter
	if e.AllDay {
		kind = append(kind, ics.WithValue("DATE"))
	}
	event.SetProperty(ics.ComponentPropertyDtStart, start, kind...)
	if end != "" {
		event.SetProperty(ics.ComponentPropertyDtEnd, end, kind...)
	}
	event.SetTimeTransparency(ics.TransparencyTransparent)
	event.AddCategory(clean(e.Category))
	details := e.Details
	if e.Owner != "" {
		details = strings.TrimSpace(fmt.Sprintf("%s\nOwner: %s", details, e.Owner))
	}
	if details != "" {
		event.SetDescription(clean(details))
	}
	if e.Place != "" {
		event.SetLocation(clean(e.Place))
	}
	if e.URL != "" {
		event.SetURL(e.URL)
	}
}

// clean leaves out what TEXT may not hold: control characters but line feeds, and broken runes.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, text)
}
