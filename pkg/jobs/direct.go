package jobs

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// direct hands wakes that were committed here to the workers of this process,
// without a way through the database. What it forgets when the process dies is
// found by the sweep after the lease.
type direct struct {
	mu       sync.Mutex
	open     bool // while Run works
	waiting  []subject
	reserved int           // for transactions that have not ended
	ready    chan struct{} // has a value when there may be something waiting
}

// hand gives due rows, held in tx by the caller, to who serves them first: the
// workers here while fewer than limit wait for them, else River, from which every process takes.
func (j *Jobs) hand(ctx context.Context, tx *sqldb.Tx, limit int, due ...subject) error {
	var known, carried []subject
	for _, who := range due {
		if _, ok := j.cfg.Handlers[who.kind]; ok {
			known = append(known, who)
		} else {
			carried = append(carried, who)
		}
	}
	room := j.direct.reserve(len(known), limit)
	here := known[:room]
	carried = append(carried, known[room:]...)
	if len(here) > 0 {
		tx.AfterCommit(func() { j.direct.put(here) })
		tx.AfterRollback(func() { j.direct.cancel(len(here)) })
	}
	if len(carried) == 0 {
		return nil
	}
	return j.carrier.carry(ctx, tx, carried)
}

// reserve makes room for at most n more where limit may wait, and says for how many.
func (d *direct) reserve(n, limit int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n = min(n, d.room(limit))
	d.reserved += n
	return n
}

// room is how many more may wait; none while Run does not work. d.mu is held.
func (d *direct) room(limit int) int {
	if !d.open {
		return 0
	}
	return max(0, limit-len(d.waiting)-d.reserved)
}

// free is room for a caller that reserves nothing yet.
func (d *direct) free(limit int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.room(limit)
}

func (d *direct) cancel(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reserved -= n
}

func (d *direct) put(due []subject) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reserved -= len(due)
	d.waiting = append(d.waiting, due...)
	d.signal()
}

// signal wakes one worker, which wakes the next while there is more. d.mu is held.
func (d *direct) signal() {
	if len(d.waiting) == 0 {
		return
	}
	select {
	case d.ready <- struct{}{}:
	default:
	}
}

func (d *direct) next() (who subject, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 {
		return subject{}, false
	}
	who, d.waiting = d.waiting[0], d.waiting[1:]
	d.signal()
	return who, true
}

func (d *direct) setOpen(open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = open
}

// serve is one worker of this process.
func (j *Jobs) serve(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.direct.ready:
		}
		for ctx.Err() == nil {
			who, ok := j.direct.next()
			if !ok {
				break
			}
			if err := j.work(ctx, who); err != nil && ctx.Err() == nil {
				j.cfg.Logger.Error("a wake could not be served; the sweep will find it",
					zap.String("kind", who.kind), zap.String("name", who.name), zap.Error(err))
			}
		}
	}
}
