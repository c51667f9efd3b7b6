package calendar_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	moment, err := time.Parse("2006-01-02 15:04 MST", s)
	require.NoError(t, err)
	return moment
}

func hours(start, end string, days ...implementationv1.Weekday) *implementationv1.WorkingHours {
	return &implementationv1.WorkingHours{Days: days, Start: start, End: end}
}

func build(t *testing.T, c *implementationv1.Calendar) *calendar.Calendar {
	t.Helper()
	built, err := calendar.New(c)
	require.NoError(t, err)
	return built
}

func TestCalendarOfAnOfficeCountsItsHours(t *testing.T) {
	c := build(t, nil)
	monday := at(t, "2026-11-23 09:00 UTC")
	for _, tt := range []struct {
		name, from string
		minutes    int64
		want       string
	}{
		{"a day ends where the day ends", "2026-11-23 09:00 UTC", 480, "2026-11-23 17:00 UTC"},
		{"a minute more is on the next morning", "2026-11-23 09:00 UTC", 481, "2026-11-24 09:01 UTC"},
		{"a week ends on Friday", "2026-11-23 09:00 UTC", 2400, "2026-11-27 17:00 UTC"},
		{"from a Sunday it counts from Monday", "2026-11-22 12:00 UTC", 60, "2026-11-23 10:00 UTC"},
		{"back from a morning it is the day before", "2026-11-24 09:00 UTC", -480, "2026-11-23 09:00 UTC"},
		{"back by nothing stays", "2026-11-22 12:00 UTC", 0, "2026-11-22 12:00 UTC"},
		{"back over a weekend", "2026-11-23 10:00 UTC", -120, "2026-11-20 16:00 UTC"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, at(t, tt.want), c.Add(at(t, tt.from), tt.minutes))
		})
	}
	require.Equal(t, int64(2400), c.Between(monday, monday.AddDate(0, 0, 7)))
	require.Equal(t, int64(-2400), c.Between(monday.AddDate(0, 0, 7), monday))
	require.Equal(t, monday, c.Next(at(t, "2026-11-20 17:00 UTC")), "work goes on on Monday")
	require.Equal(t, at(t, "2026-11-20 17:00 UTC"), c.Previous(monday), "it ended on Friday")
	require.Equal(t, monday, c.Next(monday))
}

func TestCalendarCountsMinutesThatTheClockShows(t *testing.T) {
	days := []implementationv1.Weekday{1, 2, 3, 4, 5, 6, 7}
	night := build(t, &implementationv1.Calendar{TimeZone: "Europe/Berlin", Week: []*implementationv1.WorkingHours{
		hours("00:00", "06:00", days...), hours("22:00", "24:00", days...),
	}})
	for _, tt := range []struct {
		name, date string
		want       int64
	}{
		{"an ordinary night", "2026-03-27", 8 * 60},
		{"the night that loses an hour", "2026-03-28", 7 * 60},
		{"the night that gains an hour", "2026-10-24", 9 * 60},
	} {
		t.Run(tt.name, func(t *testing.T) {
			berlin, err := time.LoadLocation("Europe/Berlin")
			require.NoError(t, err)
			noon, err := time.ParseInLocation(time.DateOnly, tt.date, berlin)
			require.NoError(t, err)
			noon = noon.Add(12 * time.Hour)
			require.Equal(t, tt.want, night.Between(noon, noon.AddDate(0, 0, 1)))
		})
	}
	office := build(t, &implementationv1.Calendar{TimeZone: "Europe/Berlin"})
	require.Equal(t, at(t, "2026-07-01 07:00 UTC"), office.Next(at(t, "2026-07-01 00:00 UTC")), "nine in Berlin in summer")
	require.Equal(t, at(t, "2026-12-01 08:00 UTC"), office.Next(at(t, "2026-12-01 00:00 UTC")), "nine in Berlin in winter")
}

func TestCalendarExceptionsLieOverTheWeek(t *testing.T) {
	c := build(t, &implementationv1.Calendar{Exceptions: []*implementationv1.CalendarException{
		{StartDate: "2026-12-21", EndDate: "2027-01-01", Reason: "closed"},
		{StartDate: "2026-12-28", Hours: []*implementationv1.WorkingSpan{{Start: "10:00", End: "12:00"}, {Start: "13:00", End: "24:00"}}},
		{StartDate: "2027-01-02", Hours: []*implementationv1.WorkingSpan{{Start: "09:00", End: "10:00"}}, Reason: "a Saturday"},
	}})
	require.Equal(t, int64((2+11)*60), c.Between(at(t, "2026-12-19 00:00 UTC"), at(t, "2027-01-02 00:00 UTC")))
	require.Equal(t, at(t, "2026-12-28 10:01 UTC"), c.Add(at(t, "2026-12-18 17:00 UTC"), 1))
	require.Equal(t, at(t, "2027-01-02 10:00 UTC"), c.Add(at(t, "2026-12-28 13:00 UTC"), 12*60))
}

func TestCalendarOfSeveralIsWhatTheyShare(t *testing.T) {
	berlin := build(t, &implementationv1.Calendar{TimeZone: "Europe/Berlin"})
	newYork := build(t, &implementationv1.Calendar{TimeZone: "America/New_York"})
	both, err := calendar.Intersect(berlin, newYork)
	require.NoError(t, err)
	require.Equal(t, int64(2*60), both.Between(at(t, "2026-07-01 00:00 UTC"), at(t, "2026-07-02 00:00 UTC")))
	require.Equal(t, int64(3*60), both.Between(at(t, "2026-03-16 00:00 UTC"), at(t, "2026-03-17 00:00 UTC")),
		"America changes its clocks first")
	away, err := both.Without(
		calendar.Span{Start: at(t, "2026-07-02 00:00 UTC"), End: at(t, "2026-07-04 00:00 UTC")},
		calendar.Span{Start: at(t, "2026-07-01 13:30 UTC"), End: at(t, "2026-07-02 10:00 UTC")},
	)
	require.NoError(t, err)
	require.Equal(t, int64(30), away.Between(at(t, "2026-07-01 00:00 UTC"), at(t, "2026-07-04 00:00 UTC")))

	summer := build(t, &implementationv1.Calendar{TimeZone: "America/Phoenix", Week: []*implementationv1.WorkingHours{hours("01:00", "02:00", 1)}})
	denver := build(t, &implementationv1.Calendar{TimeZone: "America/Denver", Week: []*implementationv1.WorkingHours{hours("02:00", "03:00", 1)}})
	half, err := calendar.Intersect(summer, denver)
	require.NoError(t, err, "they meet in summer alone")
	require.Equal(t, int64(0), half.Between(at(t, "2026-12-01 00:00 UTC"), at(t, "2027-02-01 00:00 UTC")))
	require.Equal(t, int64(60), half.Between(at(t, "2026-06-01 00:00 UTC"), at(t, "2026-06-08 00:00 UTC")))
}

func TestCalendarRefusesWhatCannotBe(t *testing.T) {
	monday := build(t, &implementationv1.Calendar{Week: []*implementationv1.WorkingHours{hours("09:00", "17:00", 1)}})
	tuesday := build(t, &implementationv1.Calendar{Week: []*implementationv1.WorkingHours{hours("09:00", "17:00", 2)}})
	_, err := calendar.Intersect(monday, tuesday)
	require.Equal(t, calendar.ReasonImpossible, fault.ReasonOf(err))
	_, err = monday.Without(calendar.Span{Start: at(t, "2026-01-01 00:00 UTC"), End: at(t, "9999-12-31 00:00 UTC")})
	require.Equal(t, calendar.ReasonImpossible, fault.ReasonOf(err), "away for good")
	_, err = monday.Without(calendar.Span{Start: at(t, "2026-01-01 00:00 UTC"), End: at(t, "2025-12-31 00:00 UTC")})
	require.Equal(t, "CALENDAR_SPAN", fault.ReasonOf(err))

	exception := func(start, end string, spans ...*implementationv1.WorkingSpan) *implementationv1.Calendar {
		return &implementationv1.Calendar{Exceptions: []*implementationv1.CalendarException{{StartDate: start, EndDate: end, Hours: spans}}}
	}
	week := func(h ...*implementationv1.WorkingHours) *implementationv1.Calendar {
		return &implementationv1.Calendar{Week: h}
	}
	for _, tt := range []struct {
		name   string
		c      *implementationv1.Calendar
		reason string
	}{
		{"a zone that is none", &implementationv1.Calendar{TimeZone: "Europe/Bonn"}, "TIME_ZONE_UNKNOWN"},
		{"the zone of whatever server", &implementationv1.Calendar{TimeZone: "Local"}, "TIME_ZONE_UNKNOWN"},
		{"a zone that is a path", &implementationv1.Calendar{TimeZone: "../../etc/passwd"}, "TIME_ZONE_UNKNOWN"},
		{"an end before the start", week(hours("17:00", "09:00", 1)), "CALENDAR_SPAN"},
		{"an end at the start", week(hours("09:00", "09:00", 1)), "CALENDAR_SPAN"},
		{"spans that overlap", week(hours("09:00", "12:00", 1, 2), hours("11:00", "17:00", 2)), "CALENDAR_OVERLAP"},
		{"a time that is none", week(hours("25:00", "26:00", 1)), "CALENDAR_SPAN"},
		{"a day that is none", week(hours("09:00", "10:00", 9)), "CALENDAR_DAY"},
		{"a week without a day", week(hours("09:00", "10:00")), "CALENDAR_IMPOSSIBLE"},
		{"a date that is none", exception("2026-02-30", ""), "CALENDAR_DATE"},
		{"a range that ends before it begins", exception("2026-02-03", "2026-02-01"), "CALENDAR_SPAN"},
		{"holidays for ever", exception("2026-02-03", "9999-12-31"), "CALENDAR_IMPOSSIBLE"},
		{
			"spans of a date that overlap",
			exception("2026-02-03", "", &implementationv1.WorkingSpan{Start: "09:00", End: "12:00"}, &implementationv1.WorkingSpan{Start: "10:00", End: "11:00"}),
			"CALENDAR_OVERLAP",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := calendar.New(tt.c)
			require.Equal(t, tt.reason, fault.ReasonOf(err), "%v", err)
		})
	}
}

func TestCalendarAgreesWithOneThatLooksAtEveryMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message, c := draw(t)
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 400*1440).Draw(t, "from")) * time.Minute)
		length := rapid.Int64Range(0, 20*1440).Draw(t, "length")
		loc, err := time.LoadLocation(message.GetTimeZone())
		require.NoError(t, err)
		slow := int64(0)
		for m := range length {
			if worked(message, from.Add(time.Duration(m)*time.Minute).In(loc)) {
				slow++
			}
		}
		require.Equal(t, slow, c.Between(from, from.Add(time.Duration(length)*time.Minute)), "%v", message)
	})
}

func TestCalendarArithmeticHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, c := draw(t)
		moment := func(name string) time.Time {
			return calendar.Minute(rapid.Int64Range(-20_000_000, 90_000_000).Draw(t, name)).Time()
		}
		a, b, d := moment("a"), moment("b"), moment("c")
		n := rapid.Int64Range(1, 10_000_000).Draw(t, "n")
		require.Equal(t, c.Between(a, d), c.Between(a, b)+c.Between(b, d), "additive")
		require.Equal(t, n, c.Between(a, c.Add(a, n)), "as many as were added")
		require.Equal(t, -n, c.Between(a, c.Add(a, -n)))
		end, start := c.Previous(a), c.Next(a)
		require.False(t, end.After(a))
		require.False(t, start.Before(a))
		require.Zero(t, c.Between(end, a))
		require.Zero(t, c.Between(a, start))
		require.Equal(t, int64(1), c.Between(start, start.Add(time.Minute)), "work begins there")
		require.Equal(t, int64(1), c.Between(end.Add(-time.Minute), end), "work ended there")
		require.Equal(t, end, c.Add(c.Add(end, -n), n), "there and back")
		require.Equal(t, start, c.Add(c.Add(start, n), -n))
		if later := c.Previous(b); c.Between(a, later) > 0 {
			require.Equal(t, later, c.Add(a, c.Between(a, later)), "identity")
		}
	})
}

func FuzzCalendar(f *testing.F) {
	f.Add("Europe/Berlin", "09:00", "17:00", "2026-12-24", "2026-12-31")
	f.Add("", "00:00", "24:00", "0001-01-01", "9999-12-31")
	f.Fuzz(func(t *testing.T, zone, start, end, first, last string) {
		c, err := calendar.New(&implementationv1.Calendar{
			TimeZone: zone, Week: []*implementationv1.WorkingHours{hours(start, end, 1, 7)},
			Exceptions: []*implementationv1.CalendarException{{StartDate: first, EndDate: last}},
		})
		if err != nil {
			require.Equal(t, fault.KindInvalid, fault.KindOf(err))
			return
		}
		require.Equal(t, int64(1000), c.Between(time.Time{}, c.Add(time.Time{}, 1000)))
	})
}

// draw makes a calendar of any zone, week and exceptions.
func draw(t *rapid.T) (*implementationv1.Calendar, *calendar.Calendar) {
	m := &implementationv1.Calendar{
		TimeZone: rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "Australia/Lord_Howe"}).Draw(t, "zone"),
	}
	clock := func(minute int) string {
		if minute == 1440 {
			return "24:00"
		}
		return time.Date(2000, 1, 1, 0, minute, 0, 0, time.UTC).Format("15:04")
	}
	for d := range 7 {
		if cut := rapid.IntRange(0, 1439).Draw(t, "cut"); d == 0 || rapid.Bool().Draw(t, "works") {
			m.Week = append(m.Week, hours(clock(cut), clock(rapid.IntRange(cut+1, 1440).Draw(t, "end")), implementationv1.Weekday(d+1)))
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "exceptions") {
		first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 400).Draw(t, "day"))
		e := &implementationv1.CalendarException{
			StartDate: first.Format(time.DateOnly),
			EndDate:   first.AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "days")).Format(time.DateOnly),
		}
		if rapid.Bool().Draw(t, "open") {
			e.Hours = []*implementationv1.WorkingSpan{{Start: "01:30", End: "03:15"}, {Start: "12:00", End: "24:00"}}
		}
		m.Exceptions = append(m.Exceptions, e)
	}
	c, err := calendar.New(m)
	require.NoError(t, err)
	return m, c
}

// worked is the definition: it looks at the clock.
func worked(c *implementationv1.Calendar, local time.Time) bool {
	clock, date := local.Format("15:04"), local.Format(time.DateOnly)
	for i := len(c.GetExceptions()) - 1; i >= 0; i-- {
		e := c.GetExceptions()[i]
		if date < e.GetStartDate() || date > e.GetEndDate() {
			continue
		}
		for _, h := range e.GetHours() {
			if h.GetStart() <= clock && clock < h.GetEnd() {
				return true
			}
		}
		return false
	}
	for _, h := range c.GetWeek() {
		if int(h.GetDays()[0])%7 == int(local.Weekday()) && h.GetStart() <= clock && clock < h.GetEnd() {
			return true
		}
	}
	return false
}
