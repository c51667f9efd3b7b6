package gateway

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mostAtFirstLoad is what the console may weigh, in bytes as they are sent.
const mostAtFirstLoad = 120 << 10

// TestTheConsoleIsSmallAndWhole: everything that a file of the console names is there, all of it
// together is small, and what the server says is never taken for markup.
func TestTheConsoleIsSmallAndWhole(t *testing.T) {
	pages, err := newPages()
	require.NoError(t, err)
	files, err := fs.Glob(pageFiles, "page/*")
	require.NoError(t, err)
	asset := regexp.MustCompile(`"(/assets/[^"]+)"`)
	markup := regexp.MustCompile(`\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function|style=|setAttribute\("style")\b`)
	size := 0
	for _, file := range files {
		data, err := fs.ReadFile(pageFiles, file)
		require.NoError(t, err)
		for _, named := range asset.FindAllStringSubmatch(string(data), -1) {
			require.Contains(t, pages, named[1], "%s names it", file)
		}
		if ext := path.Ext(file); ext == ".js" || ext == ".css" || file == "page/index.html" {
			size += len(newAsset(mediaType(file), data).small)
		}
		if path.Ext(file) == ".js" {
			require.Empty(t, markup.FindString(string(data)), file)
		}
	}
	require.Less(t, size, mostAtFirstLoad)
	require.NotContains(t, pages, "/assets/index.html", "pages are served where they are, and nowhere else")
}

// TestEveryPageIsInTheNavigation reads which pages the shell knows, and whether one gets there.
func TestEveryPageIsInTheNavigation(t *testing.T) {
	app, err := pageFiles.ReadFile("page/app.js")
	require.NoError(t, err)
	shell, err := pageFiles.ReadFile("page/index.html")
	require.NoError(t, err)
	known := regexp.MustCompile(`const pages = \{([^}]+)\}`).FindSubmatch(app)
	require.NotNil(t, known)
	for name := range strings.SplitSeq(string(known[1]), ",") {
		require.Contains(t, string(shell), `href="#`+strings.TrimSpace(name)+`"`)
	}
}
