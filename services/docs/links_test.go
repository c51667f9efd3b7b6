package docs

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// TestEveryLinkLeadsSomewhere checks the links between pages, their anchors and pictures.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all := pages(t)
	links := 0
	for name, text := range all {
		text = regexp.MustCompile("(?ms)^```.*?^```").ReplaceAllString(text, "")
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
			to, err := url.Parse(link[1])
			require.NoError(t, err)
			if to.Scheme != "" {
				continue // the world outside answers for itself
			}
			links++
			path := name
			if to.Path != "" {
				path = filepath.Join(filepath.Dir(name), to.Path)
			}
			_, err = os.Stat(filepath.Join(root, path))
			require.NoError(t, err, "%s links to %s", name, link[1])
			if to.Fragment != "" {
				require.Contains(t, anchors(all[path]), to.Fragment, "%s links to %s", name, link[1])
			}
		}
	}
	require.Greater(t, links, 40)
}

// TestEveryPageCanBeReached follows the links from the README.
func TestEveryPageCanBeReached(t *testing.T) {
	all := pages(t)
	reached := map[string]bool{}
	var follow func(name string)
	follow = func(name string) {
		if reached[name] {
			return
		}
		reached[name] = true
		for _, link := range regexp.MustCompile(`\]\(([^)\s#]+)`).FindAllStringSubmatch(all[name], -1) {
			to := filepath.Join(filepath.Dir(name), link[1])
			switch {
			case all[to] != "":
				follow(to)
			case all[filepath.Join(to, "README.md")] != "":
				follow(filepath.Join(to, "README.md"))
			}
		}
	}
	follow("README.md")
	for name := range all {
		require.True(t, reached[name] || strings.HasPrefix(name, "docs/adr/") || name == "CHANGELOG.md", "no page leads to %s", name)
	}
}

// anchors are the headings of a page as links name them.
func anchors(text string) (all []string) {
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		var anchor strings.Builder
		for _, r := range strings.ToLower(heading[1]) {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				anchor.WriteRune(r)
			case r == ' ':
				anchor.WriteByte('-')
			}
		}
		all = append(all, anchor.String())
	}
	return all
}
