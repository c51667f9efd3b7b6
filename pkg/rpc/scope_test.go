package rpc_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

func TestANarrowedTokenIsGoodForOneResource(t *testing.T) {
	const scope = "workspaces/default/waves/a"
	newBundle(t).run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		token, _, err := b.issuer.Mint(auth.Claims{Name: "services/flagger", Grants: map[string][]auth.Role{"*": {auth.Admin}}, TTL: time.Hour, Scope: &auth.Scope{
			Resource: scope, Permissions: []string{"deployment.waves.get", "deployment.waves.update", "deployment.waves.watch", "deployment.waves.create", "deployment.waves.run"},
		}})
		require.NoError(t, err)
		narrow := rpc.WithToken(conn, auth.StaticToken(token))
		for name, c := range map[string]struct {
			req *eventv1.ListEventsRequest
			ok  bool
		}{
			"itself":                  {&eventv1.ListEventsRequest{Parent: scope}, true},
			"below":                   {&eventv1.ListEventsRequest{Parent: scope + "/steps/1"}, true},
			"and others of its own":   {&eventv1.ListEventsRequest{Parent: scope, Types: []string{scope + "/steps/1", "a word"}}, true},
			"a longer name":           {&eventv1.ListEventsRequest{Parent: scope + "b"}, false},
			"its parent":              {&eventv1.ListEventsRequest{Parent: "workspaces/default"}, false},
			"every one":               {&eventv1.ListEventsRequest{Parent: "workspaces/default/waves/-"}, false},
			"nothing":                 {&eventv1.ListEventsRequest{}, false},
			"another in a list":       {&eventv1.ListEventsRequest{Parent: scope, Types: []string{scope, scope + "b"}}, false},
			"another in a field":      {&eventv1.ListEventsRequest{Parent: scope, PageToken: "workspaces/default/waves/b"}, false},
			"a way up":                {&eventv1.ListEventsRequest{Parent: scope + "/../b"}, false},
			"another workspace of it": {&eventv1.ListEventsRequest{Parent: "workspaces/other/waves/a"}, false},
		} {
			_, err := call[eventv1.Event](t.Context(), narrow, "Get", c.req)
			if c.ok {
				require.NoError(t, err, name)
				continue
			}
			require.Equal(t, "TOKEN_SCOPE", fault.ReasonOf(err), name)
			require.Equal(t, fault.KindDenied, fault.KindOf(err), name)
		}

		nested := func(p *accessv1.Principal) error {
			_, err := call[accessv1.Principal](t.Context(), narrow, "Nested", &accessv1.MintTokenResponse{Principal: p})
			return err
		}
		require.NoError(t, nested(&accessv1.Principal{Name: scope}))
		require.Equal(t, "TOKEN_SCOPE", fault.ReasonOf(nested(&accessv1.Principal{Name: scope, Grants: []*accessv1.Grant{{Workspace: "workspaces/default"}}})), "deep in a list")
		_, err = call[accessv1.MintTokenResponse](t.Context(), narrow, "Create", &accessv1.MintTokenRequest{Principal: "users/x"})
		require.Equal(t, "TOKEN_SCOPE", fault.ReasonOf(err), "a method that addresses nothing")

		stream := func(method string, first *eventv1.ListEventsRequest) error {
			s := open(t.Context(), t, narrow, method)
			_ = s.SendMsg(first) // may be too late already; RecvMsg tells
			require.NoError(t, s.CloseSend())
			return s.RecvMsg(&eventv1.Event{})
		}
		require.NoError(t, stream("Watch", &eventv1.ListEventsRequest{Parent: scope, PageSize: 1}))
		require.Equal(t, "TOKEN_SCOPE", fault.ReasonOf(stream("Watch", &eventv1.ListEventsRequest{Parent: scope + "b", PageSize: 1})))
		require.Equal(t, fault.KindDenied, fault.KindOf(stream("Upload", &eventv1.ListEventsRequest{Parent: scope})), "a stream of requests")
	})
}
