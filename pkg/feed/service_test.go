package feed_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// dial serves the log over a real gRPC connection in memory.
func dial(t *testing.T, log *feed.Log, heartbeat time.Duration) eventv1.EventServiceClient {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	eventv1.RegisterEventServiceServer(server, feed.NewService(log, heartbeat))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///log", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.Stop()
		require.NoError(t, <-ended)
	})
	return eventv1.NewEventServiceClient(conn)
}

func TestServicePagesAndFilters(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		client := dial(t, w.log, 0)
		w.append(t, record("workspaces/w/a", 1), record("workspaces/w/b", 1), record("workspaces/w/a", 2))
		req := &eventv1.ListEventsRequest{Parent: "workspaces/w/a", PageSize: 1, OldestFirst: true, Actor: "users/a", Types: []string{"test."}}
		page, err := client.ListEvents(t.Context(), req)
		require.NoError(t, err)
		require.EqualValues(t, 1, page.GetEvents()[0].GetRevision())
		req.PageToken = page.GetNextPageToken()
		page, err = client.ListEvents(t.Context(), req)
		require.NoError(t, err)
		require.EqualValues(t, 2, page.GetEvents()[0].GetRevision())
		require.Empty(t, page.GetNextPageToken())
		req.Parent = "workspaces/w"
		_, err = client.ListEvents(t.Context(), req)
		require.Equal(t, codes.InvalidArgument, status.Code(err))
		require.Equal(t, "PAGE_TOKEN_MISMATCH", fault.ReasonOf(err))
	})
}

func TestServiceSendsHelloEventsAndHeartbeats(t *testing.T) {
	each(t, feed.Config{}, func(t *testing.T, w world) {
		t.Helper()
		stop := run(t, w.log)
		client := dial(t, w.log, 20*time.Millisecond)
		stream, err := client.WatchEvents(t.Context(), &eventv1.WatchEventsRequest{Parent: "workspaces/w/a", Types: []string{"test.thing."}})
		require.NoError(t, err)
		hello, err := stream.Recv()
		require.NoError(t, err)
		require.Nil(t, hello.GetEvent())
		require.NotEmpty(t, hello.GetResumeToken())

		other := record("workspaces/w/a/parts/1", 8)
		other.Type = "test.part.created"
		w.append(t, record("workspaces/w/ab", 7), other, record("workspaces/w/a/things/1", 9))
		event := recvEvent(t, stream)
		require.EqualValues(t, 9, event.GetEvent().GetRevision())
		require.Equal(t, event.GetEvent().GetToken(), event.GetResumeToken())

		w.append(t, record("workspaces/w/b", 1))
		for {
			beat, err := stream.Recv()
			require.NoError(t, err)
			require.Nil(t, beat.GetEvent())
			if beat.GetResumeToken() != event.GetResumeToken() {
				break // the heartbeat's token moved past what was not chosen
			}
		}
		resumed, err := client.WatchEvents(t.Context(), &eventv1.WatchEventsRequest{Parent: "workspaces/w", ResumeToken: event.GetResumeToken()})
		require.NoError(t, err)
		require.Equal(t, "workspaces/w/b", recvEvent(t, resumed).GetEvent().GetResource())

		stop()
		for err == nil {
			_, err = stream.Recv()
		}
		require.Equal(t, codes.Unavailable, status.Code(err))
	})
}

func recvEvent(t *testing.T, stream grpc.ServerStreamingClient[eventv1.WatchEventsResponse]) *eventv1.WatchEventsResponse {
	t.Helper()
	for {
		frame, err := stream.Recv()
		require.NoError(t, err)
		require.NotEmpty(t, frame.GetResumeToken())
		if frame.GetEvent() != nil {
			return frame
		}
	}
}
