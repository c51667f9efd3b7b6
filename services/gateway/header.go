package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
)

// The values of security headers, made once; nobody changes them.
var (
	nosniff    = []string{"nosniff"}
	noStore    = []string{"no-store"}
	sameOrigin = []string{"same-origin"}
	noReferrer = []string{"no-referrer"}
	nothing    = []string{"default-src 'none'; frame-ancestors 'none'"}
	ownOnly    = []string{"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	formOnly = []string{"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"}
)

// secureAPI is for data: never kept by a browser, never part of another page.
func secureAPI(h http.Header) {
	h["X-Content-Type-Options"] = nosniff
	h["Cache-Control"] = noStore
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	h["Content-Security-Policy"] = nothing
}

// securePage is for our own pages, which load nothing from anywhere else.
func securePage(h http.Header) {
	h["X-Content-Type-Options"] = nosniff
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Referrer-Policy"] = noReferrer
	h["Content-Security-Policy"] = ownOnly
}

// refuseMethod answers 405 and returns true where an open route does not take the method.
func refuseMethod(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return false
	}
	allowed := strings.Join(methods, ", ")
	f := fault.Unsupported(reasonMethod, "%s is not a method of %s; use %s", r.Method, r.URL.Path, allowed)
	h := w.Header()
	h["Content-Type"] = contentJSON
	h.Set("Allow", allowed)
	w.WriteHeader(httpStatus(f))
	_, _ = w.Write(statusJSON(f)) //nolint:gosec // JSON, sent with nosniff
	return true
}
