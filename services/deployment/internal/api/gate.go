package api

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
	"github.com/golive-dev/golive/services/deployment/internal/technical"
	"github.com/golive-dev/golive/services/verdict"
)

const (
	// gateHeartbeat keeps proxies from cutting a quiet stream.
	gateHeartbeat = 15 * time.Second
	// gateSweep looks again at what no event tells of, such as health.
	gateSweep = 5 * time.Second
)

// GateService answers golive.gate.v1.GateService for waves, deployments and environments: whether the machines are where they should be.
type GateService struct {
	gatev1.UnimplementedGateServiceServer

	store *store.Store
}

// NewGateService serves the store.
func NewGateService(s *store.Store) *GateService { return &GateService{store: s} }

// EvaluateGate judges one resource now.
func (a *GateService) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	return a.judge(ctx, req, a.measured)
}

// judge answers by what look finds of the machines: with shares for whoever asks, without for whoever watches, since shares move all the time.
func (a *GateService) judge(ctx context.Context, req *gatev1.EvaluateGateRequest, look func(context.Context, *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error)) (*gatev1.Verdict, error) {
	if req.GetPurpose() == gatev1.Purpose_PURPOSE_READINESS {
		return nil, fault.Invalid("GATE_UNSUPPORTED",
			"this service judges machines, not people; ask the implementation service, or ask for TECHNICAL").
			Field("purpose", "is not judged here")
	}
	v, err := look(ctx, req)
	if err != nil {
		return nil, err
	}
	if req.GetPurpose() == gatev1.Purpose_PURPOSE_TECHNICAL {
		return v, nil
	}
	waves, err := a.store.GatesBehind(ctx, req.GetResource())
	if err != nil {
		return nil, err
	}
	return technical.All(v, waves), nil
}

// WatchGates sends the verdict on each resource, and then those that change.
func (a *GateService) WatchGates(req *gatev1.WatchGatesRequest, stream grpc.ServerStreamingServer[gatev1.WatchGatesResponse]) error {
	ctx := stream.Context()
	for _, name := range req.GetResources() {
		if name != req.GetParent() && !strings.HasPrefix(name, req.GetParent()+"/") {
			return fault.Invalid("OTHER_WORKSPACE", "%q is not in %s; watch each workspace by itself", name, req.GetParent()).
				Field("resources", "are not all in the parent")
		}
	}
	watcher, err := a.store.Log.Watch(ctx, "", moves(req.GetResources()))
	if err != nil {
		return err
	}
	return a.follow(ctx, req, watcher, stream)
}

// moves matches the events that may change a verdict: those of the resource itself, and of any deployment of the
// workspace where an environment is watched.
func moves(resources []string) func(*eventv1.Event) bool {
	watched, workspaces := map[string]bool{}, map[string]bool{}
	for _, name := range resources {
		watched[name] = true
		if parts := strings.Split(name, "/"); len(parts) == 4 {
			workspaces[parts[1]] = true
		}
	}
	return func(e *eventv1.Event) bool {
		parts := strings.Split(e.GetResource(), "/")
		return watched[e.GetResource()] || len(parts) >= 6 && parts[4] == "deployments" && workspaces[parts[1]]
	}
}

func (a *GateService) follow(ctx context.Context, req *gatev1.WatchGatesRequest, watcher *feed.Watcher, stream grpc.ServerStreamingServer[gatev1.WatchGatesResponse]) error {
	beat, sweep := time.NewTicker(gateHeartbeat), time.NewTicker(gateSweep)
	defer beat.Stop()
	defer sweep.Stop()
	sent := map[string]*gatev1.Verdict{}
	for {
		for _, name := range req.GetResources() {
			v, err := a.judge(ctx, &gatev1.EvaluateGateRequest{Resource: name, Purpose: req.GetPurpose()}, a.glance)
			if err != nil {
				return err
			}
			if verdict.Same(sent[name], v) {
				continue
			}
			sent[name] = v
			if err := stream.Send(&gatev1.WatchGatesResponse{Verdict: v}); err != nil {
				return err
			}
		}
		select {
		case _, open := <-watcher.C:
			if !open {
				return watcher.Err()
			}
			drain(watcher)
		case <-sweep.C:
		case <-beat.C:
			if err := stream.Send(&gatev1.WatchGatesResponse{}); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain takes what has come meanwhile, so that a burst is judged once.
func drain(watcher *feed.Watcher) {
	for {
		select {
		case _, open := <-watcher.C:
			if !open {
				return
			}
		default:
			return
		}
	}
}
