package rpc

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
)

// RequestIDKey is the metadata key under which a caller may name its request,
// and under which the name is answered.
const RequestIDKey = "x-request-id"

// call is one request on its way through the chain.
type call struct {
	method    *method
	id        string
	start     time.Time
	span      trace.Span // nil: not traced
	peer      *peer.Peer
	principal *auth.Principal // nil until authenticated, and in public methods
}

type callKey struct{}

// RequestID returns the id of the request that ctx belongs to, "" outside of one.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.id
	}
	return ""
}

func (c *chain) begin(ctx context.Context, m *method) (context.Context, *call) {
	call := &call{method: m, id: requestID(ctx), start: time.Now()}
	call.peer, _ = peer.FromContext(ctx)
	if c.tracer != nil {
		ctx, call.span = c.startSpan(ctx, m)
	}
	return context.WithValue(ctx, callKey{}, call), call
}

// end turns the handler's error into the fault that the caller sees, and
// records the call. It is the only place that logs a request.
func (c *chain) end(call *call, err error) error {
	code, took := grpccodes.OK, time.Since(call.start)
	var answer error
	if err != nil {
		f := fault.From(err).Meta("request_id", call.id)
		code, answer = f.Kind().Code(), f
	}
	c.metrics.record(call.method, code, took)
	if call.span != nil {
		if code != grpccodes.OK {
			call.span.SetStatus(codes.Error, code.String())
		}
		call.span.End()
	}
	c.line(call, code, took, err)
	return answer
}

// line writes the request line. A defect of ours is an error with its cause; a
// request that was refused is not.
func (c *chain) line(call *call, code grpccodes.Code, took time.Duration, err error) {
	level := zapcore.InfoLevel
	switch {
	case code == grpccodes.Internal:
		level = zapcore.ErrorLevel
	case code == grpccodes.OK && c.quiet:
		level = zapcore.DebugLevel
	}
	entry := c.logger.Check(level, "rpc")
	if entry == nil {
		return
	}
	var buffer [8]zap.Field
	fields := append(buffer[:0], zap.String("method", call.method.full), zap.String("code", code.String()),
		zap.Duration("took", took), zap.String("request_id", call.id))
	if call.principal != nil {
		fields = append(fields, zap.String("principal", call.principal.Name))
	}
	if call.peer != nil && call.peer.Addr != nil {
		fields = append(fields, zap.Stringer("peer", call.peer.Addr))
	}
	if err != nil {
		fields = append(fields, zap.String("reason", fault.ReasonOf(err)), zap.Error(err))
	}
	entry.Write(fields...)
}

// announce answers the request id: in the header, or in the trailer of an
// error, because a client does not repeat a call whose header it has seen. It
// can only fail where the handler has sent the header, and then it is only the id that lacks.
func (c *call) announce(ctx context.Context, err error) {
	if err != nil {
		_ = grpc.SetTrailer(ctx, c.header())
		return
	}
	_ = grpc.SetHeader(ctx, c.header())
}

func (c *call) header() metadata.MD { return metadata.MD{RequestIDKey: {c.id}} }

// requestID accepts what the caller says, if it is short and plain enough for
// logs, and else draws one. It names a request and protects nothing.
func requestID(ctx context.Context) string {
	if given := metadata.ValueFromIncomingContext(ctx, RequestIDKey); len(given) == 1 && plain(given[0]) {
		return given[0]
	}
	var raw [16]byte
	binary.NativeEndian.PutUint64(raw[:8], rand.Uint64()) //nolint:gosec // unique is enough, and drawn for every request
	binary.NativeEndian.PutUint64(raw[8:], rand.Uint64()) //nolint:gosec // the same
	return hex.EncodeToString(raw[:])
}

func plain(id string) bool {
	for _, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' && c != ':' {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// cutBy returns the fault for which the chain ended the context, nil if something else did.
func cutBy(ctx context.Context) error {
	if f, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok {
		return f
	}
	return nil
}
