package rpc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// ServerTLS returns the settings of a TLS 1.3 server with the certificate in
// the files. They are read again when they change, so that a renewed certificate
// needs no restart. With clientCA, client certificates are asked for and must be by
// that authority; a client without one is let in, as far as its methods are public or it has a token.
func ServerTLS(certFile, keyFile, clientCA string) (*tls.Config, error) {
	pair := &keyPair{certFile: certFile, keyFile: keyFile}
	if _, err := pair.get(); err != nil {
		return nil, err
	}
	cfg := &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get() },
	}
	if clientCA != "" {
		pool, err := loadPool(clientCA)
		if err != nil {
			return nil, err
		}
		cfg.ClientCAs, cfg.ClientAuth = pool, tls.VerifyClientCertIfGiven
	}
	return cfg, nil
}

// ClientTLS returns the settings of a TLS 1.3 client that trusts the authority
// in caFile, or those of the system when that is empty. A client certificate is optional.
func ClientTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS13}
	if caFile != "" {
		pool, err := loadPool(caFile)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = pool
	}
	if certFile != "" {
		pair := &keyPair{certFile: certFile, keyFile: keyFile}
		if _, err := pair.get(); err != nil {
			return nil, err
		}
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.get() }
	}
	return cfg, nil
}

func loadPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read certificate authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read certificate authority: %s holds no PEM certificate", file)
	}
	return pool, nil
}

// keyPair is a certificate in two files, read again when one of them changed.
type keyPair struct {
	certFile, keyFile string

	mu      sync.Mutex
	cert    *tls.Certificate
	changed [2]time.Time
}

func (k *keyPair) get() (*tls.Certificate, error) {
	cert, errCert := os.Stat(k.certFile)
	key, errKey := os.Stat(k.keyFile)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := errors.Join(errCert, errKey); err != nil {
		return k.last(err)
	}
	changed := [2]time.Time{cert.ModTime(), key.ModTime()}
	if k.cert != nil && changed == k.changed {
		return k.cert, nil
	}
	fresh, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return k.last(err) // one of the two may not be written yet
	}
	k.cert, k.changed = &fresh, changed
	return k.cert, nil
}

// last serves on with the certificate that worked.
func (k *keyPair) last(err error) (*tls.Certificate, error) {
	if k.cert != nil {
		return k.cert, nil
	}
	return nil, fmt.Errorf("read certificate: %w", err)
}
