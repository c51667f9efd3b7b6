package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// DefaultIssuer is the name under which golive's own key signs.
const DefaultIssuer = "golive"

// DefaultTTL is how long a token lives where nobody says otherwise; MaxTTL is
// the longest that a server mints.
const (
	DefaultTTL = 30 * 24 * time.Hour
	MaxTTL     = 366 * 24 * time.Hour
)

// Issuer mints tokens with a private key. One role of an installation has it.
type Issuer struct {
	key ed25519.PrivateKey
	kid string
}

// LoadIssuer reads the Ed25519 key at path, and creates it with mode 0600 where there is none.
func LoadIssuer(path string) (*Issuer, error) {
	key, err := loadKey(path)
	if err != nil {
		return nil, err
	}
	return &Issuer{key: key, kid: keyID(public(key))}, nil
}

// Claims is what a token says.
type Claims struct {
	Name   string            // The principal, users/alice.
	Grants map[string][]Role // Roles by workspace id, or AllWorkspaces.
	TTL    time.Duration     // DefaultTTL when 0.
	Scope  *Scope            // What the token is narrowed to; nil for not at all.
}

// tokenClaims is the claims as the JWT holds them.
type tokenClaims struct {
	jwt.RegisteredClaims

	Grants map[string][]Role `json:"grants,omitempty"`
	Scoped *scopedClaims     `json:"scoped,omitempty"`
}

// scopedClaims holds scope and grants together, so that a verifier too old to
// know of scopes finds a token without grants and not one without limits.
type scopedClaims struct {
	Scope

	Grants map[string][]Role `json:"grants"`
}

// Mint signs a token and returns it with its id. Nothing is kept.
func (i *Issuer) Mint(c Claims) (token, id string, err error) {
	token, p, err := i.mint(c)
	if err != nil {
		return "", "", err
	}
	return token, p.TokenID, nil
}

// mint also returns the principal as a verifier will see it.
func (i *Issuer) mint(c Claims) (string, *Principal, error) {
	if c.Name == "" || len(c.Grants) == 0 {
		return "", nil, errors.New("mint token: a name and at least one grant are needed")
	}
	ttl := c.TTL
	if ttl == 0 {
		ttl = DefaultTTL
	}
	now := time.Now().Truncate(time.Second) // NumericDate has whole seconds
	p := &Principal{
		Name: c.Name, TokenID: rand.Text(), Grants: c.Grants, Issuer: DefaultIssuer, Expires: now.Add(ttl).Truncate(time.Second),
		Scope: c.Scope,
	}
	claims := tokenClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: p.Issuer, Subject: p.Name, ID: p.TokenID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(p.Expires),
		},
		Grants: p.Grants,
	}
	if c.Scope != nil {
		claims.Grants, claims.Scoped = nil, &scopedClaims{Scope: *c.Scope, Grants: p.Grants}
	}
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	t.Header["kid"] = i.kid
	signed, err := t.SignedString(i.key)
	if err != nil {
		return "", nil, fmt.Errorf("mint token: %w", err)
	}
	return signed, p, nil
}

// Trusted returns what a verifier needs to accept this issuer's tokens.
func (i *Issuer) Trusted() TrustedIssuer {
	return TrustedIssuer{Name: DefaultIssuer, Keys: map[string]ed25519.PublicKey{i.kid: public(i.key)}}
}

func public(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.SeedSize:])
}

// keyID derives the id of a key from the key, so that it needs no registry.
func keyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
