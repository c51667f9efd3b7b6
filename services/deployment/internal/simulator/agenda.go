package simulator

import (
	"container/heap"
	"time"
)

// agenda is what is going to happen. Of two things at one moment the seed says which is
// first: each gets a random rank when it is put down.
type agenda struct {
	now   time.Time
	heap  events
	count uint64
	rank  func() uint32
}

type event struct {
	at   time.Time
	rank uint32
	nth  uint64
	do   func()
}

// at puts something down. What would have been in the past happens now.
func (a *agenda) at(t time.Time, do func()) {
	if t.Before(a.now) {
		t = a.now
	}
	a.count++
	heap.Push(&a.heap, event{at: t, rank: a.rank(), nth: a.count, do: do})
}

func (a *agenda) in(d time.Duration, do func()) { a.at(a.now.Add(d), do) }

// step lets the next thing happen, unless it lies after until. The clock never goes back.
func (a *agenda) step(until time.Time) bool {
	if len(a.heap) == 0 || a.heap[0].at.After(until) {
		if a.now.Before(until) {
			a.now = until
		}
		return false
	}
	next := heap.Pop(&a.heap).(event) //nolint:errcheck // there is nothing else in it
	a.now = next.at
	next.do()
	return true
}

type events []event

// Len implements heap.Interface.
func (e *events) Len() int { return len(*e) }

// Less implements heap.Interface.
func (e *events) Less(i, j int) bool {
	a, b := (*e)[i], (*e)[j]
	switch {
	case !a.at.Equal(b.at):
		return a.at.Before(b.at)
	case a.rank != b.rank:
		return a.rank < b.rank
	default:
		return a.nth < b.nth
	}
}

// Swap implements heap.Interface.
func (e *events) Swap(i, j int) { (*e)[i], (*e)[j] = (*e)[j], (*e)[i] }

// Push implements heap.Interface.
func (e *events) Push(x any) { *e = append(*e, x.(event)) } //nolint:errcheck // there is nothing else in it

// Pop implements heap.Interface.
func (e *events) Pop() any {
	last := len(*e) - 1
	one := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return one
}
