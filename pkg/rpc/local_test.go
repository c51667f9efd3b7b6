package rpc_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// What follows is the conformance suite of Local: each test runs over a socket
// too, so that it states what gRPC does and not what Local happens to do.

var mintRequest = &accessv1.MintTokenRequest{
	Principal: "users/a", Grants: []*accessv1.Grant{{Workspace: "workspaces/default", Roles: []accessv1.Role{accessv1.Role_ROLE_VIEWER}}},
}

func TestEveryKindOfStream(t *testing.T) {
	newBundle(t).run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		alice := b.as(t, conn, operator)
		watch := open(t.Context(), t, alice, "Watch")
		require.NoError(t, watch.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default", PageSize: 100}))
		require.NoError(t, watch.CloseSend())
		for i := range int64(100) { // more than fit into any window
			e := new(eventv1.Event)
			require.NoError(t, watch.RecvMsg(e))
			require.Equal(t, i, e.GetRevision())
		}
		require.Equal(t, io.EOF, watch.RecvMsg(new(eventv1.Event)))
		require.Equal(t, io.EOF, watch.RecvMsg(new(eventv1.Event)), "and again")

		upload := open(t.Context(), t, alice, "Upload")
		for range 100 {
			require.NoError(t, upload.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default"}))
		}
		require.NoError(t, upload.CloseSend())
		sum := new(eventv1.Event)
		require.NoError(t, upload.RecvMsg(sum))
		require.EqualValues(t, 100, sum.GetRevision())

		chat := open(t.Context(), t, alice, "Chat")
		for range 10 { // both sides may send before they read
			require.NoError(t, chat.SendMsg(mintRequest))
		}
		for range 10 {
			m := new(accessv1.MintTokenResponse)
			require.NoError(t, chat.RecvMsg(m))
			require.Equal(t, "users/a", m.GetToken())
		}
		require.NoError(t, chat.CloseSend())
		require.Equal(t, io.EOF, chat.RecvMsg(new(accessv1.MintTokenResponse)))
		require.Error(t, chat.SendMsg(mintRequest), "after CloseSend")
	})
}

func TestMetadataTravelsBothWays(t *testing.T) {
	b := newBundle(t)
	type key struct{}
	echo := func(ctx context.Context) metadata.MD {
		in, _ := metadata.FromIncomingContext(ctx)
		_, leaked := metadata.FromOutgoingContext(ctx)
		return metadata.MD{"x-echo": in.Get("x-ask"), "x-leak": {map[bool]string{true: "yes"}[leaked || ctx.Value(key{}) != nil]}}
	}
	b.h.get = func(ctx context.Context, _ *eventv1.ListEventsRequest) (*eventv1.Event, error) {
		if err := grpc.SetTrailer(ctx, metadata.MD{"x-trailer": {"t"}}); err != nil {
			return nil, err
		}
		return &eventv1.Event{}, grpc.SendHeader(ctx, echo(ctx))
	}
	b.h.watch = func(_ *eventv1.ListEventsRequest, s grpc.ServerStreamingServer[eventv1.Event]) error {
		s.SetTrailer(metadata.MD{"x-trailer": {"t"}})
		if err := s.SendHeader(echo(s.Context())); err != nil {
			return err
		}
		return fault.NotFound("RESOURCE_NOT_FOUND", "gone")
	}
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		alice := b.as(t, conn, operator)
		ctx := metadata.AppendToOutgoingContext(context.WithValue(t.Context(), key{}, true), "X-Ask", "one", "x-ask", "two")
		var header, trailer metadata.MD
		_, err := get(ctx, alice, "workspaces/default", grpc.Header(&header), grpc.Trailer(&trailer))
		require.NoError(t, err)
		check := func(header, trailer metadata.MD) {
			require.Equal(t, []string{"one", "two"}, header.Get("x-echo"))
			require.Equal(t, []string{""}, header.Get("x-leak"), "no value of the caller's context arrives")
			require.Equal(t, []string{"t"}, trailer.Get("x-trailer"))
		}
		check(header, trailer)

		watch := open(ctx, t, alice, "Watch")
		require.NoError(t, watch.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default"}))
		header, err = watch.Header()
		require.NoError(t, err)
		require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(watch.RecvMsg(&eventv1.Event{})))
		check(header, watch.Trailer())
	})
}

func TestMessagesAreNotShared(t *testing.T) {
	b := newBundle(t)
	kept := make(chan *eventv1.ListEventsRequest, 2)
	cached := &eventv1.Event{Resource: "cached", BeforeDigest: []byte("abc")}
	b.h.get = func(_ context.Context, req *eventv1.ListEventsRequest) (*eventv1.Event, error) {
		kept <- req
		return cached, nil
	}
	b.h.watch = func(_ *eventv1.ListEventsRequest, s grpc.ServerStreamingServer[eventv1.Event]) error {
		e := &eventv1.Event{}
		for i := range int64(3) { // one message, changed after each Send
			if e.Revision = i; s.Send(e) != nil {
				return io.ErrClosedPipe
			}
		}
		return nil
	}
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		alice := b.as(t, conn, operator)
		req := &eventv1.ListEventsRequest{Parent: "workspaces/default", Types: []string{"a"}}
		reply := &eventv1.Event{Cause: "left over from before"}
		require.NoError(t, alice.Invoke(t.Context(), "/"+testService+"/Get", req, reply))
		require.Empty(t, reply.GetCause())
		req.Types[0], reply.BeforeDigest[0] = "changed", 'X'
		require.Equal(t, "a", (<-kept).GetTypes()[0])
		require.Equal(t, "abc", string(cached.GetBeforeDigest()))

		watch := open(t.Context(), t, alice, "Watch")
		require.NoError(t, watch.SendMsg(req))
		for i := range int64(3) {
			e := new(eventv1.Event)
			require.NoError(t, watch.RecvMsg(e))
			require.Equal(t, i, e.GetRevision())
		}
	})
}

func TestEndsReachTheOtherSide(t *testing.T) {
	b := newBundle(t)
	over := make(chan error, 10)
	b.h.watch = func(_ *eventv1.ListEventsRequest, s grpc.ServerStreamingServer[eventv1.Event]) error {
		for { // nobody reads: flow control must stop this and cancellation end it
			if err := s.Send(&eventv1.Event{BeforeDigest: make([]byte, 1<<16)}); err != nil {
				over <- err
				return err
			}
		}
	}
	b.h.chat = func(s grpc.BidiStreamingServer[accessv1.MintTokenRequest, accessv1.MintTokenResponse]) error {
		_, err := s.Recv()
		over <- err
		return fault.Conflict("BOTH_SPOKE", "enough")
	}
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		alice := b.as(t, conn, operator)
		ctx, cancel := context.WithCancel(t.Context())
		watch := open(ctx, t, alice, "Watch")
		require.NoError(t, watch.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default"}))
		require.NoError(t, watch.RecvMsg(new(eventv1.Event)))
		cancel()
		require.Error(t, <-over)
		require.Eventually(t, func() bool { return fault.Is(watch.RecvMsg(new(eventv1.Event)), fault.KindCancelled) }, time.Second, time.Microsecond)

		ctx, cancel = context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		chat := open(ctx, t, alice, "Chat")
		require.True(t, fault.Is(chat.RecvMsg(new(accessv1.MintTokenResponse)), fault.KindDeadline))
		require.Error(t, <-over)

		chat = open(t.Context(), t, alice, "Chat")
		require.NoError(t, chat.SendMsg(mintRequest))
		require.NoError(t, <-over)
		require.Equal(t, "BOTH_SPOKE", fault.ReasonOf(chat.RecvMsg(new(accessv1.MintTokenResponse))))
		require.Eventually(t, func() bool { return errors.Is(chat.SendMsg(mintRequest), io.EOF) }, time.Second, time.Microsecond, "the status is RecvMsg's to tell")
		require.Equal(t, "BOTH_SPOKE", fault.ReasonOf(chat.RecvMsg(new(accessv1.MintTokenResponse))))

		upload := open(t.Context(), t, alice, "Upload")
		require.NoError(t, upload.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/other"}))
		require.NoError(t, upload.CloseSend())
		require.Equal(t, "PERMISSION_DENIED", fault.ReasonOf(upload.RecvMsg(new(eventv1.Event))))
	})
}

func TestUnknownMethods(t *testing.T) {
	newBundle(t).run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		for _, method := range []string{"/" + testService + "/Nothing", "/nobody.v1.Nothing/Get", "/", "/" + testService, testService + "/Get"} {
			if method[0] != '/' && conn != b.server.Local() {
				continue // the client refuses it
			}
			err := b.as(t, conn, operator).Invoke(t.Context(), method, &eventv1.ListEventsRequest{Parent: "workspaces/default"}, &eventv1.Event{})
			require.True(t, fault.Is(err, fault.KindUnsupported), "%s: %v", method, err)
		}
		s, err := conn.NewStream(t.Context(), &testDesc.Streams[0], "/nobody.v1.Nothing/Watch")
		if err == nil {
			err = s.RecvMsg(&eventv1.Event{})
		}
		require.True(t, fault.Is(err, fault.KindUnsupported))
	})
}

func TestIdentityIsTheConnectionsOwn(t *testing.T) {
	b := newBundle(t)
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		service := rpc.WithToken(conn, b.issuer.Self("services/deployment"))
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer of somebody else")
		_, err := get(ctx, service, "workspaces/default")
		require.NoError(t, err)
		broken := rpc.WithToken(conn, func(context.Context) (string, error) { return "", io.ErrUnexpectedEOF })
		_, err = get(ctx, broken, "workspaces/default")
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}
