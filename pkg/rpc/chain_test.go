package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/observe"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	lis, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	return lis
}

// logBuffer may be written by a server while a test reads it.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *bundle) logged(tb testing.TB) *logBuffer {
	tb.Helper()
	log := new(logBuffer)
	logger, err := observe.NewLogger(observe.LogConfig{}, log)
	require.NoError(tb, err)
	b.cfg.Logger = logger
	return log
}

func TestPanicIsAnInternalErrorWithARequestID(t *testing.T) {
	b := newBundle(t)
	log := b.logged(t)
	b.h.get = func(context.Context, *eventv1.ListEventsRequest) (*eventv1.Event, error) { panic("hunter2") }
	b.h.watch = func(*eventv1.ListEventsRequest, grpc.ServerStreamingServer[eventv1.Event]) error { panic("hunter2") }
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		alice := b.as(t, conn, operator)
		ctx := metadata.AppendToOutgoingContext(t.Context(), rpc.RequestIDKey, "req-panic")
		_, err := get(ctx, alice, "workspaces/default")
		stream := open(ctx, t, alice, "Watch")
		require.NoError(t, stream.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default"}))
		for _, err := range []error{err, stream.RecvMsg(&eventv1.Event{})} {
			require.Equal(t, codes.Internal, status.Code(err))
			require.NotContains(t, err.Error(), "hunter2")
			require.Equal(t, "req-panic", fault.From(err).Metadata()["request_id"])
		}
		_, err = call[accessv1.Principal](t.Context(), conn, "Open", &accessv1.WhoAmIRequest{})
		require.NoError(t, err, "the server lives")
	})
	require.Contains(t, log.String(), "hunter2")
	require.Contains(t, log.String(), "chain_test.go", "the stack")
}

func TestRequestIDIsAcceptedAnsweredAndLogged(t *testing.T) {
	b := newBundle(t)
	log := b.logged(t)
	seen := make(chan string, 10)
	b.h.get = func(ctx context.Context, _ *eventv1.ListEventsRequest) (*eventv1.Event, error) {
		seen <- rpc.RequestID(ctx)
		return nil, errors.New("disk on fire at /secret/path")
	}
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		alice := b.as(t, conn, operator)
		var header, trailer metadata.MD
		named := metadata.AppendToOutgoingContext(t.Context(), rpc.RequestIDKey, "mine-1")
		_, err := call[accessv1.Principal](named, conn, "Open", &accessv1.WhoAmIRequest{}, grpc.Header(&header))
		require.NoError(t, err)
		require.Equal(t, []string{"mine-1"}, header.Get(rpc.RequestIDKey))
		_, err = get(named, alice, "workspaces/default", grpc.Trailer(&trailer))
		require.Equal(t, "mine-1", <-seen)
		require.Equal(t, []string{"mine-1"}, trailer.Get(rpc.RequestIDKey))
		require.Equal(t, "mine-1", fault.From(err).Metadata()["request_id"])
		require.NotContains(t, err.Error(), "secret")
		for _, bad := range []string{"", "a b", `"quoted"`, strings.Repeat("x", 65)} {
			_, _ = get(metadata.AppendToOutgoingContext(t.Context(), rpc.RequestIDKey, bad), alice, "workspaces/default")
			require.Len(t, <-seen, 32, "drawn instead of %q", bad)
		}
		stream := open(metadata.AppendToOutgoingContext(t.Context(), rpc.RequestIDKey, "mine-2"), t, alice, "Watch")
		require.NoError(t, stream.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default"}))
		header, err = stream.Header()
		require.NoError(t, err)
		require.Equal(t, []string{"mine-2"}, header.Get(rpc.RequestIDKey))
	})
	require.Contains(t, log.String(), "disk on fire at /secret/path", "the log has the cause")
	require.Contains(t, log.String(), `"principal":"users/alice"`)
	require.NotContains(t, log.String(), "eyJ")
	require.Empty(t, rpc.RequestID(t.Context()))
}

func TestDeadlines(t *testing.T) {
	b := newBundle(t)
	b.cfg.Deadline = 20 * time.Millisecond
	b.h.get = func(ctx context.Context, _ *eventv1.ListEventsRequest) (*eventv1.Event, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	left := make(chan time.Duration, 10)
	b.h.create = func(ctx context.Context, _ *accessv1.MintTokenRequest) (*accessv1.MintTokenResponse, error) {
		until, _ := ctx.Deadline()
		left <- time.Until(until)
		return &accessv1.MintTokenResponse{}, nil
	}
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		alice := b.as(t, conn, operator)
		_, err := get(t.Context(), alice, "workspaces/default")
		require.True(t, fault.Is(err, fault.KindDeadline), "the server's own")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = call[accessv1.MintTokenResponse](ctx, alice, "Create", &accessv1.MintTokenRequest{
			Principal: "users/a", Grants: []*accessv1.Grant{{Workspace: "workspaces/default", Roles: []accessv1.Role{1}}},
		})
		require.NoError(t, err)
		require.Greater(t, <-left, 59*time.Minute, "the caller's wins")
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		_, err = get(ctx, alice, "workspaces/default")
		require.True(t, fault.Is(err, fault.KindCancelled))
	})
}

func TestMetricsCountByCode(t *testing.T) {
	b := newBundle(t)
	registry := prometheus.NewRegistry()
	b.cfg.Registerer = registry
	b.start(t)
	alice := b.as(t, b.server.Local(), operator)
	_, err := get(t.Context(), alice, "workspaces/default")
	require.NoError(t, err)
	_, err = get(t.Context(), alice, "workspaces/other")
	require.Error(t, err)
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP grpc_server_handled_total Calls that ended, by code.
# TYPE grpc_server_handled_total counter
grpc_server_handled_total{grpc_code="OK",grpc_method="Get",grpc_service="rpctest.v1.Test",server="test"} 1
grpc_server_handled_total{grpc_code="PermissionDenied",grpc_method="Get",grpc_service="rpctest.v1.Test",server="test"} 1
`), "grpc_server_handled_total"))
	_, err = rpc.NewServer(b.cfg)
	require.ErrorContains(t, err, "duplicate", "one name, one server")
}

func TestTracesGoThrough(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	b := newBundle(t)
	b.cfg.Tracing = provider
	b.start(t)
	dialled, err := rpc.Dial(b.address, rpc.ClientConfig{Tracing: provider})
	require.NoError(t, err)
	defer func() { require.NoError(t, dialled.Close()) }()
	for name, conn := range map[string]grpc.ClientConnInterface{"dialled": dialled, "local": b.server.Local()} {
		ctx, span := provider.Tracer("test").Start(t.Context(), "caller "+name)
		_, err := call[accessv1.Principal](ctx, conn, "Open", &accessv1.WhoAmIRequest{})
		require.NoError(t, err)
		span.End()
		servers := 0
		require.Eventually(t, func() bool {
			servers = 0
			for _, s := range recorder.Ended() {
				if s.SpanKind() == trace.SpanKindServer && s.SpanContext().TraceID() == span.SpanContext().TraceID() {
					servers++
				}
			}
			return servers == 1
		}, time.Second, time.Millisecond, name)
	}
}

func TestStoppingEndsStreamsAndRefusesNewOnes(t *testing.T) {
	b := newBundle(t)
	b.h.watch = func(_ *eventv1.ListEventsRequest, s grpc.ServerStreamingServer[eventv1.Event]) error {
		if err := s.Send(&eventv1.Event{}); err != nil {
			return err
		}
		<-s.Context().Done()
		return s.Context().Err()
	}
	b.start(t)
	var streams []grpc.ClientStream
	for _, conn := range []grpc.ClientConnInterface{b.socket(t), b.server.Local()} {
		s := open(t.Context(), t, b.as(t, conn, operator), "Watch")
		require.NoError(t, s.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default"}))
		require.NoError(t, s.RecvMsg(&eventv1.Event{}))
		streams = append(streams, s)
	}
	b.server.Stop()
	for _, s := range streams {
		require.Equal(t, "SERVER_STOPPING", fault.ReasonOf(s.RecvMsg(&eventv1.Event{})))
	}
	_, err := b.server.Local().NewStream(t.Context(), &testDesc.Streams[0], "/"+testService+"/Watch")
	require.Equal(t, "SERVER_STOPPING", fault.ReasonOf(err))
}
