package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/golive-dev/golive/pkg/fault"
)

// onPaper is what the page of a report may do: show itself. Nothing is loaded, nothing runs, nobody frames it.
const onPaper = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// papers are the ends of the routes whose answers have a page for people in `html` and `markdown`.
func papers() []string {
	return []string{"/statusReport:compute", "/scorecardReport:compute", ":computeDecisionReport", "/comparison"}
}

// paperOf says as what a report is asked for: `html`, `markdown`, or nothing for JSON. A browser that opens the address gets the page.
func paperOf(pattern runtime.Pattern, r *http.Request) string {
	isPaper := r.Method == http.MethodGet && slices.ContainsFunc(papers(), func(end string) bool { return strings.HasSuffix(pattern.String(), end) })
	if !isPaper {
		return ""
	}
	switch r.URL.Query().Get("format") {
	case "html":
		return "html"
	case "markdown":
		return "markdown"
	case "":
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			return "html"
		}
	}
	return ""
}

// servePaper answers the page itself, so that a browser prints it.
func (g *Gateway) servePaper(next runtime.HandlerFunc, form string, w http.ResponseWriter, r *http.Request, params map[string]string) {
	query := r.URL.Query()
	query.Del("format")
	if strings.HasSuffix(r.URL.Path, "/comparison") {
		query.Set("report", "true")
	}
	u := *r.URL
	u.RawQuery = query.Encode()
	asked := r.Clone(r.Context())
	asked.URL = &u
	answer := &captured{header: http.Header{}, status: http.StatusOK}
	next(answer, asked, params)
	var paper map[string]any
	if answer.status != http.StatusOK {
		answer.copyTo(w)
		return
	}
	if err := json.Unmarshal(answer.body.Bytes(), &paper); err != nil {
		g.writeProblem(w, fault.Internal("INTERNAL", "a report cannot be read").Cause(err))
		return
	}
	page, _ := paper[form].(string)
	maps.Copy(w.Header(), requestIDOf(answer.header))
	h := w.Header()
	h.Set("Content-Type", "text/"+form+"; charset=utf-8")
	h.Set("Content-Security-Policy", onPaper)
	h.Set("Cache-Control", "private, no-store")
	h.Set("Vary", "Accept")
	_, _ = w.Write([]byte(page))
}
