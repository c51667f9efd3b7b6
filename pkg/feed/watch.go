package feed

import (
	"context"

	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// Why a watcher ended, other than by its context.
var (
	// ErrSlow cuts a watcher that did not keep up; it resumes from the token of the last event it took.
	ErrSlow error = fault.Exhausted("WATCHER_TOO_SLOW",
		"the watcher reads too slowly; watch again with the last resume token")
	// ErrStopped ends every watcher when the log stops.
	ErrStopped error = fault.Unavailable("WATCH_STOPPED",
		"the server is stopping; watch again with the last resume token")
)

// Watcher receives events in the order of the log. Events are shared between
// watchers: do not change them.
type Watcher struct {
	// C is closed when the watcher ends; [Watcher.Err] then says why.
	C <-chan *eventv1.Event

	log    *Log
	events chan *eventv1.Event
	match  func(*eventv1.Event) bool
	epoch  string
	start  string
	from   position // where the live feed takes over
	// Guarded by log.mu:
	joined bool
	ended  bool
	err    error
	detach func() bool
}

// Watch follows the log after the token, or from now on when it is empty, until
// ctx ends. It waits for [Log.Run] to begin. match chooses events; it must be
// quick and must not block, nil takes all.
func (l *Log) Watch(ctx context.Context, from string, match func(*eventv1.Event) bool) (*Watcher, error) {
	if match == nil {
		match = func(*eventv1.Event) bool { return true }
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.started:
	}
	epoch, err := l.currentEpoch(ctx)
	if err != nil {
		return nil, err
	}
	events := make(chan *eventv1.Event, l.cfg.Buffer)
	w := &Watcher{C: events, events: events, log: l, match: match, epoch: epoch}
	if from != "" {
		if w.from, err = l.parse(ctx, from); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return nil, ErrStopped
	}
	if from == "" {
		w.from = l.at
	}
	w.start = w.from.token(epoch)
	w.detach = context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.end(w, ctx.Err())
	})
	if !l.join(w) {
		l.joining.Go(func() { l.catchUp(ctx, w) })
	}
	return w, nil
}

// join makes a watcher live if it lacks nothing that the live watchers have had. l.mu is held.
func (l *Log) join(w *Watcher) bool {
	if w.from.compare(l.at) < 0 {
		return false
	}
	w.joined = true
	l.live[w] = struct{}{}
	return true
}

// end closes a watcher once. l.mu is held; a watcher that still catches up closes itself.
func (l *Log) end(w *Watcher, why error) {
	if w.ended {
		return
	}
	w.ended, w.err = true, why
	w.detach()
	if w.joined {
		delete(l.live, w)
		close(w.events)
	}
}

// catchUp reads for one watcher from its place to that of the tailer, at the
// watcher's own pace, and then joins the live ones.
func (l *Log) catchUp(ctx context.Context, w *Watcher) {
	at := w.from
	for {
		batch, _, _, err := l.after(ctx, at)
		for _, one := range batch {
			at = one.at
			if !w.match(one.event) {
				continue
			}
			if err = l.offer(ctx, w, one.event); err != nil {
				break
			}
		}
		l.mu.Lock()
		w.from = at
		if l.stopped {
			err = ErrStopped
		}
		if err != nil || w.ended {
			l.end(w, err)
			close(w.events)
			l.mu.Unlock()
			return
		}
		joined := l.join(w)
		l.mu.Unlock()
		if joined {
			return
		}
	}
}

// offer waits for room: while it catches up a watcher may be as slow as it likes.
func (l *Log) offer(ctx context.Context, w *Watcher, event *eventv1.Event) error {
	select {
	case w.events <- event:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.done:
		return ErrStopped
	}
}

// Err says why C was closed: [ErrSlow], [ErrStopped], the context's error, or what failed to be read.
func (w *Watcher) Err() error {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	return w.err
}

// Start is the token of the place where the watch began.
func (w *Watcher) Start() string { return w.start }

// Token is a place to resume from once C is empty and everything taken from it
// is dealt with; ok is false while there is more to take. It moves on past
// events that were not chosen, so that a resumed watch need not read them again.
func (w *Watcher) Token() (token string, ok bool) {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	if len(w.events) > 0 || !w.joined {
		return "", false
	}
	at := w.from
	if w.log.at.compare(at) > 0 {
		at = w.log.at
	}
	return at.token(w.epoch), true
}
