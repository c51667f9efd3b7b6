package risk

import (
	"math"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// game is a network ready to be played: everything that all iterations share and none changes.
type game struct {
	net  *plan.Network
	left []Estimate // by node, what it may still take
	rho  float64
	// uniform says that every node has the calendar of the plan. Times are then working
	// minutes since the plan begins, and no calendar is asked while playing. Otherwise they are minutes of all time.
	uniform bool
	release []int64 // by node, in those times
	leads   []bool  // a link counts from its start

	tables  []*quantiles // by node; nil for what is certain
	streams []stream     // by node
	factors []stream     // one a stage
	factor  []int        // by node, its stage's
	watched []int        // the milestones that are not reached
}

// newGame makes the tables and streams of a network.
func newGame(net *plan.Network, d implementationv1.Forecast_Distribution, rho float64, seed int64) *game {
	n := len(net.Tasks)
	g := &game{
		net: net, rho: rho, uniform: uniform(net), left: make([]Estimate, n), release: make([]int64, n), leads: make([]bool, n),
		tables: make([]*quantiles, n), streams: make([]stream, n), factor: make([]int, n),
	}
	shape, tables, factors := newGrid(), map[Estimate]*quantiles{}, map[string]int{}
	for i := range net.Tasks {
		t := &net.Tasks[i]
		g.left[i], g.release[i] = left(t), g.onAxis(t.Release)
		for _, l := range t.Links {
			g.leads[l.From] = g.leads[l.From] || !l.FromFinish()
		}
		if t.Task.GetMilestone() && !t.Done {
			g.watched = append(g.watched, i)
		}
		if g.left[i].Certain() {
			continue
		}
		if tables[g.left[i]] == nil {
			tables[g.left[i]] = shape.tabulate(g.left[i], d)
		}
		g.tables[i] = tables[g.left[i]]
		g.streams[i] = newStream(seed, ofTask, t.Name)
		if _, ok := factors[t.Stage]; !ok {
			factors[t.Stage] = len(g.factors)
			g.factors = append(g.factors, newStream(seed, ofStage, t.Stage))
		}
		g.factor[i] = factors[t.Stage]
	}
	return g
}

// uniform says that a network can be counted in working minutes of the plan: no node has
// another calendar, and none without duration is bound to a moment at which nobody works.
func uniform(net *plan.Network) bool {
	for i := range net.Tasks {
		t := &net.Tasks[i]
		if t.Calendar != net.Calendar || t.Left == 0 && !t.Done && net.Calendar.End(t.Release) != t.Release && t.Release > max(net.Begin, net.Status) {
			return false
		}
	}
	return true
}

// left is what a node may still take: of what has begun, what is left, with the spread in proportion.
func left(t *plan.Node) Estimate {
	certain := float64(t.Left)
	if t.Done || t.Task.GetMilestone() || t.Left == 0 && t.Started {
		return Estimate{certain, certain, certain}
	}
	e := estimateOf(t.Task.GetEstimate())
	if t.Left != t.Duration {
		return e.scaled(certain)
	}
	return e
}

// onAxis takes a moment to the times of the game.
func (g *game) onAxis(m calendar.Minute) int64 {
	if g.uniform {
		return g.net.Calendar.Count(g.net.Begin, m)
	}
	return int64(m)
}

// moment is when work ends that ends there.
func (g *game) moment(at int64) calendar.Minute {
	if g.uniform {
		return g.net.Calendar.Shift(g.net.Begin, at)
	}
	return calendar.Minute(at)
}

// worked is a time of the game in working minutes since the plan begins.
func (g *game) worked(at int64) int64 {
	if g.uniform {
		return at
	}
	return g.net.Calendar.Count(g.net.Begin, calendar.Minute(at))
}

// column is one value of every iteration of a block.
type column = []int64

// board is where one worker plays; it is used for block after block.
type board struct {
	start, begin, end, took []column  // by node: when its links let it begin, when it begins, ends, and what it takes
	critical                [][]uint8 // by node, 1 where it is
	finish, from, until     column
	factors                 [][]float64
	noise                   []float64
}

func (g *game) newBoard() *board {
	n := len(g.net.Tasks)
	b := &board{
		start: make([]column, n), begin: make([]column, n), end: make([]column, n), took: make([]column, n), critical: make([][]uint8, n),
		finish: make(column, block), from: make(column, block), until: make(column, block),
		factors: make([][]float64, len(g.factors)), noise: make([]float64, block),
	}
	slab, flags := make([]int64, 3*n*block), make([]uint8, n*block)
	next := func() (c column) {
		c, slab = slab[:block:block], slab[block:]
		return c
	}
	for i := range n {
		b.start[i], b.end[i], b.took[i] = next(), next(), next()
		b.begin[i] = b.start[i]
		if t := &g.net.Tasks[i]; g.leads[i] && (!g.uniform || t.Started) {
			b.begin[i] = make(column, block)
		}
		b.critical[i] = flags[i*block : (i+1)*block]
	}
	for i := range b.factors {
		b.factors[i] = make([]float64, block)
	}
	return b
}

// size makes all columns so long; the last block may be shorter than the others.
func (b *board) size(n int) {
	if len(b.finish) == n {
		return
	}
	b.finish, b.from, b.until, b.noise = b.finish[:n], b.from[:n], b.until[:n], b.noise[:n]
	for i := range b.start {
		b.start[i], b.begin[i], b.end[i], b.took[i], b.critical[i] = b.start[i][:n], b.begin[i][:n], b.end[i][:n], b.took[i][:n], b.critical[i][:n]
	}
	for i := range b.factors {
		b.factors[i] = b.factors[i][:n]
	}
}

// draw plays the durations: z = √ρ·F + √(1−ρ)·ε with one F a stage, then the quantile function.
func (g *game) draw(b *board, number int) {
	together, apart := math.Sqrt(g.rho), math.Sqrt(1-g.rho)
	if g.rho > 0 {
		for i, s := range g.factors {
			s.normals(number, b.factors[i])
		}
	}
	for t := range g.net.Tasks {
		took, table := b.took[t], g.tables[t]
		if table == nil {
			likely := int64(math.Round(g.left[t].Likely))
			for i := range took {
				took[i] = likely
			}
			continue
		}
		g.streams[t].normals(number, b.noise)
		factor := b.factors[g.factor[t]]
		for i, e := range b.noise {
			took[i] = int64(table.at(together*factor[i]+apart*e) + .5)
		}
	}
}
