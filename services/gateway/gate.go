package gateway

import (
	"context"
	"sync"

	"google.golang.org/grpc"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/owner"
)

// gates asks the service that keeps the judged resource.
type gates struct {
	deployment     gatev1.GateServiceClient
	implementation gatev1.GateServiceClient
	running        *sync.WaitGroup
}

func (g *gates) of(o owner.Service) gatev1.GateServiceClient {
	if o == owner.Implementation {
		return g.implementation
	}
	return g.deployment
}

// EvaluateGate asks the owner of the resource.
func (g *gates) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest, opts ...grpc.CallOption) (*gatev1.Verdict, error) {
	o, err := owner.Of(req.GetResource())
	if err != nil {
		return nil, err
	}
	return g.of(o).EvaluateGate(ctx, req, opts...)
}

// WatchGates watches each resource at its owner, and both as one stream where they are mixed.
func (g *gates) WatchGates(ctx context.Context, req *gatev1.WatchGatesRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[gatev1.WatchGatesResponse], error) {
	parts := map[owner.Service]*gatev1.WatchGatesRequest{}
	for _, name := range req.GetResources() {
		o, err := owner.Of(name)
		if err != nil {
			return nil, err
		}
		if parts[o] == nil {
			parts[o] = &gatev1.WatchGatesRequest{Parent: req.GetParent(), Purpose: req.GetPurpose()}
		}
		parts[o].Resources = append(parts[o].Resources, name)
	}
	if len(parts) < 2 { // one owner, or nothing to watch, which the service refuses
		o := owner.Implementation
		for only := range parts {
			o = only
		}
		return g.of(o).WatchGates(ctx, req, opts...)
	}
	merged := newFanIn[gatev1.WatchGatesResponse](ctx)
	for o, part := range parts {
		g.running.Go(func() {
			stream, err := g.of(o).WatchGates(ctx, part)
			_ = merged.pump(o, stream, err) // the reader gets the error as a frame
		})
	}
	return merged, nil
}
