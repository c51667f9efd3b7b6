package fleet

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/run"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	"github.com/golive-dev/golive/services/deployment/internal/authority"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Work is what the engine has for agents and takes from them.
type Work interface {
	// Pending returns the commands that these targets should act on now, oldest
	// epoch first; all are safe to send again.
	Pending(ctx context.Context, targets []string) ([]*agentv1.Command, error)
	// Apply makes reports durable in one transaction. Reports of an old attempt or
	// epoch, or of unknown installations, are absorbed without effect. An error means that none is durable.
	Apply(ctx context.Context, reports []*agentv1.Report) error
	// Presence tells that the agent of these targets came or went. It is a hint; the presence rows are the truth.
	Presence(ctx context.Context, targets []string, connected bool)
	// ArtifactAllowed tells whether one of these targets has an installation that
	// needs the blob, and in which workspace it is.
	ArtifactAllowed(ctx context.Context, targets []string, sha256 string) (workspace string, ok bool, err error)
	// Inventory hears what an agent that connects has accepted and what runs on its own targets.
	Inventory(ctx context.Context, inventory []*agentv1.Inventory) error
}

// Config is what a hub is made of. Store, Authority, Blobs and Work are required.
type Config struct {
	Store      *store.Store
	Authority  *authority.Authority
	Blobs      *blob.Store
	Work       Work
	Logger     *zap.Logger           // None when nil.
	Registerer prometheus.Registerer // Gets the metrics; nowhere when nil.
	// LogsArrived is told which installations have new output; nil is fine.
	LogsArrived func(installations []string)

	Heartbeat    time.Duration // How often a small fleet says that it is alive; 5 s when 0. It grows with the fleet.
	Summary      time.Duration // How often agents summarise their probes; 10 s when 0.
	Lease        time.Duration // How long presence outlives a dead server; 30 s when 0.
	ApplyTimeout time.Duration // When Work is given up and asked again; 10 s when 0.
	Retention    time.Duration // Of output and summaries; 30 days when 0.
}

// perSecond is how many heartbeats the whole fleet may send in a second.
const perSecond = 1000

func (c *Config) fill() {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	for setting, fallback := range map[*time.Duration]time.Duration{
		&c.Heartbeat: 5 * time.Second, &c.Summary: 10 * time.Second, &c.Lease: 30 * time.Second,
		&c.ApplyTimeout: 10 * time.Second, &c.Retention: 30 * 24 * time.Hour,
	} {
		if *setting <= 0 {
			*setting = fallback
		}
	}
	if c.LogsArrived == nil {
		c.LogsArrived = func([]string) {}
	}
}

// Hub holds the streams of the agents that are connected to this process. It
// serves golive.agent.v1 once Run runs.
type Hub struct {
	agentv1.UnimplementedAgentServiceServer

	cfg     Config
	replica string // this process, in presence rows
	metrics *instruments
	logger  *zap.Logger

	reports  chan arrival
	ingested *ingest
	presence *presence
	dirty    *hintSet      // sessions to be asked for
	reading  chan struct{} // artifacts on their way; bounds their buffers
	meeting  chan struct{} // agents that are met
	arriving atomic.Int64  // agents that are met, or wait for it

	receivers sync.WaitGroup
	over      chan struct{} // closed when Run ends

	mu       sync.Mutex
	sessions map[string]*session // by agent
	byTarget map[string]*session
	agents   int // that exist, as of a moment ago
}

// New makes a hub.
func New(cfg Config) (*Hub, error) {
	cfg.fill()
	metrics, err := newInstruments(cfg.Registerer)
	if err != nil {
		return nil, err
	}
	return &Hub{
		cfg: cfg, replica: rand.Text(), metrics: metrics, logger: cfg.Logger,
		reports: make(chan arrival, 1024), ingested: newIngest(), presence: newPresence(), dirty: newHintSet(),
		reading: make(chan struct{}, maxReading), meeting: make(chan struct{}, maxMeeting), over: make(chan struct{}),
		sessions: map[string]*session{}, byTarget: map[string]*session{},
	}, nil
}

// Run serves until ctx ends. Streams that are open then are ended; their agents
// stay connected in the eyes of the engine for as long as their lease holds,
// because they are about to come back, here or elsewhere.
func (h *Hub) Run(ctx context.Context) error {
	defer h.receivers.Wait()
	defer h.cutAll()
	return run.All(ctx,
		run.Part{Name: "presence of agents", Run: h.keepPresence},
		run.Part{Name: "reports of agents", Run: h.applyReports},
		run.Part{Name: "output of agents", Run: h.storeIngested},
		run.Part{Name: "commands to agents", Run: h.dispatch},
		run.Part{Name: "silent agents", Run: h.sweep},
		run.Part{Name: "removed agents", Run: h.watch},
		run.Part{Name: "retention", Run: h.retain},
	)
}

func (h *Hub) cutAll() {
	close(h.over)
	for _, s := range h.all() {
		s.end(stopping())
	}
}

// Hint says that there may be commands for these targets.
func (h *Hub) Hint(targets []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, target := range targets {
		if s := h.byTarget[target]; s != nil {
			h.dirty.add(s)
		}
	}
}

// all returns the sessions of this moment.
func (h *Hub) all() []*session {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*session, 0, len(h.sessions))
	for _, s := range h.sessions {
		all = append(all, s)
	}
	return all
}

func (h *Hub) session(agent string) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[agent]
}

// enter makes s the session of its agent, unless there is one; that is returned then.
func (h *Hub) enter(s *session) (other *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if other := h.sessions[s.agent]; other != nil {
		return other
	}
	h.sessions[s.agent] = s
	for _, target := range s.targets {
		h.byTarget[target] = s
	}
	h.metrics.connected.Set(float64(len(h.sessions)))
	return nil
}

// leave undoes enter.
func (h *Hub) leave(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions[s.agent] != s {
		return
	}
	delete(h.sessions, s.agent)
	for _, target := range s.targets {
		if h.byTarget[target] == s {
			delete(h.byTarget, target)
		}
	}
	h.metrics.connected.Set(float64(len(h.sessions)))
}

// heartbeat is the interval told to an agent: the larger the fleet, the longer.
func (h *Hub) heartbeat() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := max(h.agents, len(h.sessions))
	return max(h.cfg.Heartbeat, time.Duration(n)*time.Second/perSecond)
}

// ServerOptions suit a server of very many streams that are mostly idle: small
// buffers, given back while nothing is sent, and none to read with because TLS has its own.
func ServerOptions() []grpc.ServerOption {
	const buffer, window = 4 << 10, 64 << 10
	return []grpc.ServerOption{
		grpc.ReadBufferSize(0), grpc.WriteBufferSize(buffer),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(2 * window), grpc.MaxConcurrentStreams(64),
	}
}
