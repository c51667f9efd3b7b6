package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func newRevocations(t *testing.T, db *sqldb.DB) *auth.Revocations {
	t.Helper()
	require.NoError(t, db.Migrate(t.Context(), auth.Source()))
	r, err := auth.NewRevocations(t.Context(), db, zap.NewNop())
	require.NoError(t, err)
	return r
}

func as(t *testing.T, name string, grants map[string][]auth.Role) context.Context {
	t.Helper()
	return auth.NewContext(t.Context(), &auth.Principal{Name: name, TokenID: "caller", Grants: grants, Expires: time.Now().Add(time.Hour)})
}

var (
	root       = map[string][]auth.Role{"*": {auth.Admin}}
	alphaAdmin = map[string][]auth.Role{"alpha": {auth.Admin}, "beta": {auth.Viewer}}
)

func grant(workspace string, roles ...accessv1.Role) *accessv1.Grant {
	return &accessv1.Grant{Workspace: "workspaces/" + workspace, Roles: roles}
}

func TestRevocationHoldsHereAtOnceAndElsewhereWithinASecond(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		here, elsewhere := newRevocations(t, db), newRevocations(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- elsewhere.Run(ctx) }()
		defer func() { cancel(); require.NoError(t, <-done) }()

		i := newIssuer(t)
		token, id := mint(t, i, alice)
		verifier := func(r *auth.Revocations) *auth.Verifier {
			v, err := auth.NewVerifier([]auth.TrustedIssuer{i.Trusted()}, r)
			require.NoError(t, err)
			return v
		}
		vh, ve := verifier(here), verifier(elsewhere)
		ended := make(chan error, 3)
		for _, v := range []*auth.Verifier{vh, ve} {
			p, err := v.Verify(t.Context(), token)
			require.NoError(t, err)
			defer v.Watch(p, func(err error) { ended <- err })()
			v.Watch(p, func(error) { require.Fail(t, "a finished stream is not ended again") })()
		}

		start := time.Now()
		_, err := here.Revoke(t.Context(), id, "users/root", "lost laptop")
		require.NoError(t, err)
		_, err = vh.Verify(t.Context(), token)
		require.Equal(t, "TOKEN_REVOKED", fault.ReasonOf(err))
		require.Len(t, ended, 1, "the stream here is over when Revoke returns")
		require.Eventually(t, func() bool {
			_, err := ve.Verify(t.Context(), token)
			return fault.ReasonOf(err) == "TOKEN_REVOKED"
		}, time.Second, 5*time.Millisecond)
		for range 2 {
			require.Equal(t, "TOKEN_REVOKED", fault.ReasonOf(<-ended))
		}
		require.Less(t, time.Since(start), time.Second)
		require.NoError(t, elsewhere.Ready(t.Context()))

		p := &auth.Principal{TokenID: id, Expires: time.Now().Add(time.Hour)}
		vh.Watch(p, func(err error) { ended <- err })
		require.Equal(t, "TOKEN_REVOKED", fault.ReasonOf(<-ended), "a stream that begins too late ends at once")

		restarted := newRevocations(t, db)
		require.True(t, restarted.Has(id), "the list outlives the process")
		again, err := here.Revoke(t.Context(), id, "users/other", "again")
		require.NoError(t, err)
		require.Equal(t, "users/root", again.RevokedBy, "the first entry stays")
	})
}

func TestRevocationsArePagedNewestFirst(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := auth.NewAccessService(nil, newRevocations(t, db), zap.NewNop())
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			_, err := s.RevokeToken(as(t, "users/root", root), &accessv1.RevokeTokenRequest{TokenId: id, Reason: "why " + id})
			require.NoError(t, err)
		}
		_, err := s.RevokeToken(as(t, "users/al", alphaAdmin), &accessv1.RevokeTokenRequest{TokenId: "mine"})
		require.NoError(t, err)

		var ids []string
		req := &accessv1.ListRevocationsRequest{PageSize: 2}
		for {
			resp, err := s.ListRevocations(as(t, "users/root", root), req)
			require.NoError(t, err)
			for _, r := range resp.GetRevocations() {
				ids = append(ids, r.GetTokenId())
			}
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				break
			}
		}
		require.Equal(t, []string{"mine", "e", "d", "c", "b", "a"}, ids)

		resp, err := s.ListRevocations(as(t, "users/al", alphaAdmin), &accessv1.ListRevocationsRequest{})
		require.NoError(t, err)
		require.Len(t, resp.GetRevocations(), 1, "an administrator of one workspace sees the own entries")

		for _, bad := range []string{"x", "!!", "cmV2b2NhdGlvbnM6", "OTk"} {
			_, err = s.ListRevocations(as(t, "users/root", root), &accessv1.ListRevocationsRequest{PageToken: bad})
			require.Equal(t, "PAGE_TOKEN_MISMATCH", fault.ReasonOf(err), bad)
		}
	})
}

func TestNobodyMintsMoreThanTheyHold(t *testing.T) {
	i := newIssuer(t)
	s := auth.NewAccessService(i, nil, zap.NewNop())
	v := newVerifier(t, i.Trusted())
	for _, c := range []struct {
		name   string
		caller map[string][]auth.Role
		grant  *accessv1.Grant
		ok     bool
	}{
		{"root grants admin everywhere", root, grant("*", accessv1.Role_ROLE_ADMIN), true},
		{"root grants a service", root, grant("*", accessv1.Role_ROLE_SERVICE), true},
		{"nobody grants agent", root, grant("default", accessv1.Role_ROLE_AGENT), false},
		{"own workspace", alphaAdmin, grant("alpha", accessv1.Role_ROLE_OPERATOR, accessv1.Role_ROLE_APPROVER), true},
		{"everywhere", alphaAdmin, grant("*", accessv1.Role_ROLE_VIEWER), false},
		{"another workspace", alphaAdmin, grant("gamma", accessv1.Role_ROLE_VIEWER), false},
		{"more than held there", alphaAdmin, grant("beta", accessv1.Role_ROLE_OPERATOR), false},
		{"held there but not to give", alphaAdmin, grant("beta", accessv1.Role_ROLE_VIEWER), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, err := s.MintToken(as(t, "users/x", c.caller), &accessv1.MintTokenRequest{
				Principal: "users/bob", Grants: []*accessv1.Grant{c.grant}, Ttl: durationpb.New(time.Hour),
			})
			if !c.ok {
				require.Equal(t, "GRANT_EXCEEDS_CALLER", fault.ReasonOf(err))
				require.Equal(t, fault.KindDenied, fault.KindOf(err))
				return
			}
			require.NoError(t, err)
			p, err := v.Verify(t.Context(), resp.GetToken())
			require.NoError(t, err)
			who, err := s.WhoAmI(auth.NewContext(t.Context(), p), &accessv1.WhoAmIRequest{})
			require.NoError(t, err)
			require.Equal(t, resp.GetPrincipal().String(), who.GetPrincipal().String(), "verifiers see what was promised")
			require.Equal(t, "users/bob", p.Name)
		})
	}
	_, err := auth.NewAccessService(nil, nil, zap.NewNop()).MintToken(as(t, "users/x", root), &accessv1.MintTokenRequest{})
	require.Equal(t, "NOT_AN_ISSUER", fault.ReasonOf(err))
	_, err = s.WhoAmI(t.Context(), &accessv1.WhoAmIRequest{})
	require.Equal(t, "TOKEN_MISSING", fault.ReasonOf(err))
}
