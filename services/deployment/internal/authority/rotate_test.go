package authority_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/jointoken"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
)

// served shakes hands with the agent port as somebody who trusts these certificates only.
func served(t *testing.T, config *tls.Config, name string, now time.Time, trust ...[]byte) error {
	t.Helper()
	roots := x509.NewCertPool()
	for _, der := range trust {
		c, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		roots.AddCert(c)
	}
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	go func() { _ = tls.Server(far, config).HandshakeContext(t.Context()) }()
	client := tls.Client(near, &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2"},
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now})
			return err
		},
	})
	return client.HandshakeContext(t.Context())
}

func TestAnAuthorityIsReplacedWhileItIsUsed(t *testing.T) {
	dir := t.TempDir()
	var ahead atomic.Int64
	start := time.Now().Truncate(time.Second)
	clock := func() time.Time { return start.Add(time.Duration(ahead.Load())) }
	a, err := authority.Open(dir, clock)
	require.NoError(t, err)
	other, err := authority.Open(dir, clock) // another server
	require.NoError(t, err)
	config, err := other.ServerTLS([]string{"localhost"})
	require.NoError(t, err)
	first := a.Certificate()
	_, der := newKey(t)
	request, err := authority.ParseRequest(der)
	require.NoError(t, err)
	old, _, err := a.SignAgent(request, agent, "e1")
	require.NoError(t, err)

	begins, err := authority.Rotate(dir, clock(), authority.AgentLife)
	require.NoError(t, err)
	require.Equal(t, authority.AgentLife, begins.Sub(start))
	_, err = authority.Rotate(dir, clock(), authority.AgentLife)
	require.ErrorContains(t, err, "being replaced already")
	require.Eventually(t, func() bool { return len(a.Trusted()) == 2 && len(other.Trusted()) == 2 }, 5*time.Second, 10*time.Millisecond, "every server takes note")
	second := a.Trusted()[1]
	require.Equal(t, first, a.Certificate(), "it is told, and does not sign yet")
	require.NoError(t, served(t, config, "localhost", clock(), first))

	ahead.Store(int64(authority.AgentLife))
	require.Equal(t, second, a.Certificate())
	require.NoError(t, served(t, config, "localhost", clock(), first, second), "who renewed in that time trusts both")
	require.Error(t, served(t, config, "localhost", clock(), first))
	require.NoError(t, served(t, config, jointoken.ServerName(sha256.Sum256(first)), clock(), first), "a join token from before still finds its authority")
	leaf, err := x509.ParseCertificate(old)
	require.NoError(t, err)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: clock().Add(-time.Minute), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	require.NoError(t, err, "certificates of the old one are valid to their end")

	ahead.Store(int64(2*authority.AgentLife + 2*time.Hour))
	require.Equal(t, [][]byte{second}, a.Trusted(), "then it is forgotten")
	_, err = authority.Rotate(dir, clock(), authority.AgentLife)
	require.NoError(t, err)

	ahead.Store(int64(19 * 365 * 24 * time.Hour)) // near the end nobody needs to think of it
	late, err := authority.Open(dir, clock)
	require.NoError(t, err)
	require.Len(t, late.Trusted(), 2)
}
