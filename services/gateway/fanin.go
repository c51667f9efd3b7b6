package gateway

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/golive-dev/golive/services/owner"
)

// fanIn reads several streams of one kind as one. Its sources are pumped by
// goroutines that end with the context of the call; nothing is buffered, so a
// slow reader is felt, and cut, at the source.
type fanIn[T any] struct {
	ctx    context.Context //nolint:containedctx // a client stream is bound to the context of its call
	frames chan frame[T]
}

// frame is what one source sent last: a message, or how it ended.
type frame[T any] struct {
	from owner.Service
	msg  *T
	err  error
}

func newFanIn[T any](ctx context.Context) *fanIn[T] {
	return &fanIn[T]{ctx: ctx, frames: make(chan frame[T])}
}

// pump hands on what the source sends until it ends, and returns the error it ended with.
func (f *fanIn[T]) pump(from owner.Service, source grpc.ServerStreamingClient[T], err error) error {
	for err == nil {
		var msg *T
		if msg, err = source.Recv(); err == nil {
			f.put(frame[T]{from: from, msg: msg})
		}
	}
	f.put(frame[T]{from: from, err: err})
	return err
}

func (f *fanIn[T]) put(fr frame[T]) {
	select {
	case f.frames <- fr:
	case <-f.ctx.Done():
	}
}

// next waits for a frame of any source.
func (f *fanIn[T]) next() (frame[T], error) {
	select {
	case fr := <-f.frames:
		return fr, nil
	case <-f.ctx.Done():
		return frame[T]{}, f.ctx.Err()
	}
}

// Recv returns the next message of any source, and ends with the first that ends.
func (f *fanIn[T]) Recv() (*T, error) {
	fr, err := f.next()
	if err != nil {
		return nil, err
	}
	return fr.msg, fr.err
}

// Header is empty: the sources have headers, their sum has none.
func (*fanIn[T]) Header() (metadata.MD, error) { return nil, nil }

// Trailer is empty like Header.
func (*fanIn[T]) Trailer() metadata.MD { return nil }

// CloseSend does nothing: there is nothing more to send.
func (*fanIn[T]) CloseSend() error { return nil }

// Context returns the context of the call.
func (f *fanIn[T]) Context() context.Context { return f.ctx }

// SendMsg and RecvMsg are the untyped half of the interface, which generated code of server streams does not use.
func (f *fanIn[T]) SendMsg(any) error { return errOneWay }

// RecvMsg is never called; see SendMsg.
func (f *fanIn[T]) RecvMsg(any) error { return errOneWay }
