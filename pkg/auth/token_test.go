package auth_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
)

func newIssuer(tb testing.TB) *auth.Issuer {
	tb.Helper()
	i, err := auth.LoadIssuer(filepath.Join(tb.TempDir(), "keys", "issuer.pem"))
	require.NoError(tb, err)
	return i
}

func newVerifier(tb testing.TB, trusted ...auth.TrustedIssuer) *auth.Verifier {
	tb.Helper()
	v, err := auth.NewVerifier(trusted, nil)
	require.NoError(tb, err)
	return v
}

var alice = auth.Claims{Name: "users/alice", Grants: map[string][]auth.Role{"default": {auth.Operator}}, TTL: time.Hour}

func mint(tb testing.TB, i *auth.Issuer, c auth.Claims) (token, id string) {
	tb.Helper()
	token, id, err := i.Mint(c)
	require.NoError(tb, err)
	return token, id
}

func TestTokenIsThePrincipal(t *testing.T) {
	i := newIssuer(t)
	token, id := mint(t, i, alice)
	v := newVerifier(t, i.Trusted())
	for range 2 { // parsed, then remembered
		p, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, alice.Name, p.Name)
		require.Equal(t, id, p.TokenID)
		require.Equal(t, alice.Grants, p.Grants)
		require.Equal(t, auth.DefaultIssuer, p.Issuer)
		require.WithinDuration(t, time.Now().Add(time.Hour), p.Expires, 5*time.Second)
	}
	_, _, err := i.Mint(auth.Claims{Name: "users/bob"})
	require.ErrorContains(t, err, "grant")
}

func TestTokenExpiresAfterTheLeeway(t *testing.T) {
	i := newIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		v := newVerifier(t, i.Trusted())
		token, _ := mint(t, i, alice)
		ended := make(chan error, 1)
		p, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
		defer v.Watch(p, func(err error) { ended <- err })()

		<-time.After(time.Hour + auth.Leeway - time.Second)
		_, err = v.Verify(t.Context(), token)
		require.NoError(t, err)
		require.Empty(t, ended)
		<-time.After(3 * time.Second)
		_, err = v.Verify(t.Context(), token)
		require.Equal(t, "TOKEN_EXPIRED", fault.ReasonOf(err), "remembered")
		_, err = newVerifier(t, i.Trusted()).Verify(t.Context(), token)
		require.Equal(t, "TOKEN_EXPIRED", fault.ReasonOf(err), "parsed")
		require.Equal(t, "TOKEN_EXPIRED", fault.ReasonOf(<-ended), "stream")
	})
}

func TestATokenOfTheFutureIsTheFaultOfAClock(t *testing.T) {
	i := newIssuer(t)
	token := ""
	synctest.Test(t, func(t *testing.T) { // begins in the year 2000
		<-time.After(time.Hour)
		token, _ = mint(t, i, alice)
	})
	synctest.Test(t, func(t *testing.T) {
		_, err := newVerifier(t, i.Trusted()).Verify(t.Context(), token)
		require.Equal(t, "TOKEN_INVALID", fault.ReasonOf(err))
		require.ErrorContains(t, err, "clocks")
	})
}

func TestForgeriesAreRefused(t *testing.T) {
	i, other := newIssuer(t), newIssuer(t)
	token, _ := mint(t, i, alice)
	foreign, _ := mint(t, other, alice)
	kid := ""
	for id := range i.Trusted().Keys {
		kid = id
	}
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		tok := jwt.NewWithClaims(method, claims)
		tok.Header["kid"] = kid
		s, err := tok.SignedString(key)
		require.NoError(t, err)
		return s
	}
	admin := jwt.MapClaims{
		"iss": auth.DefaultIssuer, "sub": "users/eve", "jti": "x", "exp": time.Now().Add(time.Hour).Unix(),
		"grants": map[string]any{"*": []string{"admin"}},
	}
	part := strings.Split(token, ".")
	_, stolen, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, forged := range map[string]string{
		"empty": "", "garbage": "garbage", "no signature": part[0] + "." + part[1] + ".",
		"other payload":      part[0] + "." + strings.Split(foreign, ".")[1] + "." + part[2],
		"foreign key":        foreign,
		"own key, our kid":   sign(jwt.SigningMethodEdDSA, stolen, admin),
		"alg none":           sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, admin),
		"HMAC of public key": sign(jwt.SigningMethodHS256, []byte(i.Trusted().Keys[kid]), admin),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newVerifier(t, i.Trusted()).Verify(t.Context(), forged)
			require.Equal(t, "TOKEN_INVALID", fault.ReasonOf(err))
			require.Equal(t, fault.KindUnauthenticated, fault.KindOf(err))
		})
	}
	renamed := i.Trusted()
	renamed.Name = "elsewhere"
	_, err = newVerifier(t, renamed).Verify(t.Context(), token)
	require.Equal(t, "TOKEN_INVALID", fault.ReasonOf(err), "the key counts only for its issuer")
}

func TestVerifierForgetsWhatDoesNotFit(t *testing.T) {
	i := newIssuer(t)
	v := newVerifier(t, i.Trusted())
	first, _ := mint(t, i, alice)
	for range 5000 {
		token, _ := mint(t, i, alice)
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
	}
	_, err := v.Verify(t.Context(), first)
	require.NoError(t, err)
}

func TestKeyFileIsCreatedOnceAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "issuer.pem")
	var wg sync.WaitGroup
	kids := make([]string, 8)
	for n := range kids {
		wg.Go(func() {
			i, err := auth.LoadIssuer(path)
			if err == nil {
				for id := range i.Trusted().Keys {
					kids[n] = id
				}
			}
		})
	}
	wg.Wait()
	for _, kid := range kids {
		require.NotEmpty(t, kid)
		require.Equal(t, kids[0], kid, "all who raced use one key")
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file stays")

	require.NoError(t, os.Chmod(path, 0o640))
	_, err = auth.LoadIssuer(path)
	require.ErrorContains(t, err, "chmod 600")
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.WriteFile(path, []byte("not a key"), 0o600))
	_, err = auth.LoadIssuer(path)
	require.ErrorContains(t, err, path)
}

func TestPublicKeysTravelAsAKeySet(t *testing.T) {
	i := newIssuer(t)
	data, err := json.Marshal(i.Trusted())
	require.NoError(t, err)
	require.NotContains(t, string(data), `"d"`, "no private part")
	path := filepath.Join(t.TempDir(), "issuer.json")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	trusted, err := auth.LoadTrusted(path)
	require.NoError(t, err)
	token, _ := mint(t, i, alice)
	_, err = newVerifier(t, trusted).Verify(t.Context(), token)
	require.NoError(t, err)

	for _, bad := range []string{"", "{}", `{"issuer":"x","keys":[]}`, `{"issuer":"x","keys":[{"kty":"RSA","kid":"a"}]}`, `{"issuer":"x","keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`} {
		require.NoError(t, os.WriteFile(path, []byte(bad), 0o600))
		_, err = auth.LoadTrusted(path)
		require.ErrorContains(t, err, path, bad)
	}
	_, err = auth.NewVerifier(nil, nil)
	require.Error(t, err)
	_, err = auth.NewVerifier([]auth.TrustedIssuer{trusted, trusted}, nil)
	require.ErrorContains(t, err, "twice")
}

func TestServiceMintsItself(t *testing.T) {
	i := newIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		source := i.Self("services/deployment")
		v := newVerifier(t, i.Trusted())
		first, err := source(t.Context())
		require.NoError(t, err)
		again, err := source(t.Context())
		require.NoError(t, err)
		require.Equal(t, first, again)
		p, err := v.Verify(t.Context(), first)
		require.NoError(t, err)
		require.Equal(t, "services/deployment", p.Name)
		require.True(t, p.May("any", "gate.gates.evaluate"))
		require.False(t, p.May("any", "deployment.releases.create"))

		<-time.After(2 * time.Hour)
		fresh, err := source(t.Context())
		require.NoError(t, err)
		_, err = v.Verify(t.Context(), fresh)
		require.NoError(t, err)
	})
}

func TestTokenFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte("one\n"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		source := auth.TokenFile(path)
		token, err := source(t.Context())
		require.NoError(t, err)
		require.Equal(t, "one", token)
		require.NoError(t, os.WriteFile(path, []byte("two"), 0o600))
		<-time.After(time.Minute)
		token, err = source(t.Context())
		require.NoError(t, err)
		require.Equal(t, "two", token)
		_, err = auth.TokenFile(path + "x")(t.Context())
		require.ErrorContains(t, err, "read token")
	})
}

func TestCertificateIsAnAgent(t *testing.T) {
	until := time.Now().Add(time.Hour)
	p, err := auth.FromCertificate(&x509.Certificate{
		URIs: []*url.URL{auth.AgentIdentity("workspaces/default/agents/host-1")}, NotAfter: until,
	})
	require.NoError(t, err)
	require.Equal(t, "workspaces/default/agents/host-1", p.Name)
	require.Equal(t, until, p.Expires)
	require.True(t, p.May("default", "agent.streams.connect"))
	require.True(t, p.May("", "agent.streams.connect"))
	require.False(t, p.May("default", "deployment.releases.get"))
	require.False(t, p.May("other", "agent.streams.connect"))

	for _, bad := range []string{
		"https://workspaces/default/agents/host-1", "golive://workspaces/*/agents/host-1", "golive://workspaces/default/agents/",
		"golive://workspaces/default/targets/host-1", "golive://workspaces/default/agents/a/b", "golive://eve@workspaces/default/agents/host-1",
		"golive://workspaces/default/agents/host-1?x=y", "golive://workspaces/../agents/host-1", "golive://users/alice",
	} {
		u, err := url.Parse(bad)
		require.NoError(t, err)
		_, err = auth.FromCertificate(&x509.Certificate{URIs: []*url.URL{u}})
		require.Equal(t, "CERTIFICATE_INVALID", fault.ReasonOf(err), bad)
	}
	two := auth.AgentIdentity("workspaces/default/agents/host-1")
	_, err = auth.FromCertificate(&x509.Certificate{URIs: []*url.URL{two, two}})
	require.Error(t, err)
}
