package rpc

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
)

// noticeTime is how long a handler has to see that its stream is over before
// the stream is ended under it.
const noticeTime = 200 * time.Millisecond

// guarded is a stream that lets nothing out before it is authorised, checks
// what comes in, and is over when its credential is.
type guarded struct {
	grpc.ServerStream

	ctx     context.Context //nolint:containedctx // it is what Context returns, as gRPC has it
	chain   *chain
	call    *call
	allowed atomic.Bool
}

// Context is the stream's, with principal and request id.
func (g *guarded) Context() context.Context { return g.ctx }

// RecvMsg authorises the stream by its first message and validates every one.
func (g *guarded) RecvMsg(m any) error {
	if err := g.ServerStream.RecvMsg(m); err != nil {
		if cut := cutBy(g.ctx); cut != nil {
			return cut
		}
		return err
	}
	if !g.allowed.Load() {
		if err := g.chain.authorise(g.call, m); err != nil {
			return err
		}
		g.allowed.Store(true)
	}
	return g.chain.validate(m)
}

// SendMsg refuses to answer a stream that is not authorised, or not any more.
func (g *guarded) SendMsg(m any) error {
	if !g.allowed.Load() {
		return denied(g.call, "")
	}
	if cut := cutBy(g.ctx); cut != nil {
		return cut
	}
	return g.ServerStream.SendMsg(m)
}

// run runs the handler until it returns or the stream is cut, whichever is
// first. A handler that waits in RecvMsg does not see its context end: the
// transport wakes it, once this function has returned and the stream is closed.
// That is why it runs in a goroutine of its own, which the server waits for when it stops.
func (g *guarded) run(ctx context.Context, impl any, handler grpc.StreamHandler) error {
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	defer context.AfterFunc(g.chain.streams.ctx, func() { cut(stopping()) })()
	if g.call.principal != nil {
		defer g.chain.verifier.Watch(g.call.principal, func(err error) { cut(err) })()
	}
	g.ctx = ctx
	done := make(chan error, 1)
	started := g.chain.streams.run(func() {
		var err error
		defer func() {
			if v := recover(); v != nil {
				err = g.chain.panicked(g.call, v)
			}
			done <- err
		}()
		err = handler(impl, g)
	})
	if !started {
		return stopping()
	}
	select {
	case err := <-done:
		return g.outcome(err)
	case <-ctx.Done():
	}
	notice := time.NewTimer(noticeTime)
	defer notice.Stop()
	select {
	case err := <-done:
		return g.outcome(err)
	case <-notice.C:
		return g.outcome(ctx.Err())
	}
}

// outcome lets the reason for a cut win over what the handler made of it.
func (g *guarded) outcome(err error) error {
	if cut := cutBy(g.ctx); cut != nil {
		return cut
	}
	return err
}
