package engine

import (
	"context"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/feed"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

const (
	// lookback is how far back a consumer begins in a log that it has never followed, so that nothing is lost
	// between the moment when somebody wants to hear and the moment when the stream stands.
	lookback = time.Minute
	// mostLookback is how many events are looked back at, at most.
	mostLookback = 1000
	// restEvery is how often the place of a quiet log of our own is told.
	restEvery = 15 * time.Second
)

// frame is one step in a log: an event, or only a place to resume from.
type frame struct {
	event *eventv1.Event
	token string
}

// Source is a log that a [Follower] can follow: [Own] or [Of].
type Source interface {
	// parts are the streams that the log has at present, by the names under which their positions are kept.
	parts(ctx context.Context) ([]string, error)
	// follow sends frames from the token on, or from now on when it is empty, until ctx ends or the stream breaks.
	// The first frame has no event and tells where it began.
	follow(ctx context.Context, part, from string, out chan<- frame) error
	// recent are the newest events, the newest first.
	recent(ctx context.Context, part string) ([]*eventv1.Event, error)
}

// Own is the log of this service, all workspaces in one stream.
func Own(log *feed.Log) Source { return own{log} }

type own struct{ log *feed.Log }

func (own) parts(context.Context) ([]string, error) { return []string{"own"}, nil }

func (o own) follow(ctx context.Context, _, from string, out chan<- frame) error {
	watcher, err := o.log.Watch(ctx, from, nil)
	if err != nil {
		return err
	}
	if err := pass(ctx, out, frame{token: watcher.Start()}); err != nil {
		return err
	}
	rest := time.NewTicker(restEvery)
	defer rest.Stop()
	for {
		next := frame{}
		select {
		case event, open := <-watcher.C:
			if !open {
				return watcher.Err()
			}
			next = frame{event, event.GetToken()}
		case <-rest.C:
			token, ok := watcher.Token()
			if !ok {
				continue
			}
			next.token = token
		}
		if err := pass(ctx, out, next); err != nil {
			return err
		}
	}
}

func (o own) recent(ctx context.Context, _ string) ([]*eventv1.Event, error) {
	all, _, err := o.log.List(ctx, feed.Query{Limit: mostLookback})
	return all, err
}

// Of is the log of the other service, one stream for each workspace that there is at the time. Nothing comes where the client is nil.
func Of(client eventv1.EventServiceClient, workspaces func(ctx context.Context) ([]string, error)) Source {
	return other{client, workspaces}
}

type other struct {
	client     eventv1.EventServiceClient
	workspaces func(ctx context.Context) ([]string, error)
}

func (o other) parts(ctx context.Context) ([]string, error) {
	if o.client == nil {
		return nil, nil
	}
	return o.workspaces(ctx)
}

func (o other) follow(ctx context.Context, part, from string, out chan<- frame) error {
	stream, err := o.client.WatchEvents(ctx, &eventv1.WatchEventsRequest{Parent: part, ResumeToken: from})
	if err != nil {
		return err
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := pass(ctx, out, frame{answer.GetEvent(), answer.GetResumeToken()}); err != nil {
			return err
		}
	}
}

func (o other) recent(ctx context.Context, part string) ([]*eventv1.Event, error) {
	answer, err := o.client.ListEvents(ctx, &eventv1.ListEventsRequest{Parent: part, PageSize: mostLookback})
	return answer.GetEvents(), err
}

// young keeps what has happened since a time, and turns it round.
func young(newestFirst []*eventv1.Event, since time.Time) []*eventv1.Event {
	end := slices.IndexFunc(newestFirst, func(e *eventv1.Event) bool { return e.GetTime().AsTime().Before(since) })
	if end < 0 {
		end = len(newestFirst)
	}
	kept := slices.Clone(newestFirst[:end])
	slices.Reverse(kept)
	return kept
}

// pass hands a frame on, unless it is over.
func pass(ctx context.Context, out chan<- frame, next frame) error {
	select {
	case out <- next:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
