package gateway_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/gateway"
)

// signIn returns the session cookie as a header value.
func (w *world) signIn(t *testing.T) string {
	t.Helper()
	resp := w.send(t, "", "POST", "/session", strings.NewReader(`{"token":"`+w.token+`"}`))
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode)
	require.Len(t, resp.Cookies(), 1)
	c := resp.Cookies()[0]
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	require.Equal(t, "/", c.Path)
	require.False(t, c.Expires.IsZero(), "it ends with the token")
	return c.Name + "=" + c.Value
}

func TestATokenBecomesASession(t *testing.T) {
	w := setup(t)
	cookie := w.signIn(t)
	require.Equal(t, 200, w.as(t, "", "GET", "/v1/workspaces/default/applications/crm", "", "Cookie", cookie).code)
	r := w.stream(t, "/v1/workspaces/default/events:watch", "Cookie", cookie, "Authorization", "", "Accept", "text/event-stream")
	require.Equal(t, 401, r.resp.StatusCode, "an empty header is a header: it must not fall back to the cookie")
	a := w.as(t, w.token, "POST", "/session", "")
	require.Equal(t, 200, a.code, "the header serves as well")
	require.Contains(t, a.body, "users/ada")

	a = w.as(t, "", "DELETE", "/session", "")
	require.Equal(t, 204, a.code)
	require.Contains(t, a.header.Get("Set-Cookie"), "Expires=Thu, 01 Jan 1970")

	for _, bad := range []string{"", "{}", `{"token":""}`, `{"token":"a;b"}`, `{"token":"a b"}`, `{"tokens":"x"}`, "x", `{"token":"forged"}`} {
		a := w.as(t, "", "POST", "/session", bad)
		require.Equal(t, 401, a.code, bad)
		require.Empty(t, a.header.Get("Set-Cookie"))
	}
	require.Equal(t, 405, w.as(t, "", "GET", "/session", "").code)
}

// TestAnotherSiteCannotWrite sends what a browser sends for a page of somebody else.
func TestAnotherSiteCannotWrite(t *testing.T) {
	w := setup(t)
	cookie := w.signIn(t)
	const pause = "/v1/workspaces/default/applications/crm/deployments/d1:pause"
	for name, headers := range map[string][]string{
		"another site":            {"Sec-Fetch-Site", "cross-site"},
		"another port":            {"Sec-Fetch-Site", "same-site"},
		"an old browser":          {"Origin", "https://evil.example"},
		"a page without a source": {"Origin", "null"},
	} {
		t.Run(name, func(t *testing.T) {
			for method, path := range map[string]string{"POST": pause, "DELETE": "/v1/workspaces/default/applications/crm"} {
				a := w.as(t, "", method, path, "{}", append(headers, "Cookie", cookie)...)
				require.Equal(t, 403, a.code)
				require.Equal(t, "CROSS_ORIGIN", a.reason())
			}
			a := w.as(t, "", "POST", "/session", `{"token":"`+w.token+`"}`, headers...)
			require.Equal(t, 403, a.code, "nor sign somebody in")
			require.Equal(t, 403, w.as(t, "", "DELETE", "/session", "", headers...).code, "nor out")
			require.Equal(t, 200, w.do(t, "POST", pause, "{}", headers...).code, "a bearer token is not sent by accident")
		})
	}
	got, _ := w.deployment.seen()
	require.NotNil(t, got)
	require.Equal(t, 200, w.as(t, "", "POST", pause, "{}", "Cookie", cookie, "Sec-Fetch-Site", "same-origin").code)
	require.Equal(t, 200, w.as(t, "", "POST", pause, "{}", "Cookie", cookie, "Origin", w.url).code)
}

func TestTwoServersOnOneHostKeepTwoSessions(t *testing.T) {
	w := setup(t)
	name, _, _ := strings.Cut(w.signIn(t), "=")
	u, err := url.Parse(w.url)
	require.NoError(t, err)
	require.Equal(t, "golive_session_"+u.Port(), name)
}

func TestOverTLSTheCookieIsSecure(t *testing.T) {
	w := setup(t, func(c *gateway.Config) { c.TLS = &tls.Config{MinVersion: tls.VersionTLS13} })
	resp := w.send(t, "", "POST", "/session", strings.NewReader(`{"token":"`+w.token+`"}`))
	require.NoError(t, resp.Body.Close())
	require.True(t, resp.Cookies()[0].Secure)
}

func TestATokenIsRevokedInBothServices(t *testing.T) {
	w := setup(t)
	a := w.do(t, "POST", "/v1/access:revokeToken", `{"tokenId":"t1","reason":"lost"}`)
	require.Equal(t, 200, a.code, a.body)
	require.Equal(t, []string{"t1"}, w.deployment.revoked)
	require.Equal(t, []string{"t1"}, w.implementation.revoked)
	require.Contains(t, w.do(t, "GET", "/v1/access:whoAmI", "").body, `"issuer":"deployment"`)

	for _, c := range []struct {
		down *backend
		says string
	}{{w.implementation, "implementation service did not"}, {w.deployment, "deployment service did not"}} {
		c.down.failWith(fault.Unavailable("SERVICE_DOWN", "it is gone"))
		a = w.do(t, "POST", "/v1/access:revokeToken", `{"tokenId":"t2"}`)
		require.Equal(t, 503, a.code)
		require.Equal(t, "REVOCATION_INCOMPLETE", a.reason())
		require.Contains(t, a.status.GetMessage(), c.says)
		c.down.failWith(nil)
	}
	w.deployment.failWith(fault.Unavailable("SERVICE_DOWN", "it is gone"))
	w.implementation.failWith(fault.Unavailable("SERVICE_DOWN", "it is gone"))
	require.Equal(t, "SERVICE_DOWN", w.do(t, "POST", "/v1/access:revokeToken", `{"tokenId":"t3"}`).reason())
	require.Equal(t, 403, w.as(t, w.mint(t, "users/op", auth.Operator), "POST", "/v1/access:revokeToken", `{"tokenId":"t4"}`).code)
}

const blobs = "/v1/workspaces/default/blobs"

func TestABodyIsUploaded(t *testing.T) {
	w := setup(t)
	data := strings.Repeat("golive ", 1<<20) // several pieces, larger than a JSON body may be
	a := w.do(t, "POST", blobs+"?sha256="+strings.Repeat("a", 64), data)
	require.Equal(t, 200, a.code, a.body)
	require.Equal(t, data, string(w.deployment.blobs["workspaces/default"]))
	require.Contains(t, a.body, fmt.Sprintf(`"sizeBytes":"%d"`, len(data)))

	resp := w.send(t, w.token, "POST", blobs, io.MultiReader(strings.NewReader("in "), strings.NewReader("chunks"))) // of unknown length
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "in chunks", string(w.deployment.blobs["workspaces/default"]))

	require.Equal(t, 400, w.do(t, "POST", blobs+"?sha256=zz", "x").code, "the contract is checked as anywhere")
	require.Equal(t, 403, w.as(t, w.viewer, "POST", blobs, "x").code)
	w.deployment.failWith(fault.Invalid("DIGEST_MISMATCH", "other bytes"))
	require.Equal(t, "DIGEST_MISMATCH", w.do(t, "POST", blobs, data).reason())
}

// TestABodyThatBreaksOffIsRefused speaks HTTP by hand, because clients do not lie about lengths.
func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	for name, request := range map[string]string{
		"length":  "Content-Length: 100\r\n\r\nonly this",
		"chunked": "Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			conn := dial(t, w)
			_, err := io.WriteString(conn, "POST "+blobs+" HTTP/1.1\r\nHost: golive\r\nAuthorization: Bearer "+w.token+"\r\n"+request)
			require.NoError(t, err)
			require.NoError(t, conn.CloseWrite())
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, 400, resp.StatusCode, string(body))
			require.Contains(t, string(body), "BODY_TRUNCATED")
			require.Contains(t, string(body), "broke off after 9")
			require.Empty(t, w.deployment.blobs, "nothing is kept")
		})
	}
}

func dial(t *testing.T, w *world) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	tcp, ok := conn.(*net.TCPConn)
	require.True(t, ok)
	return tcp
}
