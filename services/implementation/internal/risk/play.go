package risk

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// game is everything that all blocks share and none changes.
type game struct {
	network
	rho     float64
	tables  []*quantiles // by task; nil for what is certain
	streams []stream     // by task
	stages  []stream     // the factors
	stage   []int        // by task, its factor
	watched []int        // the milestones
}

// sums are over the iterations of one block, about the likely values so that nothing cancels.
type sums struct {
	critical             int32
	one, square, product float64 // of d, d² and d·T
}

// column is one value of every iteration of a block.
type column = []int64

// board is where one worker plays; it is used for block after block.
type board struct {
	begin, end, took []column // by task
	critical         [][]uint8
	finish           column
	factors          [][]float64
	noise            []float64
	bound            column
}

// played is all iterations, in order.
type played struct {
	finish     []int64   // on the axis
	milestones [][]int64 // by watched
	blocks     [][]sums  // by block and task
}

// play runs the iterations on as many goroutines as there are processors. Every block writes
// to places of its own, so that the answer does not depend on who played it.
func (g *game) play(iterations int) *played {
	blocks := (iterations + block - 1) / block
	p := &played{finish: make([]int64, iterations), milestones: make([][]int64, len(g.watched)), blocks: make([][]sums, blocks)}
	for i := range p.milestones {
		p.milestones[i] = make([]int64, iterations)
	}
	var (
		next    atomic.Int64
		workers sync.WaitGroup
	)
	for range min(runtime.GOMAXPROCS(0), blocks) {
		workers.Go(func() {
			b := g.newBoard()
			for number := int(next.Add(1)) - 1; number < blocks; number = int(next.Add(1)) - 1 {
				b.size(min(block, iterations-number*block))
				g.playBlock(b, number)
				p.keep(g, b, number)
			}
		})
	}
	workers.Wait()
	return p
}

func (p *played) keep(g *game, b *board, number int) {
	from := number * block
	copy(p.finish[from:], b.finish)
	for i, t := range g.watched {
		copy(p.milestones[i][from:], b.end[t])
	}
	p.blocks[number] = g.sum(b)
}

func (g *game) newBoard() *board {
	n := len(g.tasks)
	b := &board{
		begin: make([]column, n), end: make([]column, n), took: make([]column, n), critical: make([][]uint8, n),
		finish: make(column, block), factors: make([][]float64, len(g.stages)), noise: make([]float64, block), bound: make(column, block),
	}
	cells, flags := make([]int64, 3*n*block), make([]uint8, n*block)
	for i := range n {
		at := 3 * i * block
		b.begin[i], b.end[i], b.took[i] = cells[at:at+block], cells[at+block:at+2*block], cells[at+2*block:at+3*block]
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
	b.finish, b.noise, b.bound = b.finish[:n], b.noise[:n], b.bound[:n]
	for i := range b.begin {
		b.begin[i], b.end[i], b.took[i], b.critical[i] = b.begin[i][:n], b.end[i][:n], b.took[i][:n], b.critical[i][:n]
	}
	for i := range b.factors {
		b.factors[i] = b.factors[i][:n]
	}
}

func (g *game) playBlock(b *board, number int) {
	g.draw(b, number)
	clear(b.finish)
	for i := range b.finish {
		b.finish[i] = math.MinInt64
	}
	for _, t := range g.order {
		g.forward(b, t)
		for i, end := range b.end[t] {
			b.finish[i] = max(b.finish[i], end)
		}
	}
	g.trace(b)
}

// draw plays the durations: z = √ρ·F + √(1−ρ)·ε with one F a stage, then the quantile function.
func (g *game) draw(b *board, number int) {
	together, apart := math.Sqrt(g.rho), math.Sqrt(1-g.rho)
	if g.rho > 0 {
		for i, s := range g.stages {
			s.normals(number, b.factors[i])
		}
	}
	for t := range g.tasks {
		took, table := b.took[t], g.tables[t]
		if table == nil {
			likely := int64(math.Round(g.tasks[t].left.Likely))
			for i := range took {
				took[i] = likely
			}
			continue
		}
		g.streams[t].normals(number, b.noise)
		factor := b.factors[g.stage[t]]
		for i, e := range b.noise {
			took[i] = int64(table.at(together*factor[i]+apart*e) + .5)
		}
	}
}

// forward finds when a task begins and ends in every iteration of the block.
func (g *game) forward(b *board, number int) {
	t := &g.tasks[number]
	begin, end, took := b.begin[number], b.end[number], b.took[number]
	for i := range begin {
		begin[i] = t.notBefore
	}
	if !t.fixed {
		for _, l := range t.links {
			for i, at := range g.bounds(b, t, l, took) {
				begin[i] = max(begin[i], at)
			}
		}
	}
	switch {
	case t.isDone:
		for i := range end {
			end[i] = t.done
		}
	case g.uniform:
		for i := range end {
			end[i] = begin[i] + took[i]
		}
	default:
		for i := range end {
			end[i] = g.worksUntil(t, begin[i], took[i])
		}
	}
}

// bounds is what a link says about the begin of a task. It is valid until it is called again.
func (g *game) bounds(b *board, t *task, l link, took column) column {
	from := b.begin[l.from]
	if l.ofEnd() {
		from = b.end[l.from]
	}
	if l.lag == 0 && !l.toEnd() {
		return from
	}
	for i, at := range from {
		b.bound[i] = g.later(at, l.lag)
	}
	if l.toEnd() {
		for i, at := range b.bound {
			b.bound[i] = g.begunFor(t, at, took[i])
		}
	}
	return b.bound
}

// trace marks what is critical: what ends last, and from there backwards what a
// critical task waited for. These are the tasks without total float.
func (g *game) trace(b *board) {
	for t, end := range b.end {
		for i, at := range end {
			b.critical[t][i] = flag(at == b.finish[i])
		}
	}
	for n := len(g.order) - 1; n >= 0; n-- {
		number := g.order[n]
		t := &g.tasks[number]
		if t.fixed {
			continue
		}
		critical, begin := b.critical[number], b.begin[number]
		for _, l := range t.links {
			before := b.critical[l.from]
			for i, at := range g.bounds(b, t, l, b.took[number]) {
				before[i] |= critical[i] & flag(at == begin[i])
			}
		}
	}
}

func flag(yes bool) uint8 {
	if yes {
		return 1
	}
	return 0
}

// sum adds a block up.
func (g *game) sum(b *board) []sums {
	all := make([]sums, len(g.tasks))
	finish := make([]float64, len(b.finish))
	for i, at := range b.finish {
		finish[i] = float64(g.worked(at))
	}
	for t := range all {
		s := &all[t]
		for _, c := range b.critical[t] {
			s.critical += int32(c)
		}
		if g.tables[t] == nil {
			continue
		}
		likely := g.tasks[t].left.Likely
		for i, took := range b.took[t] {
			d := float64(took) - likely
			s.one += d
			s.square += d * d
			s.product += d * finish[i]
		}
	}
	return all
}
