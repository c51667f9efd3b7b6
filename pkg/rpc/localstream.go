package rpc

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
)

// window is how many messages may be on their way in each direction. Like the
// flow control of HTTP/2 it lets both sides send before they read, and makes a sender wait
// for a reader that is slow.
const window = 16

// pipe is a stream inside the process. It has two ends, localClient and
// localServer; only the handler's goroutine decides that it is over.
type pipe struct {
	headers

	client   context.Context //nolint:containedctx // the caller's
	server   context.Context //nolint:containedctx // the handler's, over when the stream is
	requests chan proto.Message
	answers  chan proto.Message
	done     chan struct{}
	err      error // the status; valid once done is closed
}

// NewStream opens a stream of any kind.
func (l *local) NewStream(ctx context.Context, desc *grpc.StreamDesc, full string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	svc, name := l.find(full)
	if svc == nil || svc.streams[name] == nil {
		return nil, unknownMethod().GRPCStatus().Err()
	}
	arrived, err := arrive(ctx, full, opts)
	if err != nil {
		return nil, fault.From(err).GRPCStatus().Err()
	}
	server, cancel := context.WithCancel(arrived)
	p := &pipe{
		headers: headers{method: full, sent: make(chan struct{})}, client: ctx,
		requests: make(chan proto.Message, window), answers: make(chan proto.Message, window), done: make(chan struct{}),
	}
	p.server = grpc.NewContextWithServerTransportStream(server, &p.headers)
	handler := svc.streams[name]
	started := l.server.chain.streams.run(func() {
		defer cancel() // wakes a handler that was cut
		info := &grpc.StreamServerInfo{FullMethod: full, IsClientStream: handler.ClientStreams, IsServerStream: handler.ServerStreams}
		if err := l.server.chain.stream(svc.impl, localServer{p}, info, handler.Handler); err != nil {
			p.err = fault.From(err).GRPCStatus().Err()
		}
		p.leave()
		close(p.done)
		finish(opts, p.err)
	})
	if !started {
		cancel()
		return nil, stopping().GRPCStatus().Err()
	}
	return &localClient{pipe: p, desc: desc, opts: opts}, nil
}

// localServer is the handler's end.
type localServer struct{ *pipe }

// Context is the handler's.
func (s localServer) Context() context.Context { return s.server }

// SetTrailer adds to the trailer.
func (s localServer) SetTrailer(md metadata.MD) { _ = s.headers.SetTrailer(md) } // never fails

// SendMsg sends a copy of an answer, and the header before the first.
func (s localServer) SendMsg(m any) error {
	s.leave()
	return send(m, s.answers, s.server.Done(), func() error { return s.server.Err() })
}

// RecvMsg waits for a request; io.EOF when the client has closed its side.
func (s localServer) RecvMsg(m any) error {
	select {
	case req, ok := <-s.requests:
		if !ok {
			return io.EOF
		}
		return pour(m, req)
	case <-s.server.Done():
		return s.server.Err()
	}
}

// localClient is the caller's end.
type localClient struct {
	*pipe

	desc  *grpc.StreamDesc
	opts  []grpc.CallOption
	close sync.Once
	shut  bool
}

// Context is the caller's.
func (c *localClient) Context() context.Context { return c.client }

// Header waits for the header.
func (c *localClient) Header() (metadata.MD, error) {
	select {
	case <-c.sent:
	case <-c.client.Done():
		return nil, fault.From(c.client.Err()).GRPCStatus().Err()
	}
	header, _ := c.get()
	return header, nil
}

// Trailer is complete once RecvMsg has returned an error.
func (c *localClient) Trailer() metadata.MD {
	_, trailer := c.get()
	return trailer
}

// CloseSend says that no more requests come.
func (c *localClient) CloseSend() error {
	c.close.Do(func() {
		c.shut = true
		close(c.requests)
	})
	return nil
}

// SendMsg sends a copy of a request; io.EOF when the stream is over, and RecvMsg says why.
func (c *localClient) SendMsg(m any) error {
	if c.shut {
		return fault.Internal("INTERNAL", "a message was sent after CloseSend").GRPCStatus().Err()
	}
	select {
	case <-c.done: // a full window and an ended stream must not be a coin toss
		return c.refused()
	default:
	}
	return send(m, c.requests, c.server.Done(), c.refused)
}

// refused is what SendMsg returns once the stream is over. As in grpc-go it is
// nothing where only one request is sent: generated code would hand io.EOF to
// its caller, who never learned the status.
func (c *localClient) refused() error {
	if c.desc.ClientStreams {
		return io.EOF
	}
	return nil
}

// RecvMsg waits for an answer; io.EOF or the status when there are no more.
func (c *localClient) RecvMsg(m any) error {
	answer, err := c.next()
	if err != nil {
		return c.over(err)
	}
	if err := pour(m, answer); err != nil {
		return err
	}
	if c.desc.ServerStreams {
		return nil
	}
	// A single answer counts only together with an OK status.
	if _, err := c.next(); err != io.EOF { //nolint:errorlint // next returns io.EOF itself
		return c.over(err)
	}
	return c.over(nil)
}

// next returns the next answer, or the end of the stream once all answers are read.
func (c *localClient) next() (proto.Message, error) {
	select {
	case m := <-c.answers:
		return m, nil
	default:
	}
	select {
	case m := <-c.answers:
		return m, nil
	case <-c.client.Done():
		return nil, fault.From(c.client.Err()).GRPCStatus().Err()
	case <-c.done:
	}
	select {
	case m := <-c.answers: // sent before the end
		return m, nil
	default:
	}
	if c.err != nil {
		return nil, c.err
	}
	return nil, io.EOF
}

// over gives the caller of Header and Trailer options what they asked for.
func (c *localClient) over(err error) error {
	header, trailer := c.get()
	for _, o := range c.opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = header
		case grpc.TrailerCallOption:
			*o.TrailerAddr = trailer
		}
	}
	return err
}

// send puts a copy of m on its way, unless the stream ends first.
func send(m any, to chan<- proto.Message, over <-chan struct{}, end func() error) error {
	message, ok := m.(proto.Message)
	if !ok {
		return fault.Internal("INTERNAL", "a value that is no message cannot be sent")
	}
	select {
	case to <- proto.Clone(message):
		return nil
	case <-over:
		return end()
	}
}
