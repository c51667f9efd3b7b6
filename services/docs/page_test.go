package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the repository's, seen from here.
const root = "../.."

// generated compares a page with what the code says, or writes it.
func generated(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(root, "docs", "reference", name)
	if os.Getenv("GOLIVE_UPDATE") != "" {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, strings.Split(content, "\n"), strings.Split(string(have), "\n"), "%s is stale: GOLIVE_UPDATE=1 go test ./services/docs", path)
}

// page begins a generated page.
func page(title, intro string) *strings.Builder {
	out := new(strings.Builder)
	fmt.Fprintf(out, "<!-- Generated from the code: GOLIVE_UPDATE=1 go test ./services/docs -->\n\n# %s\n\n%s\n", title, strings.TrimSpace(intro))
	return out
}

// row writes one row of a table.
func row(out *strings.Builder, cells ...string) {
	for _, cell := range cells {
		fmt.Fprintf(out, "| %s ", strings.ReplaceAll(cell, "|", `\|`))
	}
	out.WriteString("|\n")
}

// head writes the heads of a table.
func head(out *strings.Builder, cells ...string) {
	out.WriteByte('\n')
	row(out, cells...)
	out.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
}

// pages are all Markdown files of the repository, by their path from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, folder := range []string{"README.md", "CHANGELOG.md", "docs", "deploy", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
				return err
			}
			text, err := os.ReadFile(path)
			name, _ := filepath.Rel(root, path)
			all[name] = string(text)
			return err
		})
		require.NoError(t, err)
	}
	require.Contains(t, all, "docs/tutorial.md")
	return all
}
