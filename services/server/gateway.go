package server

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/services/gateway"
	"github.com/golive-dev/golive/services/implementation"
)

// maxBody lets the largest import through: its file is in base64 in the JSON of the request.
const maxBody = implementation.MaxRequest/3*4 + 64<<10

// Peer is a service in another process.
type Peer struct {
	Address   string // host:port
	CAFile    string // Whose certificates are trusted; with it the connection is TLS.
	TLS       bool   // TLS with the authorities of the system.
	Plaintext bool   // Tokens may cross the network in plain text, because it is private.
	TokenFile string // Who we are there; a self-minted service token when empty.
}

// token is the identity to show to the peer.
func (p Peer) token(self auth.TokenSource) auth.TokenSource {
	if p.TokenFile != "" {
		return auth.TokenFile(p.TokenFile)
	}
	return self
}

// dial prepares a connection that closes with the process.
func (p *process) dial(peer Peer, token auth.TokenSource) (*grpc.ClientConn, error) {
	cfg := rpc.ClientConfig{Token: token, Plaintext: peer.Plaintext, Tracing: p.tracing}
	if peer.TLS || peer.CAFile != "" {
		var err error
		if cfg.TLS, err = rpc.ClientTLS(peer.CAFile, "", ""); err != nil {
			return nil, err
		}
	}
	conn, err := rpc.Dial(peer.Address, cfg)
	if err != nil {
		return nil, err
	}
	p.onClose(conn.Close)
	return conn, nil
}

// guard is how one of the two services asks the other, in the same process or in another one.
func (p *process) guard(peer string, conn grpc.ClientConnInterface) (grpc.ClientConnInterface, error) {
	return rpc.Guard(conn, rpc.GuardConfig{Peer: peer, Registerer: p.registry, Logger: p.logger})
}

// GatewayConfig is the gateway role in a process of its own.
type GatewayConfig struct {
	Process

	Listen         string // Where it listens.
	Deployment     Peer   // Callers' own tokens are passed on; the gateway has none.
	Implementation Peer
}

// Gateway opens the gateway role.
func Gateway(ctx context.Context, cfg GatewayConfig) (_ *Server, err error) {
	p, err := begin(ctx, cfg.Process)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if cfg.Deployment.Address == "" || cfg.Implementation.Address == "" {
		return nil, errors.New("the gateway needs --deployment and --implementation, the addresses of both services")
	}
	software, err := p.dial(cfg.Deployment, nil)
	if err != nil {
		return nil, err
	}
	people, err := p.dial(cfg.Implementation, nil)
	if err != nil {
		return nil, err
	}
	return p.Server, p.newGateway(ctx, cfg.Listen, software, people)
}

func (p *process) newGateway(ctx context.Context, listen string, software, people grpc.ClientConnInterface) error {
	listener, err := p.listen(ctx, "HTTP", "--listen", listen)
	if err != nil {
		return err
	}
	g, err := gateway.New(gateway.Config{
		MaxBody:    maxBody,
		Deployment: software, Implementation: people, Logger: p.logger.Named("gateway"), Registry: p.registry, TLS: p.tls,
	})
	if err != nil {
		return err
	}
	p.bound.HTTP = listener.Addr().String()
	p.add("gateway", func(ctx context.Context) error { return g.Run(ctx, listener) })
	return nil
}

// URL is where a browser finds the gateway; with the first administrator's token where there is one.
func (s *Server) URL(secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	if s.token == "" {
		return fmt.Sprintf("%s://%s/", scheme, s.bound.HTTP)
	}
	return fmt.Sprintf("%s://%s/?token=%s", scheme, s.bound.HTTP, s.token)
}
