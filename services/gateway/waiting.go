package gateway

import (
	"context"

	"google.golang.org/grpc"

	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/waiting"
)

// waits joins what the two services say waits.
type waits struct{ peers waiting.Peers }

// ListWaiting merges both lists; see [waiting.List].
func (w *waits) ListWaiting(ctx context.Context, req *waitingv1.ListWaitingRequest, _ ...grpc.CallOption) (*waitingv1.ListWaitingResponse, error) {
	return waiting.List(ctx, w.peers, req)
}

// ExplainWaiting follows what is waited for through both services; see [waiting.Explain].
func (w *waits) ExplainWaiting(ctx context.Context, req *waitingv1.ExplainWaitingRequest, _ ...grpc.CallOption) (*waitingv1.Explanation, error) {
	return waiting.Explain(ctx, w.peers, req.GetResource())
}
