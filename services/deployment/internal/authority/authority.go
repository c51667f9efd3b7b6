// Package authority is the certificate authority of the agent port.
//
// It signs two kinds of certificates and nothing else: the server's own, which
// never leaves this process, and those of agents, which live for a day and carry
// the agent's resource name as golive://workspaces/{w}/agents/{a}. The
// authority's key is a file that only its owner may read; the SHA-256 of its
// certificate travels in join tokens, so that an agent knows whom to trust
// before its first call.
//
// The authority can be replaced while it is used (rotate.go): for the life of a
// certificate the new one is only told, so that every agent has learned of it with
// its renewal before anything is signed by it.
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
	"os"
	"sync"
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
	dir  string
	now  func() time.Time
	life time.Duration // of agents' certificates

	mu     sync.Mutex
	roots  []*root // the oldest first
	file   os.FileInfo
	looked time.Time
}

// root is one key and its certificate.
type root struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// added is when it was made.
func (r *root) added() time.Time { return r.certificate.NotBefore.Add(skew) }

// Open reads the authority from dir, or creates it there. The clock is
// time.Now when now is nil. Processes that start at once in one folder agree on one authority,
// and hear of a new one within a second.
func Open(dir string, now func() time.Time) (*Authority, error) { return OpenFor(dir, now, AgentLife) }

// OpenFor is Open with another life for the certificates of agents.
func OpenFor(dir string, now func() time.Time, life time.Duration) (*Authority, error) {
	if now == nil {
		now = time.Now
	}
	a := &Authority{dir: dir, now: now, life: life}
	if err := a.open(); err != nil {
		return nil, fmt.Errorf("certificate authority in %s: %w", dir, err)
	}
	return a, nil
}

// AgentLife is how long an agent's certificate holds.
func (a *Authority) AgentLife() time.Duration { return a.life }

// generate makes a new root.
func generate(now time.Time) (*root, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
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
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &root{key: key, certificate: certificate}, err
}

// Certificate is the certificate in DER that signs now, whose SHA-256 a join token carries.
func (a *Authority) Certificate() []byte { return signer(a.current(), a.now(), a.life).certificate.Raw }

// Trusted are the certificates in DER that agents are to trust now.
func (a *Authority) Trusted() (all [][]byte) {
	for _, r := range trusted(a.current(), a.now(), a.life) {
		all = append(all, r.certificate.Raw)
	}
	return all
}

// Pool holds the certificates that are trusted now.
func (a *Authority) Pool() *x509.CertPool { return pool(trusted(a.current(), a.now(), a.life)) }

func pool(roots []*root) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, r := range roots {
		pool.AddCert(r.certificate)
	}
	return pool
}

// sign signs with a root.
func (a *Authority) sign(by *root, template *x509.Certificate, key any) ([]byte, error) {
	now := a.now()
	template.SerialNumber = serial()
	template.NotBefore = now.Add(-min(skew, template.NotAfter.Sub(now)/24))
	template.BasicConstraintsValid = true
	return x509.CreateCertificate(rand.Reader, template, by.certificate, key, by.key)
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
