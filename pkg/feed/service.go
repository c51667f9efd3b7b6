package feed

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// defaultHeartbeat keeps proxies from cutting a quiet stream.
const defaultHeartbeat = 15 * time.Second

// Service answers golive.event.v1 from a log; every service of golive registers one.
type Service struct {
	eventv1.UnimplementedEventServiceServer
	log       *Log
	heartbeat time.Duration
}

var _ eventv1.EventServiceServer = (*Service)(nil)

// NewService serves log, with a heartbeat every 15 s when 0.
func NewService(log *Log, heartbeat time.Duration) *Service {
	if heartbeat <= 0 {
		heartbeat = defaultHeartbeat
	}
	return &Service{log: log, heartbeat: heartbeat}
}

// ListEvents returns one page of the log.
func (s *Service) ListEvents(ctx context.Context, req *eventv1.ListEventsRequest) (*eventv1.ListEventsResponse, error) {
	if err := mayAsk(ctx, req.GetParent()); err != nil {
		return nil, err
	}
	events, next, err := s.log.List(ctx, Query{
		Prefix:      req.GetParent(),
		Types:       req.GetTypes(),
		Actor:       req.GetActor(),
		After:       req.GetPageToken(),
		Limit:       int(req.GetPageSize()),
		OldestFirst: req.GetOldestFirst(),
	})
	if err != nil {
		return nil, err
	}
	for i, event := range events {
		events[i] = seenBy(ctx, event)
	}
	return &eventv1.ListEventsResponse{Events: events, NextPageToken: next}, nil
}

// WatchEvents sends a first frame at once, then events as they come and heartbeats between them.
func (s *Service) WatchEvents(req *eventv1.WatchEventsRequest, stream grpc.ServerStreamingServer[eventv1.WatchEventsResponse]) error {
	if err := mayAsk(stream.Context(), req.GetParent()); err != nil {
		return err
	}
	watcher, err := s.log.Watch(stream.Context(), req.GetResumeToken(), matcher(req))
	if err != nil {
		return err
	}
	token := watcher.Start()
	if err := stream.Send(&eventv1.WatchEventsResponse{ResumeToken: token}); err != nil {
		return err
	}
	beat := time.NewTicker(s.heartbeat)
	defer beat.Stop()
	for {
		frame := &eventv1.WatchEventsResponse{}
		select {
		case event, open := <-watcher.C:
			if !open {
				return watcher.Err()
			}
			token, frame.Event = event.GetToken(), seenBy(stream.Context(), event)
		case <-beat.C:
			if latest, ok := watcher.Token(); ok {
				token = latest
			}
		}
		frame.ResumeToken = token
		if err := stream.Send(frame); err != nil {
			return err
		}
	}
}

// matcher chooses what is asked for: the parent, what is under it, and the types.
func matcher(req *eventv1.WatchEventsRequest) func(*eventv1.Event) bool {
	parent, types := req.GetParent(), req.GetTypes()
	below := parent + "/"
	return func(event *eventv1.Event) bool {
		if event.GetResource() != parent && !strings.HasPrefix(event.GetResource(), below) {
			return false
		}
		return len(types) == 0 || slices.ContainsFunc(types, func(kind string) bool {
			return event.GetType() == kind || strings.HasSuffix(kind, ".") && strings.HasPrefix(event.GetType(), kind)
		})
	}
}
