package authority_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
)

const agent = "workspaces/default/agents/host-1"

func newKey(t *testing.T) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	require.NoError(t, err)
	return key, der
}

func TestAuthorityIsCreatedOnceAndOnlyItsOwnerMayReadIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var group sync.WaitGroup
	found := make([][]byte, 8)
	for i := range found {
		group.Go(func() {
			a, err := authority.Open(dir, nil)
			if err == nil {
				found[i] = a.Certificate()
			}
		})
	}
	group.Wait()
	for _, one := range found {
		require.Equal(t, found[0], one, "all that start at once agree")
		require.NotEmpty(t, one)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	path := filepath.Join(dir, entries[0].Name())
	require.NoError(t, os.Chmod(path, 0o644))
	_, err = authority.Open(dir, nil)
	require.ErrorContains(t, err, "may be read by others")
	require.NoError(t, os.WriteFile(path, []byte("junk"), 0o600))
	require.NoError(t, os.Chmod(path, 0o600))
	_, err = authority.Open(dir, nil)
	require.ErrorContains(t, err, "does not hold a key")
}

func TestAgentCertificateSaysWhoFromWhichEnrolmentAndForADay(t *testing.T) {
	now := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	a, err := authority.Open(t.TempDir(), func() time.Time { return now })
	require.NoError(t, err)
	_, der := newKey(t)
	request, err := authority.ParseRequest(der)
	require.NoError(t, err)
	signed, expires, err := a.SignAgent(request, agent, "e1")
	require.NoError(t, err)
	require.Equal(t, now.Add(24*time.Hour), expires)

	certificate, err := x509.ParseCertificate(signed)
	require.NoError(t, err)
	identity, err := authority.Identify(certificate)
	require.NoError(t, err)
	require.Equal(t, authority.Identity{Agent: agent, Enrolment: "e1", Expires: expires}, identity)
	key, err := authority.Fingerprint(certificate.PublicKey)
	require.NoError(t, err)
	require.Equal(t, request.Key, key)
	_, err = certificate.Verify(x509.VerifyOptions{
		Roots: a.Pool(), CurrentTime: now.Add(23 * time.Hour), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	require.NoError(t, err)
	_, err = certificate.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	require.Error(t, err, "no agent can pose as the server")
}

func TestRequestsThatProveNothingAreRefused(t *testing.T) {
	_, good := newKey(t)
	forged := append([]byte(nil), good...)
	forged[len(forged)-1] ^= 1
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaRequest, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, weak)
	require.NoError(t, err)
	for name, der := range map[string][]byte{"junk": []byte("junk"), "forged": forged, "RSA": rsaRequest} {
		t.Run(name, func(t *testing.T) {
			_, err := authority.ParseRequest(der)
			require.Equal(t, "CERTIFICATE_REQUEST_INVALID", fault.ReasonOf(err))
		})
	}
}

func TestServerShowsAnAuthorityThatAHashIsEnoughToTrust(t *testing.T) {
	now := time.Now()
	a, err := authority.Open(t.TempDir(), func() time.Time { return now })
	require.NoError(t, err)
	config, err := a.ServerTLS([]string{"127.0.0.1", "golive.example"})
	require.NoError(t, err)

	key, der := newKey(t)
	request, err := authority.ParseRequest(der)
	require.NoError(t, err)
	signed, _, err := a.SignAgent(request, agent, "e1")
	require.NoError(t, err)
	other, err := authority.Open(t.TempDir(), nil)
	require.NoError(t, err)
	foreign, _, err := other.SignAgent(request, agent, "e1")
	require.NoError(t, err)

	dial := func(certificate []byte) (tls.ConnectionState, error) {
		client := &tls.Config{
			InsecureSkipVerify: true, // verified below by the hash, as an agent does
			Time:               config.Time,
			VerifyConnection: func(state tls.ConnectionState) error {
				root := state.PeerCertificates[len(state.PeerCertificates)-1]
				require.Equal(t, sha256.Sum256(a.Certificate()), sha256.Sum256(root.Raw))
				pool := x509.NewCertPool()
				pool.AddCert(root)
				_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool, DNSName: "golive.example", CurrentTime: now})
				return err
			},
		}
		if certificate != nil {
			client.Certificates = []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}
		}
		return handshake(t, config, client)
	}
	state, err := dial(nil)
	require.NoError(t, err)
	require.Empty(t, state.VerifiedChains, "no certificate is fine: the method decides")
	state, err = dial(signed)
	require.NoError(t, err)
	require.Len(t, state.VerifiedChains, 1)
	_, err = dial(foreign)
	require.Error(t, err, "signed by another authority")
	now = now.Add(25 * time.Hour)
	_, err = dial(signed)
	require.ErrorContains(t, err, "expired")
	now = now.Add(40 * 24 * time.Hour)
	_, err = dial(nil)
	require.NoError(t, err, "the server renewed its own certificate")
}

func handshake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	var asked error
	var group sync.WaitGroup
	group.Go(func() {
		conn := tls.Client(far, client)
		asked = conn.HandshakeContext(t.Context())
		if asked == nil {
			_, _ = conn.Read(make([]byte, 1)) // takes session tickets, or the alert
		}
	})
	conn := tls.Server(near, server)
	err := conn.HandshakeContext(t.Context())
	state := conn.ConnectionState()
	_ = near.Close()
	group.Wait()
	if err != nil {
		return state, err
	}
	return state, asked
}
