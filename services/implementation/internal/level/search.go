package level

import (
	"math/rand/v2"

	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// found is a schedule with what it is judged by.
type found struct {
	starts schedule
	finish calendar.Minute
	moved  int64 // by how many minutes activities begin later than their links want
}

func (f found) better(than found) bool {
	return than.starts == nil || f.finish < than.finish || f.finish == than.finish && f.moved < than.moved
}

// search is one run over a problem.
type search struct {
	*problem

	free   schedule        // the starts by links alone
	bound  calendar.Minute // the finish by links alone, which nothing beats
	latest []float64       // the latest starts by links alone
	spread float64         // how far apart the keys are
	best   found
}

// solve looks for the earliest finish. The first order is by latest finish; each
// restart disturbs that order, or the best one so far, by a random amount. Every order is
// scheduled, then justified to the right and to the left as long as that shortens it
// (double justification: Valls, Ballestín, Quintanilla 2005).
func (p *problem) solve(seed int64, restarts int) (best, free found) {
	s := p.newSearch()
	keys := make([]float64, len(p.activities))
	for n := range restarts {
		r := rand.New(rand.NewPCG(uint64(seed), uint64(n))) //nolint:gosec // their bits
		s.disturb(r, n, keys)
		s.try(keys)
		if s.best.finish == s.bound && s.best.moved == 0 {
			break
		}
	}
	return s.best, found{starts: s.free, finish: s.bound}
}

func (p *problem) newSearch() *search {
	n := len(p.activities)
	s := &search{problem: p, free: make(schedule, n), latest: make([]float64, n)}
	order := p.order(make([]float64, n))
	for _, i := range order {
		s.free[i] = p.earliest(i, s.free)
	}
	s.bound = p.finish(s.free)
	late := make(schedule, n)
	p.backward(p.orderBack(make([]float64, n)), s.bound, false, late)
	for i, a := range p.activities {
		end := a.ruler.ended(late[i] + a.duration)
		s.latest[i] = float64(p.plan.of(end))
	}
	s.spread = float64(p.plan.of(s.bound))
	return s
}

// disturb sets the keys of one restart.
func (s *search) disturb(r *rand.Rand, n int, keys []float64) {
	scales := []float64{.05, .1, .2, .4}
	scale := s.spread * scales[n%len(scales)]
	fromBest := n%2 == 1
	for i := range keys {
		switch {
		case n == 0:
			keys[i] = s.latest[i] - float64(s.activities[i].weight)/1e6 // priority decides between equals
		case n == 1:
			keys[i] = 0 // the order of the plan, so that the search is never worse than that
		case fromBest:
			keys[i] = s.key(i, s.best.starts[i]) + scale/2*r.Float64()
		default:
			keys[i] = s.latest[i] + scale*r.Float64()
		}
	}
}

// key is a start on the ruler of the plan, so that activities of several rulers compare.
func (s *search) key(i int, start int64) float64 {
	a := &s.activities[i]
	if a.ruler == s.plan {
		return float64(start)
	}
	return float64(s.plan.of(a.ruler.moment(start)))
}

// try schedules one order and improves it, as long as that helps.
func (s *search) try(keys []float64) {
	this := s.forward(keys)
	for range 4 {
		next := s.justified(this)
		if !next.better(this) {
			break
		}
		this = next
	}
	if this.better(s.best) {
		s.best = this
	}
}

func (s *search) forward(keys []float64) found {
	starts := make(schedule, len(s.activities))
	s.serial(s.order(keys), starts)
	f := found{starts: starts, finish: s.finish(starts)}
	for i := range starts {
		f.moved += starts[i] - s.free[i]
	}
	return f
}

// justified moves everything to the right and back to the left.
func (s *search) justified(f found) found {
	keys := make([]float64, len(s.activities))
	for i, a := range s.activities {
		keys[i] = -s.key(i, f.starts[i]+a.duration)
	}
	right := make(schedule, len(s.activities))
	s.backward(s.orderBack(keys), f.finish, true, right)
	for i := range right {
		keys[i] = s.key(i, right[i])
	}
	return s.forward(keys)
}

func (p *problem) finish(starts schedule) (end calendar.Minute) {
	for i, a := range p.activities {
		end = max(end, a.ruler.ended(starts[i]+a.duration))
	}
	return end
}
