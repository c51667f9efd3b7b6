package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/golive-dev/golive/pkg/jointoken"
)

// serverLife is short because it costs nothing: the certificate is made again by itself.
const serverLife = 30 * 24 * time.Hour

// ServerTLS is the configuration of the agent port: TLS 1.3, a certificate for
// the names (DNS names and IP addresses) that is renewed while the server runs,
// and client certificates of this authority, which are verified when given. A
// call that needs one is refused by the access rule of its method.
//
// The chain carries the authority too: an agent that enrols knows only its hash. While there are
// two, it names the one that it knows, and is shown a certificate of that.
func (a *Authority) ServerTLS(names []string) (*tls.Config, error) {
	s := &server{authority: a, names: names, certificates: map[*root]*entry{}}
	if _, err := s.certificate(nil); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: s.trusting,
		GetCertificate:     s.certificate,
		ClientAuth:         tls.VerifyClientCertIfGiven,
		ClientCAs:          a.Pool(),
		Time:               a.now,
		NextProtos:         []string{"h2"},
	}, nil
}

// trusting is the configuration with what is trusted now; the same as long as that is the same.
func (s *server) trusting(*tls.ClientHelloInfo) (*tls.Config, error) {
	a := s.authority
	roots := trusted(a.current(), a.now(), a.life)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config == nil || !slices.Equal(s.trusts, roots) {
		s.trusts = roots
		s.config = &tls.Config{
			MinVersion: tls.VersionTLS13, GetCertificate: s.certificate, ClientAuth: tls.VerifyClientCertIfGiven,
			ClientCAs: pool(roots), Time: a.now, NextProtos: []string{"h2"},
		}
	}
	return s.config, nil
}

// server holds the certificates of one listener, one for each root.
type server struct {
	authority *Authority
	names     []string

	mu           sync.Mutex
	certificates map[*root]*entry
	config       *tls.Config // with what it trusts
	trusts       []*root
}

type entry struct {
	certificate *tls.Certificate
	renew       time.Time
}

func (s *server) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	a := s.authority
	now := a.now()
	roots := a.current()
	by := signer(roots, now, a.life)
	if hello != nil {
		for _, r := range trusted(roots, now, a.life) {
			if hello.ServerName == jointoken.ServerName(sha256.Sum256(r.certificate.Raw)) {
				by = r
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.certificates[by]; e != nil && now.Before(e.renew) {
		return e.certificate, nil
	}
	fresh, err := a.signServer(by, s.names, now.Add(serverLife))
	if err != nil {
		return nil, err
	}
	for r := range s.certificates { // of roots from before the file was read anew
		if !slices.Contains(roots, r) {
			delete(s.certificates, r)
		}
	}
	s.certificates[by] = &entry{certificate: fresh, renew: now.Add(serverLife * 2 / 3)}
	return fresh, nil
}

func (a *Authority) signServer(by *root, names []string, expires time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "golive agent port"},
		NotAfter:    expires,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := a.sign(by, template, &key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of the agent port for %v: %w", names, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, by.certificate.Raw}, PrivateKey: key}, nil
}
