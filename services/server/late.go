package server

import (
	"context"

	"google.golang.org/grpc"
)

// late is a connection to a service of this process that is put together later: each of the two asks the other.
// It is not used before Run, when both are there.
type late struct {
	process *process
	service int // an index of services
}

func (l late) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return l.process.services[l.service].Invoke(ctx, method, args, reply, opts...)
}

func (l late) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return l.process.services[l.service].NewStream(ctx, desc, method, opts...)
}
