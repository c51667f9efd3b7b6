package gateway_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/golive-dev/golive/services/gateway"
)

// recorder notes which rpc a request became.
type recorder struct {
	grpc.ClientConnInterface

	mu   sync.Mutex
	last string
}

func (r *recorder) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	r.set(method)
	return r.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
}

func (r *recorder) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	r.set(method)
	return r.ClientConnInterface.NewStream(ctx, desc, method, opts...)
}

func (r *recorder) set(method string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = method
}

func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.last = "" }()
	return r.last
}

// sample fills a path template with ids.
func sample(template string) string {
	path := regexp.MustCompile(`\{[^=}]+=([^}]*)\}`).ReplaceAllString(template, "$1")
	return strings.ReplaceAll(strings.ReplaceAll(path, "**", "environments/prod"), "*", "default")
}

// TestEveryRouteOfTheContractsReachesItsRPC calls every HTTP annotation there is.
func TestEveryRouteOfTheContractsReachesItsRPC(t *testing.T) {
	d, i := &recorder{}, &recorder{}
	w := setup(t, func(c *gateway.Config) {
		d.ClientConnInterface, i.ClientConnInterface = c.Deployment, c.Implementation
		c.Deployment, c.Implementation = d, i
	})
	routes := 0
	each := func(method protoreflect.MethodDescriptor, rule *annotations.HttpRule) {
		if method.IsStreamingServer() {
			return // see the tests of streams
		}
		verb, template := "GET", rule.GetGet()
		for v, path := range map[string]string{"POST": rule.GetPost(), "PATCH": rule.GetPatch(), "DELETE": rule.GetDelete()} {
			if path != "" {
				verb, template = v, path
			}
		}
		body := ""
		if rule.GetBody() != "" {
			body = "{}"
		}
		a := w.do(t, verb, sample(template), body)
		require.NotEqual(t, "ROUTE_NOT_FOUND", a.reason(), template)
		want := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
		require.Contains(t, []string{d.take(), i.take()}, want, "%s %s: %s", verb, template, a.body)
		routes++
	}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for s := range file.Services().Len() {
			methods := file.Services().Get(s).Methods()
			for m := range methods.Len() {
				rule, ok := proto.GetExtension(methods.Get(m).Options(), annotations.E_Http).(*annotations.HttpRule)
				if !ok || rule == nil || !strings.HasPrefix(string(file.Package()), "golive.") {
					continue
				}
				each(methods.Get(m), rule)
				for _, more := range rule.GetAdditionalBindings() {
					each(methods.Get(m), more)
				}
			}
		}
		return true
	})
	require.Greater(t, routes, 80)
}

type operation struct {
	Security []map[string]any
	Tags     []string
}

func openAPI(t *testing.T, w *world) map[string]map[string]operation {
	t.Helper()
	resp := w.send(t, "", "GET", "/openapi.yaml", nil)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, "application/yaml", resp.Header.Get("Content-Type"))
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]operation
	}
	require.NoError(t, yaml.NewDecoder(resp.Body).Decode(&doc))
	require.Equal(t, "3.0.3", doc.OpenAPI)
	require.Greater(t, len(doc.Paths), 60)
	return doc.Paths
}

// TestNothingAnswersWithoutACredential walks the OpenAPI document: what it does
// not declare open answers 401, and it declares nothing open that is not known here.
func TestNothingAnswersWithoutACredential(t *testing.T) {
	w := setup(t)
	var open []string
	for path, methods := range openAPI(t, w) {
		require.NotContains(t, path, "*", "no path of the document is a pattern")
		filled := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, "x")
		for method, op := range methods {
			if len(op.Security) == 1 && len(op.Security[0]) == 0 {
				open = append(open, method+" "+path)
				continue
			}
			a := w.as(t, "", strings.ToUpper(method), filled, "")
			require.Equal(t, 401, a.code, "%s %s", method, path)
			require.Equal(t, "TOKEN_MISSING", a.reason())
			require.NotEmpty(t, a.header.Get("WWW-Authenticate"))
			a = w.as(t, "forged", strings.ToUpper(method), filled, "")
			require.Contains(t, []int{400, 401, 404, 501}, a.code, "%s %s: %s", method, path, a.body)
		}
	}
	slices.Sort(open)
	require.Equal(t, []string{
		"delete /session", "get /healthz", "get /openapi.yaml",
		"get /v1/surveyLinks/{token}", "get /v1/surveyNotices/{workspace}/{survey}", "post /v1/surveyLinks/{token}:submit",
	}, open)
	for _, unknown := range []string{"/v1", "/v1/nothing", "/v2/x", "/metrics", "/debug/pprof/", "/assets/", "/assets/../openapi.yaml", "//"} {
		require.Equal(t, 401, w.as(t, "", "GET", unknown, "").code, unknown)
	}
	got, _ := w.deployment.seen()
	require.Nil(t, got, "no service was asked")
	require.Equal(t, 401, w.as(t, "", "GET", "/v1/access:whoAmI", "", "Authorization", "Basic YTpi").code)
}

func TestEveryOpenPageIsWhole(t *testing.T) {
	w := setup(t)
	for path, want := range map[string]string{
		"/": "<main", "/docs/api": "/v1/workspaces/{workspace}/blobs", "/healthz": "ok\n",
		"/assets/app.js": "routeOf", "/assets/events.js": "EventSource", "/assets/style.css": "prefers-color-scheme", "/assets/icon.svg": "<svg",
		"/assets/cells.js": "export", "/assets/api.js": "input", "/favicon.ico": "<svg", "/openapi.yaml": "openapi: 3.0.3",
	} {
		resp := w.send(t, "", "GET", path, nil)
		data, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 200, resp.StatusCode, path)
		require.NotEqual(t, -1, strings.Index(string(data), want), "%s holds %q", path, want)
		require.False(t, regexp.MustCompile(`(?:src|href|url\(|@import|from)\s*[="'(]+\s*(?:https?:)?//`).Match(data), "%s loads nothing from elsewhere", path)
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), path)
		require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
		require.NotContains(t, resp.Header.Get("Content-Security-Policy"), "unsafe", path)
		if etag := resp.Header.Get("Etag"); etag != "" {
			again := w.send(t, "", "GET", path, nil, "If-None-Match", etag)
			require.NoError(t, again.Body.Close())
			require.Equal(t, http.StatusNotModified, again.StatusCode)
		}
	}
}

// TestNothingCallsHandlerServer reads every Go file of the tree: the generated
// RegisterXHandlerServer skips the interceptors, and with them every permission.
func TestNothingCallsHandlerServer(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join(root, "go.work"))
	require.NoError(t, err, "the root of the tree")
	name := regexp.MustCompile(`^Register\w+Handler(Server|FromEndpoint)$`)
	files, declared := 0, 0
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || !strings.Contains(string(source), "Handler") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
		if err != nil {
			return nil //nolint:nilerr // a file that does not parse calls nothing, and does not build
		}
		files++
		ast.Inspect(file, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && name.MatchString(f.Name.Name) {
				declared++
			}
			if call, ok := n.(*ast.SelectorExpr); ok {
				require.False(t, name.MatchString(call.Sel.Name), "%s uses %s", path, call.Sel.Name)
			}
			if call, ok := n.(*ast.CallExpr); ok {
				id, ok := call.Fun.(*ast.Ident)
				require.False(t, ok && strings.HasSuffix(id.Name, "HandlerServer") && name.MatchString(id.Name), "%s calls %v", path, call.Fun)
			}
			return true
		})
		return nil
	}))
	require.Greater(t, files, 20)
	require.Greater(t, declared, 20, "the generated code is in the tree, so the rule sees what it forbids")
}
