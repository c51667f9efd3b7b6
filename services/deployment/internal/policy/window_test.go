package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

func window(zone, start, end, recurrence string) *deploymentv1.Window {
	return &deploymentv1.Window{TimeZone: zone, Start: start, End: end, Recurrence: recurrence}
}

func utc(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at.UTC()
}

// TestWindowsOpenAndClose asks each window from a moment on, and wants every change that follows, in UTC.
func TestWindowsOpenAndClose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		window  *deploymentv1.Window
		from    string
		open    bool
		changes []string
	}{
		{
			"once", window("Europe/Berlin", "2026-12-20T18:00", "2027-01-04T06:00", ""), "2026-12-01T00:00:00Z", false,
			[]string{"2026-12-20T17:00:00Z", "2027-01-04T05:00:00Z"},
		},
		{"once, and over", window("Europe/Berlin", "2026-12-20T18:00", "2027-01-04T06:00", ""), "2027-01-04T05:00:00Z", false, nil},
		{"its start is inside", window("Europe/Berlin", "2026-12-20T18:00", "2026-12-20T19:00", ""), "2026-12-20T17:00:00Z", true, []string{"2026-12-20T18:00:00Z"}},
		{"its end is outside", window("Europe/Berlin", "2026-12-20T18:00", "2026-12-20T19:00", ""), "2026-12-20T18:00:00Z", false, nil},

		{
			"a Friday evening, over the change to summer", window("Europe/Berlin", "2026-03-20T16:00", "2026-03-23T06:00", "FREQ=WEEKLY;BYDAY=FR"), "2026-03-20T15:00:00Z", true,
			[]string{"2026-03-23T05:00:00Z", "2026-03-27T15:00:00Z", "2026-03-30T04:00:00Z", "2026-04-03T14:00:00Z"},
		},
		{
			"a Friday evening, over the change to winter", window("Europe/Berlin", "2026-10-16T16:00", "2026-10-19T06:00", "FREQ=WEEKLY"), "2026-10-20T00:00:00Z", false,
			[]string{"2026-10-23T14:00:00Z", "2026-10-26T05:00:00Z", "2026-10-30T15:00:00Z"},
		},

		// Berlin, 2026-03-29: 01:00Z is 02:00, which becomes 03:00.
		{
			"spring: starts inside the gap", window("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T04:00", ""), "2026-03-29T00:00:00Z", false,
			[]string{"2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		},
		{
			"spring: ends inside the gap", window("Europe/Berlin", "2026-03-29T01:30", "2026-03-29T02:30", ""), "2026-03-29T00:00:00Z", false,
			[]string{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
		},
		{"spring: inside the gap, so never", window("Europe/Berlin", "2026-03-29T02:10", "2026-03-29T02:50", ""), "2026-03-29T00:00:00Z", false, nil},
		{
			"spring: every night inside the gap, so not in that one", window("Europe/Berlin", "2026-03-28T02:10", "2026-03-28T02:50", "FREQ=DAILY"), "2026-03-28T02:00:00Z", false,
			[]string{"2026-03-30T00:10:00Z", "2026-03-30T00:50:00Z"},
		},
		{
			"spring: spans the gap", window("Europe/Berlin", "2026-03-29T01:00", "2026-03-29T04:00", ""), "2026-03-28T00:00:00Z", false,
			[]string{"2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"},
		},
		{
			"spring in New York", window("America/New_York", "2026-03-08T02:30", "2026-03-08T05:00", ""), "2026-03-08T00:00:00Z", false,
			[]string{"2026-03-08T07:00:00Z", "2026-03-08T09:00:00Z"},
		},

		// Berlin, 2026-10-25: 01:00Z is 03:00, which becomes 02:00 again.
		{
			"autumn: starts in the hour that comes twice", window("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T04:00", ""), "2026-10-25T00:00:00Z", false,
			[]string{"2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z"},
		},
		{
			"autumn: ends in it", window("Europe/Berlin", "2026-10-25T01:00", "2026-10-25T02:30", ""), "2026-10-24T00:00:00Z", false,
			[]string{"2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"},
		},
		{
			"autumn: inside it", window("Europe/Berlin", "2026-10-25T02:10", "2026-10-25T02:50", ""), "2026-10-25T00:00:00Z", false,
			[]string{"2026-10-25T00:10:00Z", "2026-10-25T00:50:00Z"},
		},
		{
			"autumn: from it to its end lasts two hours", window("Europe/Berlin", "2026-10-25T02:00", "2026-10-25T03:00", ""), "2026-10-24T00:00:00Z", false,
			[]string{"2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"},
		},
		{
			"autumn with half an hour, Lord Howe", window("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-05T02:15", ""), "2026-04-04T00:00:00Z", false,
			[]string{"2026-04-04T14:45:00Z", "2026-04-04T15:45:00Z"},
		},

		{
			"a leap day, once in four years", window("UTC", "2024-02-29T00:00", "2024-03-01T00:00", "FREQ=YEARLY"), "2025-01-01T00:00:00Z", false,
			[]string{"2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z", "2032-02-29T00:00:00Z"},
		},
		{
			"no leap day in 2100", window("UTC", "2096-02-29T00:00", "2096-02-29T01:00", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), "2096-03-01T00:00:00Z", false,
			[]string{"2104-02-29T00:00:00Z"},
		},
		{
			"the 31st, where there is one", window("UTC", "2026-01-31T12:00", "2026-01-31T13:00", "FREQ=MONTHLY"), "2026-02-01T00:00:00Z", false,
			[]string{"2026-03-31T12:00:00Z", "2026-03-31T13:00:00Z", "2026-05-31T12:00:00Z"},
		},
		{
			"the last working day of the month", window("Europe/Berlin", "2026-01-30T00:00", "2026-01-31T00:00", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"), "2026-02-10T00:00:00Z", false,
			[]string{"2026-02-26T23:00:00Z", "2026-02-27T23:00:00Z", "2026-03-30T22:00:00Z"},
		},
		{
			"every other week", window("UTC", "2026-01-02T10:00", "2026-01-02T11:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=MO"), "2029-06-01T00:00:00Z", false,
			[]string{"2029-06-01T10:00:00Z", "2029-06-01T11:00:00Z", "2029-06-11T10:00:00Z", "2029-06-11T11:00:00Z", "2029-06-15T10:00:00Z"},
		},
		{
			"every third day, years later", window("UTC", "2020-01-01T10:00", "2020-01-01T11:00", "FREQ=DAILY;INTERVAL=3"), "2026-11-23T12:00:00Z", false,
			[]string{"2026-11-25T10:00:00Z", "2026-11-25T11:00:00Z", "2026-11-28T10:00:00Z"},
		},

		{
			"longer than its period: always open, joined for a while", window("UTC", "2026-01-01T00:00", "2026-01-03T12:00", "FREQ=DAILY;COUNT=4"), "2026-01-01T00:00:00Z", true,
			[]string{"2026-01-06T12:00:00Z"},
		},
		{
			"whole working days are one stretch", window("UTC", "2026-01-05T00:00", "2026-01-06T00:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"), "2026-02-04T09:00:00Z", true,
			[]string{"2026-02-07T00:00:00Z", "2026-02-09T00:00:00Z", "2026-02-14T00:00:00Z"},
		},
		{
			"COUNT ends it", window("UTC", "2026-01-01T10:00", "2026-01-01T11:00", "FREQ=DAILY;COUNT=2"), "2026-01-01T12:00:00Z", false,
			[]string{"2026-01-02T10:00:00Z", "2026-01-02T11:00:00Z"},
		},
		{
			"UNTIL in UTC ends it, its moment included", window("Europe/Berlin", "2026-10-24T02:30", "2026-10-24T02:45", "FREQ=DAILY;UNTIL=20261025T003000Z"), "2026-10-24T12:00:00Z", false,
			[]string{"2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z"},
		},
		{"UNTIL before the second time round", window("Europe/Berlin", "2026-10-24T02:30", "2026-10-24T02:45", "FREQ=DAILY;UNTIL=20261025T002959Z"), "2026-10-24T12:00:00Z", false, nil},
		{
			"UNTIL as a day is that whole day", window("America/New_York", "2026-01-01T22:00", "2026-01-01T23:00", "FREQ=DAILY;UNTIL=20260102"), "2026-01-02T12:00:00Z", false,
			[]string{"2026-01-03T03:00:00Z", "2026-01-03T04:00:00Z"},
		},

		// Türkiye stayed on summer time for good in 2016.
		{
			"a zone that changed its rules", window("Europe/Istanbul", "2015-12-01T09:00", "2015-12-01T10:00", "FREQ=YEARLY"), "2015-06-01T00:00:00Z", false,
			[]string{"2015-12-01T07:00:00Z", "2015-12-01T08:00:00Z", "2016-12-01T06:00:00Z", "2016-12-01T07:00:00Z"},
		},
		// Samoa had no 30 December 2011.
		{
			"a day that a zone left out", window("Pacific/Apia", "2011-12-28T09:00", "2011-12-28T10:00", "FREQ=DAILY"), "2011-12-29T00:00:00Z", false,
			[]string{"2011-12-29T19:00:00Z", "2011-12-29T20:00:00Z", "2011-12-30T19:00:00Z"},
		},
		{
			"several hours a day", window("UTC", "2026-01-01T08:00", "2026-01-01T09:00", "FREQ=DAILY;BYHOUR=8,20"), "2026-05-05T12:00:00Z", false,
			[]string{"2026-05-05T20:00:00Z", "2026-05-05T21:00:00Z", "2026-05-06T08:00:00Z"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at, open := utc(t, c.from), c.open
			for _, change := range c.changes {
				isOpen, next, err := policy.EvaluateWindows([]*deploymentv1.Window{c.window}, at)
				require.NoError(t, err)
				require.Equal(t, open, isOpen, "at %s", at)
				require.Equal(t, change, next.UTC().Format(time.RFC3339))
				isOpen, _, err = policy.EvaluateWindows([]*deploymentv1.Window{c.window}, next.Add(-time.Nanosecond))
				require.NoError(t, err)
				require.Equal(t, open, isOpen, "just before %s", next)
				at, open = next, !open
			}
			isOpen, next, err := policy.EvaluateWindows([]*deploymentv1.Window{c.window}, at)
			require.NoError(t, err)
			require.Equal(t, open, isOpen)
			if len(c.changes) == 0 {
				require.Zero(t, next)
			}
		})
	}
}

func TestWhatIsNoWindowIsRefusedByItsField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		window       *deploymentv1.Window
		field, wants string
	}{
		{window("Europe/Nowhere", "2026-01-01T00:00", "2026-01-02T00:00", ""), "time_zone", "zone of the IANA data base"},
		{window("Local", "2026-01-01T00:00", "2026-01-02T00:00", ""), "time_zone", "zone of the IANA data base"},
		{window("", "2026-01-01T00:00", "2026-01-02T00:00", ""), "time_zone", "zone of the IANA data base"},
		{window("../etc/passwd", "2026-01-01T00:00", "2026-01-02T00:00", ""), "time_zone", "zone of the IANA data base"},
		{window("UTC", "2026-02-30T00:00", "2026-03-02T00:00", ""), "start", "local time"},
		{window("UTC", "2026-02-01T24:00", "2026-03-02T00:00", ""), "start", "local time"},
		{window("UTC", "2026-02-01T00:00Z", "2026-03-02T00:00", ""), "start", "local time"},
		{window("UTC", "0001-01-01T00:00", "2026-03-02T00:00", ""), "start", "between the years"},
		{window("UTC", "2026-02-01T00:00", "9999-03-02T00:00", ""), "end", "not be after"},
		{window("UTC", "2026-02-01T00:00", "2026-02-01T00:00", ""), "end", "after start"},
		{window("UTC", "2026-02-01T00:00", "2027-02-03T00:00", "FREQ=DAILY"), "end", "at most 366 days"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=SECONDLY"), "recurrence", "more frequent"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=HOURLY"), "recurrence", "more frequent"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=FORTNIGHTLY"), "recurrence", "RFC 5545"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "every friday"), "recurrence", "RFC 5545"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "BYDAY=FR"), "recurrence", "RFC 5545"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;BYMONTH=13"), "recurrence", "RFC 5545"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;BYSECOND=1"), "recurrence", "BYSECOND"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=YEARLY;BYEASTER=0"), "recurrence", "BYEASTER"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;COUNT=2;UNTIL=20270101T000000Z"), "recurrence", "both"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;COUNT=2;COUNT=3"), "recurrence", "COUNT once"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;UNTIL=tomorrow"), "recurrence", "UNTIL such as"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;UNTIL=20250101T000000Z"), "recurrence", "UNTIL after start"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;INTERVAL=0"), "recurrence", "INTERVAL"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;INTERVAL=100000"), "recurrence", "INTERVAL"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;COUNT=100000"), "recurrence", "COUNT"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=WEEKLY;BYDAY=2MO"), "recurrence", "number the days"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=MONTHLY;BYWEEKNO=2"), "recurrence", "BYWEEKNO"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "recurrence", "never happens"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"), "recurrence", "never happens"},
		{window("UTC", "2026-02-01T00:00", "2026-02-02T00:00", "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY"), "recurrence", "one RRULE"},
	} {
		t.Run(c.window.GetTimeZone()+" "+c.window.GetStart()+" "+c.window.GetEnd()+" "+c.window.GetRecurrence(), func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := policy.NewWindow(c.window, "policy.freezes[0]")
			require.Less(t, time.Since(began), time.Second, "a refusal is cheap")
			require.Equal(t, policy.ReasonWindowInvalid, fault.ReasonOf(err))
			f := fault.From(err)
			require.Equal(t, "policy.freezes[0]."+c.field, f.Fields()[0].GetField())
			require.Contains(t, f.Fields()[0].GetDescription(), c.wants)
		})
	}
}
