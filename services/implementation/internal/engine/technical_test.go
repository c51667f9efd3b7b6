package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/engine"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	prod  = "workspaces/default/environments/prod"
	later = "workspaces/default/environments/later" // does not exist yet
)

// halved is a deployment service that knows prod and refuses, as it does, to watch anything with what it does not know.
type halved struct {
	gatev1.GateServiceClient

	asked, watched chan string
}

func (h *halved) EvaluateGate(_ context.Context, req *gatev1.EvaluateGateRequest, _ ...grpc.CallOption) (*gatev1.Verdict, error) {
	select {
	case h.asked <- req.GetResource():
	default:
	}
	if req.GetResource() != prod {
		return nil, fault.NotFound("RESOURCE_NOT_FOUND", "%s does not exist", req.GetResource())
	}
	return &gatev1.Verdict{Resource: prod, State: gatev1.Verdict_PASS, EvaluatedAt: timestamppb.Now()}, nil
}

func (h *halved) WatchGates(ctx context.Context, req *gatev1.WatchGatesRequest, _ ...grpc.CallOption) (grpc.ServerStreamingClient[gatev1.WatchGatesResponse], error) {
	for _, r := range req.GetResources() {
		h.watched <- r
	}
	if !slices.Equal(req.GetResources(), []string{prod}) {
		return nil, fault.NotFound("RESOURCE_NOT_FOUND", "one does not exist")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWhatDoesNotExistIsAskedForAndNotWatched(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, db.Migrate(t.Context(), feed.Source(), resource.Source(), store.Source()))
		s := store.New(db, feed.New(db, feed.Config{}), nil)
		i, err := store.Implementations.Create(t.Context(), s.Store, &implementationv1.CreateImplementationRequest{
			Parent: "workspaces/default", ImplementationId: "crm", Implementation: &implementationv1.Implementation{},
		})
		require.NoError(t, err)
		_, err = s.CreateDecision(t.Context(), &implementationv1.CreateDecisionRequest{
			Parent: i.GetName(), DecisionId: "go", Decision: &implementationv1.Decision{DisplayName: "x", Technical: []string{prod, later}},
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		gate := &halved{asked: make(chan string, 100), watched: make(chan string, 100)}
		done := make(chan error, 1)
		go func() { done <- engine.NewTechnical(s, gate, 20*time.Millisecond, zap.NewNop()).Run(ctx) }()
		require.Equal(t, prod, <-gate.watched)
		for range 10 { // it is asked for again and again
			for resource := range gate.asked {
				if resource == later {
					break
				}
			}
		}
		cancel()
		require.NoError(t, <-done)
		require.Empty(t, gate.watched, "the stream held")
	})
}
