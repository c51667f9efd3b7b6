package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// authority signs certificates for a test and writes them to files.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.sign(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) sign(t *testing.T, name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore = time.Now().Add(-time.Hour)
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(a.file(name+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(a.file(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert, key
}

func (a *authority) server(t *testing.T) *tls.Config {
	t.Helper()
	a.sign(t, "server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	cfg, err := rpc.ServerTLS(a.file("server.crt"), a.file("server.key"), a.file("ca.crt"))
	require.NoError(t, err)
	return cfg
}

// agent is the settings of a client with the certificate of an agent.
func (a *authority) agent(t *testing.T, identity string) *tls.Config {
	t.Helper()
	u, err := url.Parse(identity)
	require.NoError(t, err)
	a.sign(t, "agent", &x509.Certificate{URIs: []*url.URL{u}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	cfg, err := rpc.ClientTLS(a.file("ca.crt"), a.file("agent.crt"), a.file("agent.key"))
	require.NoError(t, err)
	return cfg
}

func dial(t *testing.T, address string, cfg rpc.ClientConfig) *grpc.ClientConn {
	t.Helper()
	conn, err := rpc.Dial(address, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func TestTLSIsChecked(t *testing.T) {
	ca := newAuthority(t)
	b := newBundle(t)
	b.cfg.TLS = ca.server(t)
	b.start(t)
	token, _ := b.token(t, "users/alice", operator, time.Hour)
	trusting, err := rpc.ClientTLS(ca.file("ca.crt"), "", "")
	require.NoError(t, err)
	require.EqualValues(t, tls.VersionTLS13, trusting.MinVersion)
	_, err = get(t.Context(), dial(t, b.address, rpc.ClientConfig{TLS: trusting, Token: auth.StaticToken(token)}), "workspaces/default")
	require.NoError(t, err)

	old := trusting.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	for name, cfg := range map[string]rpc.ClientConfig{
		"plain text":        {},
		"unknown authority": {TLS: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: x509.NewCertPool()}},
		"TLS 1.2":           {TLS: old},
		"client of another authority": {TLS: func() *tls.Config {
			cfg := newAuthority(t).agent(t, "golive://workspaces/default/agents/host-1")
			cfg.RootCAs = trusting.RootCAs
			// TLS 1.3 clients learn of it with their first read, gRPC makes that UNAVAILABLE.
			return cfg
		}()},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := call[accessv1.Principal](ctx, dial(t, b.address, cfg), "Open", &accessv1.WhoAmIRequest{})
		cancel()
		require.Error(t, err, name)
	}
	for _, files := range [][3]string{{"no.crt", "server.key", ""}, {"server.crt", "ca.key", ""}, {"server.crt", "server.key", "no.crt"}, {"server.crt", "server.key", "server.key"}} {
		authorityFile := ""
		if files[2] != "" {
			authorityFile = ca.file(files[2])
		}
		_, err := rpc.ServerTLS(ca.file(files[0]), ca.file(files[1]), authorityFile)
		require.Error(t, err)
	}
}

func TestCertificateIsTheAgent(t *testing.T) {
	ca := newAuthority(t)
	b := newBundle(t)
	b.cfg.TLS = ca.server(t)
	b.h.open = func(ctx context.Context, _ *accessv1.WhoAmIRequest) (*accessv1.Principal, error) {
		p, _ := auth.FromContext(ctx)
		return &accessv1.Principal{Name: p.Name}, nil
	}
	b.start(t)
	_, err := get(t.Context(), dial(t, b.address, rpc.ClientConfig{TLS: ca.agent(t, "golive://workspaces/default/agents/host-1")}), "workspaces/default")
	require.Equal(t, "PERMISSION_DENIED", fault.ReasonOf(err))
	require.Contains(t, fault.From(err).Message(), "workspaces/default/agents/host-1 lacks")
	_, err = get(t.Context(), dial(t, b.address, rpc.ClientConfig{TLS: ca.agent(t, "golive://somebody")}), "workspaces/default")
	require.Equal(t, "CERTIFICATE_INVALID", fault.ReasonOf(err))
	nobody, err := rpc.ClientTLS(ca.file("ca.crt"), "", "")
	require.NoError(t, err)
	_, err = get(t.Context(), dial(t, b.address, rpc.ClientConfig{TLS: nobody}), "workspaces/default")
	require.Equal(t, "TOKEN_MISSING", fault.ReasonOf(err), "without a certificate one may connect, and be told")
}

func TestRenewedCertificateNeedsNoRestart(t *testing.T) {
	ca := newAuthority(t)
	cfg := ca.server(t)
	first, err := cfg.GetCertificate(nil)
	require.NoError(t, err)
	same, err := cfg.GetCertificate(nil)
	require.NoError(t, err)
	require.Same(t, first, same)
	ca.server(t)
	later := time.Now().Add(time.Minute)
	require.NoError(t, os.Chtimes(ca.file("server.crt"), later, later))
	second, err := cfg.GetCertificate(nil)
	require.NoError(t, err)
	require.NotEqual(t, first.Certificate[0], second.Certificate[0])
	require.NoError(t, os.Remove(ca.file("server.key")))
	third, err := cfg.GetCertificate(nil)
	require.NoError(t, err)
	require.Same(t, second, third, "half a renewal does not stop the server")
}

func TestTokensDoNotCrossTheNetworkInTheClear(t *testing.T) {
	source := auth.StaticToken("x")
	for target, loopback := range map[string]bool{
		"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, "127.9.9.9:1": true, "unix:/run/golive.sock": true, "unix:///run/golive.sock": true,
		"dns:///localhost:1": true, "passthrough:///127.0.0.1:1": true, "dns:localhost:1": true,
		"10.0.0.1:1": false, "golive.example:1": false, "localhost.example:1": false, "dns:///golive.example:1": false, "0.0.0.0:1": false, "": false,
		"dns://127.0.0.1/golive.example:1": false,
	} {
		conn, err := rpc.Dial(target, rpc.ClientConfig{Token: source})
		if !loopback {
			require.ErrorContains(t, err, "use TLS", target)
			conn, err = rpc.Dial(target, rpc.ClientConfig{Token: source, Plaintext: true})
			if target == "" {
				continue // no address at all
			}
		}
		require.NoError(t, err, target)
		require.NoError(t, conn.Close())
	}
}

func TestReadsAreRepeatedAndWritesAreNot(t *testing.T) {
	b := newBundle(t)
	var reads, writes atomic.Int64
	b.h.get = func(context.Context, *eventv1.ListEventsRequest) (*eventv1.Event, error) {
		if reads.Add(1) < 3 {
			return nil, fault.Unavailable("DATABASE_BUSY", "wait")
		}
		return &eventv1.Event{}, nil
	}
	b.h.create = func(context.Context, *accessv1.MintTokenRequest) (*accessv1.MintTokenResponse, error) {
		writes.Add(1)
		return nil, fault.Unavailable("DATABASE_BUSY", "wait")
	}
	b.start(t)
	token, _ := b.token(t, "users/alice", operator, time.Hour)
	conn := dial(t, b.address, rpc.ClientConfig{Token: auth.StaticToken(token)})
	_, err := get(t.Context(), conn, "workspaces/default")
	require.NoError(t, err)
	require.EqualValues(t, 3, reads.Load())
	_, err = call[accessv1.MintTokenResponse](t.Context(), conn, "Create", mintRequest)
	require.Equal(t, "DATABASE_BUSY", fault.ReasonOf(err))
	require.EqualValues(t, 1, writes.Load())
}
