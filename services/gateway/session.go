package gateway

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

// credential makes sure that a request carries one: a bearer token, or the
// session cookie of the page, which becomes a bearer token here. Whether it is
// good is for the service to judge.
func (g *Gateway) credential(r *http.Request) error {
	if header := r.Header["Authorization"]; len(header) > 0 {
		if scheme, token, _ := strings.Cut(header[0], " "); len(header) == 1 && strings.EqualFold(scheme, "bearer") && token != "" {
			return nil
		}
		return fault.Unauthenticated("TOKEN_INVALID", "the authorization header is not of the form Bearer <token>; send one such header")
	}
	cookie, err := r.Cookie(cookieName(r))
	if err != nil || cookie.Value == "" {
		return fault.Unauthenticated("TOKEN_MISSING", "this call needs a token; send the header authorization: Bearer <token>")
	}
	if err := g.sameOrigin(r); err != nil {
		return err
	}
	r.Header["Authorization"] = []string{"Bearer " + cookie.Value}
	return nil
}

// sameOrigin refuses writes that another site makes a browser send.
func (g *Gateway) sameOrigin(r *http.Request) error {
	if err := g.origin.Check(r); err != nil {
		return fault.Denied("CROSS_ORIGIN", "a page of another origin may not write with this session; use the page of this server, or a bearer token").Cause(err)
	}
	return nil
}

// cookieName differs by port, because cookies do not: two servers on one host keep two sessions.
func cookieName(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return "golive_session_" + port
	}
	return "golive_session"
}

// session exchanges a bearer token for the cookie of a page (POST), because an
// EventSource cannot send headers, and ends it (DELETE). The cookie holds the
// token itself: nothing is kept here, and revoking the token ends the session.
func (g *Gateway) session(w http.ResponseWriter, r *http.Request) {
	secureAPI(w.Header())
	if refuseMethod(w, r, http.MethodPost, http.MethodDelete) {
		return
	}
	if err := g.sameOrigin(r); err != nil {
		g.writeProblem(w, err)
		return
	}
	if r.Method == http.MethodDelete {
		http.SetCookie(w, g.cookie(r, "", time.Unix(1, 0)))
		w.WriteHeader(http.StatusNoContent)
		return
	}
	token, err := g.offeredToken(r)
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	r.Header["Authorization"] = []string{"Bearer " + token}
	who, err := g.access.WhoAmI(g.annotate(r.Context(), r), &accessv1.WhoAmIRequest{})
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	data, err := marshalJSON(who)
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	http.SetCookie(w, g.cookie(r, token, who.GetPrincipal().GetExpireTime().AsTime()))
	w.Header()["Content-Type"] = contentJSON
	_, _ = w.Write(data)
}

// offeredToken is the token to exchange: in the Authorization header, or in the body.
func (g *Gateway) offeredToken(r *http.Request) (string, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		_, token, _ := strings.Cut(header, " ")
		return token, g.credential(r)
	}
	var offer struct {
		Token string `json:"token"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxHeader))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&offer); err != nil || !cookieSafe(offer.Token) {
		return "", fault.Unauthenticated("TOKEN_MISSING", `the request has no token to sign in with; send {"token": "<token>"} or Authorization: Bearer <token>`).Cause(err)
	}
	return offer.Token, nil
}

// cookieSafe tells whether the text is a token and nothing that could leave its header.
func cookieSafe(token string) bool {
	return token != "" && !strings.ContainsFunc(token, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`",;\`, c)
	})
}

func (g *Gateway) cookie(r *http.Request, token string, expires time.Time) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // secure wherever there is TLS; without, the cookie would never come back
		Name: cookieName(r), Value: token, Path: "/", Expires: expires,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: g.tls != nil,
	}
}
