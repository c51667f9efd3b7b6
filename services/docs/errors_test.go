package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
)

// refusals are what the code can answer: by reason, by kind, what it says.
type refusals map[string]map[fault.Kind]map[string]bool

func (r refusals) add(reason string, kind fault.Kind, message string) {
	if r[reason] == nil {
		r[reason] = map[fault.Kind]map[string]bool{}
	}
	if r[reason][kind] == nil {
		r[reason][kind] = map[string]bool{}
	}
	r[reason][kind][message] = true
}

func TestTheErrorsPageIsWhatTheCodeSays(t *testing.T) {
	all, rows := refused(t)
	out := page("Errors", `
Every refusal is a google.rpc.Status, the same over gRPC and HTTP. Its ErrorInfo has a *reason*, which is stable:
compare it, and show the message, which may change. What is wrong with a request is named by field in BadRequest, what
of the state forbids it in PreconditionFailure, and when a repetition may succeed in RetryInfo. Nothing is changed by a
request that is refused. A code that comes from gRPC itself has the name of the code as its reason.`)
	head(out, "Reason", "Code", "HTTP", "What is wrong", "What to do")
	for _, reason := range slices.Sorted(maps.Keys(all)) {
		for _, kind := range slices.Sorted(maps.Keys(all[reason])) {
			if kind == fault.KindInternal { // a defect; there is nothing that a caller could do
				row(out, code(reason), code(kind.String()), strconv.Itoa(status(reason, kind)), "a defect of golive", "tell us, with the request id")
				continue
			}
			var wrong, remedy []string
			for _, message := range slices.Sorted(maps.Keys(all[reason][kind])) {
				require.Contains(t, message, "; ", "%s says what is wrong, but not what to do", reason)
				at := strings.LastIndex(message, "; ")
				wrong, remedy = append(wrong, message[:at]), append(remedy, message[at+2:])
			}
			row(out, code(reason), code(kind.String()), strconv.Itoa(status(reason, kind)),
				strings.Join(slices.Compact(slices.Sorted(slices.Values(wrong))), "<br>"), strings.Join(slices.Compact(slices.Sorted(slices.Values(remedy))), "<br>"))
		}
	}
	out.WriteString("\n## Rows of imported files\n\nAn import answers with what is wrong by line, and imports nothing while anything is.\n")
	head(out, "Reason", "What is said")
	for _, reason := range slices.Sorted(maps.Keys(rows)) {
		row(out, code(reason), strings.Join(slices.Sorted(maps.Keys(rows[reason])), "<br>"))
	}
	generated(t, "errors.md", out.String())
}

// status is what HTTP answers; two reasons have a more exact one than their code.
func status(reason string, kind fault.Kind) int {
	switch reason {
	case "BODY_TOO_LARGE":
		return http.StatusRequestEntityTooLarge
	case "METHOD_NOT_ALLOWED":
		return http.StatusMethodNotAllowed
	default:
		return runtime.HTTPStatusFromCode(kind.Code())
	}
}

// refused reads every fault that the code makes, and every problem with a row of a file.
func refused(t *testing.T) (all refusals, rows map[string]map[string]bool) {
	t.Helper()
	files, named := sources(t)
	all, rows = refusals{}, map[string]map[string]bool{}
	for path, file := range files {
		constants := scope{constants: named, path: path, file: file}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if kind, ok := constructor(file, n); ok {
					if reason := constants.text(n.Args[0]); reason != "" {
						all.add(reason, kind, constants.message(t, n.Args[1]))
					}
				} else if reason, message := problem(path, n); reason != nil {
					about := constants.text(reason)
					if rows[about] == nil {
						rows[about] = map[string]bool{}
					}
					rows[about][constants.message(t, message)] = true
				}
			case *ast.CompositeLit: // a fault of which several fields are collected first
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "violations" {
					all.add(constants.text(value(n, "reason")), fault.KindInvalid, constants.message(t, value(n, "message")))
				}
			}
			return true
		})
	}
	return all, rows
}

// problem finds reason and message of a call that says what is wrong with a row. What hands both on to another, or passes on the words of a fault, is none.
func problem(path string, call *ast.CallExpr) (reason, message ast.Expr) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !strings.Contains(path, "services/implementation") {
		return nil, nil
	}
	switch at := map[string]int{"Add": 2, "bad": 1}[f.Sel.Name]; {
	case at == 0, len(call.Args) < at+2:
	case fixed(call.Args[at]):
		return call.Args[at], call.Args[at+1]
	}
	return nil, nil
}

// fixed tells a literal and a constant from what is only known when it runs.
func fixed(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.Ident:
		return ast.IsExported(e.Name)
	case *ast.SelectorExpr:
		return ast.IsExported(e.Sel.Name)
	default:
		return false
	}
}

// module is how all import paths begin.
const module = "github.com/golive-dev/golive/"

// constants are the texts of the code that have a name, by folder and name.
type constants map[[2]string]string

func sources(t *testing.T) (map[string]*ast.File, constants) {
	t.Helper()
	files, named := map[string]*ast.File{}, constants{}
	for _, folder := range []string{"pkg", "services"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/internal/gen/") || strings.Contains(path, "/internal/simulator/") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			files[path] = file
			if err == nil {
				scope{constants: named, path: path, file: file}.read()
			}
			return err
		}))
	}
	return files, named
}

// scope is what the names in a file mean.
type scope struct {
	constants

	path string
	file *ast.File
}

func (c scope) folder() string {
	folder, _ := filepath.Rel(root, filepath.Dir(c.path))
	return filepath.ToSlash(folder)
}

func (c scope) read() {
	for _, declaration := range c.file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			if spec, ok := spec.(*ast.ValueSpec); ok {
				for i, v := range spec.Values {
					if text := c.text(v); text != "" {
						c.constants[[2]string{c.folder(), spec.Names[i].Name}] = text
					}
				}
			}
		}
	}
}

// of is the folder of an imported package.
func (c scope) of(name string) string {
	for _, spec := range c.file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		as := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			as = spec.Name.Name
		}
		if as == name {
			return strings.TrimPrefix(path, module)
		}
	}
	return ""
}

// text is the value of a literal, of a constant or of several added up; a variable is an ellipsis.
func (c scope) text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.Ident:
		return c.constants[[2]string{c.folder(), e.Name}]
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok {
			return c.constants[[2]string{c.of(of.Name), e.Sel.Name}]
		}
		return ""
	case *ast.BinaryExpr:
		left, right := c.text(e.X), c.text(e.Y)
		if right == "" {
			right = "…"
		}
		return left + right
	default:
		return ""
	}
}

// verb is where a message has something of the request.
var verb = regexp.MustCompile(`"?%(\[\d+\])?[+#]?[a-z]"?`)

func (c scope) message(t *testing.T, e ast.Expr) string {
	t.Helper()
	text := c.text(e)
	require.NotEmpty(t, text, "%s: a message is put together where it cannot be read", c.path)
	return verb.ReplaceAllString(text, "…")
}

// constructor tells whether a call makes a fault.
func constructor(file *ast.File, call *ast.CallExpr) (kind fault.Kind, ok bool) {
	if len(call.Args) < 2 {
		return 0, false
	}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		if of, isName := f.X.(*ast.Ident); isName && of.Name == "fault" {
			name = f.Sel.Name
		}
	case *ast.Ident:
		if file.Name.Name == "fault" {
			name = f.Name
		}
	}
	kind, ok = map[string]fault.Kind{
		"Internal": fault.KindInternal, "Invalid": fault.KindInvalid, "NotFound": fault.KindNotFound, "AlreadyExists": fault.KindAlreadyExists,
		"Conflict": fault.KindConflict, "Precondition": fault.KindPrecondition, "Unauthenticated": fault.KindUnauthenticated,
		"Denied": fault.KindDenied, "Exhausted": fault.KindExhausted, "Unavailable": fault.KindUnavailable,
		"Deadline": fault.KindDeadline, "Cancelled": fault.KindCancelled, "Unsupported": fault.KindUnsupported,
	}[name]
	return kind, ok
}

func value(literal *ast.CompositeLit, key string) ast.Expr {
	for _, e := range literal.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			if name, ok := pair.Key.(*ast.Ident); ok && name.Name == key {
				return pair.Value
			}
		}
	}
	return nil
}
