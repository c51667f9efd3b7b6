package api

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// heartbeat keeps proxies from cutting a quiet stream.
const heartbeat = 15 * time.Second

// GateService answers golive.gate.v1.GateService for cohort plans: whether the people are ready.
type GateService struct {
	gatev1.UnimplementedGateServiceServer

	store *store.Store
}

// NewGateService serves the store.
func NewGateService(s *store.Store) *GateService { return &GateService{store: s} }

// EvaluateGate judges one cohort plan now.
func (a *GateService) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	verdicts, err := a.judge(ctx, req.GetPurpose(), req.GetResource())
	if err != nil {
		return nil, err
	}
	return verdicts[req.GetResource()], nil
}

// WatchGates sends the verdict on each cohort plan, and then those that change.
func (a *GateService) WatchGates(req *gatev1.WatchGatesRequest, stream grpc.ServerStreamingServer[gatev1.WatchGatesResponse]) error {
	ctx := stream.Context()
	for _, name := range req.GetResources() {
		if name != req.GetParent() && !strings.HasPrefix(name, req.GetParent()+"/") {
			return fault.Invalid(store.ReasonOtherWorkspace, "%q is not in %s; watch each workspace by itself", name, req.GetParent()).
				Field("resources", "are not all in the parent")
		}
	}
	watcher, err := a.store.WatchVerdicts(ctx, req.GetResources()) // before the first look, so that nothing falls between
	if err != nil {
		return err
	}
	verdicts, err := a.judge(ctx, req.GetPurpose(), req.GetResources()...)
	if err != nil {
		return err
	}
	sent := make(map[string]int64, len(verdicts))
	for _, name := range req.GetResources() {
		if _, twice := sent[name]; twice {
			continue
		}
		sent[name] = verdicts[name].GetRevision()
		if err := stream.Send(&gatev1.WatchGatesResponse{Verdict: verdicts[name]}); err != nil {
			return err
		}
	}
	return follow(req.GetPurpose(), watcher, sent, stream)
}

// follow sends what is newer than what was sent, until the stream or the watcher ends.
func follow(purpose gatev1.Purpose, watcher *feed.Watcher, sent map[string]int64, stream grpc.ServerStreamingServer[gatev1.WatchGatesResponse]) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		frame := &gatev1.WatchGatesResponse{}
		select {
		case event, open := <-watcher.C:
			if !open {
				return watcher.Err()
			}
			v := &gatev1.Verdict{}
			if err := event.GetAfter().UnmarshalTo(v); err != nil {
				return fault.Internal("EVENT_UNREADABLE", "an event of the log cannot be read").Cause(err)
			}
			if v.GetRevision() <= sent[v.GetResource()] {
				continue
			}
			sent[v.GetResource()] = v.GetRevision()
			v.Purpose, frame.Verdict = purpose, v
		case <-beat.C:
		}
		if err := stream.Send(frame); err != nil {
			return err
		}
	}
}

// judge answers a verdict on each of the names, or refuses.
func (a *GateService) judge(ctx context.Context, purpose gatev1.Purpose, names ...string) (map[string]*gatev1.Verdict, error) {
	for _, name := range names {
		if err := supported(purpose, name); err != nil {
			return nil, err
		}
	}
	verdicts, err := a.store.Verdicts(ctx, names)
	if err != nil {
		return nil, err
	}
	answer := make(map[string]*gatev1.Verdict, len(names))
	for _, name := range names {
		if verdicts[name] == nil {
			return nil, store.CohortPlans.Required(ctx, a.store.DB().Read(), name) // says that it does not exist
		}
		answer[name] = proto.CloneOf(verdicts[name])
		answer[name].Purpose = purpose
	}
	return answer, nil
}

// supported refuses what only the deployment service can judge.
func supported(purpose gatev1.Purpose, name string) error {
	if purpose == gatev1.Purpose_PURPOSE_TECHNICAL {
		return fault.Invalid("GATE_UNSUPPORTED",
			"this service judges people, not machines; ask the deployment service, or ask for READINESS").
			Field("purpose", "is not judged here")
	}
	if _, err := store.CohortPlans.Parse(name); err != nil {
		return fault.Invalid("GATE_UNSUPPORTED",
			"this service judges cohort plans (workspaces/…/implementations/…/cohortPlans/…); ask for one of those, not for %q", clip(name)).
			Field("resource", "is no cohort plan")
	}
	return nil
}

func clip(s string) string {
	const most = 200
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
