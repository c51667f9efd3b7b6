package fleet

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// What an agent is told of its life beside commands: how often to speak, what it serves, and which program to run.

// The protocol versions that this server speaks. An agent that speaks newer ones too is met at the newest of ours.
const (
	oldestProtocol = 1
	newestProtocol = 1
)

// greeting is what Welcome says to a session now.
func (h *Hub) greeting(s *session) *agentv1.Welcome {
	// A little more or less for each, so that a fleet that came at once does not beat at once.
	interval := s.beats()
	jitter := time.Duration(rand.Int64N(int64(interval)/5 + 1)) //nolint:gosec // jitter is no secret
	return &agentv1.Welcome{
		HeartbeatInterval: durationpb.New(interval - interval/10 + jitter),
		SummaryInterval:   durationpb.New(h.cfg.Summary),
		Targets:           s.targets,
		ServerTime:        timestamppb.Now(),
		Program:           s.program.Load(),
		ProtocolVersion:   min(s.protocol, newestProtocol),
	}
}

// pace tells a session when its heartbeats should come more or less often by now: the fleet has grown or shrunk. It never
// asks for less than half at once, so that the beats that are still counted on come in time.
func (h *Hub) pace(s *session) {
	now, want := s.beats(), h.heartbeat()
	if want > now*4/5 && want < now*5/4 {
		return
	}
	s.interval.Store(int64(max(want, now/2)))
	s.tell(h.greeting(s))
}

// assign finds out which program the agent of a session should run. It tells whether that changed.
func (h *Hub) assign(ctx context.Context, s *session, agent *deploymentv1.Agent) (changed bool, err error) {
	var program *agentv1.AgentProgram
	if desired := agent.GetDesiredVersion(); desired != "" && desired != s.version {
		stored, err := h.cfg.Store.AgentProgram(ctx, s.agent)
		if err != nil {
			return false, err
		}
		if artifact := stored.For(s.facts.Load()); artifact != nil {
			program = &agentv1.AgentProgram{Version: stored.Version, Artifact: artifact, Generation: stored.Generation}
		}
	}
	changed = !proto.Equal(program, s.program.Load())
	s.program.Store(program)
	return changed, nil
}
