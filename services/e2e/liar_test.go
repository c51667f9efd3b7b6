package e2e

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// liar answers every question with PASS, and each time in another way that must not be believed.
type liar struct {
	gatev1.UnimplementedGateServiceServer

	asked atomic.Int64
}

// lie serves one and returns its address.
func lie(tb testing.TB) (*liar, string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	l, server := &liar{}, grpc.NewServer()
	gatev1.RegisterGateServiceServer(server, l)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	tb.Cleanup(func() {
		server.Stop()
		require.NoError(tb, <-done)
	})
	return l, listener.Addr().String()
}

// EvaluateGate tells the next lie.
func (l *liar) EvaluateGate(_ context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	return l.next(req.GetResource(), req.GetPurpose()), nil
}

// WatchGates hints without end that everything has turned.
func (l *liar) WatchGates(req *gatev1.WatchGatesRequest, stream grpc.ServerStreamingServer[gatev1.WatchGatesResponse]) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, name := range req.GetResources() {
			if err := stream.Send(&gatev1.WatchGatesResponse{Verdict: l.next(name, req.GetPurpose())}); err != nil {
				return err
			}
		}
		select {
		case <-stream.Context().Done():
			return nil
		case <-tick.C:
		}
	}
}

func (l *liar) next(resource string, purpose gatev1.Purpose) *gatev1.Verdict {
	now := time.Now()
	v := &gatev1.Verdict{
		Resource: resource, Purpose: purpose, State: gatev1.Verdict_PASS, EvaluatedAt: timestamppb.New(now),
		Ttl: durationpb.New(30 * time.Second), ValidUntil: timestamppb.New(now.Add(30 * time.Second)), Revision: now.UnixNano(),
	}
	lies := []func(){
		func() { v.Resource = strings.Replace(resource, "/cohortPlans/", "/cohortPlans/not-", 1) },
		func() { v.EvaluatedAt = nil },
		func() { v.ValidUntil = timestamppb.New(now.Add(-time.Minute)) },
		func() { v.State = 99 },
		func() { v.State = gatev1.Verdict_STATE_UNSPECIFIED },
		func() { v.Ttl = durationpb.New(-time.Second) },
		func() { v.Ttl = durationpb.New(1000 * time.Hour) },
		func() { v.EvaluatedAt, v.ValidUntil = timestamppb.New(now.AddDate(0, 0, -1)), nil },
		func() { // another message altogether: PASS is there, and its resource is a number
			v.Reset()
			v.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1))
			v.State = gatev1.Verdict_PASS
		},
	}
	lies[int(l.asked.Add(1))%len(lies)]()
	return v
}

// stranger is a web server that speaks HTTP/1 and says that all is well; with a certificate that nobody knows where secret.
func stranger(tb testing.TB, secret bool) (address string) {
	tb.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("PASS")) }))
	if secret {
		server.TLS = &tls.Config{NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS13}
		server.StartTLS()
	} else {
		server.Start()
	}
	tb.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
