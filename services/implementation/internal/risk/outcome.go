package risk

import (
	"math"
	"slices"
)

// outcome is what the iterations say.
type outcome struct {
	finish    []int64 // in times of the game, rising
	mean      float64 // working minutes since the start of the plan
	deviation float64 // working minutes
	tasks     []influence
	reached   [][]int64 // by milestone, rising
}

// influence is what a task has to do with the finish.
type influence struct {
	critical        float64 // criticality index
	sensitive       float64 // schedule sensitivity index
	crucial         float64 // cruciality index
	mean, deviation float64 // of its duration, in working minutes
}

// outcome adds the blocks up in their order, whoever played them.
func (g *game) outcome(p *played) *outcome {
	o := &outcome{finish: p.finish, reached: p.milestones, tasks: make([]influence, len(g.net.Tasks))}
	n := float64(len(p.finish))
	var one, square float64
	for _, at := range p.finish {
		one += float64(g.worked(at))
	}
	o.mean = one / n
	for _, at := range p.finish {
		d := float64(g.worked(at)) - o.mean
		square += d * d
	}
	o.deviation = math.Sqrt(square / n)
	for t := range g.net.Tasks {
		o.tasks[t] = g.influence(t, p, o)
	}
	slices.Sort(o.finish)
	for _, m := range o.reached {
		slices.Sort(m)
	}
	return o
}

// influence is, for one task: CI, the share of iterations in which it is critical;
// SSI = CI·σ(d)/σ(T) (Project Management Institute, 2004; Vanhoucke 2010); CRI = the
// correlation of d and T (Williams 1992). A certain task has σ(d) = 0, and so 0 for the last two.
func (g *game) influence(t int, p *played, o *outcome) influence {
	var all sums
	for _, b := range p.blocks {
		all.critical += b[t].critical
		all.one += b[t].one
		all.square += b[t].square
		all.product += b[t].product
	}
	n := float64(len(p.finish))
	mean := all.one / n
	variance := max(0, all.square/n-mean*mean)
	i := influence{critical: float64(all.critical) / n, mean: g.left[t].Likely + mean, deviation: math.Sqrt(variance)}
	if i.deviation > 0 && o.deviation > 0 {
		i.sensitive = i.critical * i.deviation / o.deviation
		i.crucial = max(-1, min(1, (all.product/n-mean*o.mean)/(i.deviation*o.deviation)))
	}
	return i
}

// quantile is the least of rising values that so great a share of them does not exceed.
func quantile(rising []int64, share float64) int64 {
	n := int(math.Ceil(share*float64(len(rising)) - 1e-9)) // 0.55 of 10 000 are 5500, and not a hair more
	return rising[max(0, min(len(rising), n)-1)]
}

// share is how many of rising values are not above the limit.
func share(rising []int64, limit int64) float64 {
	n, _ := slices.BinarySearch(rising, limit+1)
	return float64(n) / float64(len(rising))
}
