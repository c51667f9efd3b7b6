package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	optionsv1 "github.com/golive-dev/golive/proto/golive/options/v1"
)

// TestNobodyIsAnsweredWhoMayNot walks every rpc of every contract, and every route:
// without a credential, with each bad one, with a token of another workspace, with
// one that is narrowed to something else, and with each role that lacks the permission. Nothing is left to a list that somebody
// would have to keep.
func TestNobodyIsAnsweredWhoMayNot(t *testing.T) {
	w := newBadWorld(t)
	before := w.digest()
	calls := 0
	for full, m := range w.methods {
		access, _ := proto.GetExtension(m.Options(), optionsv1.E_Access).(*optionsv1.Access)
		if access.GetPublic() || m.ParentFile().Package() == "golive.agent.v1" {
			continue // the agent port has rows of its own
		}
		t.Run(full, func(t *testing.T) {
			w.T = t
			for who, want := range refusals(access) {
				calls++
				w.refused(m, access, who, want)
			}
		})
	}
	w.T = t
	require.Equal(t, before, w.digest(), "nothing changed")
	require.Greater(t, calls, 500)
	t.Logf("%d refusals of %d rpcs, on both transports", calls, len(w.methods))
}

// refusals is who must be refused, and with what reason.
func refusals(access *optionsv1.Access) map[string]string {
	all := map[string]string{
		"nobody": "TOKEN_MISSING", "garbage": "TOKEN_INVALID", "unsigned": "TOKEN_INVALID", "stranger": "TOKEN_INVALID",
		"edited": "TOKEN_INVALID", "expired": "TOKEN_EXPIRED", "revoked": "TOKEN_REVOKED",
	}
	if access.GetResourceField() != "" {
		all["elsewhere"] = "PERMISSION_DENIED"
	}
	if access.GetPermission() != "access.principals.get" { // everybody may ask who they are
		all["gatekeeper"] = "TOKEN_SCOPE"
	}
	for _, role := range []auth.Role{auth.Viewer, auth.Operator, auth.Approver, auth.Service, auth.Agent} {
		if !auth.Allows(role, access.GetPermission()) {
			all[string(role)] = "PERMISSION_DENIED"
		}
	}
	return all
}

func (w *badWorld) refused(m protoreflect.MethodDescriptor, access *optionsv1.Access, who, want string) {
	w.Helper()
	conns := []grpc.ClientConnInterface{w.port(m)}
	if p := m.ParentFile().Package(); p == "golive.access.v1" || p == "golive.event.v1" {
		conns = append(conns, w.implementation) // both serve it, each for itself
	}
	for _, conn := range conns {
		req := w.message(m.Input())
		set(req.ProtoReflect(), access.GetResourceField())
		status := w.call(conn, m, req, who)
		require.Equal(w, want, fault.FromStatus(status).Reason(), "%s over gRPC: %s", who, status.GetMessage())
		if want == "PERMISSION_DENIED" {
			require.Equal(w, codes.PermissionDenied, codes.Code(status.GetCode()))
			require.Contains(w, status.GetMessage(), access.GetPermission())
		}
	}
	for _, route := range routes(m) {
		method, target, _ := strings.Cut(route, " ")
		a := w.ask(method, target, strings.NewReader(`{}`), who)
		require.Equal(w, want, fault.FromStatus(a.body).Reason(), "%s %s: %s", who, route, a.body.GetMessage())
		require.Equal(w, map[bool]int{true: http.StatusForbidden, false: http.StatusUnauthorized}[want == "PERMISSION_DENIED" || want == "TOKEN_SCOPE"], a.status)
	}
}

// set puts a name of the workspace into the field that says what a request is about.
func set(m protoreflect.Message, path string) {
	if path == "" {
		return
	}
	first, rest, deeper := strings.Cut(path, ".")
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(first))
	if deeper {
		set(m.Mutable(fd).Message(), rest)
		return
	}
	m.Set(fd, protoreflect.ValueOfString("workspaces/default/applications/crm"))
}

// routes are the ways to an rpc over HTTP, with ids in their places.
func routes(m protoreflect.MethodDescriptor) []string {
	if m.Name() == "UploadBlob" {
		return []string{"POST /v1/workspaces/default/blobs"} // the one route written by hand
	}
	method, template, _ := binding(m)
	if method == "" {
		return nil
	}
	return []string{method + " " + variable.ReplaceAllStringFunc(template, func(text string) string {
		shape := variable.FindStringSubmatch(text)[2]
		shape = strings.Replace(shape, "workspaces/*", "workspaces/default", 1)
		return strings.NewReplacer("**", "implementations/crm/cohortPlans/crm", "*", "crm").Replace(shape)
	})}
}
