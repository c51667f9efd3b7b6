package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
)

// wantsCSV says that an export is asked for as the file itself instead of pages in JSON.
func wantsCSV(pattern runtime.Pattern, r *http.Request) bool {
	return pattern.Verb() == "export" && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/csv")
}

// serveCSV answers an export as one file: it asks for page after page and puts
// them behind each other. A file that breaks off ends without the end of the
// response, so that no client takes it for whole.
func (g *Gateway) serveCSV(next runtime.HandlerFunc, w http.ResponseWriter, r *http.Request, params map[string]string) {
	query := r.URL.Query()
	for first := true; ; first = false {
		page := &captured{header: http.Header{}, status: http.StatusOK}
		u := *r.URL
		u.RawQuery = query.Encode()
		asked := r.Clone(r.Context())
		asked.URL = &u
		next(page, asked, params)
		var content struct {
			CSV           []byte `json:"csv"`
			NextPageToken string `json:"nextPageToken"`
		}
		err := json.Unmarshal(page.body.Bytes(), &content)
		switch {
		case first && (page.status != http.StatusOK || err != nil):
			page.copyTo(w)
			return
		case page.status != http.StatusOK || err != nil:
			panic(http.ErrAbortHandler) // what was promised cannot be kept
		case first:
			maps.Copy(w.Header(), requestIDOf(page.header))
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(r.URL.Path)+`"`)
			w.Header().Set("Vary", "Accept")
		}
		if _, err := w.Write(content.CSV); err != nil || content.NextPageToken == "" {
			return
		}
		query.Set("pageToken", content.NextPageToken)
	}
}

// sendsCSV says that an import comes as the file itself instead of in JSON.
func sendsCSV(pattern runtime.Pattern, r *http.Request) bool {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return strings.HasPrefix(pattern.Verb(), "import") && r.Method == http.MethodPost && media == "text/csv"
}

// takeCSV makes the request in JSON of a file and a query: ?createPeople=true&columns.person=Employee.
// What the query says that the request does not know is refused as it is in JSON.
func (g *Gateway) takeCSV(next runtime.HandlerFunc, w http.ResponseWriter, r *http.Request, params map[string]string) {
	file, err := io.ReadAll(r.Body)
	if err != nil {
		g.writeProblem(w, unreadable(err))
		return
	}
	fields, columns := map[string]any{"csv": file}, map[string]string{}
	for key, values := range r.URL.Query() {
		column, ok := strings.CutPrefix(key, "columns.")
		switch value := values[len(values)-1]; {
		case ok:
			columns[column] = value
			fields["columns"] = columns
		case value == "true" || value == "false":
			fields[key] = value == "true"
		default:
			fields[key] = value
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		g.writeProblem(w, unreadable(err))
		return
	}
	u := *r.URL
	u.RawQuery = ""
	asked := r.Clone(r.Context())
	asked.URL, asked.Body, asked.ContentLength = &u, io.NopCloser(bytes.NewReader(body)), int64(len(body))
	next(w, asked, params)
}

// fileName is that of the collection at the end of a path: memberships.csv.
func fileName(route string) string {
	collection, _, _ := strings.Cut(path.Base(route), ":")
	return collection + ".csv"
}

// captured is an answer that is kept instead of sent.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the headers of the answer.
func (c *captured) Header() http.Header { return c.header }

// WriteHeader keeps the status.
func (c *captured) WriteHeader(status int) { c.status = status }

// Write keeps a part of the body.
func (c *captured) Write(p []byte) (int, error) { return c.body.Write(p) }

func (c *captured) copyTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), c.header)
	w.WriteHeader(c.status)
	_, _ = w.Write(c.body.Bytes())
}
