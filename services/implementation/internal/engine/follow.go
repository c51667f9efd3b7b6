package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// followBatch is how many events are handled in one transaction, and followLinger how long a batch waits for more.
	followBatch  = 500
	followLinger = 5 * time.Millisecond
	// partsEvery is how often it is looked which streams a log has.
	partsEvery = time.Second
	// standBy is how long a replica leaves a log to the one that was faster.
	standBy = 2 * time.Second
	// leastRetry and mostRetry bound the pause before a stream that broke is opened again.
	leastRetry, mostRetry = 50 * time.Millisecond, 5 * time.Second
)

// Follower gives a consumer every event of a log, in the order of the log.
//
//	log ──stream──▶ batch ──▶ one transaction: move the position, handle
//	                              └─ moved by another replica: stand by, look again
//
// The stream is at least once, the effect exactly once: what handle writes and how far
// the log was followed are one transaction, and the position is compared and swapped in it, so that two
// replicas never handle the same event both. A stream that breaks, on whichever side, is opened again where the
// position is; a log that was restored from a backup, whose tokens are refused, is followed from then on.
type Follower struct {
	store    *store.Store
	consumer string
	source   Source
	handle   func(ctx context.Context, tx *sqldb.Tx, events []*eventv1.Event) error
	logger   *zap.Logger
}

// NewFollower follows source for a consumer. handle may run more than once for a batch, of which one run is
// committed; it calls nobody, and does not fail for what an event says, because it would get the same batch for ever.
func NewFollower(s *store.Store, consumer string, source Source, handle func(ctx context.Context, tx *sqldb.Tx, events []*eventv1.Event) error, logger *zap.Logger) *Follower {
	return &Follower{store: s, consumer: consumer, source: source, handle: handle, logger: logger.With(zap.String("consumer", consumer))}
}

// Run follows every stream of the log until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	var streams sync.WaitGroup
	defer streams.Wait()
	live := map[string]context.CancelFunc{}
	tick := time.NewTicker(partsEvery)
	defer tick.Stop()
	for {
		parts, err := f.source.parts(ctx)
		if err != nil && ctx.Err() == nil {
			f.logger.Warn("it is not known what to follow; trying again", zap.Error(err))
		}
		for _, part := range parts {
			if live[part] == nil {
				inner, cancel := context.WithCancel(ctx)
				live[part] = cancel
				streams.Go(func() { f.follow(inner, part) })
			}
		}
		for part, cancel := range live {
			if err == nil && !slices.Contains(parts, part) {
				cancel()
				delete(live, part)
			}
		}
		select {
		case <-ctx.Done():
			for _, cancel := range live {
				cancel()
			}
			return nil
		case <-tick.C:
		}
	}
}

// follow keeps one stream open until ctx ends.
func (f *Follower) follow(ctx context.Context, part string) {
	retry := leastRetry
	for ctx.Err() == nil {
		began := time.Now()
		err := f.stream(ctx, part)
		if ctx.Err() != nil || errors.Is(err, feed.ErrStopped) {
			return
		}
		if time.Since(began) > mostRetry {
			retry = leastRetry
		}
		pause := retry/2 + rand.N(retry) //nolint:gosec // jitter is no secret
		if errors.Is(err, store.ErrEventPositionMoved) {
			f.waitForOther(ctx, part)
			continue
		}
		f.logger.Debug("the stream of events broke; it is opened again", zap.String("source", part), zap.Error(err))
		retry = min(2*retry, mostRetry)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// waitForOther leaves a stream to the replica that was faster, until that one moves it no more.
func (f *Follower) waitForOther(ctx context.Context, part string) {
	last, _, _ := f.store.EventPosition(ctx, f.consumer, part) // unknown is as good as another place
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(standBy + rand.N(standBy/2)): //nolint:gosec // jitter is no secret
		}
		now, _, err := f.store.EventPosition(ctx, f.consumer, part)
		if err == nil && now == last {
			return
		}
		last = now
	}
}

// stream opens one and handles what comes, until it breaks.
func (f *Follower) stream(ctx context.Context, part string) error {
	at, begun, err := f.store.EventPosition(ctx, f.consumer, part)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	frames, done := make(chan frame, followBatch), make(chan struct{})
	go func() {
		defer close(done)
		cancel(f.source.follow(ctx, part, at, frames))
	}()
	defer func() {
		cancel(nil)
		<-done
	}()
	at, err = f.begin(ctx, part, at, begun, frames)
	for err == nil {
		at, err = f.batch(ctx, part, at, frames)
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		err = cause
	}
	if fault.ReasonOf(err) == "RESUME_TOKEN_INVALID" {
		f.logger.Warn("the log does not know the position, it may have been restored from a backup: following from now on", zap.String("source", part))
		return errors.Join(err, f.store.ForgetEventPosition(context.WithoutCancel(ctx), f.consumer, part, at))
	}
	return err
}

// begin takes the first frame. A consumer that has never been here handles what happened just before that place;
// all that follows comes from the stream, so that nothing is handled twice, whenever the stream breaks.
func (f *Follower) begin(ctx context.Context, part, at string, begun bool, frames <-chan frame) (start string, err error) {
	select {
	case <-ctx.Done():
		return at, ctx.Err()
	case first := <-frames:
		if begun {
			return at, nil
		}
		start = first.token
	}
	newest, err := f.source.recent(ctx, part)
	if err != nil {
		return at, err
	}
	events := slices.DeleteFunc(young(newest, f.store.Now().Add(-lookback)), func(e *eventv1.Event) bool { return !feed.Reached(e.GetToken(), start) })
	return start, f.store.BeginEvents(ctx, f.consumer, part, start, func(ctx context.Context, tx *sqldb.Tx) error {
		return f.handle(ctx, tx, events)
	})
}

// batch waits for events, handles them and says where it is then.
func (f *Follower) batch(ctx context.Context, part, at string, frames <-chan frame) (string, error) {
	var events []*eventv1.Event
	to := at
	take := func(next frame) {
		to = next.token
		if next.event != nil {
			events = append(events, next.event)
		}
	}
	select {
	case <-ctx.Done():
		return at, ctx.Err()
	case next := <-frames:
		take(next)
	}
	linger := time.NewTimer(followLinger)
	defer linger.Stop()
	for more := true; more && len(events) < followBatch; {
		select {
		case next := <-frames:
			take(next)
		case <-linger.C:
			more = false
		}
	}
	if to == at {
		return at, nil
	}
	err := f.store.FollowEvents(ctx, f.consumer, part, at, to, func(ctx context.Context, tx *sqldb.Tx) error {
		if len(events) == 0 {
			return nil
		}
		return f.handle(ctx, tx, events)
	})
	if err != nil {
		return at, err
	}
	return to, nil
}
