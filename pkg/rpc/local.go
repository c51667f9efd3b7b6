package rpc

import (
	"context"
	"net"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
)

// Local is a connection to the server inside the process: the whole chain, no
// socket. As over a socket, both sides see copies of messages, metadata is all
// that passes beside them, and errors arrive as statuses without their cause.
//
// It is our own rather than grpchan's inprocgrpc: that one runs every unary
// call in a goroutine of its own and cannot reach the rest of this chain, and costs several
// microseconds more for each request of the gateway. A unary handler
// runs on its caller's goroutine; it must heed its context, as it must anyway.
func (s *Server) Local() grpc.ClientConnInterface { return &local{server: s} }

type local struct{ server *Server }

// find takes /package.Service/Method apart.
func (l *local) find(full string) (*service, string) {
	name, method, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
	return l.server.services[name], method
}

// Invoke makes a unary call.
func (l *local) Invoke(ctx context.Context, full string, args, reply any, opts ...grpc.CallOption) error {
	svc, name := l.find(full)
	if svc == nil || svc.methods[name] == nil {
		return unknownMethod().GRPCStatus().Err()
	}
	if err := ctx.Err(); err != nil {
		return fault.From(err).GRPCStatus().Err()
	}
	ctx, err := arrive(ctx, full, opts)
	if err != nil {
		return fault.From(err).GRPCStatus().Err()
	}
	out := &headers{method: full}
	ctx = grpc.NewContextWithServerTransportStream(ctx, out)
	resp, err := svc.methods[name].Handler(svc.impl, ctx, func(in any) error { return pour(in, args) }, l.server.chain.unary)
	for _, o := range opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = out.header
		case grpc.TrailerCallOption:
			*o.TrailerAddr = out.trailer
		case grpc.PeerCallOption:
			*o.PeerAddr = *localPeer
		}
	}
	if err == nil {
		err = pour(reply, resp)
	}
	if err != nil {
		err = fault.From(err).GRPCStatus().Err()
	}
	finish(opts, err)
	return err
}

// pour makes dst a copy of src. Generated messages of one type are merged,
// which is the cheapest deep copy; anything else goes through its bytes.
func pour(dst, src any) error {
	to, ok := dst.(proto.Message)
	from, is := src.(proto.Message)
	if !ok || !is {
		return fault.Internal("INTERNAL", "a value that is no message cannot be sent")
	}
	if to.ProtoReflect().Type() == from.ProtoReflect().Type() {
		proto.Reset(to)
		proto.Merge(to, from)
		return nil
	}
	wire, err := proto.Marshal(from)
	if err != nil {
		return err
	}
	return proto.Unmarshal(wire, to)
}

var localPeer = &peer.Peer{Addr: &net.UnixAddr{Name: "local", Net: "local"}} // never changed

// arrive returns the context as the server sees it: the caller's end and
// metadata, but none of its values, least of all its principal.
func arrive(ctx context.Context, full string, opts []grpc.CallOption) (context.Context, error) {
	md, ok := metadata.FromOutgoingContext(inject(ctx)) // a copy
	if !ok {
		md = metadata.MD{}
	}
	for _, o := range opts {
		if creds, is := o.(grpc.PerRPCCredsCallOption); is {
			extra, err := creds.Creds.GetRequestMetadata(ctx, full)
			if err != nil {
				return nil, err
			}
			for k, v := range extra {
				md.Append(k, v)
			}
		}
	}
	return peer.NewContext(metadata.NewIncomingContext(valueless{ctx}, md), localPeer), nil
}

func finish(opts []grpc.CallOption, err error) {
	for _, o := range opts {
		if f, ok := o.(grpc.OnFinishCallOption); ok {
			f.OnFinish(err)
		}
	}
}

// valueless ends with its context and carries nothing.
type valueless struct{ context.Context } //nolint:containedctx // it is a context

// Value is always nil.
func (valueless) Value(any) any { return nil }

// headers collects what a handler says beside its messages.
type headers struct {
	method string

	mu      sync.Mutex
	header  metadata.MD
	trailer metadata.MD
	sent    chan struct{} // closed when the header has left; nil in unary calls
	left    bool
}

var _ grpc.ServerTransportStream = (*headers)(nil)

// Method is the full name of the method.
func (h *headers) Method() string { return h.method }

// SetHeader adds to the header.
func (h *headers) SetHeader(md metadata.MD) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.left {
		return fault.Internal("INTERNAL", "the header was sent already")
	}
	h.header = join(h.header, md)
	return nil
}

// SendHeader adds to the header and sends it.
func (h *headers) SendHeader(md metadata.MD) error {
	if err := h.SetHeader(md); err != nil {
		return err
	}
	h.leave()
	return nil
}

// SetTrailer adds to the trailer.
func (h *headers) SetTrailer(md metadata.MD) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trailer = join(h.trailer, md)
	return nil
}

// leave lets the client have the header.
func (h *headers) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.left && h.sent != nil {
		close(h.sent)
	}
	h.left = true
}

func (h *headers) get() (header, trailer metadata.MD) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.header.Copy(), h.trailer.Copy()
}

func join(have, more metadata.MD) metadata.MD {
	if len(have) == 0 {
		return more.Copy()
	}
	return metadata.Join(have, more)
}
