package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
)

// secretParameter is the query parameter that carries the token of a secret
// address, for tools that cannot set headers.
const secretParameter = "key"

// takeKey makes the key of a secret address the credential of the request and
// removes it from the address, before anything is said or noted about that. Only
// the gate check and the calendar feed have secret addresses, and only a token
// that opens one thing may be in one: addresses are kept, forwarded and logged by others.
func takeKey(w http.ResponseWriter, r *http.Request) error {
	if !strings.HasSuffix(r.URL.Path, checkVerb) && !strings.HasSuffix(r.URL.Path, feedFile) {
		return nil
	}
	w.Header()["Referrer-Policy"] = noReferrer
	query, err := url.ParseQuery(r.URL.RawQuery)
	keys := query[secretParameter]
	if err != nil || len(keys) == 0 {
		return nil //nolint:nilerr // the route refuses what it cannot read
	}
	query.Del(secretParameter)
	u := *r.URL
	u.RawQuery = query.Encode()
	r.URL, r.RequestURI = &u, u.RequestURI()
	switch {
	case len(keys) != 1 || !cookieSafe(keys[0]):
		return fault.Unauthenticated("TOKEN_INVALID", "the key of this address is not a token; make a new address with golive gate url or golive plan ical --subscribe")
	case len(r.Header["Authorization"]) > 0:
		return fault.Invalid("INVALID_QUERY", "this request has a key and an authorization header; send one of them").
			Field(secretParameter, "is given beside an authorization header")
	case !auth.ClaimsScope(keys[0]):
		return fault.Unauthenticated("TOKEN_UNSCOPED",
			"the key of an address must be a token for one resource, and this one is not; make an address with golive gate url or golive plan ical --subscribe")
	}
	r.Header["Authorization"] = []string{"Bearer " + keys[0]}
	return nil
}
