package cli

import (
	"context"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

const (
	resumeAfter    = 200 * time.Millisecond // of the first break; twice as long for each one after it
	resumeAtLatest = 5 * time.Second
)

// tail follows the events of a resource until ctx ends or each says enough. A
// stream that breaks is resumed after the last event; with the empty token it
// begins with what happens from now on.
func (c *client) tail(ctx context.Context, k *kind.Kind, name string, types []string, token string, each func(*eventv1.Event) error) error {
	wait := resumeAfter
	for {
		stream, err := c.eventClient(k).WatchEvents(ctx, &eventv1.WatchEventsRequest{Parent: name, ResumeToken: token, Types: types})
		for err == nil {
			var frame *eventv1.WatchEventsResponse
			if frame, err = stream.Recv(); err != nil {
				break
			}
			token, wait = frame.GetResumeToken(), resumeAfter
			if frame.GetEvent() != nil {
				if stop := each(frame.GetEvent()); stop != nil {
					return stop
				}
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch fault.KindOf(err) {
		case fault.KindUnavailable, fault.KindExhausted, fault.KindCancelled, fault.KindInternal:
		default:
			return err
		}
		c.note("the stream broke and is resumed: %s", fault.From(err).Message())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			wait = min(2*wait, resumeAtLatest)
		}
	}
}
