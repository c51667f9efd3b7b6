package policy_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

const layout = "2006-01-02T15:04"

// scan is a zone's clocks, minute by minute.
type scan struct {
	from  time.Time
	walls []time.Time // what the clocks show, as if it were UTC
}

func newScan(zone *time.Location, from time.Time, minutes int) *scan {
	s := &scan{from: from}
	for i := range minutes {
		local := from.Add(time.Duration(i) * time.Minute).In(zone)
		s.walls = append(s.walls, time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), 0, 0, time.UTC))
	}
	return s
}

// first is the minute at which the clocks first show w or later.
func (s *scan) first(w time.Time) int {
	for i := max(0, int(w.Sub(s.from)/time.Minute)-30*60); i < len(s.walls); i++ { // no zone is further from UTC
		if !s.walls[i].Before(w) {
			return i
		}
	}
	return len(s.walls)
}

// TestContainsAgreesWithAScanOfEveryMinute compares the evaluator, around nights on which clocks change,
// with nothing but a look at the clocks in every single minute.
func TestContainsAgreesWithAScanOfEveryMinute(t *testing.T) {
	t.Parallel()
	nights := map[string][]string{
		"Europe/Berlin":             {"2026-03-27", "2026-10-23", "2026-07-01"},
		"America/New_York":          {"2026-03-06", "2026-10-30"},
		"Australia/Lord_Howe":       {"2026-04-03", "2026-10-02"},
		"Africa/Casablanca":         {"2026-02-13", "2026-03-20"},
		"Pacific/Apia":              {"2011-12-28"},
		"America/Sao_Paulo":         {"2018-11-02"},
		"Europe/Istanbul":           {"2016-09-05"},
		"Asia/Kathmandu":            {"1985-12-30"},
		"Antarctica/Troll":          {"2026-03-27", "2026-10-23"},
		"America/Argentina/Ushuaia": {"2009-03-13"},
	}
	type place struct {
		zone string
		day  time.Time
		scan *scan
	}
	var places []place
	for name, days := range nights {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		for _, text := range days {
			day, err := time.Parse(time.DateOnly, text)
			require.NoError(t, err)
			places = append(places, place{name, day, newScan(zone, day.AddDate(0, 0, -14), 19*24*60)})
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.zone, b.zone), a.day.Compare(b.day)) })
	rapid.Check(t, func(t *rapid.T) {
		where := places[rapid.IntRange(0, len(places)-1).Draw(t, "where")]
		day, s := where.day, where.scan
		every := rapid.IntRange(1, 3).Draw(t, "every")
		count := rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "count")
		start := day.AddDate(0, 0, -rapid.IntRange(0, 9).Draw(t, "days before")).Add(time.Duration(rapid.IntRange(0, 24*60-1).Draw(t, "start")) * time.Minute)
		length := time.Duration(rapid.IntRange(1, 3*24*60).Draw(t, "length")) * time.Minute
		rule := fmt.Sprintf("FREQ=DAILY;INTERVAL=%d", every)
		if count > 0 {
			rule += fmt.Sprintf(";COUNT=%d", count)
		}
		spec := []*deploymentv1.Window{window(where.zone, start.Format(layout), start.Add(length).Format(layout), rule)}

		inside := make([]bool, len(s.walls))
		for n := 0; (count == 0 || n < count) && start.AddDate(0, 0, n*every).Before(day.AddDate(0, 0, 10)); n++ {
			begins := start.AddDate(0, 0, n*every)
			for i := s.first(begins); i < s.first(begins.Add(length)); i++ {
				inside[i] = true
			}
		}
		minute := rapid.IntRange(13*24*60, 17*24*60).Draw(t, "minute")
		windows, err := policy.NewWindows(spec, "windows")
		require.NoError(t, err)
		for i := minute; i < minute+20; i++ {
			open, next := windows.At(s.from.Add(time.Duration(i) * time.Minute))
			require.Equal(t, inside[i], open, "%v at %s", spec, s.from.Add(time.Duration(i)*time.Minute))
			for j := i; j < len(s.walls)-24*60 && s.from.Add(time.Duration(j)*time.Minute).Before(next); j++ {
				if inside[j] != open {
					t.Fatalf("%v says no change before %s", spec, next)
				}
			}
		}
	})
}

// TestOldWindowsAreExpandedAsFromTheirStart compares windows that began long ago, which are not counted from their start,
// with the library counting from it.
func TestOldWindowsAreExpandedAsFromTheirStart(t *testing.T) {
	t.Parallel()
	parts := map[string][]string{
		"DAILY": {"", ";BYHOUR=1,13", ";BYMONTH=3,9"}, "WEEKLY": {"", ";BYDAY=MO,TH,SU", ";BYDAY=MO,SU;WKST=SU"},
		"MONTHLY": {"", ";BYMONTHDAY=-1", ";BYDAY=2TU", ";BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"}, "YEARLY": {"", ";BYYEARDAY=1,-1", ";BYWEEKNO=20", ";BYMONTH=2;BYMONTHDAY=28"},
	}
	rapid.Check(t, func(t *rapid.T) {
		freq := rapid.SampledFrom(slices.Sorted(maps.Keys(parts))).Draw(t, "freq")
		rule := fmt.Sprintf("FREQ=%s;INTERVAL=%d", freq, rapid.IntRange(1, 7).Draw(t, "interval")) + rapid.SampledFrom(parts[freq]).Draw(t, "part")
		start := time.Date(2001, 1, 1, 0, rapid.IntRange(0, 2*365*24*60).Draw(t, "start"), 0, 0, time.UTC)
		windows, err := policy.NewWindows([]*deploymentv1.Window{window("UTC", start.Format(layout), start.Add(time.Minute).Format(layout), rule)}, "windows")
		require.NoError(t, err, rule)
		library, err := rrule.StrToRRule("DTSTART:" + start.Format("20060102T150405Z") + "\nRRULE:" + rule)
		require.NoError(t, err)
		at := start.Add(time.Duration(rapid.IntRange(1, 40*365*24*60).Draw(t, "later"))*time.Minute + time.Second)
		open, next := windows.At(at)
		want := library.After(at, false)
		if before := library.Before(at, true); !before.IsZero() && at.Before(before.Add(time.Minute)) {
			require.True(t, open)
			want = before.Add(time.Minute)
		}
		require.Equal(t, want, next.UTC(), "%s from %s after %s", rule, start, at)
	})
}

// FuzzRecurrence gives a window any rule: it is refused or evaluated, always soon, and never breaks.
func FuzzRecurrence(f *testing.F) {
	for _, rule := range []string{
		"FREQ=WEEKLY;BYDAY=FR", "FREQ=DAILY;COUNT=10", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
		"FREQ=DAILY;UNTIL=20301231T000000Z", "FREQ=YEARLY;BYYEARDAY=-1;INTERVAL=7", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU;WKST=SU", "RRULE:FREQ=DAILY;BYHOUR=1,2,3", "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4",
	} {
		f.Add(rule, "Europe/Berlin", int64(1795000000))
	}
	f.Fuzz(func(t *testing.T, rule, zone string, unix int64) {
		if strings.Count(rule, ",") > 200 {
			return // longer than the contract allows
		}
		at := time.Unix(unix%4_000_000_000, 0)
		began := time.Now()
		open, next, err := policy.EvaluateWindows([]*deploymentv1.Window{window(zone, "2026-01-31T22:00", "2026-02-01T06:00", rule)}, at)
		require.Less(t, time.Since(began), 5*time.Second)
		if err != nil {
			return
		}
		require.True(t, next.IsZero() || next.After(at), "%q: %s is not after %s", rule, next, at)
		if !next.IsZero() {
			still, _, err := policy.EvaluateWindows([]*deploymentv1.Window{window(zone, "2026-01-31T22:00", "2026-02-01T06:00", rule)}, next.Add(-time.Nanosecond))
			require.NoError(t, err)
			require.Equal(t, open, still)
		}
	})
}

func BenchmarkWindows(b *testing.B) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, rule := range []string{"", "FREQ=WEEKLY;BYDAY=FR", "FREQ=DAILY", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=20"} {
		windows, err := policy.NewWindows([]*deploymentv1.Window{window("Europe/Berlin", "2016-12-20T18:00", "2016-12-23T06:00", rule)}, "windows")
		require.NoError(b, err)
		b.Run(rule, func(b *testing.B) {
			for b.Loop() {
				windows.At(now)
			}
		})
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = policy.EvaluateWindows([]*deploymentv1.Window{window("Europe/Berlin", "2016-12-20T18:00", "2016-12-23T06:00", "FREQ=WEEKLY;BYDAY=FR")}, now)
		}
	})
	b.Run("refused", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = policy.EvaluateWindows([]*deploymentv1.Window{window("Europe/Berlin", "2016-12-20T18:00", "2016-12-23T06:00", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")}, now)
		}
	})
}
