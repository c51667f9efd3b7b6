package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
)

// Config is what a server is made of. Only Verifier is required.
type Config struct {
	Name         string                // The service in metrics and logs, such as deployment.
	Logger       *zap.Logger           // Gets the request lines; none when nil.
	Verifier     *auth.Verifier        // Checks tokens.
	Registerer   prometheus.Registerer // Gets the metrics; nowhere when nil.
	Tracing      trace.TracerProvider  // Gets the spans; none when nil.
	Deadline     time.Duration         // Of unary calls whose caller set none; 30 s when 0.
	Rate         Rate                  // Per principal; generous when zero.
	MaxRecv      int                   // The largest request in bytes; 4 MiB when 0.
	TLS          *tls.Config           // See [ServerTLS]; plain text when nil.
	ConnAge      time.Duration         // Connections are renewed after about that long; never when 0.
	Grace        time.Duration         // How long running calls may take to end; 10 s when 0.
	DebugRequest bool                  // Log the lines of calls that succeed at level debug instead of info.
}

const (
	defaultDeadline = 30 * time.Second
	defaultMaxRecv  = 4 << 20
	defaultGrace    = 10 * time.Second
)

// Server serves gRPC behind the chain.
type Server struct {
	grpc  *grpc.Server
	chain *chain
	grace time.Duration

	services map[string]*service // by name, for Local
	problems []error             // of registration, told by Check
}

// service is what was registered under one name.
type service struct {
	impl    any
	methods map[string]*grpc.MethodDesc
	streams map[string]*grpc.StreamDesc
}

var _ grpc.ServiceRegistrar = (*Server)(nil)

// NewServer returns a server without services. Options go to the grpc.Server as they are.
func NewServer(cfg Config, opts ...grpc.ServerOption) (*Server, error) {
	c, err := newChain(&cfg)
	if err != nil {
		return nil, fmt.Errorf("rpc server %s: %w", cfg.Name, err)
	}
	s := &Server{chain: c, grace: orDefault(cfg.Grace, defaultGrace), services: make(map[string]*service)}
	options := []grpc.ServerOption{
		grpc.UnaryInterceptor(c.unary),
		grpc.StreamInterceptor(c.stream),
		grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return unknownMethod() }),
		grpc.MaxRecvMsgSize(orDefault(cfg.MaxRecv, defaultMaxRecv)),
		// Half-open connections of agents and watchers are found within a minute.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 20 * time.Second, MaxConnectionAge: cfg.ConnAge}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
	if cfg.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(cfg.TLS)))
	}
	s.grpc = grpc.NewServer(append(options, opts...)...)
	return s, nil
}

// RegisterService is what the generated Register functions call, before Serve and Local.
func (s *Server) RegisterService(desc *grpc.ServiceDesc, impl any) {
	svc := &service{
		impl: impl, methods: make(map[string]*grpc.MethodDesc), streams: make(map[string]*grpc.StreamDesc),
	}
	for i := range desc.Methods {
		d := &desc.Methods[i]
		svc.methods[d.MethodName] = d
		s.problems = append(s.problems, s.chain.add(desc.ServiceName, d.MethodName))
	}
	for i := range desc.Streams {
		d := &desc.Streams[i]
		svc.streams[d.StreamName] = d
		s.problems = append(s.problems, s.chain.add(desc.ServiceName, d.StreamName))
	}
	s.services[desc.ServiceName] = svc
	s.grpc.RegisterService(desc, impl)
}

// GetServiceInfo lists what is registered, for reflection.
func (s *Server) GetServiceInfo() map[string]grpc.ServiceInfo { return s.grpc.GetServiceInfo() }

// Check returns an error that names every registered method whose contract
// does not say who may call it. Serve refuses to start with one.
func (s *Server) Check() error { return errors.Join(s.problems...) }

// Serve answers on the listener until ctx ends; then it ends the streams, lets
// running calls finish within the grace, and returns.
func (s *Server) Serve(ctx context.Context, lis net.Listener) error {
	if err := s.Check(); err != nil {
		return errors.Join(err, lis.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		s.Stop()
	}()
	err := s.grpc.Serve(lis)
	cancel()
	<-stopped
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}

// Stop ends streams with UNAVAILABLE, so that their clients connect again
// elsewhere, and waits for running calls, at most for the grace. A server that is
// only used through Local is stopped by it too.
func (s *Server) Stop() {
	s.chain.streams.stop()
	hurry := time.AfterFunc(s.grace, s.grpc.Stop)
	defer hurry.Stop()
	s.grpc.GracefulStop()
	s.chain.streams.wait()
}

// streams keeps account of the handlers of open streams.
type streams struct {
	mu      sync.Mutex
	over    bool
	open    sync.WaitGroup
	ctx     context.Context //nolint:containedctx // ends with the server, not with a call
	stopAll context.CancelCauseFunc
}

func newStreams() *streams {
	s := new(streams)
	s.ctx, s.stopAll = context.WithCancelCause(context.Background())
	return s
}

// run starts fn unless the server is stopping.
func (s *streams) run(fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.open.Go(fn)
	}
	return !s.over
}

func (s *streams) stop() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.stopAll(stopping())
}

func (s *streams) wait() { s.open.Wait() }

func stopping() *fault.Error {
	return fault.Unavailable("SERVER_STOPPING", "this server is stopping; connect again").RetryAfter(time.Second)
}

func unknownMethod() *fault.Error {
	return fault.Unsupported("METHOD_UNKNOWN", "this server has no such method; compare the versions of client and server")
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
