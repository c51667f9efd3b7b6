package gateway

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// asset is a file as it is sent: once plain, once small.
type asset struct {
	kind  string
	plain []byte
	small []byte
	etag  string
}

func newAsset(kind string, data []byte) *asset {
	var small bytes.Buffer
	zip := gzip.NewWriter(&small)
	_, _ = zip.Write(data) // into memory: cannot fail
	_ = zip.Close()
	sum := sha256.Sum256(data)
	return &asset{kind: kind, plain: data, small: small.Bytes(), etag: hex.EncodeToString(sum[:8])}
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"] = []string{a.kind}
	h["Cache-Control"] = []string{"no-cache"} // kept, and asked for by etag each time
	h["Vary"] = []string{"Accept-Encoding"}
	data, etag := a.plain, a.etag
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h["Content-Encoding"] = []string{"gzip"}
		data, etag = a.small, a.etag+"-gz"
	}
	h["Etag"] = []string{`"` + etag + `"`}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// newPages returns the routes that are open to everybody: they hold no data. What
// the page consists of is served below /assets/ by the names of its files.
func newPages() (map[string]http.HandlerFunc, error) {
	pages := map[string]http.HandlerFunc{}
	files, err := pageFiles.ReadDir("page")
	if err != nil {
		return nil, fmt.Errorf("list the pages: %w", err)
	}
	for _, file := range files {
		data, err := pageFiles.ReadFile("page/" + file.Name())
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file.Name(), err)
		}
		one := newAsset(mediaType(file.Name()), data)
		serve := page(func() (*asset, error) { return one, nil })
		switch {
		case file.Name() == "index.html":
			pages["/"] = serve
		case path.Ext(file.Name()) != ".html": // the other pages are filled in, see apiPage and surveyForm
			pages["/assets/"+file.Name()] = serve
		}
		if file.Name() == "icon.svg" {
			pages["/favicon.ico"] = serve
		}
	}
	document := newAsset("application/yaml", openAPI)
	pages["/openapi.yaml"] = page(func() (*asset, error) { return document, nil })
	// Made when it is first asked for, so that a start does not wait for it.
	pages["/docs/api"] = page(sync.OnceValues(func() (*asset, error) {
		data, err := apiPage(openAPI)
		return newAsset(mediaType("api.html"), data), err
	}))
	return pages, nil
}

func page(load func() (*asset, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		securePage(w.Header())
		if refuseMethod(w, r, http.MethodGet, http.MethodHead) {
			return
		}
		one, err := load()
		if err != nil { // of embedded files: a test reads them all
			http.Error(w, "this page is broken in this build", http.StatusInternalServerError)
			return
		}
		one.serve(w, r)
	}
}

func mediaType(file string) string {
	switch path.Ext(file) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "text/html; charset=utf-8"
	}
}
