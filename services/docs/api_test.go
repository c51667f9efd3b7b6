package docs

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/golive-dev/golive/pkg/auth"
	_ "github.com/golive-dev/golive/proto/golive/access/v1"         // its services
	_ "github.com/golive-dev/golive/proto/golive/deployment/v1"     // its services
	_ "github.com/golive-dev/golive/proto/golive/event/v1"          // its services
	_ "github.com/golive-dev/golive/proto/golive/gate/v1"           // its services
	_ "github.com/golive-dev/golive/proto/golive/implementation/v1" // its services
	optionsv1 "github.com/golive-dev/golive/proto/golive/options/v1"
)

func TestTheAPIPageIsWhatTheContractsSay(t *testing.T) {
	out := page("API", `
Every method of the public services: its HTTP route, its permission, and the roles that hold it. The contracts themselves, with every
message and field, are in [proto/golive](../../proto/golive); a running server shows them at `+"`/docs/api`"+` and serves OpenAPI at
`+"`/openapi.yaml`"+`. Agents speak [golive.agent.v1](../../proto/golive/agent/v1/agent.proto) on a port of its own, which is no part of this.

The rules that all methods share are in [calling the API](../how-to/call-the-api.md).`)
	services := map[string]protoreflect.ServiceDescriptor{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			if s := file.Services().Get(i); strings.HasPrefix(string(s.FullName()), "golive.") && !strings.HasPrefix(string(s.FullName()), "golive.agent.") {
				services[string(s.FullName())] = s
			}
		}
		return true
	})
	require.Greater(t, len(services), 15)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		s := services[name]
		comments := commentsOf(t, s.ParentFile().Path())
		fmt.Fprintf(out, "\n## %s\n\n%s\n", name, comments["service "+string(s.Name())])
		head(out, "method", "what it does", "HTTP", "permission", "roles")
		for i := range s.Methods().Len() {
			m := s.Methods().Get(i)
			what := strings.TrimPrefix(comments["rpc "+string(m.Name())], string(m.Name())+" ")
			require.NotEmpty(t, what, m.FullName())
			access, _ := proto.GetExtension(m.Options(), optionsv1.E_Access).(*optionsv1.Access)
			row(out, string(m.Name())+streaming(m), strings.ToUpper(what[:1])+what[1:], route(m), "`"+access.GetPermission()+"`", roles(access.GetPermission()))
		}
	}
	generated(t, "api.md", out.String())
}

func streaming(m protoreflect.MethodDescriptor) string {
	switch {
	case m.IsStreamingClient():
		return " (stream in)"
	case m.IsStreamingServer():
		return " (stream out)"
	default:
		return ""
	}
}

func route(m protoreflect.MethodDescriptor) string {
	rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	switch {
	case rule.GetGet() != "":
		return "`GET " + rule.GetGet() + "`"
	case rule.GetPost() != "":
		return "`POST " + rule.GetPost() + "`"
	case rule.GetPatch() != "":
		return "`PATCH " + rule.GetPatch() + "`"
	case rule.GetDelete() != "":
		return "`DELETE " + rule.GetDelete() + "`"
	default:
		return "see the contract" // an upload, whose body is no JSON
	}
}

func roles(permission string) string {
	var all []string
	for _, r := range []auth.Role{auth.Viewer, auth.Operator, auth.Approver, auth.Admin, auth.Service} {
		if auth.Allows(r, permission) {
			all = append(all, string(r))
		}
	}
	return strings.Join(all, ", ")
}

// commentsOf returns the first sentence of what stands above each service and rpc of a contract,
// which generated code does not keep.
func commentsOf(t *testing.T, path string) map[string]string {
	t.Helper()
	return commented(contract(t, path), `((?:service|rpc) \w+)`)
}

// valuesOf returns what stands above each state of a message.
func valuesOf(t *testing.T, path, message string) map[string]string {
	t.Helper()
	_, text, found := strings.Cut(contract(t, path), "\nmessage "+message+" {")
	require.True(t, found)
	_, text, found = strings.Cut(text, "  enum State {")
	require.True(t, found)
	text, _, _ = strings.Cut(text, "\n  }\n")
	return commented(text, `([A-Z_]+) = \d+;`)
}

func contract(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "proto", path))
	require.NoError(t, err)
	return string(text)
}

// commented returns the first sentence of each comment, by what follows it.
func commented(text, what string) map[string]string {
	comments := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)((?:^ *//.*\n)+)^ *`+what).FindAllStringSubmatch(text, -1) {
		comment := regexp.MustCompile(`(?m)^ *// ?`).ReplaceAllString(match[1], "")
		comment = strings.Join(strings.Fields(comment), " ")
		first, _, _ := strings.Cut(comment, ". ")
		comments[match[2]] = strings.TrimSuffix(first, ".") + "."
	}
	return comments
}
