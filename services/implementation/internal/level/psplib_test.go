package level

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/cputime"
)

// library reads an instance of PSPLIB. Its periods are the days of a calendar
// with one working minute each, so that it goes through the code of the product.
func library(tb testing.TB, file string) *problem {
	tb.Helper()
	const periods = 1000
	everyDay := []implementationv1.Weekday{1, 2, 3, 4, 5, 6, 7}
	c, err := calendar.New(&implementationv1.Calendar{Week: []*implementationv1.WorkingHours{{Days: everyDay, Start: "09:00", End: "09:01"}}})
	require.NoError(tb, err)
	axis := &ruler{calendar: c, days: &days{next: func(day int) calendar.Minute { return calendar.Minute(day * 24 * 60) }}}
	axis.upTo(periods)
	f, err := os.Open(file)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, f.Close()) }()
	p := &problem{plan: axis}
	section := ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		numbers := numbersOf(lines.Text())
		switch {
		case strings.HasPrefix(lines.Text(), "PRECEDENCE"), strings.HasPrefix(lines.Text(), "REQUESTS"), strings.HasPrefix(lines.Text(), "RESOURCEAVAIL"):
			section = lines.Text()[:3]
		case len(numbers) == 0:
		case section == "PRE":
			p.grow(numbers[0])
			for _, next := range numbers[3:] {
				p.grow(next)
				p.activities[next-1].links = append(p.activities[next-1].links, link{other: numbers[0] - 1})
			}
		case section == "REQ":
			a := &p.activities[numbers[0]-1]
			a.duration = int64(numbers[2])
			for r, units := range numbers[3:] {
				if units > 0 {
					a.needs = append(a.needs, need{resource: r, milli: 1000 * int64(units)})
				}
			}
		case section == "RES":
			for _, units := range numbers {
				p.resources = append(p.resources, capacity{ruler: axis, milli: 1000 * int64(units)})
			}
		}
	}
	require.NoError(tb, lines.Err())
	for i := range p.activities {
		p.activities[i].ruler = axis
	}
	p.prepare()
	return p
}

func (p *problem) grow(n int) {
	for len(p.activities) < n {
		p.activities = append(p.activities, activity{})
	}
}

// numbersOf is a line of numbers; nothing where it has anything else.
func numbersOf(line string) (all []int) {
	for word := range strings.FieldsSeq(line) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}

// length is a schedule's finish in periods.
func (p *problem) length(starts schedule) int64 {
	var end int64
	for i, a := range p.activities {
		end = max(end, starts[i]+a.duration)
	}
	return end
}

// plain is the control: one serial schedule in the order of the file.
func (p *problem) plain() schedule {
	keys, starts := make([]float64, len(p.activities)), make(schedule, len(p.activities))
	p.serial(p.order(keys), starts)
	return starts
}

func TestAPublishedInstanceIsSolvedToItsOptimum(t *testing.T) {
	t.Parallel()
	p := library(t, "testdata/j301_1.sm")
	require.Len(t, p.activities, 32)
	require.EqualValues(t, 49, p.length(p.plain()), "a plain serial schedule")
	for seed := range int64(20) {
		best, free := p.solve(seed, 200)
		require.EqualValues(t, 38, p.length(free.starts), "the critical path")
		require.EqualValues(t, 43, p.length(best.starts), "the optimum, with seed %d", seed)
		p.feasible(t, best.starts)
	}
}

// feasible checks a schedule from the definitions, minute by minute and not by days.
func (p *problem) feasible(tb testing.TB, starts schedule) {
	tb.Helper()
	for i, a := range p.activities {
		for _, l := range a.links {
			require.GreaterOrEqual(tb, starts[i], starts[l.other]+p.activities[l.other].duration)
		}
		for _, n := range a.needs {
			for at := starts[i]; at < starts[i]+a.duration; at++ {
				var used int64
				for j, b := range p.activities {
					for _, m := range b.needs {
						if m.resource == n.resource && starts[j] <= at && at < starts[j]+b.duration {
							used += m.milli
						}
					}
				}
				require.LessOrEqual(tb, used, p.resources[n.resource].milli)
			}
		}
	}
}

func BenchmarkPSPLIB(b *testing.B) {
	b.Run("restarts", func(b *testing.B) {
		p := library(b, "testdata/j301_1.sm")
		defer cputime.Measure(b)()
		for b.Loop() {
			best, _ := p.solve(1, 200)
			b.ReportMetric(float64(p.length(best.starts)), "periods")
		}
	})
	b.Run("control=plain", func(b *testing.B) {
		p := library(b, "testdata/j301_1.sm")
		defer cputime.Measure(b)()
		for b.Loop() {
			b.ReportMetric(float64(p.length(p.plain())), "periods")
		}
	})
}
