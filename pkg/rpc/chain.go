package rpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
)

// chain is what surrounds every handler. It is one function rather than a list
// of interceptors: the order is read top to bottom, and what one step learns the next has.
type chain struct {
	name      string
	logger    *zap.Logger
	verifier  *auth.Verifier
	validator protovalidate.Validator
	tracer    trace.Tracer // nil: no traces
	metrics   *instruments
	limits    *limits
	deadline  time.Duration
	quiet     bool // successful calls are logged at level debug
	methods   map[string]*method
	streams   *streams
}

func newChain(cfg *Config) (*chain, error) {
	if cfg.Verifier == nil {
		return nil, errors.New("a verifier is needed to know who calls")
	}
	v, err := validator()
	if err != nil {
		return nil, fmt.Errorf("prepare validation: %w", err)
	}
	metrics, err := newInstruments(cfg.Name, cfg.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	c := &chain{
		name: cfg.Name, logger: orDefault(cfg.Logger, zap.NewNop()), verifier: cfg.Verifier, validator: v, metrics: metrics,
		limits: newLimits(cfg.Rate), deadline: orDefault(cfg.Deadline, defaultDeadline), quiet: cfg.DebugRequest,
		methods: make(map[string]*method), streams: newStreams(),
	}
	if cfg.Tracing != nil {
		c.tracer = cfg.Tracing.Tracer("github.com/golive-dev/golive/pkg/rpc")
	}
	return c, nil
}

// add resolves a method. One that cannot be resolved is not in the map, and so is denied.
func (c *chain) add(service, name string) error {
	m, err := resolve(service, name)
	if err == nil {
		c.methods[m.full] = m
	}
	return err
}

// unary is the chain around a unary handler.
func (c *chain) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	m := c.methods[info.FullMethod]
	if m == nil {
		return nil, unknownMethod()
	}
	ctx, call := c.begin(ctx, m)
	defer func() {
		if v := recover(); v != nil {
			err = c.panicked(call, v)
		}
		if err = c.end(call, err); err != nil {
			resp = nil
		}
		call.announce(ctx, err)
	}()
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.deadline)
		defer cancel()
	}
	if ctx, err = c.authenticate(ctx, call); err != nil {
		return nil, err
	}
	if err = c.authorise(call, req); err != nil {
		return nil, err
	}
	if err = c.limits.take(call); err != nil {
		return nil, err
	}
	if err = c.validate(req); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

// stream is the chain around a streaming handler. Authorisation and validation
// of what arrives are in guarded, because the request is the first message.
func (c *chain) stream(impl any, inner grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	m := c.methods[info.FullMethod]
	if m == nil {
		return unknownMethod()
	}
	ctx, call := c.begin(inner.Context(), m)
	c.metrics.open.Inc()
	defer func() {
		c.metrics.open.Dec()
		err = c.end(call, err)
	}()
	if err = inner.SetHeader(call.header()); err != nil {
		return err
	}
	if ctx, err = c.authenticate(ctx, call); err != nil {
		return err
	}
	g := &guarded{ServerStream: inner, chain: c, call: call}
	if len(m.resource) == 0 {
		if err = c.authorise(call, nil); err != nil {
			return err
		}
		g.allowed.Store(true)
	}
	if err = c.limits.take(call); err != nil {
		return err
	}
	return g.run(ctx, impl, handler)
}

// panicked turns a panic into the fault that answers it; the log gets the stack.
func (c *chain) panicked(call *call, v any) error {
	c.logger.Error("handler panicked", zap.String("method", call.method.full), zap.String("request_id", call.id),
		zap.Any("panic", v), zap.Stack("stack"))
	return fault.From(fmt.Errorf("panic: %v", v))
}
