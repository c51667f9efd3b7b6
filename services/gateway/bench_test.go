package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	loadEnv     = "GOLIVE_BENCH_LOAD" // what TestMain plays instead of running tests
	concurrency = 32
	benchName   = "workspaces/default/applications/crm"
)

// TestMain is also the client of the benchmarks: a process of its own, so that
// the CPU time of this one is the server's alone.
func TestMain(m *testing.M) {
	if load := os.Getenv(loadEnv); load != "" {
		if err := playLoad(strings.Split(load, " ")); err != nil {
			panic(err)
		}
		return
	}
	m.Run()
}

// playLoad sends n requests, 32 at a time: kind, address, token, n.
func playLoad(args []string) error {
	kind, address, token := args[0], args[1], args[2]
	n, err := strconv.ParseInt(args[3], 10, 64)
	if err != nil {
		return err
	}
	call, err := caller(kind, address, token)
	if err != nil {
		return err
	}
	var left atomic.Int64
	left.Store(n)
	var running sync.WaitGroup
	failed := make(chan error, concurrency)
	for range concurrency {
		running.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	running.Wait()
	close(failed)
	return <-failed
}

func caller(kind, address, token string) (func() error, error) {
	if strings.HasPrefix(kind, "grpc") {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		client := deploymentv1.NewApplicationServiceClient(conn)
		return func() error {
			ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
			var err error
			if kind == "grpc-create" {
				_, err = client.CreateApplication(ctx, benchCreate())
			} else {
				_, err = client.GetApplication(ctx, &deploymentv1.GetApplicationRequest{Name: benchName})
			}
			return err
		}, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: concurrency}
	body, err := protojson.Marshal(benchCreate().GetApplication())
	return func() error {
		method, path, sent := http.MethodGet, "/v1/"+benchName, ""
		if kind == "http-create" {
			method, path, sent = http.MethodPost, "/v1/workspaces/default/applications?applicationId=crm", string(body)
		}
		req, err := http.NewRequestWithContext(context.Background(), method, address+path, strings.NewReader(sent))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d: %w", resp.StatusCode, err)
		}
		return nil
	}, err
}

func benchCreate() *deploymentv1.CreateApplicationRequest {
	return &deploymentv1.CreateApplicationRequest{
		Parent: "workspaces/default", ApplicationId: "crm",
		Application: &deploymentv1.Application{DisplayName: "Customers", Labels: map[string]string{"team": "sales"}},
	}
}

// memory answers without storage and without keeping anything.
type memory struct {
	deploymentv1.UnimplementedApplicationServiceServer
}

func (memory) GetApplication(_ context.Context, req *deploymentv1.GetApplicationRequest) (*deploymentv1.Application, error) {
	return &deploymentv1.Application{Name: req.GetName(), DisplayName: "Customers", Etag: "e1", Labels: map[string]string{"team": "sales"}}, nil
}

func (memory) CreateApplication(_ context.Context, req *deploymentv1.CreateApplicationRequest) (*deploymentv1.Application, error) {
	app := req.GetApplication()
	app.Name = req.GetParent() + "/applications/" + req.GetApplicationId()
	return app, nil
}

// byHand is the control: the same two calls written against net/http, with protojson, and with no interceptor at all.
func byHand() http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, app *deploymentv1.Application) {
		data, err := protojson.Marshal(app)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data)
	}
	mux.HandleFunc("GET /v1/workspaces/{workspace}/applications/{application}", func(w http.ResponseWriter, r *http.Request) {
		app, _ := memory{}.GetApplication(r.Context(), &deploymentv1.GetApplicationRequest{
			Name: "workspaces/" + r.PathValue("workspace") + "/applications/" + r.PathValue("application"),
		})
		answer(w, app)
	})
	mux.HandleFunc("POST /v1/workspaces/{workspace}/applications", func(w http.ResponseWriter, r *http.Request) {
		app := &deploymentv1.Application{}
		data, err := io.ReadAll(r.Body)
		if err != nil || protojson.Unmarshal(data, app) != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		app, _ = memory{}.CreateApplication(r.Context(), &deploymentv1.CreateApplicationRequest{
			Parent: "workspaces/" + r.PathValue("workspace"), ApplicationId: r.URL.Query().Get("applicationId"), Application: app,
		})
		answer(w, app)
	})
	return mux
}

// BenchmarkRequest reports the server's CPU time a request: through the gateway,
// through gRPC alone, and through a handler written by hand.
func BenchmarkRequest(b *testing.B) {
	w := setup(b)
	verifier, err := auth.NewVerifier([]auth.TrustedIssuer{w.issuer.Trusted()}, nil)
	require.NoError(b, err)
	server, err := rpc.NewServer(rpc.Config{Name: "bench", Verifier: verifier, Rate: rpc.Rate{PerSecond: 1e9, Burst: 1e9}})
	require.NoError(b, err)
	deploymentv1.RegisterApplicationServiceServer(server, memory{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	ctx, stop := context.WithCancel(b.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	g := newGateway(b, server.Local())
	through, hand := httptest.NewServer(g), httptest.NewServer(byHand())
	b.Cleanup(func() {
		through.Close()
		hand.Close()
		stop()
		require.NoError(b, <-served)
	})
	for _, c := range []struct{ name, kind, address string }{
		{"get/gateway", "http-get", through.URL},
		{"get/grpc", "grpc-get", listener.Addr().String()},
		{"get/net-http", "http-get", hand.URL},
		{"create/gateway", "http-create", through.URL},
		{"create/grpc", "grpc-create", listener.Addr().String()},
		{"create/net-http", "http-create", hand.URL},
	} {
		b.Run(c.name, func(b *testing.B) {
			loadClient(b, c.kind, c.address, w.token, 4*concurrency) // warm
			b.ResetTimer()
			before := cpu(b)
			loadClient(b, c.kind, c.address, w.token, b.N)
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func loadClient(b *testing.B, kind, address, token string, n int) {
	b.Helper()
	client := exec.CommandContext(b.Context(), os.Args[0])
	client.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %d", loadEnv, kind, address, token, n))
	client.Stderr = os.Stderr
	require.NoError(b, client.Run())
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
