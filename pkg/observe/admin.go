package observe

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
)

// AdminConfig says what the admin port shows.
type AdminConfig struct {
	Registry *prometheus.Registry // What /metrics serves.
	Profiles bool                 // Serve /debug/pprof/. They tell much about a process: off unless asked for.
}

// Admin is the operator's port. It knows no credentials, so it belongs on
// loopback or a network of operators. One listener answers HTTP and gRPC: the
// protocol is told apart by the content type, as gRPC prescribes it.
type Admin struct {
	checks  *checks
	mux     *http.ServeMux
	grpc    *grpc.Server
	mu      sync.Mutex
	servers []reflection.ServiceInfoProvider
}

// NewAdmin returns an admin port without readiness checks: ready as soon as it answers.
func NewAdmin(cfg AdminConfig) *Admin {
	a := &Admin{checks: &checks{all: make(map[string]Check)}, mux: http.NewServeMux(), grpc: grpc.NewServer()}
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("alive\n")) // who asked may have gone
	})
	a.mux.HandleFunc("GET /readyz", a.ready)
	if cfg.Registry != nil {
		a.mux.Handle("GET /metrics", promhttp.HandlerFor(cfg.Registry, promhttp.HandlerOpts{Registry: cfg.Registry}))
	}
	if cfg.Profiles {
		a.mux.HandleFunc("/debug/pprof/", pprof.Index)
		a.mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		a.mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		a.mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		a.mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	healthv1.RegisterHealthServer(a.grpc, health{checks: a.checks})
	reflectionv1.RegisterServerReflectionServer(a.grpc, reflection.NewServerV1(reflection.ServerOptions{Services: a}))
	return a
}

// AddCheck adds a readiness check. The process is ready while none returns an error.
func (a *Admin) AddCheck(name string, check Check) { a.checks.add(name, check) }

// Reflect lets reflection describe the services of a server that listens elsewhere.
func (a *Admin) Reflect(server reflection.ServiceInfoProvider) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.servers = append(a.servers, server)
}

// GetServiceInfo is what reflection lists: this port's services and those of Reflect.
func (a *Admin) GetServiceInfo() map[string]grpc.ServiceInfo {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.grpc.GetServiceInfo()
	for _, s := range a.servers {
		maps.Copy(all, s.GetServiceInfo())
	}
	return all
}

// ServeHTTP answers one request, of either protocol.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		a.grpc.ServeHTTP(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// Serve answers on the listener until ctx ends.
func (a *Admin) Serve(ctx context.Context, lis net.Listener) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: a, Protocols: protocols, ReadHeaderTimeout: 5 * time.Second}
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		a.grpc.Stop() // ends health watches, which would keep Shutdown waiting
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			stopped <- server.Close() // a profile may run for half a minute
			return
		}
		stopped <- nil
	}()
	err := server.Serve(lis)
	cancel()
	if stop := <-stopped; errors.Is(err, http.ErrServerClosed) {
		return stop
	}
	return err
}

func (a *Admin) ready(w http.ResponseWriter, r *http.Request) {
	var report bytes.Buffer
	if !a.checks.report(r.Context(), &report) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = report.WriteTo(w) // who asked may have gone
}
