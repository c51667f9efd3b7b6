package rpc

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/golive-dev/golive/pkg/auth"
	optionsv1 "github.com/golive-dev/golive/proto/golive/options/v1"
)

// ClientConfig says how to talk to a server. The zero value speaks plain text without a token.
type ClientConfig struct {
	Token     auth.TokenSource     // Sent with each call; none when nil.
	TLS       *tls.Config          // See [ClientTLS]; plain text when nil.
	Plaintext bool                 // Allows a token in plain text beyond loopback, where the network itself is private.
	Tracing   trace.TracerProvider // Gets the spans; none when nil.
	MaxRecv   int                  // The largest answer in bytes; 16 MiB when 0.
}

const defaultMaxAnswer = 16 << 20

// How soon it is noticed that the other side is gone, and that it is back. gRPC would leave one that was long gone alone for two
// minutes, and a connection whose packets vanish for as long as TCP likes.
const (
	quietFor       = 12 * time.Second // above what servers take for too many pings
	unheardFor     = 8 * time.Second  // the longest that what was sent may stay unacknowledged
	connectWithin  = 5 * time.Second
	firstReconnect = 100 * time.Millisecond
	lastReconnect  = 2 * time.Second
)

// Dial returns a connection to target. It connects when it is first used, and again whenever it must.
func Dial(target string, cfg ClientConfig) (*grpc.ClientConn, error) {
	if cfg.Token != nil && cfg.TLS == nil && !cfg.Plaintext && !loopback(target) {
		return nil, fmt.Errorf("dial %s: a token would cross the network in plain text; use TLS", target)
	}
	policy, err := servicePolicy()
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", target, err)
	}
	transport := insecure.NewCredentials()
	if cfg.TLS != nil {
		transport = credentials.NewTLS(cfg.TLS)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(policy),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(orDefault(cfg.MaxRecv, defaultMaxAnswer))),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: quietFor, Timeout: unheardFor}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: firstReconnect, Multiplier: 1.6, Jitter: 0.5, MaxDelay: lastReconnect},
			MinConnectTimeout: connectWithin,
		}),
	}
	if cfg.Token != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer{cfg.Token}))
	}
	if cfg.Tracing != nil {
		tracer := cfg.Tracing.Tracer("github.com/golive-dev/golive/pkg/rpc")
		options = append(options, grpc.WithChainUnaryInterceptor(traceUnary(tracer)), grpc.WithChainStreamInterceptor(traceStream))
	}
	conn, err := grpc.NewClient(target, options...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", target, err)
	}
	return conn, nil
}

// loopback tells whether what is sent to target stays on this machine.
func loopback(target string) bool {
	address := target
	if u, err := url.Parse(target); err == nil && u.Scheme != "" && (u.Host != "" || u.Path != "" || u.Opaque != "") {
		switch u.Scheme {
		case "unix", "unix-abstract":
			return true
		case "dns", "passthrough", "ipv4", "ipv6":
			address = strings.TrimPrefix(u.Path+u.Opaque, "/")
		}
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// bearer sends a token with each call. Whether the transport is good enough for it was decided by Dial.
type bearer struct{ source auth.TokenSource }

// GetRequestMetadata returns the authorization header.
func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.source(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity is false, because loopback needs none.
func (bearer) RequireTransportSecurity() bool { return false }

// WithToken returns the connection with a token on each call: how a service
// that reaches another through Local says who it is.
func WithToken(conn grpc.ClientConnInterface, source auth.TokenSource) grpc.ClientConnInterface {
	return withToken{conn, source}
}

type withToken struct {
	conn   grpc.ClientConnInterface
	source auth.TokenSource
}

// Invoke makes a unary call.
func (w withToken) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	ctx, err := w.identify(ctx)
	if err != nil {
		return err
	}
	return w.conn.Invoke(ctx, method, args, reply, opts...)
}

// NewStream opens a stream.
func (w withToken) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := w.identify(ctx)
	if err != nil {
		return nil, err
	}
	return w.conn.NewStream(ctx, desc, method, opts...)
}

func (w withToken) identify(ctx context.Context) (context.Context, error) {
	token, err := w.source(ctx)
	if err != nil {
		return nil, fmt.Errorf("get a token: %w", err)
	}
	md, ok := metadata.FromOutgoingContext(ctx) // a copy
	if !ok {
		md = make(metadata.MD, 1)
	}
	md.Set("authorization", "Bearer "+token) // its own identity, never that of whom it serves
	return metadata.NewOutgoingContext(ctx, md), nil
}

// servicePolicy spreads calls over all addresses of a name, and repeats reads,
// and only reads, that found nobody. gRPC draws each delay from a fifth around its bound.
func servicePolicy() (string, error) {
	type name struct {
		Service string `json:"service"`
		Method  string `json:"method"`
	}
	var reads []name
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				m := methods.Get(j)
				access, _ := proto.GetExtension(m.Options(), optionsv1.E_Access).(*optionsv1.Access)
				if auth.Reads(access.GetPermission()) && !m.IsStreamingClient() && !m.IsStreamingServer() {
					reads = append(reads, name{string(m.Parent().FullName()), string(m.Name())})
				}
			}
		}
		return true
	})
	config := map[string]any{"loadBalancingConfig": []any{map[string]any{"round_robin": struct{}{}}}}
	if len(reads) > 0 {
		config["methodConfig"] = []any{map[string]any{"name": reads, "retryPolicy": map[string]any{
			"maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 3,
			"retryableStatusCodes": []string{"UNAVAILABLE"},
		}}}
	}
	encoded, err := json.Marshal(config)
	return string(encoded), err
}
