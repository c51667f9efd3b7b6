package auth_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

func TestAScopeCoversItsResourceAndWhatIsBelow(t *testing.T) {
	scope := &auth.Scope{Resource: "workspaces/w/applications/crm/waves/a"}
	for name, want := range map[string]bool{
		"workspaces/w/applications/crm/waves/a":          true,
		"workspaces/w/applications/crm/waves/a/steps/1":  true,
		"workspaces/w/applications/crm/waves/a/steps/-":  true,
		"workspaces/w/applications/crm/waves/ab":         false,
		"workspaces/w/applications/crm/waves/A":          false,
		"workspaces/w/applications/crm/waves":            false,
		"workspaces/w/applications/crm/waves/-":          false,
		"workspaces/w/applications/-/waves/a":            false,
		"workspaces/-/applications/crm/waves/a":          false,
		"workspaces/*/applications/crm/waves/a":          false,
		"workspaces/w2/applications/crm/waves/a":         false,
		"workspaces/w/applications/crm/waves/a/":         false,
		"workspaces/w/applications/crm/waves/a//b":       false,
		"workspaces/w/applications/crm/waves/a/../b":     false,
		"workspaces/w/applications/crm/waves/a/./b":      false,
		"/workspaces/w/applications/crm/waves/a":         false,
		"workspaces/w/applications/crm/waves/a:approve":  false,
		"x/workspaces/w/applications/crm/waves/a":        false,
		"workspaces/w/applications/crm/waves/b/waves/a":  false,
		"workspaces/w/applications/crm/waves/a\x00":      false,
		"workspaces/w/applications/crm/waves/a%2f..%2fb": false,
		"": false,
	} {
		require.Equal(t, want, scope.Covers(name), "%q", name)
	}
}

func TestANarrowedTokenSaysSo(t *testing.T) {
	i := newIssuer(t)
	s := auth.NewAccessService(i, nil, zap.NewNop())
	const plan = "workspaces/alpha/implementations/crm/cohortPlans/sales"
	mintScoped := func(resource string, permissions ...string) (*accessv1.MintTokenResponse, error) {
		return s.MintToken(as(t, "users/x", alphaAdmin), &accessv1.MintTokenRequest{
			Principal: "services/flagger", Grants: []*accessv1.Grant{grant("alpha", accessv1.Role_ROLE_VIEWER)}, Ttl: durationpb.New(time.Hour),
			Scope: &accessv1.TokenScope{Resource: resource, Permissions: permissions},
		})
	}
	resp, err := mintScoped(plan, "gate.gates.evaluate")
	require.NoError(t, err)
	p, err := newVerifier(t, i.Trusted()).Verify(t.Context(), resp.GetToken())
	require.NoError(t, err)
	require.Equal(t, &auth.Scope{Resource: plan, Permissions: []string{"gate.gates.evaluate"}}, p.Scope)
	who, err := s.WhoAmI(auth.NewContext(t.Context(), p), &accessv1.WhoAmIRequest{})
	require.NoError(t, err)
	require.Equal(t, resp.GetPrincipal().String(), who.GetPrincipal().String())
	require.Equal(t, plan, who.GetPrincipal().GetScope().GetResource())
	require.True(t, p.May("alpha", "gate.gates.evaluate"))
	require.True(t, p.May("", "access.principals.get"))
	require.False(t, p.May("alpha", "gate.gates.watch"), "the grants give it, the scope does not")

	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(resp.GetToken(), ".")[1])
	require.NoError(t, err)
	require.NotContains(t, strings.SplitN(string(claims), `"scoped"`, 2)[0], "grants", "a verifier that knows no scopes finds no grants")

	for name, c := range map[string]struct {
		resource, permission string
	}{
		"about tokens": {plan, "access.tokens.mint"}, "more than granted": {plan, "implementation.cohortPlans.update"},
		"another workspace": {"workspaces/beta/implementations/crm", "gate.gates.evaluate"},
		"a wildcard":        {"workspaces/alpha/implementations/-", "gate.gates.evaluate"}, "a way up": {plan + "/..", "gate.gates.evaluate"},
	} {
		_, err := mintScoped(c.resource, c.permission)
		require.Equal(t, "SCOPE_INVALID", fault.ReasonOf(err), name)
	}
	_, err = s.MintToken(auth.NewContext(t.Context(), &auth.Principal{Name: "users/x", Grants: alphaAdmin, Scope: p.Scope}), &accessv1.MintTokenRequest{
		Principal: "users/y", Grants: []*accessv1.Grant{grant("alpha", accessv1.Role_ROLE_VIEWER)},
	})
	require.Equal(t, "GRANT_EXCEEDS_CALLER", fault.ReasonOf(err), "an administrator's narrowed token mints nothing")
}
