package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/observe"
	"github.com/golive-dev/golive/pkg/rpc"
)

// Process is what every process has, whatever roles it plays. DataDir is required.
type Process struct {
	DataDir  string              // Databases, keys and certificates; created with mode 0700.
	Admin    string              // Where operators look: metrics, health, reflection. None when empty.
	TLSCert  string              // Certificate file of HTTP and gRPC; plain text when empty.
	TLSKey   string              // Its key file.
	Log      observe.LogConfig   // What is logged.
	LogTo    io.Writer           // Where to; nowhere when nil.
	Trace    observe.TraceConfig // Where traces go; none when zero.
	Profiles bool                // Serve profiles on the admin port.
}

// process is a [Process] that has started.
type process struct {
	*Server

	cfg      Process
	logger   *zap.Logger
	registry *prometheus.Registry
	tracing  trace.TracerProvider
	tls      *tls.Config
	admin    *observe.Admin
}

// begin prepares a process. On an error nothing stays open.
func begin(ctx context.Context, cfg Process) (_ *process, err error) {
	p := &process{Server: new(Server), cfg: cfg, registry: observe.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := p.lock(cfg.DataDir); err != nil {
		return nil, err
	}
	if cfg.LogTo == nil {
		cfg.LogTo = io.Discard
	}
	if p.logger, err = observe.NewLogger(cfg.Log, cfg.LogTo); err != nil {
		return nil, err
	}
	tracing, flush, err := observe.NewTracing(ctx, cfg.Trace)
	if err != nil {
		return nil, err
	}
	p.tracing = tracing
	p.onClose(func() error { return flush(context.WithoutCancel(ctx)) })
	if (cfg.TLSCert == "") != (cfg.TLSKey == "") {
		return nil, errors.New("a certificate file and a key file are needed together")
	}
	if cfg.TLSCert != "" {
		if p.tls, err = rpc.ServerTLS(cfg.TLSCert, cfg.TLSKey, ""); err != nil {
			return nil, err
		}
	}
	return p, p.serveAdmin(ctx)
}

// lock keeps a second process out of a data folder: it would take over what the first is
// working on.
func (p *process) lock(folder string) error {
	lock := flock.New(filepath.Join(folder, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if !held {
		return fmt.Errorf("data folder %s is used by another golive process; stop that one, or choose another folder with --data-dir", folder)
	}
	p.onClose(lock.Unlock)
	return nil
}

// serveAdmin comes first, so that it stops last and shows a shutdown.
func (p *process) serveAdmin(ctx context.Context) error {
	p.admin = observe.NewAdmin(observe.AdminConfig{Registry: p.registry, Profiles: p.cfg.Profiles})
	if p.cfg.Admin == "" {
		return nil
	}
	listener, err := p.listen(ctx, "admin", "--listen-admin", p.cfg.Admin)
	if err != nil {
		return err
	}
	p.bound.Admin = listener.Addr().String()
	p.add("admin port", func(ctx context.Context) error { return p.admin.Serve(ctx, listener) })
	return nil
}

// listen opens a port. The error names the flag that moves it.
func (p *process) listen(ctx context.Context, what, flag, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s port %s is taken by another process; stop that one, or choose another port with %s", what, address, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s port (%s): %w", what, flag, err)
	}
	p.onClose(func() error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil // its server closed it
	})
	return listener, nil
}

// newRPC returns a server behind the chain. Tokens are checked against the issuers and the revocation list.
func (p *process) newRPC(cfg rpc.Config, issuers []auth.TrustedIssuer, revoked *auth.Revocations, opts ...grpc.ServerOption) (*rpc.Server, error) {
	verifier, err := auth.NewVerifier(issuers, revoked)
	if err != nil {
		return nil, err
	}
	cfg.Logger, cfg.Verifier, cfg.Registerer, cfg.Tracing = p.logger, verifier, p.registry, p.tracing
	cfg.DebugRequest = true
	return rpc.NewServer(cfg, opts...)
}
