package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"sync"
	"time"
)

// serverLife is short because it costs nothing: the certificate is made again by itself.
const serverLife = 30 * 24 * time.Hour

// ServerTLS is the configuration of the agent port: TLS 1.3, a certificate for
// the names (DNS names and IP addresses) that is renewed while the server runs,
// and client certificates of this authority, which are verified when given. A
// call that needs one is refused by the access rule of its method.
//
// The chain carries the authority too: an agent that enrols knows only its hash.
func (a *Authority) ServerTLS(names []string) (*tls.Config, error) {
	s := &server{authority: a, names: names}
	if _, err := s.current(nil); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: s.current,
		ClientAuth:     tls.VerifyClientCertIfGiven,
		ClientCAs:      a.Pool(),
		Time:           a.now,
		NextProtos:     []string{"h2"},
	}, nil
}

// server holds the certificate of one listener.
type server struct {
	authority *Authority
	names     []string

	mu          sync.Mutex
	certificate *tls.Certificate
	renew       time.Time
}

func (s *server) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.authority.now()
	if s.certificate != nil && now.Before(s.renew) {
		return s.certificate, nil
	}
	fresh, err := s.authority.signServer(s.names, now.Add(serverLife))
	if err != nil {
		return nil, err
	}
	s.certificate, s.renew = fresh, now.Add(serverLife*2/3)
	return fresh, nil
}

func (a *Authority) signServer(names []string, expires time.Time) (*tls.Certificate, error) {
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
	der, err := a.sign(template, &key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of the agent port for %v: %w", names, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}, nil
}
