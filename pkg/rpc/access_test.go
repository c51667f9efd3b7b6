package rpc_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/rpc"
	"github.com/golive-dev/golive/pkg/sqldb"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

func TestServerWithoutAnswerToWhoMayDoesNotStart(t *testing.T) {
	b := newBundle(t).start(t)
	require.NoError(t, b.server.Check())
	for service, want := range map[string]string{
		"NoOption": "must give a permission", "Empty": "must give a permission", "Both": "must give a permission",
		"NoField": "no single field nothing", "NoString": "not a string", "Repeated": "no single field types", "TooDeep": "in no message",
		"Unlinked": "no descriptor",
	} {
		t.Run(service, func(t *testing.T) {
			server, err := rpc.NewServer(b.cfg)
			require.NoError(t, err)
			desc := grpc.ServiceDesc{ServiceName: "rpctest.v1." + service, HandlerType: (*any)(nil), Methods: testDesc.Methods[:1]}
			server.RegisterService(&desc, b.h)
			require.ErrorContains(t, server.Check(), want)
			require.ErrorContains(t, server.Serve(t.Context(), listen(t)), want)
			err = server.Local().Invoke(t.Context(), "/rpctest.v1."+service+"/Get", &eventv1.ListEventsRequest{}, &eventv1.Event{})
			require.Error(t, err, "and if it did, nobody could call it")
		})
	}
	server, err := rpc.NewServer(b.cfg)
	require.NoError(t, err)
	healthv1.RegisterHealthServer(server, healthv1.UnimplementedHealthServer{})
	require.ErrorContains(t, server.Check(), "/grpc.health.v1.Health/Check")
	require.ErrorContains(t, server.Check(), "/grpc.health.v1.Health/Watch", "streams too, and all are named at once")
	_, err = rpc.NewServer(rpc.Config{})
	require.ErrorContains(t, err, "verifier")
}

func TestNoPermissionNoAnswer(t *testing.T) {
	b := newBundle(t)
	var reached atomic.Int64
	b.h.get = func(context.Context, *eventv1.ListEventsRequest) (*eventv1.Event, error) {
		reached.Add(1)
		return &eventv1.Event{}, nil
	}
	b.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		reached.Store(0)
		const default1 = "workspaces/default/waves/1"
		good, _ := b.token(t, "users/alice", operator, time.Hour)
		old, _ := b.token(t, "users/alice", operator, -time.Hour)
		for name, c := range map[string]struct {
			header []string
			parent string
			kind   fault.Kind
			reason string
		}{
			"no token":              {nil, default1, fault.KindUnauthenticated, "TOKEN_MISSING"},
			"no scheme":             {[]string{good}, default1, fault.KindUnauthenticated, "TOKEN_INVALID"},
			"other scheme":          {[]string{"Basic " + good}, default1, fault.KindUnauthenticated, "TOKEN_INVALID"},
			"two tokens":            {[]string{"Bearer " + good, "Bearer " + good}, default1, fault.KindUnauthenticated, "TOKEN_INVALID"},
			"tampered":              {[]string{"Bearer " + good[:len(good)-4] + "AAAA"}, default1, fault.KindUnauthenticated, "TOKEN_INVALID"},
			"expired":               {[]string{"Bearer " + old}, default1, fault.KindUnauthenticated, "TOKEN_EXPIRED"},
			"another workspace":     {[]string{"Bearer " + good}, "workspaces/other/waves/1", fault.KindDenied, "PERMISSION_DENIED"},
			"prefix of a workspace": {[]string{"Bearer " + good}, "workspaces/defaults", fault.KindDenied, "PERMISSION_DENIED"},
			"all workspaces":        {[]string{"Bearer " + good}, "workspaces/-", fault.KindDenied, "PERMISSION_DENIED"},
			"the grant's star":      {[]string{"Bearer " + good}, "workspaces/*", fault.KindDenied, "PERMISSION_DENIED"},
			"no workspace":          {[]string{"Bearer " + good}, "", fault.KindInvalid, "INVALID_FIELD"},
			"empty workspace":       {[]string{"Bearer " + good}, "workspaces//waves/1", fault.KindInvalid, "INVALID_FIELD"},
			"no resource name":      {[]string{"Bearer " + good}, "default/waves/1", fault.KindInvalid, "INVALID_FIELD"},
		} {
			t.Run(name, func(t *testing.T) {
				ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": c.header})
				_, err := get(ctx, conn, c.parent)
				require.Equal(t, c.reason, fault.ReasonOf(err))
				require.Equal(t, c.kind, fault.KindOf(err))
			})
		}
		require.Zero(t, reached.Load(), "the handler was never asked")
		_, err := get(metadata.AppendToOutgoingContext(t.Context(), "authorization", "bearer "+good), conn, default1)
		require.NoError(t, err)
		require.EqualValues(t, 1, reached.Load())
	})
}

func TestRolesAndNestedNames(t *testing.T) {
	newBundle(t).run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		viewer := b.as(t, conn, map[string][]auth.Role{"default": {auth.Viewer}, "other": {auth.Operator}})
		nested := func(name string) error {
			_, err := call[accessv1.Principal](t.Context(), viewer, "Nested", &accessv1.MintTokenResponse{Principal: &accessv1.Principal{Name: name}})
			return err
		}
		require.NoError(t, nested("workspaces/other/x/1"))
		require.True(t, fault.Is(nested("workspaces/default/x/1"), fault.KindDenied))
		_, err := call[accessv1.Principal](t.Context(), viewer, "Nested", &accessv1.MintTokenResponse{})
		require.Equal(t, "INVALID_FIELD", fault.ReasonOf(err), "an absent message has no name")
		require.Equal(t, "principal.name", fault.From(err).Fields()[0].GetField())
		agent := b.as(t, conn, map[string][]auth.Role{"default": {auth.Agent}})
		_, err = call[accessv1.Principal](t.Context(), agent, "Nested", &accessv1.MintTokenResponse{})
		require.True(t, fault.Is(err, fault.KindDenied), "who may do it nowhere learns nothing about the request")

		p, err := call[accessv1.Principal](t.Context(), conn, "Open", &accessv1.WhoAmIRequest{})
		require.NoError(t, err)
		require.Equal(t, "false", p.GetName(), "a public method has no principal")
		alice := auth.NewContext(t.Context(), &auth.Principal{Name: "users/alice", Grants: operator})
		p, err = call[accessv1.Principal](alice, conn, "Open", &accessv1.WhoAmIRequest{})
		require.NoError(t, err)
		require.Equal(t, "false", p.GetName(), "nor does the caller's leak into it")
		_, err = get(alice, conn, "workspaces/default")
		require.Equal(t, "TOKEN_MISSING", fault.ReasonOf(err))
	})
}

// run is each without handlers of its own.
func (b *bundle) run(t *testing.T, test func(t *testing.T, b *bundle, conn grpc.ClientConnInterface)) {
	t.Helper()
	b.each(t, func(t *testing.T, conn grpc.ClientConnInterface) { test(t, b, conn) })
}

func TestStreamsAreDeniedByTheirFirstMessage(t *testing.T) {
	b := newBundle(t)
	told := make(chan error, 10)
	b.h.upload = func(s grpc.ClientStreamingServer[eventv1.ListEventsRequest, eventv1.Event]) error {
		told <- s.SendMsg(&eventv1.Event{Resource: "secret"}) // before anything is authorised
		if _, err := s.Recv(); err != nil {
			return s.SendAndClose(&eventv1.Event{Resource: "secret"}) // and in spite of it
		}
		return s.SendAndClose(&eventv1.Event{Resource: "told"})
	}
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		end := func(conn grpc.ClientConnInterface, method, parent string) error {
			s := open(t.Context(), t, conn, method)
			_ = s.SendMsg(&eventv1.ListEventsRequest{Parent: parent, PageSize: 1}) // may be too late already; RecvMsg tells
			require.NoError(t, s.CloseSend())
			return s.RecvMsg(&eventv1.Event{})
		}
		alice := b.as(t, conn, operator)
		for _, method := range []string{"Watch", "Upload"} {
			require.NoError(t, end(alice, method, "workspaces/default"))
			require.Equal(t, "PERMISSION_DENIED", fault.ReasonOf(end(alice, method, "workspaces/other")), method)
			require.Equal(t, "TOKEN_MISSING", fault.ReasonOf(end(conn, method, "workspaces/default")), method)
		}
		require.Equal(t, "INVALID_FIELD", fault.ReasonOf(end(alice, "Watch", "")))
		for range 2 {
			require.True(t, fault.Is(<-told, fault.KindDenied))
		}
		chat := open(t.Context(), t, b.as(t, conn, map[string][]auth.Role{"default": {auth.Viewer}}), "Chat")
		require.Equal(t, "PERMISSION_DENIED", fault.ReasonOf(chat.RecvMsg(&accessv1.MintTokenResponse{})), "without a message: no resource is named")
	})
}

func TestStreamEndsWithItsToken(t *testing.T) {
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + t.TempDir() + "/auth.db"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context(), auth.Source()))
	b := newBundle(t)
	b.revoked, err = auth.NewRevocations(t.Context(), db, zap.NewNop())
	require.NoError(t, err)
	deaf := make(chan struct{}, 10)
	b.h.watch = func(_ *eventv1.ListEventsRequest, s grpc.ServerStreamingServer[eventv1.Event]) error {
		if err := s.Send(&eventv1.Event{}); err != nil {
			return err
		}
		<-s.Context().Done()
		return nil // claims a proper end
	}
	b.h.chat = func(s grpc.BidiStreamingServer[accessv1.MintTokenRequest, accessv1.MintTokenResponse]) error {
		_ = s.Send(&accessv1.MintTokenResponse{})
		_, _ = s.Recv() // waits in the transport and does not look at its context
		deaf <- struct{}{}
		return nil
	}
	b.run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		begin := func(ttl time.Duration) (id string, streams []grpc.ClientStream) {
			token, id := b.token(t, "users/alice", operator, ttl)
			mine := rpc.WithToken(conn, auth.StaticToken(token))
			for _, method := range []string{"Watch", "Chat"} {
				s := open(t.Context(), t, mine, method)
				if method == "Watch" {
					require.NoError(t, s.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default"}))
				}
				require.NoError(t, s.RecvMsg(&eventv1.Event{}))
				streams = append(streams, s)
			}
			return id, streams
		}
		id, streams := begin(time.Hour)
		start := time.Now()
		_, err := b.revoked.Revoke(t.Context(), id, "users/root", "")
		require.NoError(t, err)
		for _, s := range streams {
			require.Equal(t, "TOKEN_REVOKED", fault.ReasonOf(s.RecvMsg(&eventv1.Event{})))
		}
		<-deaf
		require.Less(t, time.Since(start), time.Second)

		// Expired at 29.5 s ago, so that the leeway ends in half a second.
		_, streams = begin(-auth.Leeway + time.Second)
		start = time.Now()
		for _, s := range streams {
			require.Equal(t, "TOKEN_EXPIRED", fault.ReasonOf(s.RecvMsg(&eventv1.Event{})))
		}
		<-deaf
		require.Less(t, time.Since(start), 2*time.Second)
	})
}

func TestRateIsPerPrincipal(t *testing.T) {
	b := newBundle(t)
	b.cfg.Rate = rpc.Rate{PerSecond: 0.5, Burst: 3}
	b.start(t)
	for transport, conn := range map[string]grpc.ClientConnInterface{"socket": b.socket(t), "local": b.server.Local()} {
		token, _ := b.token(t, "users/"+transport, operator, time.Hour)
		second, _ := b.token(t, "users/"+transport, operator, time.Hour)
		for range 3 {
			_, err := get(t.Context(), rpc.WithToken(conn, auth.StaticToken(token)), "workspaces/default")
			require.NoError(t, err)
		}
		for _, mine := range []string{token, second} {
			_, err := get(t.Context(), rpc.WithToken(conn, auth.StaticToken(mine)), "workspaces/default")
			require.Equal(t, "RATE_LIMITED", fault.ReasonOf(err), "another token of one person is no other bucket")
			require.True(t, fault.Is(err, fault.KindExhausted))
			require.Positive(t, fault.From(err).RetryDelay())
			require.LessOrEqual(t, fault.From(err).RetryDelay(), 2*time.Second)
		}
		other, _ := b.token(t, "users/other-"+transport, operator, time.Hour)
		_, err := get(t.Context(), rpc.WithToken(conn, auth.StaticToken(other)), "workspaces/default")
		require.NoError(t, err)
	}
}

func TestBrokenRulesAreNamed(t *testing.T) {
	newBundle(t).run(t, func(t *testing.T, b *bundle, conn grpc.ClientConnInterface) {
		alice := b.as(t, conn, operator)
		_, err := call[accessv1.MintTokenResponse](t.Context(), alice, "Create", &accessv1.MintTokenRequest{
			Principal: "Alice", Grants: []*accessv1.Grant{{Workspace: "workspaces/default", Roles: []accessv1.Role{77}}},
		})
		f := fault.From(err)
		require.Equal(t, fault.KindInvalid, f.Kind())
		require.Equal(t, "INVALID_FIELD", f.Reason())
		var paths []string
		for _, v := range f.Fields() {
			paths = append(paths, v.GetField())
			require.NotEmpty(t, v.GetDescription())
		}
		require.Equal(t, []string{"principal", "grants[0].roles[0]"}, paths)

		_, err = call[eventv1.Event](t.Context(), alice, "Get", &eventv1.ListEventsRequest{Parent: "workspaces/default", PageSize: -1})
		require.Contains(t, fault.From(err).Message(), "page_size")
		chat := open(t.Context(), t, alice, "Chat")
		require.NoError(t, chat.SendMsg(&accessv1.MintTokenRequest{Principal: "users/a", Grants: []*accessv1.Grant{{Workspace: "workspaces/default", Roles: []accessv1.Role{1}}}}))
		require.NoError(t, chat.RecvMsg(&accessv1.MintTokenResponse{}))
		watch := open(t.Context(), t, alice, "Watch")
		require.NoError(t, watch.SendMsg(&eventv1.ListEventsRequest{Parent: "workspaces/default", PageSize: -1}))
		require.Equal(t, "INVALID_FIELD", fault.ReasonOf(watch.RecvMsg(&eventv1.Event{})), "streams too")
		many := &accessv1.MintTokenRequest{Principal: "users/a"}
		for range 200 {
			many.Grants = append(many.Grants, &accessv1.Grant{Workspace: strings.Repeat("x", 10)})
		}
		_, err = call[accessv1.MintTokenResponse](t.Context(), alice, "Create", many)
		require.Len(t, fault.From(err).Fields(), 50, "an answer has a bound")
	})
}
