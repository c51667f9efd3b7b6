package level

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// monday is a day of grid zero, midnight UTC.
var monday = calendar.MinuteOf(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))

// rulers are three calendars over one grid of days; the first is the plan's.
func rulers(tb testing.TB) []*ruler {
	tb.Helper()
	grid := &days{next: func(day int) calendar.Minute { return monday + calendar.Minute(day*24*60) }}
	all := []*implementationv1.Calendar{
		nil,
		{Week: []*implementationv1.WorkingHours{{Days: []implementationv1.Weekday{1, 2, 3, 4}, Start: "10:00", End: "16:00"}}},
		{TimeZone: "America/New_York"},
	}
	var out []*ruler
	for _, message := range all {
		c, err := calendar.New(message)
		require.NoError(tb, err)
		r := &ruler{calendar: c, days: grid}
		r.upTo(2)
		out = append(out, r)
	}
	return out
}

func one(r *ruler, minutes int64, links ...link) activity {
	return activity{ruler: r, duration: minutes, links: links, needs: []need{{resource: 0, milli: 1000}}}
}

func TestOnePersonDoesOneDayOfWorkADay(t *testing.T) {
	t.Parallel()
	r := rulers(t)[0]
	const day = 480
	p := &problem{plan: r, resources: []capacity{{ruler: r, milli: 1000}}, activities: []activity{
		one(r, day/2), one(r, day), one(r, day/2), {ruler: r, duration: day},
	}}
	p.prepare()
	best, free := p.solve(1, 50)
	require.EqualValues(t, day, p.length(free.starts))
	require.EqualValues(t, day+day/2, p.length(best.starts), "two days of work for one, with the long one over both and a short one on each")
	require.Zero(t, best.starts[3], "who needs nobody does not move")
	used := p.totals(best.starts)
	require.Equal(t, []int64{day * 1000, day * 1000}, used[0][:2], "both are full, with the shares of days that this takes")
}

func TestWhoNeedsMoreThanThereIsGetsItAlone(t *testing.T) {
	t.Parallel()
	r := rulers(t)[0]
	greedy := one(r, 480)
	greedy.needs[0].milli = 5000
	p := &problem{plan: r, resources: []capacity{{ruler: r, milli: 1000}}, activities: []activity{greedy, one(r, 480)}}
	p.prepare()
	best, _ := p.solve(1, 10)
	require.EqualValues(t, 960, p.length(best.starts))
}

func TestWhatHasBegunStays(t *testing.T) {
	t.Parallel()
	r := rulers(t)[0]
	a, b, c := one(r, 960), one(r, 480), one(r, 480)
	a.begun, c.begun = true, true
	p := &problem{plan: r, resources: []capacity{{ruler: r, milli: 1000}}, activities: []activity{a, b, c}}
	p.prepare()
	best, _ := p.solve(1, 10)
	require.Equal(t, schedule{0, 960, 0}, best.starts)
}

// totals is what is used of each resource by day, counted afresh.
func (p *problem) totals(starts schedule) [][]int64 {
	out := make([][]int64, len(p.resources))
	for i, a := range p.activities {
		for day := 0; day+1 < len(a.ruler.before); day++ {
			minutes := min(starts[i]+a.duration, a.ruler.before[day+1]) - max(starts[i], a.ruler.before[day])
			for _, n := range a.needs {
				for len(out[n.resource]) <= day {
					out[n.resource] = append(out[n.resource], 0)
				}
				out[n.resource][day] += max(0, minutes) * n.milli
			}
		}
	}
	return out
}

func drawProblem(t *rapid.T, all []*ruler) *problem {
	kinds := []implementationv1.Dependency_Type{1, 2, 3, 4}
	p := &problem{plan: all[0]}
	for range rapid.IntRange(1, 3).Draw(t, "resources") {
		p.resources = append(p.resources, capacity{ruler: all[0], milli: 1000 * rapid.Int64Range(1, 3).Draw(t, "capacity")})
	}
	for i := range rapid.IntRange(1, 14).Draw(t, "activities") {
		a := activity{
			ruler: rapid.SampledFrom(all).Draw(t, "ruler"), duration: rapid.Int64Range(0, 1500).Draw(t, "minutes"),
			release: rapid.Int64Range(0, 2000).Draw(t, "release"),
		}
		for j := range i {
			if rapid.IntRange(0, 3).Draw(t, "linked") == 0 {
				a.links = append(a.links, link{other: j, kind: rapid.SampledFrom(kinds).Draw(t, "kind"), lag: rapid.Int64Range(-300, 300).Draw(t, "lag")})
			}
		}
		for r := range p.resources {
			if rapid.Bool().Draw(t, "needed") {
				a.needs = append(a.needs, need{resource: r, milli: 500 * rapid.Int64Range(1, 2).Draw(t, "units")})
			}
		}
		p.activities = append(p.activities, a)
	}
	p.prepare()
	return p
}

func TestEveryScheduleHoldsItsLinksAndItsDays(t *testing.T) {
	t.Parallel()
	all := rulers(t)
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, all)
		seed := rapid.Int64().Draw(t, "seed")
		best, free := p.solve(seed, 20)
		for i := range p.activities {
			a := &p.activities[i]
			require.GreaterOrEqual(t, best.starts[i], free.starts[i])
			require.GreaterOrEqual(t, best.starts[i], a.release)
			for _, l := range a.links {
				require.GreaterOrEqual(t, best.starts[i], p.bound(a, l, best.starts[l.other]))
			}
		}
		shared := p.shared(best.starts)
		for r, used := range p.totals(best.starts) {
			for day, minutes := range used {
				if shared[r][day] > 1 {
					require.LessOrEqual(t, minutes, p.resources[r].on(day), "resource %d on day %d", r, day)
				}
			}
		}
		again, _ := p.solve(seed, 20)
		require.Equal(t, best, again)
		require.LessOrEqual(t, best.finish, p.finish(p.plain()), "never longer than the plain order")
	})
}

// shared is how many activities work with a resource on a day.
func (p *problem) shared(starts schedule) []map[int]int {
	out := make([]map[int]int, len(p.resources))
	for r := range out {
		out[r] = map[int]int{}
	}
	for i, a := range p.activities {
		for day := 0; day+1 < len(a.ruler.before); day++ {
			if min(starts[i]+a.duration, a.ruler.before[day+1]) > max(starts[i], a.ruler.before[day]) {
				for _, n := range a.needs {
					out[n.resource][day]++
				}
			}
		}
	}
	return out
}
