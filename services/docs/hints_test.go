package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryCommandThatTheProductProposesParses holds what blocked_by and messages tell people to type to the
// command tree. What begins with golive is meant to be copied, and must parse; what stands in a sentence must be a command.
func TestEveryCommandThatTheProductProposesParses(t *testing.T) {
	copied, named := 0, 0
	for where, text := range proposals(t) {
		certificate := strings.HasPrefix(text, "golive agent ") // their names
		if strings.HasPrefix(text, "golive ") && !certificate && !strings.Contains(where, "/pkg/") {
			for _, words := range invocations(t, where, text) {
				copied++
				require.NoError(t, parse(words), "%s: %s", where, text)
			}
			continue
		}
		for _, command := range regexp.MustCompile("(?:`|<code>)golive ([^`<]+)").FindAllStringSubmatch(text, -1) {
			named++
			words := strings.Fields(command[1])
			if len(words) > 2 {
				require.NoError(t, parse(words), "%s: golive %s", where, command[1])
			} else {
				require.NotErrorIs(t, parse(words), errNoCommand, "%s: golive %s", where, command[1])
			}
		}
	}
	for where, text := range proposals(t) { // a sentence that ends with a command: capture one: golive plan baseline x
		if strings.HasPrefix(text, "golive ") || !strings.Contains(where, "/implementation/") || strings.HasSuffix(where, ".html") {
			continue
		}
		for _, command := range regexp.MustCompile(`(?:[:;,(] |\()golive ([a-z-]+(?: [a-z-]+)?)`).FindAllStringSubmatch(text, -1) {
			named++
			require.NotErrorIs(t, parse(strings.Fields(command[1])), errNoCommand, "%s: %s", where, text)
		}
	}
	require.Greater(t, copied, 8)
	require.Greater(t, named, 5)
}

// proposals are the strings of the product that name a golive command, by where they are.
func proposals(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, folder := range []string{"pkg", "services/deployment", "services/implementation", "services/gateway", "services/server", "services/agent"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".gw.go"):
				return err
			case filepath.Ext(path) == ".html":
				text, err := os.ReadFile(path)
				all[path] = string(text)
				return err
			case filepath.Ext(path) == ".go":
				return literals(path, all)
			}
			return nil
		})
		require.NoError(t, err)
	}
	return all
}

// literals adds the strings of a file, with x for what is joined into them.
func literals(path string, all map[string]string) error {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(node ast.Node) bool {
		expression, ok := node.(ast.Expr)
		if !ok {
			return true
		}
		text, found := joined(expression)
		if found && strings.Contains(text, "golive ") {
			all[files.Position(expression.Pos()).String()] = regexp.MustCompile(`%[a-z]`).ReplaceAllString(text, "x")
		}
		return !found
	})
	return nil
}

func joined(e ast.Expr) (text string, found bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "x", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, isLeft := joined(e.X)
		right, isRight := joined(e.Y)
		return left + right, e.Op == token.ADD && (isLeft || isRight)
	default:
		return "x", false
	}
}
