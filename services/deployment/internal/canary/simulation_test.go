package canary_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/canary"
)

const (
	runs     = 2000
	length   = 60   // intervals of one run
	base     = 0.01 // the share of errors of the baseline
	ordinary = 0.1  // the coefficient of variation of an arm's share from interval to interval
	absolute = 0.0005
	none     = 0.0005 // at most one run of all
)

// row is one line of the table of operating figures: a situation, and what has to come of it.
type row struct {
	name                   string
	canary, baseline       int     // requests an interval
	ratio                  float64 // the canary's share of errors over the baseline's
	noise                  float64 // the coefficient of variation of the arms
	failMost, failLeast    float64
	passMost, passLeast    float64
	meanMost               float64 // the mean interval of a FAIL
	failed, passed         int
	failedAfter, passAfter int
}

// TestOperatingFigures runs each situation 2 000 times and holds the analysis to its figures. Errors are
// Bernoulli; the share of each arm is its mean times log-normal noise of its own in every interval, with a
// coefficient of variation of 0.1, or 1 where it is very bursty. Margins: 10 % for FAIL, 50 % for PASS, 0.05
// percentage points absolute; α = 0.05. A run counts as FAIL when it fails in any of its 60 intervals, even
// after a PASS, and as PASS when it passes before it fails.
func TestOperatingFigures(t *testing.T) {
	t.Parallel()
	rows := []*row{
		{name: "equal, 300/300", canary: 300, baseline: 300, ratio: 1, noise: ordinary, failMost: 0.025, passLeast: 0.85, passMost: 1},
		{name: "equal, very bursty, 300/300", canary: 300, baseline: 300, ratio: 1, noise: 1, failMost: 0.04, passMost: 1},
		{name: "equal, 30/570", canary: 30, baseline: 570, ratio: 1, noise: ordinary, failMost: 0.01, passLeast: 0.5, passMost: 1},
		{name: "x1.05, 20 000/20 000", canary: 20000, baseline: 20000, ratio: 1.05, noise: ordinary, failMost: 0.01, passLeast: 0.99, passMost: 1},
		{name: "x2, 300/300", canary: 300, baseline: 300, ratio: 2, noise: ordinary, failLeast: 0.99, failMost: 1, meanMost: 15, passMost: none},
		{name: "x2, 30/570", canary: 30, baseline: 570, ratio: 2, noise: ordinary, failLeast: 0.45, failMost: 1, passMost: 0.03},
		{name: "x5, 30/570", canary: 30, baseline: 570, ratio: 5, noise: ordinary, failLeast: 0.99, failMost: 1, meanMost: 12, passMost: none},
	}
	var simulating sync.WaitGroup
	for i, r := range rows {
		simulating.Go(func() { r.simulate(uint64(i)) })
	}
	simulating.Wait()
	var table strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&table, "\n%-28s FAIL %6.2f %% in %4.1f min mean   PASS %6.2f %% in %4.1f min mean", r.name,
			100*float64(r.failed)/runs, mean(r.failedAfter, r.failed), 100*float64(r.passed)/runs, mean(r.passAfter, r.passed))
	}
	t.Log(table.String())
	for _, r := range rows {
		failed, passed := float64(r.failed)/runs, float64(r.passed)/runs
		require.LessOrEqual(t, failed, r.failMost, "%s: FAIL", r.name)
		require.GreaterOrEqual(t, failed, r.failLeast, "%s: FAIL", r.name)
		require.LessOrEqual(t, passed, r.passMost, "%s: PASS", r.name)
		require.GreaterOrEqual(t, passed, r.passLeast, "%s: PASS", r.name)
		if r.meanMost > 0 {
			require.LessOrEqual(t, mean(r.failedAfter, r.failed), r.meanMost, "%s: intervals until FAIL", r.name)
		}
	}
}

func (r *row) simulate(seed uint64) {
	rule := &deploymentv1.MetricRule{Id: "errors", FailMargin: 0.1, PassMargin: 0.5, AbsoluteMargin: absolute}
	for run := range runs {
		random := rand.New(rand.NewPCG(seed, uint64(run)))
		a := canary.New("a", rule, canary.FalseAlarms)
		passed := false
		for i := range length {
			canary.Observe(a, r.draw(random, i))
			if a.GetState() == gatev1.Verdict_FAIL {
				r.failed++
				r.failedAfter += i + 1
				break
			}
			if a.GetState() == gatev1.Verdict_PASS && !passed {
				passed = true
				r.passed++
				r.passAfter += i + 1
			}
		}
	}
}

// draw is one interval of a run.
func (r *row) draw(random *rand.Rand, i int) *deploymentv1.AnalysisPoint {
	return point(i, binomial(random, r.canary, base*r.ratio*logNormal(random, r.noise)), int64(r.canary),
		binomial(random, r.baseline, base*logNormal(random, r.noise)), int64(r.baseline))
}

func mean(sum, n int) float64 { return float64(sum) / max(float64(n), 1) }

// logNormal has mean 1 and the given coefficient of variation.
func logNormal(random *rand.Rand, cv float64) float64 {
	variance := math.Log1p(cv * cv)
	return math.Exp(random.NormFloat64()*math.Sqrt(variance) - variance/2)
}

// binomial draws by the gaps between successes, so that it costs what there are successes.
func binomial(random *rand.Rand, n int, p float64) int64 {
	if p >= 1 {
		return int64(n)
	}
	var successes int64
	perGap := 1 / math.Log1p(-p)
	for at := 0; ; successes++ {
		if at += 1 + int(math.Log(1-random.Float64())*perGap); at > n {
			return successes
		}
	}
}
