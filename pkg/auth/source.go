package auth

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// TokenSource returns the token to send with a call. It is called for each one
// and must be cheap and safe for concurrent use.
type TokenSource func(ctx context.Context) (string, error)

// StaticToken always returns the same token.
func StaticToken(token string) TokenSource {
	return func(context.Context) (string, error) { return token, nil }
}

// selfTTL is the life of a token that a service mints for itself: short, since it costs nothing.
const selfTTL = time.Hour

// Self returns the identity of a service that shares the issuer's process, such
// as services/deployment: it mints tokens with the service role in every workspace.
func (i *Issuer) Self(name string) TokenSource {
	return cached(selfTTL/2, func() (string, error) {
		token, _, err := i.Mint(Claims{Name: name, Grants: map[string][]Role{AllWorkspaces: {Service}}, TTL: selfTTL})
		return token, err
	})
}

// TokenFile reads the token from a file, again every few seconds, so that it
// can be replaced while the process runs.
func TokenFile(path string) TokenSource {
	return cached(5*time.Second, func() (string, error) {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read token: %w", err)
		}
		return strings.TrimSpace(string(content)), nil
	})
}

// cached keeps what fetch returned for a while.
func cached(keep time.Duration, fetch func() (string, error)) TokenSource {
	var (
		mu    sync.Mutex
		token string
		until time.Time
	)
	return func(context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); token == "" || now.After(until) {
			fresh, err := fetch()
			if err != nil {
				return "", err
			}
			token, until = fresh, now.Add(keep)
		}
		return token, nil
	}
}
