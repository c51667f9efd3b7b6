package rpc_test

import (
	"context"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/observe"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// BenchmarkRequest is what a request costs the server: the CPU of its process,
// divided by requests, 32 at once, while the clients are a process of their own.
// Beside the full chain stand a bare gRPC server and a net/http handler with protojson, in
// the same run, because only the distance between them means anything on another machine.
// The rows of Local hold both sides, since there is one process.
func BenchmarkRequest(b *testing.B) {
	event := &eventv1.Event{
		Token: "v1:1:2:3", Resource: "workspaces/default/applications/crm", Type: "deployment.application.created",
		Revision: 7, Actor: "users/alice", Cause: "because", Time: timestamppb.Now(), BeforeDigest: make([]byte, 32),
	}
	h := echoes()
	h.get = func(context.Context, *eventv1.ListEventsRequest) (*eventv1.Event, error) { return event, nil }

	full := newBundle(b)
	full.h = h
	logger, err := observe.NewLogger(observe.LogConfig{}, io.Discard)
	require.NoError(b, err)
	full.cfg.Logger, full.cfg.Registerer, full.cfg.Rate = logger, prometheus.NewRegistry(), rpc.Rate{PerSecond: 1e9}
	full.cfg.Tracing = sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.05))))
	full.start(b)
	token, _ := full.token(b, "users/alice", operator, time.Hour)

	bare := grpc.NewServer()
	bare.RegisterService(&testDesc, h)
	lis := listen(b)
	served := make(chan error, 1)
	go func() { served <- bare.Serve(lis) }()
	b.Cleanup(func() { bare.Stop(); require.NoError(b, <-served) })
	web := serveHTTP(b, event)

	local := full.as(b, full.server.Local(), operator)
	for _, kind := range []string{"get", "create"} {
		b.Run(kind+"/bare", func(b *testing.B) { measure(b, loader(b, lis.Addr().String(), kind, token)) })
		b.Run(kind+"/chain", func(b *testing.B) { measure(b, loader(b, full.address, kind, token)) })
		b.Run(kind+"/http", func(b *testing.B) { measure(b, loader(b, web, kind+"-http", token)) })
		b.Run(kind+"/local", func(b *testing.B) {
			request := requests(b, local, kind)
			require.NoError(b, request(b.Context())) // compiled and remembered
			measure(b, func() { hammer(b, b.N, request) })
		})
	}
}

// measure reports the CPU that this process spends on load, which makes b.N requests.
func measure(b *testing.B, load func()) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	load()
	b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/float64(b.N)/1000, "cpu-µs/req")
}

// serveHTTP serves what a hand-written JSON handler would do.
func serveHTTP(b *testing.B, event proto.Message) (address string) {
	b.Helper()
	lis := listen(b)
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := event
		if r.Method == http.MethodPost {
			body, err := io.ReadAll(r.Body)
			req := new(accessv1.MintTokenRequest)
			if err != nil || protojson.Unmarshal(body, req) != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			answer = &accessv1.MintTokenResponse{Token: req.GetPrincipal()}
		}
		out, err := protojson.Marshal(answer)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(out)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(lis) }()
	b.Cleanup(func() { require.NoError(b, server.Close()); <-served })
	return lis.Addr().String()
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
