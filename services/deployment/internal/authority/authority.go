// Package authority is the certificate authority of the agent port.
//
// It signs two kinds of certificates and nothing else: the server's own, which
// never leaves this process, and those of agents, which live for a day and carry
// the agent's resource name as golive://workspaces/{w}/agents/{a}. The
// authority's key is a file that only its owner may read; the SHA-256 of its
// certificate travels in join tokens, so that an agent knows whom to trust
// before its first call.
//
// A certificate says who an agent is and from which enrolment it stems. Whether
// that agent still exists is for the caller of [Identify] to look up: nothing
// is ever revoked here, because the truth is a row in the database.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

const (
	// AgentLife is how long an agent's certificate holds. Agents renew after two thirds of it.
	AgentLife = 24 * time.Hour

	authorityLife = 20 * 365 * 24 * time.Hour
	// skew is how far an agent's clock may be behind ours.
	skew = time.Hour
)

// Authority signs certificates. It is safe for concurrent use.
type Authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	now         func() time.Time
}

// Open reads the authority from dir, or creates it there. The clock is
// time.Now when now is nil. Processes that start at once in one folder agree on one authority.
func Open(dir string, now func() time.Time) (*Authority, error) {
	if now == nil {
		now = time.Now
	}
	a := &Authority{now: now}
	if err := a.load(dir); err != nil {
		return nil, fmt.Errorf("certificate authority in %s: %w", dir, err)
	}
	return a, nil
}

// generate makes a new authority.
func (a *Authority) generate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{Organization: []string{"golive"}, CommonName: "golive agent authority"},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	a.key = key
	a.certificate, err = x509.ParseCertificate(der)
	return err
}

// Certificate is the authority's own certificate in DER, whose SHA-256 a join token carries.
func (a *Authority) Certificate() []byte { return a.certificate.Raw }

// Pool holds the authority as the only root.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

func (a *Authority) sign(template *x509.Certificate, key any) ([]byte, error) {
	template.SerialNumber = serial()
	template.NotBefore = a.now().Add(-skew)
	template.BasicConstraintsValid = true
	return x509.CreateCertificate(rand.Reader, template, a.certificate, key, a.key)
}

// serial draws 127 random bits, positive as RFC 5280 wants it.
func serial() *big.Int {
	var bytes [16]byte
	_, _ = rand.Read(bytes[:]) // never fails
	bytes[0] &= 0x7f
	return new(big.Int).SetBytes(bytes[:])
}

// Fingerprint names a public key: the SHA-256 of its PKIX form.
func Fingerprint(key any) ([sha256.Size]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(der), nil
}
