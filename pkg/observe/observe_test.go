package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/golive-dev/golive/pkg/observe"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

func TestSecretsHideThemselves(t *testing.T) {
	s := observe.Secret("hunter2")
	var log bytes.Buffer
	logger, err := observe.NewLogger(observe.LogConfig{}, &log)
	require.NoError(t, err)
	logger.Info("x", zap.Any("any", s), zap.Stringer("stringer", s), zap.Reflect("reflect", map[string]any{"s": s}))
	inJSON, err := json.Marshal(map[string]any{"s": s, "p": &s})
	require.NoError(t, err)
	all := fmt.Sprintf("%v %s %q %+v %#v", s, s, s, struct{ S observe.Secret }{s}, s) + string(inJSON) + log.String()
	require.NotContains(t, all, "hunter2")
	require.Contains(t, all, "***")
	require.Equal(t, "hunter2", s.Reveal())
	require.Empty(t, observe.Secret("").String())

	var read struct{ S observe.Secret }
	require.NoError(t, json.Unmarshal([]byte(`{"S":"hunter2"}`), &read))
	require.Equal(t, s, read.S)
}

func TestLogHidesCredentials(t *testing.T) {
	const token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c2Vycy9hIn0.c2lnbmF0dXJl"
	for _, format := range []string{"json", "console"} {
		var log bytes.Buffer
		logger, err := observe.NewLogger(observe.LogConfig{Level: "debug", Format: format}, &log)
		require.NoError(t, err)
		logger.With(zap.String("Authorization", "Bearer hunter2")).Debug("got "+token,
			zap.String("password", "hunter2"), zap.ByteString("token", []byte("hunter2")), zap.String("token_id", "public"),
			zap.String("note", "sent "+token), zap.Error(errors.New("dial postgres://golive:hunter2@db/x: refused")))
		require.NotContains(t, log.String(), "hunter2")
		require.NotContains(t, log.String(), "eyJ")
		require.Contains(t, log.String(), "public")
		require.Contains(t, log.String(), "@db/x: refused")
	}
	_, err := observe.NewLogger(observe.LogConfig{Level: "loud"}, io.Discard)
	require.ErrorContains(t, err, "loud")
	_, err = observe.NewLogger(observe.LogConfig{Format: "xml"}, io.Discard)
	require.ErrorContains(t, err, "xml")
}

func TestLevelHolds(t *testing.T) {
	var log bytes.Buffer
	logger, err := observe.NewLogger(observe.LogConfig{Level: "warn"}, &log)
	require.NoError(t, err)
	logger.Info("quiet")
	require.Empty(t, log.String())
	logger.Warn("loud")
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")))
}

func TestTracesCostNothingUntilConfigured(t *testing.T) {
	provider, flush, err := observe.NewTracing(t.Context(), observe.TraceConfig{})
	require.NoError(t, err)
	_, span := provider.Tracer("x").Start(t.Context(), "y")
	defer span.End()
	require.False(t, span.IsRecording())
	require.NoError(t, flush(t.Context()))

	provider, flush, err = observe.NewTracing(t.Context(), observe.TraceConfig{Endpoint: "http://127.0.0.1:1", Ratio: 1})
	require.NoError(t, err)
	_, kept := provider.Tracer("x").Start(t.Context(), "y")
	defer kept.End()
	require.True(t, kept.IsRecording())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, errors.Join(flush(ended), ended.Err()))
}

// admin serves an admin port until the test ends.
func admin(t *testing.T, cfg observe.AdminConfig) (*observe.Admin, string) {
	t.Helper()
	a := observe.NewAdmin(cfg)
	lis, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- a.Serve(t.Context(), lis) }() // the context ends before the cleanup runs
	t.Cleanup(func() { require.NoError(t, <-done) })
	return a, lis.Addr().String()
}

func get(t *testing.T, address, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

func TestAdminAnswersHTTP(t *testing.T) {
	a, address := admin(t, observe.AdminConfig{Registry: observe.NewRegistry()})
	broken := atomic.Bool{}
	a.AddCheck("clock", func(context.Context) error { return nil })
	a.AddCheck("database", func(context.Context) error {
		if broken.Load() {
			return errors.New("no route")
		}
		return nil
	})
	code, body := get(t, address, "/readyz")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "ready: clock\nready: database\n", body)
	broken.Store(true)
	code, body = get(t, address, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, "ready: clock\nnot ready: database: no route\n", body)
	code, _ = get(t, address, "/healthz")
	require.Equal(t, http.StatusOK, code, "not ready is not dead")
	_, body = get(t, address, "/metrics")
	require.Contains(t, body, "golive_build_info{")
	require.Contains(t, body, "go_goroutines")
	code, _ = get(t, address, "/debug/pprof/")
	require.Equal(t, http.StatusNotFound, code)

	_, address = admin(t, observe.AdminConfig{Profiles: true})
	code, _ = get(t, address, "/debug/pprof/")
	require.Equal(t, http.StatusOK, code)
}

func TestAdminAnswersGRPC(t *testing.T) {
	a, address := admin(t, observe.AdminConfig{})
	broken := atomic.Bool{}
	a.AddCheck("database", func(context.Context) error {
		if broken.Load() {
			return errors.New("no route")
		}
		return nil
	})
	other := grpc.NewServer()
	accessv1.RegisterAccessServiceServer(other, accessv1.UnimplementedAccessServiceServer{})
	a.Reflect(other)

	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	client := healthv1.NewHealthClient(conn)
	watch, err := client.Watch(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	expect := func(service string, want healthv1.HealthCheckResponse_ServingStatus) {
		resp, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		require.Equal(t, want, resp.GetStatus())
	}
	next := func() healthv1.HealthCheckResponse_ServingStatus {
		resp, err := watch.Recv()
		require.NoError(t, err)
		return resp.GetStatus()
	}
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, next())
	expect("", healthv1.HealthCheckResponse_SERVING)
	expect("database", healthv1.HealthCheckResponse_SERVING)
	expect("nobody", healthv1.HealthCheckResponse_SERVICE_UNKNOWN)
	broken.Store(true)
	expect("", healthv1.HealthCheckResponse_NOT_SERVING)
	expect("database", healthv1.HealthCheckResponse_NOT_SERVING)
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, next())

	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}))
	resp, err := stream.Recv()
	require.NoError(t, err)
	var names []string
	for _, s := range resp.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	require.Contains(t, names, "golive.access.v1.AccessService")
	require.Contains(t, names, "grpc.health.v1.Health")
}
