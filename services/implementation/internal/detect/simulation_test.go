package detect_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

const (
	windows = 26
	runs    = 500
	// mostAlarms is the share of runs without any change in which a rule may speak. Its own standard error at 5 % and 500 runs is one point.
	mostAlarms = 0.05
)

// simulate takes a rule through 26 windows, in many runs, and answers in which share of the runs it entered at least once.
func simulate(id detect.ID, draw func(window int, r *rand.Rand, f *detect.Facts)) float64 {
	rule, _ := detect.Find(id)
	settings := detect.Merge().Settings(rule)
	entered := 0
	for run := range runs {
		r := rand.New(rand.NewPCG(20261123, uint64(run)))
		standing := map[string]detect.Standing{}
		alarm := false
		for i := range windows {
			f := &detect.Facts{Implementation: crm, Week: week().Add(i), Now: week().Add(i).End()}
			draw(i, r, f)
			for _, found := range rule.Judge(f, settings) {
				if !found.Decides() {
					continue
				}
				next, _ := standing[found.Aspect].Next(found.Window, found.Status == holds)
				standing[found.Aspect] = next
				alarm = alarm || next.Active
			}
		}
		if alarm {
			entered++
		}
	}
	return float64(entered) / runs
}

func binomial(r *rand.Rand, n int64, p float64) detect.Share {
	return detect.Share{X: int64(distuv.Binomial{N: float64(n), P: p, Src: r}.Rand()), N: n}
}

// history is a series of waves: each is drawn from the share of its window, and is the baseline of those after it.
func history(n int64, p func(window int) float64) func(window int, r *rand.Rand) (now detect.Share, before []detect.Share) {
	var past []detect.Share
	return func(window int, r *rand.Rand) (detect.Share, []detect.Share) {
		if window == 0 {
			past = past[:0]
			for range 4 {
				past = append(past, binomial(r, n, p(0)))
			}
		}
		now := binomial(r, n, p(window))
		before := append([]detect.Share(nil), past...)
		past = append([]detect.Share{now}, past[:3]...)
		return now, before
	}
}

func flat(p float64) func(int) float64 { return func(int) float64 { return p } }

// drops is a share that falls at the tenth window and stays there.
func drops(from, to float64) func(int) float64 {
	return func(window int) float64 {
		if window < 10 {
			return from
		}
		return to
	}
}

func sentimentRule(n int64, p func(int) float64) float64 {
	next := history(n, p)
	return simulate("R4", func(window int, r *rand.Rand, f *detect.Facts) {
		now, before := next(window, r)
		f.Sentiment = []detect.Sentiment{{Group: group(), Wave: weekly(f), Now: now, Baseline: before}}
	})
}

func silenceRule(n int64, p func(int) float64) float64 {
	next := history(n, p)
	return simulate("R5", func(window int, r *rand.Rand, f *detect.Facts) {
		now, before := next(window, r)
		f.Silence = []detect.Silence{{Group: group(), Wave: weekly(f), Now: now, Baseline: before}}
	})
}

// weekly is a wave a week.
func weekly(f *detect.Facts) detect.Wave {
	return detect.Wave{Name: f.Week.String(), Before: f.Week.Add(-1).String(), Closed: f.Week.End()}
}

func pulseRule(n int64, p ...float64) float64 {
	return simulate("R6", func(_ int, r *rand.Rand, f *detect.Facts) {
		v := detect.Pulse{Group: group(), Wave: weekly(f)}
		for i, name := range []string{"AWARENESS", "DESIRE", "KNOWLEDGE", "ABILITY", "REINFORCEMENT"} {
			v.Elements = append(v.Elements, detect.Element{Name: name, Good: binomial(r, n, p[i])})
		}
		f.Pulse = []detect.Pulse{v}
	})
}

func avoidanceRule(n int64, own, others float64) float64 {
	return simulate("R7", func(_ int, r *rand.Rand, f *detect.Facts) {
		now := binomial(r, n, own)
		f.Avoidance = []detect.Avoidance{{Group: group(), Invited: n, NoShow: now.X, Others: binomial(r, 5*n, others)}}
	})
}

func supportRule(users int64, before, after float64) float64 {
	const baselineWeeks = 4
	var baseline int64
	return simulate("R8", func(window int, r *rand.Rand, f *detect.Facts) {
		if window == 0 {
			baseline = int64(distuv.Poisson{Lambda: before * float64(users) * baselineWeeks, Src: r}.Rand())
		}
		f.Support = []detect.Support{{
			Group: group(), Week: window + 3, Users: users, Exposure: float64(users), BaselineTickets: baseline, BaselineExposed: float64(users) * baselineWeeks,
			Tickets: int64(distuv.Poisson{Lambda: after * float64(users), Src: r}.Rand()),
		}}
	})
}

// TestFalseAlarms: where nothing changes, half a year passes without a word in 95 of 100 runs. The
// shares are those at which chance plays most, and the sizes from the smallest group that is looked at to a large one.
func TestFalseAlarms(t *testing.T) {
	for _, n := range []int64{12, 40, 150, 1000} {
		for name, alarms := range map[string]float64{
			"R4 sentiment of 50 %":             sentimentRule(n, flat(0.5)),
			"R4 sentiment of 80 %":             sentimentRule(n, flat(0.8)),
			"R5 response of 50 %":              silenceRule(n, flat(0.5)),
			"R6 every element at the limit":    pulseRule(n, 0.5, 0.5, 0.5, 0.5, 0.5),
			"R7 as avoided as everywhere":      avoidanceRule(n, 0.35, 0.35),
			"R8 tickets as before":             supportRule(n, 0.3, 0.3),
			"R8 tickets as before, and seldom": supportRule(n, 0.03, 0.03),
		} {
			t.Logf("%-34s n = %4d: %.1f %% false alarms in %d windows", name, n, 100*alarms, windows)
			require.LessOrEqual(t, alarms, mostAlarms, "%s, n = %d", name, n)
		}
	}
}

// TestPower prints what the rules are worth, and holds the clear cases.
func TestPower(t *testing.T) {
	for _, c := range []struct {
		name  string
		found float64
		least float64
	}{
		{"R4 from 70 % to 50 %, 150 answers", sentimentRule(150, drops(0.7, 0.5)), 0.9},
		{"R4 from 70 % to 60 %, 1000 answers", sentimentRule(1000, drops(0.7, 0.6)), 0.95},
		{"R4 from 70 % to 50 %, 40 answers", sentimentRule(40, drops(0.7, 0.5)), 0.2},
		{"R5 from 60 % to 30 %, 150 invited", silenceRule(150, drops(0.6, 0.3)), 0.95},
		{"R6 ABILITY at 25 %, 40 answers", pulseRule(40, 0.8, 0.8, 0.7, 0.25, 0.6), 0.95},
		{"R7 50 % where others have 15 %, 40 invited", avoidanceRule(40, 0.5, 0.15), 0.95},
		{"R8 three times the tickets, 40 users", supportRule(40, 0.3, 0.9), 0.95},
	} {
		t.Logf("%-44s found in %.1f %% of runs", c.name, 100*c.found)
		require.GreaterOrEqual(t, c.found, c.least, c.name)
	}
}

// TestTheUsualRuleCriesWolf: "ten points lower than last week" raises an alarm in nearly every run in which nothing
// changed, and ours in the same draws stays below 5 %.
func TestTheUsualRuleCriesWolf(t *testing.T) {
	const n, p = 40, 0.6
	usual := 0
	for run := range runs {
		r := rand.New(rand.NewPCG(7, uint64(run)))
		last, alarm := binomial(r, n, p), false
		for range windows {
			now := binomial(r, n, p)
			alarm = alarm || now.X*10 <= last.X*10-n // ten points of n answers
			last = now
		}
		if alarm {
			usual++
		}
	}
	ours := sentimentRule(n, flat(p))
	t.Logf("ten points lower than last week: %.1f %% of runs; ours: %.1f %%", 100*float64(usual)/runs, 100*ours)
	require.Greater(t, float64(usual)/runs, 0.98)
	require.LessOrEqual(t, ours, mostAlarms)
}
