package authority

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"time"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
)

// Request is a certificate request whose own signature holds.
type Request struct {
	key any
	// Key names the public key that asks; a join token remembers it.
	Key [sha256.Size]byte
}

// ParseRequest reads a PKCS #10 request in DER and checks that whoever made it
// holds the key. Names in it are ignored. The fault is CERTIFICATE_REQUEST_INVALID.
func ParseRequest(der []byte) (*Request, error) {
	request, err := x509.ParseCertificateRequest(der)
	if err == nil {
		err = request.CheckSignature()
	}
	if err != nil {
		return nil, requestInvalid("it cannot be read, or its signature is not of its key").Cause(err)
	}
	switch key := request.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			return nil, requestInvalid("its curve is " + key.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	default:
		return nil, requestInvalid(fmt.Sprintf("its key is a %T", key))
	}
	fingerprint, err := Fingerprint(request.PublicKey)
	if err != nil {
		return nil, requestInvalid("its key cannot be encoded").Cause(err)
	}
	return &Request{key: request.PublicKey, Key: fingerprint}, nil
}

func requestInvalid(why string) *fault.Error {
	return fault.Invalid("CERTIFICATE_REQUEST_INVALID",
		"the certificate request is refused: %s; send a PKCS #10 request in DER with an EC P-256, P-384 or Ed25519 key", why).
		Field("certificate_request", why)
}

// Identity is what a certificate of an agent says.
type Identity struct {
	// Agent is its resource name.
	Agent string
	// Enrolment tells apart two agents that had one name after each other.
	Enrolment string
	// Expires is when the certificate ends.
	Expires time.Time
}

// SignAgent certifies the request's key for an identity and says when the certificate ends.
func (a *Authority) SignAgent(r *Request, agent, enrolment string) (der []byte, expires time.Time, err error) {
	now := a.now()
	expires = now.Add(a.life).UTC().Truncate(time.Second)
	der, err = a.sign(signer(a.current(), now, a.life), &x509.Certificate{
		Subject:     pkix.Name{CommonName: "golive agent", SerialNumber: enrolment},
		URIs:        []*url.URL{auth.AgentIdentity(agent)},
		NotAfter:    expires,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, r.key)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("sign certificate of %s: %w", agent, err)
	}
	return der, expires, nil
}

// Identify reads a certificate that the TLS stack has verified.
func Identify(certificate *x509.Certificate) (Identity, error) {
	principal, err := auth.FromCertificate(certificate)
	if err != nil {
		return Identity{}, err
	}
	return Identity{Agent: principal.Name, Enrolment: certificate.Subject.SerialNumber, Expires: certificate.NotAfter}, nil
}
