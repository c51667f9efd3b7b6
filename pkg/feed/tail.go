package feed

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/golive-dev/golive/pkg/sqldb"
)

const (
	// horizonWait is how soon the tailer looks again while something visible is above the horizon.
	horizonWait = 5 * time.Millisecond
	// breath is the least time between two reads, so that a storm of commits costs few of them.
	breath = 2 * time.Millisecond
)

// Run tails the log and feeds the watchers until ctx ends; then every watcher
// ends with [ErrStopped]. It survives a database that is away for a while.
func (l *Log) Run(ctx context.Context) error {
	defer l.stop()
	if err := l.begin(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it began
		}
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { l.tail(ctx); return nil })
	if l.db.Dialect() == sqldb.Postgres {
		group.Go(func() error { l.notify(ctx); return nil })
		group.Go(func() error { l.listen(ctx); return nil })
	}
	return group.Wait()
}

// begin finds the end of the log, from which live watchers are fed.
func (l *Log) begin(ctx context.Context) error {
	if err := l.adopt(ctx); err != nil {
		return err
	}
	if _, err := l.currentEpoch(ctx); err != nil {
		return err
	}
	var at position
	if err := l.db.Read().QueryRowContext(ctx, l.sql.end).Scan(&at.xid, &at.seq); err != nil {
		return fmt.Errorf("find the end of the event log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = at
	close(l.started)
	return nil
}

// adopt takes over events that were dumped from another PostgreSQL server,
// whose transaction ids mean nothing here: all of them come before our first.
func (l *Log) adopt(ctx context.Context) error {
	if l.sql.transplant == "" {
		return nil
	}
	var foreign bool
	if err := l.db.Read().QueryRowContext(ctx, l.sql.transplant).Scan(&foreign); err != nil || !foreign {
		return err
	}
	return l.db.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE events SET xid = '1'"); err != nil {
			return fmt.Errorf("adopt restored events: %w", err)
		}
		return l.renew(ctx, tx)
	})
}

func (l *Log) stop() {
	l.mu.Lock()
	l.stopped = true
	close(l.done)
	select {
	case <-l.started:
	default:
		close(l.started) // nobody waits for a log that never ran
	}
	for w := range l.live {
		l.end(w, ErrStopped)
	}
	l.mu.Unlock()
	l.joining.Wait()
}

func (l *Log) tail(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	failing := false
	for {
		wait, err := l.advance(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			l.cfg.Logger.Error("the event log cannot be read; watchers wait", zap.Error(err))
		}
		if failing = err != nil; failing {
			wait = l.cfg.Poll
		}
		if wait > breath && !pause(ctx, timer, breath, nil) {
			return
		}
		if !pause(ctx, timer, wait, l.hinted) {
			return
		}
	}
}

// pause waits until the time is over or a hint comes; false means that ctx ended.
func pause(ctx context.Context, timer *time.Timer, wait time.Duration, hints <-chan struct{}) bool {
	timer.Reset(wait)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-hints:
	}
	return true
}

// advance hands one batch to the live watchers and says when to look again.
func (l *Log) advance(ctx context.Context) (wait time.Duration, err error) {
	batch, full, waiting, err := l.after(ctx, l.at) // only this goroutine moves l.at
	if err != nil {
		return 0, err
	}
	if len(batch) > 0 {
		l.fanOut(batch)
	}
	switch {
	case full:
		return 0, nil
	case waiting:
		return horizonWait, nil
	default:
		return l.cfg.Poll, nil
	}
}

// after reads the settled events that follow a place; waiting says that others are visible but not settled.
func (l *Log) after(ctx context.Context, at position) (batch []placed, full, waiting bool, err error) {
	batch, err = l.read(ctx, "SELECT "+l.sql.columns+" FROM events WHERE "+l.sql.after+" ORDER BY "+l.sql.oldest+" LIMIT $3",
		at.xid, at.seq, l.cfg.Batch)
	if err != nil {
		return nil, false, false, err
	}
	for i, one := range batch {
		if !one.settled {
			return batch[:i], false, true, nil
		}
	}
	return batch, len(batch) == l.cfg.Batch, false, nil
}

func (l *Log) fanOut(batch []placed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.live {
		l.deliver(w, batch)
	}
	l.at = batch[len(batch)-1].at
}

func (l *Log) deliver(w *Watcher, batch []placed) {
	for _, one := range batch {
		if one.at.compare(w.from) <= 0 || !w.match(one.event) {
			continue
		}
		select {
		case w.events <- one.event:
		default:
			l.end(w, ErrSlow)
			return
		}
	}
}
