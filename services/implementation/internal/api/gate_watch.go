package api

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	// heartbeat keeps proxies from cutting a quiet stream.
	heartbeat = 15 * time.Second
	// lookAgain is how often stages and decisions are judged again for what time alone changes.
	lookAgain = 5 * time.Second
)

// WatchGates sends the verdict on each resource, and then those that change.
func (a *GateService) WatchGates(req *gatev1.WatchGatesRequest, stream grpc.ServerStreamingServer[gatev1.WatchGatesResponse]) error {
	ctx := stream.Context()
	for _, name := range req.GetResources() {
		if name != req.GetParent() && !strings.HasPrefix(name, req.GetParent()+"/") {
			return fault.Invalid(store.ReasonOtherWorkspace, "%q is not in %s; watch each workspace by itself", name, req.GetParent()).
				Field("resources", "are not all in the parent")
		}
	}
	watcher, err := a.store.WatchGates(ctx, req.GetResources()) // before the first look, so that nothing falls between
	if err != nil {
		return err
	}
	verdicts, err := a.judge(ctx, req.GetPurpose(), "", req.GetResources()...)
	if err != nil {
		return err
	}
	for _, name := range req.GetResources() {
		if _, err := required(ctx, a.store, verdicts, name); err != nil {
			return err
		}
	}
	w := &gateWatch{service: a, req: req, stream: stream, sent: make(map[string]int64, len(verdicts))}
	for _, name := range req.GetResources() {
		if _, twice := w.sent[name]; twice {
			continue
		}
		if subjectOf(name) != cohortPlan {
			w.moving = append(w.moving, name)
		}
		if err := w.send(verdicts[name]); err != nil {
			return err
		}
	}
	return w.follow(ctx, watcher)
}

// gateWatch is one stream of verdicts.
type gateWatch struct {
	service *GateService
	req     *gatev1.WatchGatesRequest
	stream  grpc.ServerStreamingServer[gatev1.WatchGatesResponse]
	sent    map[string]int64 // revisions
	moving  []string         // stages and decisions, which change with what is around them, and with time
}

func (w *gateWatch) send(v *gatev1.Verdict) error {
	w.sent[v.GetResource()] = v.GetRevision()
	return w.stream.Send(&gatev1.WatchGatesResponse{Verdict: v})
}

// follow sends what is newer than what was sent, until the stream or the watcher ends. The verdict on a cohort plan comes with its
// event, whoever judged it; stages and decisions are judged again when something of their implementation changed.
func (w *gateWatch) follow(ctx context.Context, watcher *feed.Watcher) error {
	beat, again := time.NewTicker(heartbeat), time.NewTicker(lookAgain)
	defer beat.Stop()
	defer again.Stop()
	for {
		select {
		case event, open := <-watcher.C:
			if !open {
				return watcher.Err()
			}
			stale, err := w.told(event)
			if err != nil {
				return err
			}
			if more, err := w.drain(watcher); err != nil {
				return err
			} else if !stale && !more {
				continue
			}
		case <-again.C:
		case <-beat.C:
			if err := w.stream.Send(&gatev1.WatchGatesResponse{}); err != nil {
				return err
			}
			continue
		}
		if err := w.look(ctx); err != nil {
			return err
		}
	}
}

// drain takes what has come meanwhile, so that a burst is judged once.
func (w *gateWatch) drain(watcher *feed.Watcher) (stale bool, err error) {
	for {
		select {
		case event, open := <-watcher.C:
			if !open {
				return stale, watcher.Err()
			}
			more, err := w.told(event)
			if err != nil {
				return stale, err
			}
			stale = stale || more
		default:
			return stale, nil
		}
	}
}

// told sends the verdict on a cohort plan that an event carries. Stale says that the event is about something that others depend on.
func (w *gateWatch) told(event *eventv1.Event) (stale bool, err error) {
	name, isVerdict := store.VerdictOf(event.GetResource())
	if !isVerdict || subjectOf(name) != cohortPlan {
		return true, nil
	}
	if _, watched := w.sent[name]; !watched {
		return true, nil // an exit criterion may name it
	}
	v := &gatev1.Verdict{}
	if err := event.GetAfter().UnmarshalTo(v); err != nil {
		return false, fault.Internal("EVENT_UNREADABLE", "an event of the log cannot be read").Cause(err)
	}
	if v.GetRevision() <= w.sent[name] {
		return true, nil
	}
	v.Purpose = w.req.GetPurpose()
	return true, w.send(v)
}

// look judges stages and decisions again, and sends what changed. What was deleted is not heard of any more.
func (w *gateWatch) look(ctx context.Context) error {
	if len(w.moving) == 0 {
		return nil
	}
	verdicts, err := w.service.judge(ctx, w.req.GetPurpose(), "", w.moving...)
	if err != nil {
		return err
	}
	for _, name := range w.moving {
		if v := verdicts[name]; v != nil && v.GetRevision() > w.sent[name] {
			if err := w.send(v); err != nil {
				return err
			}
		}
	}
	return nil
}
