package ical_test

import (
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-ical"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	ours "github.com/golive-dev/golive/services/implementation/internal/ical"
)

// read parses a calendar with a parser that is not the writer.
func read(tb require.TestingT, text string) *ical.Calendar {
	decoder := ical.NewDecoder(strings.NewReader(text))
	c, err := decoder.Decode()
	require.NoError(tb, err, text)
	_, err = decoder.Decode()
	require.ErrorIs(tb, err, io.EOF, "one calendar")
	return c
}

func one(tb require.TestingT, e ours.Entry) ical.Event {
	events := read(tb, ours.Calendar{Name: "crm", Entries: []ours.Entry{e}}.Encode()).Events()
	require.Len(tb, events, 1)
	return events[0]
}

func text(tb require.TestingT, e ical.Event, property string) string {
	value, err := e.Props.Text(property)
	require.NoError(tb, err)
	return value
}

func berlin(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(tb, err)
	return zone
}

func TestDaysAndMoments(t *testing.T) {
	zone := berlin(t)
	at := func(text string) time.Time {
		t.Helper()
		parsed, err := time.ParseInLocation("2006-01-02T15:04", text, zone)
		require.NoError(t, err)
		return parsed
	}
	for name, c := range map[string]struct {
		entry      ours.Entry
		start, end string
	}{
		"days":                          {ours.Entry{}.Days(at("2026-03-27T08:00"), at("2026-03-30T17:00"), zone), "VALUE=DATE:20260327", "VALUE=DATE:20260331"},
		"one day":                       {ours.Entry{}.Days(at("2026-03-27T08:00"), at("2026-03-27T08:00"), zone), "VALUE=DATE:20260327", "VALUE=DATE:20260328"},
		"until a midnight":              {ours.Entry{}.Days(at("2026-03-27T08:00"), at("2026-03-29T00:00"), zone), "VALUE=DATE:20260327", "VALUE=DATE:20260329"},
		"days of the zone, not of UTC":  {ours.Entry{}.Days(at("2026-03-27T00:30"), at("2026-03-27T23:30"), zone), "VALUE=DATE:20260327", "VALUE=DATE:20260328"},
		"a moment, in UTC":              {ours.Entry{}.Moment(at("2026-07-01T10:00"), zone), "DTSTART:20260701T080000Z", ""},
		"a moment, on the winter side":  {ours.Entry{}.Moment(at("2026-12-01T10:00"), zone), "DTSTART:20261201T090000Z", ""},
		"a moment that begins a day":    {ours.Entry{}.Moment(at("2026-12-01T00:00"), zone), "VALUE=DATE:20261201", "VALUE=DATE:20261202"},
		"a day of twenty-three hours":   {ours.Entry{}.Moment(at("2026-03-29T00:00"), zone), "VALUE=DATE:20260329", "VALUE=DATE:20260330"},
		"hours over the spring forward": {ours.Entry{Start: at("2026-03-29T01:30"), End: at("2026-03-29T03:30")}, "DTSTART:20260329T003000Z", "DTEND:20260329T013000Z"},
	} {
		c.entry.UID, c.entry.Changed = "x", at("2026-01-01T00:00")
		out := ours.Calendar{Entries: []ours.Entry{c.entry}}.Encode()
		require.Contains(t, out, c.start+"\r\n", name)
		if c.end == "" {
			require.NotContains(t, out, "DTEND", name)
		} else {
			require.Contains(t, out, c.end+"\r\n", name)
		}
		one(t, c.entry)
	}
}

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	changed := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	e := ours.Entry{
		UID: "task-1", Summary: "Train sales; part 2, the \\ and the \"rest\"", Category: "Task", Owner: "users/ada", Details: "Due\nsoon: now, or never", Place: "Room 1; left",
		Start: changed.Add(time.Hour), End: changed.Add(2 * time.Hour), Sequence: 3, Changed: changed,
	}
	out := ours.Calendar{Name: "CRM, rollout", Entries: []ours.Entry{e}}.Encode()
	c := read(t, out)
	require.Equal(t, 1, strings.Count(out, "\r\nNAME:"), out)
	require.Equal(t, 1, strings.Count(out, "\r\nX-WR-CALNAME:"), out)
	require.Contains(t, out, "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n")
	require.Contains(t, out, "METHOD:PUBLISH\r\n")
	version, err := c.Props.Text(ical.PropVersion)
	require.NoError(t, err)
	require.Equal(t, "2.0", version)
	got := c.Events()[0]
	for property, want := range map[string]string{
		ical.PropUID: e.UID, ical.PropSummary: e.Summary, ical.PropLocation: e.Place, ical.PropDescription: e.Details + "\nOwner: users/ada", ical.PropCategories: "Task",
		ical.PropTransparency: "TRANSPARENT",
	} {
		require.Equal(t, want, text(t, got, property), property)
	}
	stamp, err := got.Props.DateTime(ical.PropDateTimeStamp, time.UTC)
	require.NoError(t, err)
	require.Equal(t, changed, stamp)
	sequence, err := got.Props.Get(ical.PropSequence).Int()
	require.NoError(t, err)
	require.Equal(t, 3, sequence)
	end, err := got.DateTimeEnd(time.UTC)
	require.NoError(t, err)
	require.Equal(t, e.End, end)
}

func TestADigestIsOfWhatIsSaid(t *testing.T) {
	e := ours.Entry{UID: "x", Summary: "a", Start: time.Unix(0, 0)}
	later := e
	later.Sequence, later.Changed = 7, time.Unix(99, 0)
	require.Equal(t, e.Digest(), later.Digest(), "not of how often it was said")
	for _, change := range []func(*ours.Entry){
		func(e *ours.Entry) { e.Summary = "b" }, func(e *ours.Entry) { e.Owner = "users/bob" }, func(e *ours.Entry) { e.Start = time.Unix(1, 0) },
		func(e *ours.Entry) { e.End = time.Unix(1, 0) }, func(e *ours.Entry) { e.AllDay = true }, func(e *ours.Entry) { e.Place = "x" }, func(e *ours.Entry) { e.Details = "x" },
	} {
		other := e
		change(&other)
		require.NotEqual(t, e.Digest(), other.Digest())
	}
}

// Whatever people write, lines end as they must, are at most 75 octets, break no rune, and are read as they were written.
func TestAnyTextSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := ours.Entry{UID: "x", Start: time.Unix(0, 0), Changed: time.Unix(0, 0), Summary: rapid.String().Draw(t, "summary"), Details: rapid.StringOf(rapid.RuneFrom([]rune("aß€😀 ,;:\\\n\"\r\t<>"))).Draw(t, "details")}
		out := ours.Calendar{Name: e.Summary, Entries: []ours.Entry{e}}.Encode()
		require.True(t, strings.HasSuffix(out, "END:VCALENDAR\r\n"))
		for line := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
			require.LessOrEqual(t, len(line), 75, line)
			require.True(t, utf8.ValidString(line))
			require.NotContains(t, line, "\n")
			require.NotContains(t, line, "\r")
		}
		got := one(t, e)
		kept := func(text string) string {
			return strings.Map(func(r rune) rune {
				if r == utf8.RuneError || r < ' ' && r != '\n' || r >= 0x7f && r <= 0x9f {
					return -1
				}
				return r
			}, text)
		}
		require.Equal(t, kept(e.Summary), text(t, got, ical.PropSummary))
		if e.Details != "" {
			require.Equal(t, kept(e.Details), text(t, got, ical.PropDescription))
		}
	})
}
