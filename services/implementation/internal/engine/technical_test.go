package engine_test

import (
	"context"
	"slices"
	"sync/atomic"
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
	exists         atomic.Bool // later does, now
}

func (h *halved) EvaluateGate(_ context.Context, req *gatev1.EvaluateGateRequest, _ ...grpc.CallOption) (*gatev1.Verdict, error) {
	select {
	case h.asked <- req.GetResource():
	default:
	}
	if req.GetResource() != prod && !h.exists.Load() {
		return nil, fault.NotFound("RESOURCE_NOT_FOUND", "%s does not exist", req.GetResource())
	}
	return &gatev1.Verdict{Resource: req.GetResource(), State: gatev1.Verdict_PASS, EvaluatedAt: timestamppb.Now()}, nil
}

func (h *halved) WatchGates(ctx context.Context, req *gatev1.WatchGatesRequest, _ ...grpc.CallOption) (grpc.ServerStreamingClient[gatev1.WatchGatesResponse], error) {
	for _, r := range req.GetResources() {
		h.watched <- r
	}
	if !h.exists.Load() && !slices.Equal(req.GetResources(), []string{prod}) {
		return nil, fault.NotFound("RESOURCE_NOT_FOUND", "one does not exist")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWhatDoesNotExistIsAskedForAndNotWatched(t *testing.T) {
	eachHalved(t, 20*time.Millisecond, func(t *testing.T, gate *halved) {
		t.Helper()
		require.Equal(t, prod, <-gate.watched)
		for range 10 { // it is asked for again and again
			for resource := range gate.asked {
				if resource == later {
					break
				}
			}
		}
		require.Empty(t, gate.watched, "the stream held")
	})
}

// TestWhatComesToExistIsHeardOfSoon: long before everything is asked for again.
func TestWhatComesToExistIsHeardOfSoon(t *testing.T) {
	eachHalved(t, time.Hour, func(t *testing.T, gate *halved) {
		t.Helper()
		require.Equal(t, prod, <-gate.watched)
		gate.exists.Store(true)
		select {
		case resource := <-gate.watched:
			require.Equal(t, later, resource)
			require.Equal(t, prod, <-gate.watched)
		case <-time.After(patience):
			require.Fail(t, "it is not asked for before an hour is over")
		}
	})
}

// eachHalved asks one who knows prod about prod and later.
func eachHalved(t *testing.T, every time.Duration, test func(t *testing.T, gate *halved)) {
	t.Helper()
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
		go func() { done <- engine.NewTechnical(s, gate, every, zap.NewNop()).Run(ctx) }()
		test(t, gate)
		cancel()
		require.NoError(t, <-done)
	})
}
