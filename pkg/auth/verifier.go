package auth

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/golive-dev/golive/pkg/fault"
)

// Leeway is how far the clocks of issuer and verifier may be apart. A token is
// accepted until it has been expired for that long.
const Leeway = 30 * time.Second

// cacheSize bounds the verified tokens that are remembered.
const cacheSize = 4096

// Verifier checks tokens. An Ed25519 signature costs about as much as the whole
// rest of a request, so a token is verified once and then remembered; its
// expiry and its revocation are looked at every time.
type Verifier struct {
	parser  *jwt.Parser
	keys    map[string]map[string]ed25519.PublicKey // issuer → kid → key
	revoked *Revocations

	mu    sync.RWMutex
	cache map[string]*Principal // by the whole token
}

// NewVerifier returns a verifier that trusts the issuers. A nil list revokes nothing.
func NewVerifier(issuers []TrustedIssuer, revoked *Revocations) (*Verifier, error) {
	if len(issuers) == 0 {
		return nil, errors.New("verify tokens: no trusted issuer is configured")
	}
	keys := make(map[string]map[string]ed25519.PublicKey, len(issuers))
	for _, i := range issuers {
		if _, twice := keys[i.Name]; twice {
			return nil, fmt.Errorf("verify tokens: issuer %q is configured twice; list both keys in one entry", i.Name)
		}
		keys[i.Name] = i.Keys
	}
	return &Verifier{
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(Leeway),
		),
		keys: keys, revoked: revoked, cache: make(map[string]*Principal),
	}, nil
}

// Verify returns the principal of a token, or an Unauthenticated fault with
// reason TOKEN_INVALID, TOKEN_EXPIRED or TOKEN_REVOKED.
func (v *Verifier) Verify(_ context.Context, token string) (*Principal, error) {
	v.mu.RLock()
	p := v.cache[token]
	v.mu.RUnlock()
	if p == nil {
		var err error
		if p, err = v.parse(token); err != nil {
			return nil, err
		}
		v.remember(token, p)
	}
	if time.Now().After(p.Expires.Add(Leeway)) {
		return nil, expired(nil)
	}
	if v.revoked.Has(p.TokenID) {
		return nil, revokedFault()
	}
	return p, nil
}

// Watch calls end, once, when the principal's credential expires or is revoked,
// possibly before it returns. Streams use it: their credential was checked only when they began.
// Call stop when the stream is over.
func (v *Verifier) Watch(p *Principal, end func(error)) (stop func()) {
	timer := time.AfterFunc(time.Until(p.Expires.Add(Leeway)), func() { end(expired(nil)) })
	unwatch := v.revoked.watch(p.TokenID, func() { end(revokedFault()) })
	return func() {
		timer.Stop()
		unwatch()
	}
}

func (v *Verifier) parse(token string) (*Principal, error) {
	var claims tokenClaims
	_, err := v.parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if key, ok := v.keys[claims.Issuer][kid]; ok {
			return key, nil
		}
		return nil, fmt.Errorf("no trusted key %q of issuer %q", kid, claims.Issuer)
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, expired(err)
	case errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return nil, fault.Unauthenticated("TOKEN_INVALID",
			"the token is of a time that is yet to come here: the clocks of this server and of who made the token are apart; set them right").Cause(err)
	case err != nil:
		return nil, fault.Unauthenticated("TOKEN_INVALID",
			"the token is not valid here; get a new one from the administrator of this server").Cause(err)
	case claims.Subject == "" || claims.ID == "":
		return nil, fault.Unauthenticated("TOKEN_INVALID",
			"the token names no principal or has no id; get a new one from the administrator of this server")
	}
	p := &Principal{
		Name: claims.Subject, TokenID: claims.ID, Grants: claims.Grants,
		Expires: claims.ExpiresAt.Time, Issuer: claims.Issuer,
	}
	if scoped := claims.Scoped; scoped != nil {
		p.Grants, p.Scope = scoped.Grants, &scoped.Scope
	}
	return p, nil
}

// remember keeps a verified token; a full cache drops an arbitrary half, which
// costs their owners one verification each.
func (v *Verifier) remember(token string, p *Principal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.cache) >= cacheSize {
		drop := cacheSize / 2
		for key := range v.cache {
			delete(v.cache, key)
			if drop--; drop == 0 {
				break
			}
		}
	}
	v.cache[token] = p
}

func expired(cause error) *fault.Error {
	return fault.Unauthenticated("TOKEN_EXPIRED", "the token has expired; log in again with a new one").Cause(cause)
}

func revokedFault() *fault.Error {
	return fault.Unauthenticated("TOKEN_REVOKED", "the token has been revoked; log in again with a new one")
}
