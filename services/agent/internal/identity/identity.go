// Package identity is who an agent is: a key, the certificate for it, and the
// authority that it trusts, together in one file that is replaced by rename.
// A key and a certificate that do not belong together can thus not be read.
package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/jointoken"
	"github.com/golive-dev/golive/services/agent/internal/journal"
)

// The blocks of the file.
const (
	blockKey         = "PRIVATE KEY"
	blockCertificate = "CERTIFICATE"
	blockAuthority   = "GOLIVE AUTHORITY"
	headerServer     = "Golive-Server"
)

// Identity is a key and, once the agent is enrolled, what belongs to it.
type Identity struct {
	key         *ecdsa.PrivateKey
	Server      string // host:port of the agent port
	Certificate *x509.Certificate
	Authorities []*x509.Certificate
}

// New draws a key.
func New(server string) (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &Identity{key: key, Server: server}, err
}

// Enrolled tells whether there is a certificate.
func (i *Identity) Enrolled() bool { return i.Certificate != nil }

// Agent returns the name that the certificate carries, workspaces/{w}/agents/{a}.
func (i *Identity) Agent() string {
	if i.Certificate == nil || len(i.Certificate.URIs) == 0 {
		return ""
	}
	uri := i.Certificate.URIs[0]
	return uri.Host + uri.Path
}

// RenewAt is when two thirds of the certificate's life are over.
func (i *Identity) RenewAt() time.Time {
	life := i.Certificate.NotAfter.Sub(i.Certificate.NotBefore)
	return i.Certificate.NotBefore.Add(life * 2 / 3)
}

// Request returns a certificate request for the key, in DER.
func (i *Identity) Request() ([]byte, error) {
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, i.key)
}

// Accept takes the server's answer: it must be for the key, and the authority must have signed it.
func (i *Identity) Accept(certificate []byte, authorities [][]byte) error {
	leaf, err := x509.ParseCertificate(certificate)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	if public, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(&i.key.PublicKey) {
		return errors.New("the certificate is for another key")
	}
	var trusted []*x509.Certificate
	for _, der := range authorities {
		authority, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("read authority: %w", err)
		}
		trusted = append(trusted, authority)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool(trusted), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return fmt.Errorf("verify certificate: %w", err)
	}
	i.Certificate, i.Authorities = leaf, trusted
	return nil
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certificates {
		p.AddCert(c)
	}
	return p
}

// Load reads an identity; the error is fs.ErrNotExist where there is none.
func Load(path string) (*Identity, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	i := &Identity{}
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if err := i.block(block); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	if i.key == nil {
		return nil, fmt.Errorf("read %s: it holds no key", path)
	}
	return i, nil
}

func (i *Identity) block(b *pem.Block) error {
	if b.Type == blockKey {
		key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
		if err != nil {
			return err
		}
		var ok bool
		if i.key, ok = key.(*ecdsa.PrivateKey); !ok {
			return fmt.Errorf("the key is a %T", key)
		}
		i.Server = b.Headers[headerServer]
		return nil
	}
	certificate, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return err
	}
	switch b.Type {
	case blockCertificate:
		i.Certificate = certificate
	case blockAuthority:
		i.Authorities = append(i.Authorities, certificate)
	}
	return nil
}

// Save replaces the file; only its owner may read it.
func (i *Identity) Save(path string) error {
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: blockKey, Headers: map[string]string{headerServer: i.Server}, Bytes: der})
	if i.Certificate != nil {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: i.Certificate.Raw})...)
	}
	for _, authority := range i.Authorities {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: blockAuthority, Bytes: authority.Raw})...)
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(fresh, path), journal.SyncDir(filepath.Dir(path)))
}

// TLS is the configuration of an enrolled agent's connections. The server is
// whoever holds a server's certificate of the pinned authority: that authority
// signs nothing but this server and its agents, and an agent's certificate is
// none for servers. The name by which the server is reached is therefore not compared.
func (i *Identity) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies
		VerifyConnection: func(state tls.ConnectionState) error {
			return verifyServer(state.PeerCertificates, pool(i.Authorities))
		},
		Certificates: []tls.Certificate{{Certificate: [][]byte{i.Certificate.Raw}, PrivateKey: i.key, Leaf: i.Certificate}},
		NextProtos:   []string{"h2"},
	}
}

// JoinTLS is the configuration of an agent that knows only the hash of the authority's certificate.
func JoinTLS(authority [sha256.Size]byte) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		ServerName:         jointoken.ServerName(authority),
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies
		VerifyConnection: func(state tls.ConnectionState) error {
			for _, c := range state.PeerCertificates {
				if sha256.Sum256(c.Raw) == authority {
					return verifyServer(state.PeerCertificates, pool([]*x509.Certificate{c}))
				}
			}
			return errors.New("the server does not show the authority that the join token names")
		},
		NextProtos: []string{"h2"},
	}
}

func verifyServer(chain []*x509.Certificate, roots *x509.CertPool) error {
	if len(chain) == 0 {
		return errors.New("the server shows no certificate")
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}

// Trusts tells whether an authority of this hash is among those of the identity.
func (i *Identity) Trusts(authority [sha256.Size]byte) bool {
	for _, c := range i.Authorities {
		if sha256.Sum256(c.Raw) == authority {
			return true
		}
	}
	return false
}

// Next returns a new key for renewal, with the same server and authorities.
func (i *Identity) Next() (*Identity, error) {
	next, err := New(i.Server)
	if err != nil {
		return nil, err
	}
	next.Authorities = i.Authorities
	return next, nil
}

// Address checks and completes host:port.
func Address(server string) (string, error) {
	if server == "" || strings.Contains(server, "/") || !strings.Contains(server, ":") {
		return "", fmt.Errorf("server %q is not host:port", server)
	}
	return server, nil
}
