package rpc_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/rpc"
	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	optionsv1 "github.com/golive-dev/golive/proto/golive/options/v1"
)

// The contract of the tests: a service of every kind of method, made by hand
// over messages that exist, so that no .proto is needed for tests alone.
//
//	Get    (ListEventsRequest)        Event                  deployment.waves.get     parent
//	Create (MintTokenRequest)         MintTokenResponse      deployment.waves.create
//	Nested (MintTokenResponse)        Principal              deployment.waves.update  principal.name
//	Open   (WhoAmIRequest)            Principal              public
//	Watch  (ListEventsRequest)        stream Event           deployment.waves.watch   parent
//	Upload (stream ListEventsRequest) Event                  deployment.waves.create  parent
//	Chat   (stream MintTokenRequest)  stream MintTokenResponse deployment.waves.run
const testService = "rpctest.v1.Test"

type handlers struct {
	get    func(context.Context, *eventv1.ListEventsRequest) (*eventv1.Event, error)
	create func(context.Context, *accessv1.MintTokenRequest) (*accessv1.MintTokenResponse, error)
	nested func(context.Context, *accessv1.MintTokenResponse) (*accessv1.Principal, error)
	open   func(context.Context, *accessv1.WhoAmIRequest) (*accessv1.Principal, error)
	watch  func(*eventv1.ListEventsRequest, grpc.ServerStreamingServer[eventv1.Event]) error
	upload func(grpc.ClientStreamingServer[eventv1.ListEventsRequest, eventv1.Event]) error
	chat   func(grpc.BidiStreamingServer[accessv1.MintTokenRequest, accessv1.MintTokenResponse]) error
}

// register puts the contract into the global registry, once a process.
var register = sync.OnceValue(func() error {
	method := func(name, in, out string, client, server bool, access *optionsv1.Access) *descriptorpb.MethodDescriptorProto {
		options := &descriptorpb.MethodOptions{}
		if access != nil {
			proto.SetExtension(options, optionsv1.E_Access, access)
		}
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: new(".golive." + in), OutputType: new(".golive." + out),
			ClientStreaming: &client, ServerStreaming: &server, Options: options,
		}
	}
	const list, event, mint, minted = "event.v1.ListEventsRequest", "event.v1.Event", "access.v1.MintTokenRequest", "access.v1.MintTokenResponse"
	may := func(permission, field string) *optionsv1.Access {
		return &optionsv1.Access{Permission: permission, ResourceField: field}
	}
	bad := func(name string, access *optionsv1.Access) *descriptorpb.ServiceDescriptorProto {
		return &descriptorpb.ServiceDescriptorProto{
			Name: new(name), Method: []*descriptorpb.MethodDescriptorProto{method("Get", list, event, false, false, access)},
		}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("rpctest/v1/test.proto"), Package: new("rpctest.v1"), Syntax: new("proto3"),
		Dependency: []string{"golive/event/v1/event.proto", "golive/access/v1/access.proto", "golive/options/v1/options.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{
			{
				Name: new("Test"),
				Method: []*descriptorpb.MethodDescriptorProto{
					method("Get", list, event, false, false, may("deployment.waves.get", "parent")),
					method("Create", mint, minted, false, false, may("deployment.waves.create", "")),
					method("Nested", minted, "access.v1.Principal", false, false, may("deployment.waves.update", "principal.name")),
					method("Open", "access.v1.WhoAmIRequest", "access.v1.Principal", false, false, &optionsv1.Access{Public: true}),
					method("Watch", list, event, false, true, may("deployment.waves.watch", "parent")),
					method("Upload", list, event, true, false, may("deployment.waves.create", "parent")),
					method("Chat", mint, minted, true, true, may("deployment.waves.run", "")),
				},
			},
			bad("NoOption", nil), bad("Empty", may("", "parent")), bad("NoField", may("a.b.get", "nothing")),
			bad("NoString", may("a.b.get", "page_size")), bad("Repeated", may("a.b.get", "types")), bad("TooDeep", may("a.b.get", "parent.name")),
			bad("Both", &optionsv1.Access{Public: true, Permission: "a.b.get"}),
		},
	}, protoregistry.GlobalFiles)
	if err != nil {
		return err
	}
	return protoregistry.GlobalFiles.RegisterFile(file)
})

// unary is what protoc-gen-go-grpc would write for a unary method.
func unary[Req, Resp any](name string, pick func(*handlers) func(context.Context, *Req) (*Resp, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(srv any, ctx context.Context, dec func(any) error, chain grpc.UnaryServerInterceptor) (any, error) {
		in := new(Req)
		if err := dec(in); err != nil {
			return nil, err
		}
		handler := func(ctx context.Context, req any) (any, error) { return pick(srv.(*handlers))(ctx, req.(*Req)) }
		if chain == nil {
			return handler(ctx, in)
		}
		return chain(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + testService + "/" + name}, handler)
	}}
}

var testDesc = grpc.ServiceDesc{
	ServiceName: testService, HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		unary("Get", func(h *handlers) func(context.Context, *eventv1.ListEventsRequest) (*eventv1.Event, error) {
			return h.get
		}),
		unary("Create", func(h *handlers) func(context.Context, *accessv1.MintTokenRequest) (*accessv1.MintTokenResponse, error) {
			return h.create
		}),
		unary("Nested", func(h *handlers) func(context.Context, *accessv1.MintTokenResponse) (*accessv1.Principal, error) {
			return h.nested
		}),
		unary("Open", func(h *handlers) func(context.Context, *accessv1.WhoAmIRequest) (*accessv1.Principal, error) {
			return h.open
		}),
	},
	Streams: []grpc.StreamDesc{
		{StreamName: "Watch", ServerStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
			m := new(eventv1.ListEventsRequest)
			if err := s.RecvMsg(m); err != nil {
				return err
			}
			return srv.(*handlers).watch(m, &grpc.GenericServerStream[eventv1.ListEventsRequest, eventv1.Event]{ServerStream: s})
		}},
		{StreamName: "Upload", ClientStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
			return srv.(*handlers).upload(&grpc.GenericServerStream[eventv1.ListEventsRequest, eventv1.Event]{ServerStream: s})
		}},
		{StreamName: "Chat", ClientStreams: true, ServerStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
			return srv.(*handlers).chat(&grpc.GenericServerStream[accessv1.MintTokenRequest, accessv1.MintTokenResponse]{ServerStream: s})
		}},
	},
}

// bundle is a server with the test service, and ways to reach it.
type bundle struct {
	issuer  *auth.Issuer
	revoked *auth.Revocations
	cfg     rpc.Config
	h       *handlers
	server  *rpc.Server
	address string
}

func newBundle(tb testing.TB) *bundle {
	tb.Helper()
	require.NoError(tb, register())
	issuer, err := auth.LoadIssuer(filepath.Join(tb.TempDir(), "issuer.pem"))
	require.NoError(tb, err)
	return &bundle{issuer: issuer, h: echoes(), cfg: rpc.Config{Name: "test"}}
}

// echoes are handlers that answer what they were asked.
func echoes() *handlers {
	return &handlers{
		get: func(_ context.Context, req *eventv1.ListEventsRequest) (*eventv1.Event, error) {
			return &eventv1.Event{Resource: req.GetParent()}, nil
		},
		create: func(_ context.Context, req *accessv1.MintTokenRequest) (*accessv1.MintTokenResponse, error) {
			return &accessv1.MintTokenResponse{Token: req.GetPrincipal()}, nil
		},
		nested: func(_ context.Context, req *accessv1.MintTokenResponse) (*accessv1.Principal, error) {
			return req.GetPrincipal(), nil
		},
		open: func(ctx context.Context, _ *accessv1.WhoAmIRequest) (*accessv1.Principal, error) {
			p, _ := auth.FromContext(ctx)
			return &accessv1.Principal{Name: fmt.Sprint(p != nil)}, nil
		},
		watch: func(req *eventv1.ListEventsRequest, s grpc.ServerStreamingServer[eventv1.Event]) error {
			for i := range int64(req.GetPageSize()) {
				if err := s.Send(&eventv1.Event{Resource: req.GetParent(), Revision: i}); err != nil {
					return err
				}
			}
			return nil
		},
		upload: func(s grpc.ClientStreamingServer[eventv1.ListEventsRequest, eventv1.Event]) error {
			n, last := int64(0), ""
			for req, err := s.Recv(); err == nil; req, err = s.Recv() {
				n, last = n+1, req.GetParent()
			}
			return s.SendAndClose(&eventv1.Event{Resource: last, Revision: n})
		},
		chat: func(s grpc.BidiStreamingServer[accessv1.MintTokenRequest, accessv1.MintTokenResponse]) error {
			for {
				req, err := s.Recv()
				if err != nil {
					return nil //nolint:nilerr // the client is done
				}
				if err := s.Send(&accessv1.MintTokenResponse{Token: req.GetPrincipal()}); err != nil {
					return err
				}
			}
		},
	}
}

// start serves on a loopback port until the test ends.
func (b *bundle) start(tb testing.TB) *bundle {
	tb.Helper()
	if b.cfg.Verifier == nil {
		v, err := auth.NewVerifier([]auth.TrustedIssuer{b.issuer.Trusted()}, b.revoked)
		require.NoError(tb, err)
		b.cfg.Verifier = v
	}
	server, err := rpc.NewServer(b.cfg)
	require.NoError(tb, err)
	server.RegisterService(&testDesc, b.h)
	lis, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(tb.Context(), lis) }() // the context ends before the cleanup runs
	tb.Cleanup(func() { require.NoError(tb, <-done) })
	b.server, b.address = server, lis.Addr().String()
	return b
}

// socket is a plain gRPC connection: what Dial adds has tests of its own.
func (b *bundle) socket(tb testing.TB) grpc.ClientConnInterface {
	tb.Helper()
	conn, err := grpc.NewClient(b.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, conn.Close()) })
	return conn
}

// each runs the test over a socket and in process: what holds for one must hold for the other.
func (b *bundle) each(t *testing.T, test func(t *testing.T, conn grpc.ClientConnInterface)) {
	t.Helper()
	b.start(t)
	t.Run("socket", func(t *testing.T) { test(t, b.socket(t)) })
	t.Run("local", func(t *testing.T) { test(t, b.server.Local()) })
}

func (b *bundle) token(tb testing.TB, name string, grants map[string][]auth.Role, ttl time.Duration) (token, id string) {
	tb.Helper()
	token, id, err := b.issuer.Mint(auth.Claims{Name: name, Grants: grants, TTL: ttl})
	require.NoError(tb, err)
	return token, id
}

// as returns the connection with a token of alice's.
func (b *bundle) as(tb testing.TB, conn grpc.ClientConnInterface, grants map[string][]auth.Role) grpc.ClientConnInterface {
	tb.Helper()
	token, _ := b.token(tb, "users/alice", grants, time.Hour)
	return rpc.WithToken(conn, auth.StaticToken(token))
}

var operator = map[string][]auth.Role{"default": {auth.Operator}}

func call[Resp any](ctx context.Context, conn grpc.ClientConnInterface, method string, req proto.Message, opts ...grpc.CallOption) (*Resp, error) {
	resp := new(Resp)
	err := conn.Invoke(ctx, "/"+testService+"/"+method, req, resp, opts...)
	return resp, err
}

func get(ctx context.Context, conn grpc.ClientConnInterface, parent string, opts ...grpc.CallOption) (*eventv1.Event, error) {
	return call[eventv1.Event](ctx, conn, "Get", &eventv1.ListEventsRequest{Parent: parent}, opts...)
}

// open opens a stream of the test service.
func open(ctx context.Context, tb testing.TB, conn grpc.ClientConnInterface, method string) grpc.ClientStream {
	tb.Helper()
	for i := range testDesc.Streams {
		if d := &testDesc.Streams[i]; d.StreamName == method {
			s, err := conn.NewStream(ctx, d, "/"+testService+"/"+method)
			require.NoError(tb, err)
			return s
		}
	}
	require.Fail(tb, "no such stream")
	return nil
}
