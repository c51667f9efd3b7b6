package rpc

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/golive-dev/golive/pkg/fault"
)

// The W3C header is read and written here rather than by otelgrpc, whose
// handler also measures sizes and durations that instruments.go has already,
// and which does not see calls that arrive without a socket.

// startSpan begins the server's span below the caller's, if the caller has one.
func (c *chain) startSpan(ctx context.Context, m *method) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, incoming{ctx})
	return c.tracer.Start(ctx, m.full[1:], m.spanOptions...) //nolint:spancheck // the end of the call ends it
}

// incoming reads propagation fields from a request.
type incoming struct{ ctx context.Context } //nolint:containedctx // lives for one call of Extract

// Get returns the first value.
func (i incoming) Get(key string) string {
	if values := metadata.ValueFromIncomingContext(i.ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Set is not for requests that have arrived.
func (incoming) Set(string, string) {}

// Keys is not needed to extract.
func (incoming) Keys() []string { return nil }

// outgoing writes propagation fields into the metadata of a call.
type outgoing struct{ md metadata.MD }

// Get is not needed to inject.
func (outgoing) Get(string) string { return "" }

// Set sets the only value.
func (o outgoing) Set(key, value string) { o.md.Set(key, value) }

// Keys is not needed to inject.
func (outgoing) Keys() []string { return nil }

// inject returns ctx with the span's identity in the metadata that will be sent.
func inject(ctx context.Context) context.Context {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	md, ok := metadata.FromOutgoingContext(ctx) // a copy
	if !ok {
		md = make(metadata.MD, 2)
	}
	propagation.TraceContext{}.Inject(ctx, outgoing{md})
	return metadata.NewOutgoingContext(ctx, md)
}

// traceUnary makes a span of each call and sends its identity along.
func traceUnary(tracer trace.Tracer) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		ctx, span := tracer.Start(ctx, method[1:], trace.WithSpanKind(trace.SpanKindClient))
		defer span.End()
		err := invoke(inject(ctx), method, req, reply, cc, opts...)
		if err != nil {
			span.SetStatus(codes.Error, fault.KindOf(err).String())
		}
		return err
	}
}

// traceStream sends the identity of the caller's span along; a stream may last for days and is no span.
func traceStream(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return open(inject(ctx), desc, cc, method, opts...)
}
