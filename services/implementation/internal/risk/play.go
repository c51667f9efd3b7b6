package risk

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/golive-dev/golive/services/implementation/internal/calendar"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// unbound is before everything.
const unbound = math.MinInt64 / 4

// played is all iterations, in order.
type played struct {
	finish     []int64   // in times of the game
	milestones [][]int64 // by watched
	blocks     [][]sums  // by block and node
}

// sums are over the iterations of one block; d is a duration less the likely one, so that nothing cancels.
type sums struct {
	critical             int32
	one, square, product float64 // of d, d² and d·T
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

func (g *game) playBlock(b *board, number int) {
	g.draw(b, number)
	fill(b.finish, unbound)
	for _, t := range g.net.Order {
		g.forward(b, t)
		for i, end := range b.end[t] {
			b.finish[i] = max(b.finish[i], end)
		}
	}
	g.trace(b)
}

// forward finds when a node begins and ends in every iteration of the block. It is
// the forward pass of package plan, for many durations at once.
func (g *game) forward(b *board, number int) {
	t := &g.net.Tasks[number]
	if t.Done {
		fill(b.start[number], g.onAxis(t.Start))
		fill(b.begin[number], g.onAxis(t.Start))
		fill(b.end[number], g.onAxis(t.Finish))
		return
	}
	start, until := b.start[number], b.until
	fill(start, g.release[number])
	fill(until, unbound)
	for _, l := range t.Links {
		into := start
		if l.ToFinish() {
			into = until
		}
		for i, at := range g.bounds(b, l) {
			into[i] = max(into[i], at)
		}
	}
	if !g.uniform {
		g.onCalendar(b, number)
	} else {
		for i, took := range b.took[number] {
			start[i] = max(start[i], until[i]-took)
			b.end[number][i] = start[i] + took
		}
	}
	if g.leads[number] {
		g.begins(b, number)
	}
}

// begins sets when a node begins, for links that count from there; in
// uniform time, that is where its links let it begin.
func (g *game) begins(b *board, number int) {
	t, begin := &g.net.Tasks[number], b.begin[number]
	switch {
	case t.Started:
		fill(begin, g.onAxis(t.Start))
	case !g.uniform:
		for i, took := range b.took[number] {
			begin[i] = b.start[number][i]
			if took > 0 {
				begin[i] = int64(t.Calendar.Shift(calendar.Minute(b.end[number][i]), -took))
			}
		}
	}
}

// onCalendar sets the ends of a node whose work is done on a calendar of its own. Where
// its end was bound, its start waits for nothing any more.
func (g *game) onCalendar(b *board, number int) {
	c := g.net.Tasks[number].Calendar
	start, end, took := b.start[number], b.end[number], b.took[number]
	for i := range end {
		at := int64(c.Shift(calendar.Minute(start[i]), took[i]))
		if at < b.until[i] {
			begin := c.Shift(calendar.Minute(b.until[i]), -took[i])
			at, start[i] = max(int64(c.Shift(begin, took[i])), b.until[i]), math.MaxInt64
			if took[i] == 0 {
				start[i] = at
			}
		}
		end[i] = at
	}
}

// bounds is where a link lets its end of a node be. It is valid until it is called again.
func (g *game) bounds(b *board, l plan.Link) column {
	from := b.begin[l.From]
	if l.FromFinish() {
		from = b.end[l.From]
	}
	if l.Lag == 0 {
		return from
	}
	for i, at := range from {
		if g.uniform {
			b.from[i] = at + l.Lag
		} else {
			b.from[i] = int64(g.net.Calendar.Shift(calendar.Minute(at), l.Lag))
		}
	}
	return b.from
}

// trace marks what is critical: what ends last, and from there backwards what a
// critical task waited for. These are the tasks without total float.
func (g *game) trace(b *board) {
	for t, end := range b.end {
		for i, at := range end {
			b.critical[t][i] = flag(at == b.finish[i])
		}
	}
	for _, number := range slices.Backward(g.net.Order) {
		t := &g.net.Tasks[number]
		if t.Done {
			continue
		}
		critical := b.critical[number]
		for _, l := range t.Links {
			if g.net.Tasks[l.From].Started && !l.FromFinish() {
				continue // it has happened
			}
			at, before := b.start[number], b.critical[l.From]
			if l.ToFinish() {
				at = b.end[number]
			}
			for i, bound := range g.bounds(b, l) {
				before[i] |= critical[i] & flag(bound == at[i])
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

func fill(c column, with int64) {
	for i := range c {
		c[i] = with
	}
}

// sum adds a block up.
func (g *game) sum(b *board) []sums {
	all := make([]sums, len(g.net.Tasks))
	for i, at := range b.finish {
		b.noise[i] = float64(g.worked(at))
	}
	for t := range all {
		s := &all[t]
		for _, c := range b.critical[t] {
			s.critical += int32(c)
		}
		if g.tables[t] == nil {
			continue
		}
		for i, took := range b.took[t] {
			d := float64(took) - g.left[t].Likely
			s.one += d
			s.square += d * d
			s.product += d * b.noise[i]
		}
	}
	return all
}
