package risk

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

const (
	beta     = implementationv1.Forecast_BETA_PERT
	triangle = implementationv1.Forecast_TRIANGULAR
	// unit is how many minutes one unit of a published example takes, so that whole minutes do no harm.
	unit = 1000
)

// monday is when the examples begin.
var monday = calendar.MinuteOf(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))

// work is a task of an example: its estimate and the tasks before it.
func work(o, m, p float64, before ...int) plan.Node {
	low, high := int32(o*unit), int32(p*unit)
	t := &implementationv1.Task{Estimate: &implementationv1.Estimate{OptimisticMinutes: &low, LikelyMinutes: int32(m * unit), PessimisticMinutes: &high}}
	node := plan.Node{Task: t, Duration: int64(m * unit), Left: int64(m * unit)}
	for _, from := range before {
		node.Links = append(node.Links, plan.Link{From: from})
	}
	return node
}

// net is the network of an example, whose tasks are in order.
func net(tasks ...plan.Node) *plan.Network {
	c, err := calendar.New(nil)
	if err != nil {
		panic(err)
	}
	n := &plan.Network{Calendar: c, Begin: monday, Status: monday, Tasks: tasks}
	for i := range tasks {
		n.Order = append(n.Order, i)
		if tasks[i].Name == "" {
			tasks[i].Name = fmt.Sprintf("tasks/%d", i)
		}
		tasks[i].Calendar, tasks[i].Release = c, monday
	}
	return n
}

func run(n *plan.Network, d implementationv1.Forecast_Distribution, rho float64, seed int64, iterations int) (*game, *outcome) {
	g := newGame(n, d, rho, seed)
	return g, g.outcome(g.play(iterations))
}

// within checks a figure against its truth by the standard error of the simulation.
func within(t *testing.T, want, got, standardError float64, what string) {
	t.Helper()
	require.LessOrEqual(t, math.Abs(got-want), 4*standardError, "%s: want %v, got %v ± %v", what, want, got, standardError)
}

const iterations = 100_000

func TestTheExampleOfTheBodyOfKnowledgeInSeries(t *testing.T) {
	t.Parallel()
	_, o := run(net(work(4, 6, 10), work(16, 20, 35, 0), work(11, 15, 23, 1)), triangle, 0, 1, iterations)
	n := float64(iterations)
	within(t, 46.6667, o.mean/unit, math.Sqrt(24.5/n), "mean")
	within(t, 24.5, o.deviation*o.deviation/unit/unit, 24.5*math.Sqrt(2/n), "variance")
	for limit, p := range map[float64]float64{41: 0.12611, 50: 0.74821} {
		within(t, p, share(o.finish, int64(limit*unit)), math.Sqrt(p*(1-p)/n), fmt.Sprintf("F(%v)", limit))
	}
}

func TestEqualParallelPathsMultiply(t *testing.T) {
	t.Parallel()
	for _, k := range []int{2, 5, 10} {
		tasks := make([]plan.Node, k)
		for i := range tasks {
			tasks[i] = work(4, 6, 10)
		}
		_, o := run(net(tasks...), triangle, 0, 7, iterations)
		one := distuv.NewTriangle(4, 10, 6, nil)
		for _, limit := range []float64{7, 8, 9} {
			p := math.Pow(one.CDF(limit), float64(k))
			within(t, p, share(o.finish, int64(limit*unit)), math.Sqrt(p*(1-p)/iterations), fmt.Sprintf("F(%v)^%d", limit, k))
		}
		for _, i := range o.tasks {
			p := 1 / float64(k)
			within(t, p, i.critical, math.Sqrt(p*(1-p)/iterations)+1./unit, "criticality of equals")
		}
	}
}

// normal gives every task the normal distribution instead, to check what is known of it.
func normal(n *plan.Network, rho, mean, deviation float64, seed int64) *outcome {
	g := newGame(n, beta, rho, seed)
	for i := range g.tables {
		g.tables[i] = &quantiles{}
		for c := range g.tables[i] {
			g.tables[i][c] = unit * (mean + deviation*reach*(2*float64(c)/cells-1))
		}
	}
	return g.outcome(g.play(iterations))
}

func TestTheMaximumOfTwoNormals(t *testing.T) {
	t.Parallel()
	o := normal(net(work(0, 1, 2), work(0, 1, 2)), 0, 50, 1, 3)
	deviation := math.Sqrt(1 - 1/math.Pi)
	within(t, 0.5642, o.mean/unit-50, deviation/math.Sqrt(iterations), "mean of the maximum")
}

func TestCorrelationWidensASeries(t *testing.T) {
	t.Parallel()
	tasks := make([]plan.Node, 10)
	for i := range tasks {
		tasks[i] = work(0, 1, 2)
		tasks[i].Stage = "stages/one"
		if i > 0 {
			tasks[i].Links = []plan.Link{{From: i - 1}}
		}
	}
	for rho, want := range map[float64]float64{0: 6.3246, .5: 14.8324, 1: 20} {
		o := normal(net(tasks...), rho, 50, 2, 11)
		within(t, want, o.deviation/unit, want/math.Sqrt(2*iterations), fmt.Sprintf("deviation at %v", rho))
	}
	apart := net(tasks...)
	for i := range apart.Tasks {
		apart.Tasks[i].Stage = fmt.Sprintf("stages/%d", i)
	}
	o := normal(apart, .5, 50, 2, 11)
	within(t, 6.3246, o.deviation/unit, 6.3246/math.Sqrt(2*iterations), "stages of their own share nothing")
}

func TestACertainTaskIsCriticalWithoutSensitivity(t *testing.T) {
	t.Parallel()
	_, o := run(net(work(5, 5, 5), work(2, 4, 9, 0)), beta, 0, 1, 5000)
	require.Equal(t, influence{critical: 1, mean: 5 * unit}, o.tasks[0])
	require.InDelta(t, 1, o.tasks[1].sensitive, 1e-9, "all that varies")
	require.InDelta(t, 1, o.tasks[1].crucial, 1e-6)
}

func TestTheTablesAreTheQuantilesOfTheirDistributions(t *testing.T) {
	t.Parallel()
	g := newGrid()
	rapid.Check(t, func(t *rapid.T) {
		o := rapid.Float64Range(0, 100).Draw(t, "optimistic")
		m := o + rapid.Float64Range(0, 100).Draw(t, "to likely")
		p := max(m+rapid.Float64Range(0, 100).Draw(t, "to pessimistic"), o+1)
		e, z := Estimate{o, m, p}, rapid.Float64Range(-4, 4).Draw(t, "score")
		u := distuv.UnitNormal.CDF(z)
		lambda := 4 * (m - o) / (p - o)
		want := o + (p-o)*distuv.Beta{Alpha: 1 + lambda, Beta: 5 - lambda}.Quantile(u)
		require.InDelta(t, want, g.tabulate(e, beta).at(z), 5e-4*(p-o), "beta-PERT")
		require.InDelta(t, distuv.NewTriangle(o, p, m, nil).Quantile(u), g.tabulate(e, triangle).at(z), 5e-4*(p-o), "triangular")
	})
}

func TestTheDrawsHaveTheMomentsOfTheirDistribution(t *testing.T) {
	t.Parallel()
	for _, e := range []Estimate{{2, 5, 8}, {1, 1, 9}, {3, 10, 10}, {0, 1, 100}} {
		_, o := run(net(work(e.Optimistic, e.Likely, e.Pessimistic)), beta, 0, 1, iterations)
		mean := e.Expected()
		variance := (mean - e.Optimistic) * (e.Pessimistic - mean) / 7
		within(t, mean, o.mean/unit, math.Sqrt(variance/iterations), "(o+4m+p)/6")
		within(t, math.Sqrt(variance), o.deviation/unit, math.Sqrt(variance/iterations), "√((µ−o)(p−µ)/7)")
	}
}

func TestTheAnswerDoesNotDependOnTheProcessors(t *testing.T) { //nolint:paralleltest // it sets GOMAXPROCS
	n := examplePlan(300, 5)
	var first *outcome
	for _, processors := range []int{1, 2, 8} {
		before := runtime.GOMAXPROCS(processors)
		_, o := run(n, beta, .3, 42, 1234)
		runtime.GOMAXPROCS(before)
		if first == nil {
			first = o
			continue
		}
		require.Equal(t, first.finish, o.finish)
		require.Equal(t, first.tasks, o.tasks, "to the last bit")
	}
	_, other := run(n, beta, .3, 43, 1234)
	require.NotEqual(t, first.finish, other.finish, "another seed is another world")
}

// examplePlan is a plan of n tasks in 25 stages, each waiting for some of those before it.
func examplePlan(n, links int) *plan.Network {
	tasks := make([]plan.Node, n)
	for i := range tasks {
		likely := float64(480*(1+i%9)) / unit
		tasks[i] = work(likely*.7, likely, likely*(1.5+float64(i%7)/4))
		tasks[i].Name, tasks[i].Stage = fmt.Sprintf("tasks/t%05d", i), fmt.Sprintf("stages/s%02d", i*25/n)
		for l := 1; l <= links && i-l*l >= 0; l++ {
			tasks[i].Links = append(tasks[i].Links, plan.Link{From: i - l*l})
		}
	}
	return net(tasks...)
}

func TestAddingATaskLeavesTheDrawsOfTheOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "tasks")
		seed := rapid.Int64().Draw(t, "seed")
		all := examplePlan(n+1, 0).Tasks
		without := rapid.IntRange(0, n).Draw(t, "the added one")
		rest := append(append([]plan.Node{}, all[:without]...), all[without+1:]...)
		a, b := drawn(net(all...), seed), drawn(net(rest...), seed)
		for name, took := range b {
			require.Equal(t, a[name], took, name)
		}
	})
}

// drawn is what each task takes in a block.
func drawn(n *plan.Network, seed int64) map[string][]int64 {
	g := newGame(n, beta, .4, seed)
	b := g.newBoard()
	g.draw(b, 3)
	all := map[string][]int64{}
	for i, t := range g.net.Tasks {
		all[t.Name] = b.took[i]
	}
	return all
}

func TestQuantilesAreTheLeastThatSuffices(t *testing.T) {
	t.Parallel()
	rising := []int64{10, 20, 30, 40, 50}
	for p, want := range map[float64]int64{0: 10, .1: 10, .2: 10, .21: 20, .5: 30, .8: 40, .9: 50, 1: 50} {
		require.Equal(t, want, quantile(rising, p), "%v", p)
	}
	for limit, want := range map[int64]float64{9: 0, 10: .2, 39: .6, 50: 1, 99: 1} {
		require.InDelta(t, want, share(rising, limit), 0, "%v", limit)
	}
	many := make([]int64, 10_000)
	for i := range many {
		many[i] = int64(i + 1)
	}
	require.EqualValues(t, 5500, quantile(many, .55))
}

func TestTheStreamsAreUnrelated(t *testing.T) {
	t.Parallel()
	const n = 100 * block
	fill := func(s stream) []float64 {
		all := make([]float64, n)
		for i := range n / block {
			s.normals(i, all[i*block:(i+1)*block])
		}
		return all
	}
	a, b, c := fill(newStream(1, ofTask, "t1")), fill(newStream(1, ofTask, "t2")), fill(newStream(1, ofStage, "t1"))
	for _, pair := range [][2][]float64{{a, b}, {a, c}, {a[:n-block], a[block:]}} {
		within(t, 0, stat.Correlation(pair[0], pair[1], nil), 1/math.Sqrt(n), "correlation")
	}
	within(t, 0, stat.Mean(a, nil), 1/math.Sqrt(n), "mean")
	within(t, 1, stat.StdDev(a, nil), 1/math.Sqrt(2*n), "deviation")
}
