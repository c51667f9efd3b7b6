package gateway

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	"github.com/golive-dev/golive/services/owner"
)

// errOneWay is what the untyped half of a merged stream answers.
var errOneWay = errors.New("a merged stream is read with Recv")

// WatchEvents watches the log of the parent's owner, and both logs as one
// stream where the parent is a whole workspace.
func (e *events) WatchEvents(ctx context.Context, req *eventv1.WatchEventsRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[eventv1.WatchEventsResponse], error) {
	o, err := owner.Of(req.GetParent())
	if err != nil {
		return nil, err
	}
	if o != owner.Both {
		return e.of(o).WatchEvents(ctx, req, opts...)
	}
	from, ok := parsePosition(req.GetResumeToken())
	if !ok {
		return nil, fault.Invalid("RESUME_TOKEN_INVALID",
			"this resume token is not of the events of a whole workspace; list what is there and watch without resume_token").
			Field("resume_token", "of another stream")
	}
	w := &eventWatch{
		fanIn: newFanIn[eventv1.WatchEventsResponse](ctx), at: from,
		silent: map[owner.Service]error{}, heard: map[owner.Service]bool{},
	}
	for _, o := range []owner.Service{owner.Deployment, owner.Implementation} {
		e.running.Go(func() { e.follow(w.fanIn, o, req, from.get(o)) })
	}
	return w, nil
}

// follow pumps one log. A service that does not answer is asked again from where
// it stopped, so that the other log goes on and nothing is lost.
func (e *events) follow(f *fanIn[eventv1.WatchEventsResponse], o owner.Service, req *eventv1.WatchEventsRequest, token string) {
	ctx := f.Context()
	for {
		stream, err := e.of(o).WatchEvents(ctx, &eventv1.WatchEventsRequest{
			Parent: req.GetParent(), Types: req.GetTypes(), ResumeToken: token,
		})
		kept := &tokenKeeper{ServerStreamingClient: stream, token: &token}
		if err = f.pump(o, kept, err); !fault.Is(err, fault.KindUnavailable) || !wait(ctx, e.retry) {
			return
		}
	}
}

// wait returns false when the context ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// tokenKeeper remembers where to resume the stream it reads.
type tokenKeeper struct {
	grpc.ServerStreamingClient[eventv1.WatchEventsResponse]

	token *string
}

// Recv reads a frame and keeps its token.
func (k *tokenKeeper) Recv() (*eventv1.WatchEventsResponse, error) {
	msg, err := k.ServerStreamingClient.Recv()
	if err == nil && msg.GetResumeToken() != "" {
		*k.token = msg.GetResumeToken()
	}
	return msg, err
}

// eventWatch is both logs as one stream with composed tokens. It ends when a log
// ends for good, or when neither service answers.
type eventWatch struct {
	*fanIn[eventv1.WatchEventsResponse]

	at     position                             // what the reader has been given, in both logs
	held   []frame[eventv1.WatchEventsResponse] // not yet given
	heard  map[owner.Service]bool
	silent map[owner.Service]error
}

// Recv returns the next frame of either log. The first waits until both
// services have spoken or failed, so that its token is good for both.
func (w *eventWatch) Recv() (*eventv1.WatchEventsResponse, error) {
	for len(w.held) == 0 || len(w.heard)+len(w.silent) < 2 {
		f, err := w.next()
		if err != nil {
			return nil, err
		}
		if err := w.take(f); err != nil {
			return nil, err
		}
	}
	f := w.held[0]
	w.held = w.held[1:]
	if token := f.msg.GetResumeToken(); token != "" {
		w.at = w.at.with(f.from, token)
	}
	resp := &eventv1.WatchEventsResponse{ResumeToken: w.at.String()}
	if e := f.msg.GetEvent(); e != nil {
		resp.Event = &eventv1.Event{
			Token: resp.GetResumeToken(), Resource: e.GetResource(), Type: e.GetType(), Revision: e.GetRevision(),
			Actor: e.GetActor(), Cause: e.GetCause(), Time: e.GetTime(), After: e.GetAfter(), BeforeDigest: e.GetBeforeDigest(),
		}
	}
	return resp, nil
}

// take files a frame, and returns an error where the whole stream ends.
func (w *eventWatch) take(f frame[eventv1.WatchEventsResponse]) error {
	if f.err != nil {
		delete(w.heard, f.from)
		w.silent[f.from] = f.err
		if len(w.silent) == 2 || !fault.Is(f.err, fault.KindUnavailable) {
			return f.err
		}
		return nil
	}
	if !w.heard[f.from] {
		w.heard[f.from] = true
		delete(w.silent, f.from)
		if f.msg.GetEvent() == nil { // a hello: its token stands before every event of this log
			w.at = w.at.with(f.from, f.msg.GetResumeToken())
			if len(w.held) > 0 { // what is held will tell it
				return nil
			}
		}
	}
	w.held = append(w.held, f)
	return nil
}
