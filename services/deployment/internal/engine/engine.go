// Package engine moves deployments. It reads what is known, asks package rollout what
// follows from it, and does that in one transaction: state by compare-and-swap, the
// event, and the wake that comes next. Everything that sets it to work (a report, a
// gate that turns, a timer, a person) is only a hint; a wake that is due is never lost.
//
//	advance.go   one deployment, as far as it goes now
//	effects.go   what a decision does to the installations
//	turn.go      who goes first; catchup.go: who was away
//	policy.go    what binds now; override.go: what a person opened all the same
//	migration.go who migrates; outcome.go: and how it went
//	analysis.go  measuring a wave, interval by interval; source.go, prometheus.go: by whom
//	ask.go       judging gates and asking them; gate.go: hearing the hints of the other service
//	circle.go    whether it would wait for itself
//	create.go    a new deployment with its snapshots; kind.go: of which sort; promote.go: from one environment to the next
//	rollback.go  a deployment that goes back; wayback.go: whether it could
//	command.go   pause, resume, cancel, abandon, skip, retry; approval.go: approve and reject
//	dispatch.go  desired state → commands for agents; report.go: reports → state
package engine

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/jobs"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/gate"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Principal is who the engine is in the event log.
const Principal = "services/deployment"

// kindDeployment is the kind of the wakes of this package.
const kindDeployment = "deployment"

// Hinter tells the agents of some targets that there is something to do.
type Hinter interface{ Hint(targets []string) }

// Blobs knows which uploaded artifacts are there.
type Blobs interface {
	Stat(ctx context.Context, workspace, sha256 string) (blob.Info, error)
	Read(ctx context.Context, workspace, sha256 string, offset int64) (io.ReadCloser, error)
}

// Config is what an engine needs.
type Config struct {
	Store *store.Store
	Blobs Blobs
	// Gate asks the implementation service; nil where there is none: gates about people then stay UNKNOWN.
	Gate gatev1.GateServiceClient
	// Waiting asks it what waits there, for the search for circles; nil where there is none.
	Waiting waitingv1.WaitingServiceClient
	// PublicOnly keeps webhooks, load tests and queries to Prometheus from private and local addresses; link-local ones are always refused.
	PublicOnly bool
	Logger     *zap.Logger
	// Metrics takes counters of what is done; nil for none.
	Metrics prometheus.Registerer
	// Workers is how many deployments are moved at the same time; 4 when 0.
	Workers int
	// Jobs brings deployments back in time; those of package jobs when nil.
	Jobs Jobs
	// NewID ends the names that the engine gives; at random when nil.
	NewID func() string
}

// Jobs runs the handler of a kind again at a time. A simulator, which has a clock of its
// own, brings another one than package jobs.
type Jobs interface {
	Wake(ctx context.Context, tx *sqldb.Tx, kind, name string, at time.Time) error
	Run(ctx context.Context) error
}

// Engine moves deployments.
type Engine struct {
	store   *store.Store
	blobs   Blobs
	gate    gatev1.GateServiceClient
	waiting waitingv1.WaitingServiceClient
	gates   *gate.Gates
	logger  *zap.Logger
	jobs    Jobs
	newID   func() string
	hinter  Hinter
	// regate tells the watcher of gates that some wave began or ceased to wait.
	regate   chan struct{}
	releases releaseCache
	policies policy.Cache
	// started is when this process began to listen to agents.
	started time.Time
}

// New returns an engine; Run sets it to work.
func New(cfg Config) (*Engine, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.Workers == 0 {
		cfg.Workers = 4
	}
	e := &Engine{jobs: cfg.Jobs, newID: cfg.NewID, store: cfg.Store, blobs: cfg.Blobs, gate: cfg.Gate, waiting: cfg.Waiting, logger: cfg.Logger, regate: make(chan struct{}, 1), started: cfg.Store.Now()}
	e.gates = gate.New(gate.Config{Store: cfg.Store, Blobs: cfg.Blobs, Implementation: cfg.Gate, PublicOnly: cfg.PublicOnly, Measured: e.measured, Logger: cfg.Logger})
	if e.newID == nil {
		e.newID = func() string { return uuid.NewString()[:8] }
	}
	if e.jobs != nil {
		return e, nil
	}
	var err error
	e.jobs, err = jobs.New(cfg.Store.DB, jobs.Config{
		Logger: cfg.Logger, Workers: cfg.Workers, Metrics: cfg.Metrics,
		Handlers: map[string]jobs.Handler{kindDeployment: e.Advance, kindAnalysis: e.Analyze},
	})
	return e, err
}

// HintTo says whom to tell when targets have something to do. Call it before Run.
func (e *Engine) HintTo(h Hinter) { e.hinter = h }

// Run moves deployments until ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	ctx = asEngine(ctx)
	var watching sync.WaitGroup
	if e.gate != nil {
		watching.Go(func() { e.watchGates(ctx) })
	}
	watching.Go(func() { e.seekCircles(ctx) })
	watching.Go(func() { _ = e.gates.Run(ctx) }) // it ends when ctx does, and with no error
	defer watching.Wait()
	return e.jobs.Run(ctx)
}

// wake makes sure that a deployment is looked at again at a time.
func (e *Engine) wake(ctx context.Context, tx *sqldb.Tx, deployment string, at time.Time) error {
	return e.jobs.Wake(ctx, tx, kindDeployment, deployment, at)
}

// hint tells the agents of installations that have a command, once it is durable.
func (e *Engine) hint(tx *sqldb.Tx, changed []*store.Installation) {
	var targets []string
	for _, i := range changed {
		if i.Action != 0 {
			targets = append(targets, i.GetTarget())
		}
	}
	if e.hinter != nil && len(targets) > 0 {
		tx.AfterCommit(func() { e.hinter.Hint(targets) })
	}
}

// asEngine names the engine as the actor of what it does by itself.
func asEngine(ctx context.Context) context.Context {
	return auth.NewContext(ctx, &auth.Principal{Name: Principal})
}

// releaseCache keeps what of a release can never change, so that a wave of ten
// thousand targets reads its release once.
type releaseCache struct {
	mu   sync.Mutex
	byID map[string]*deploymentv1.Release
}

const releaseCacheSize = 256

// get returns releases by name; do not change what it returns.
func (c *releaseCache) get(ctx context.Context, q sqldb.Queryer, names []string) (map[string]*deploymentv1.Release, error) {
	out := make(map[string]*deploymentv1.Release, len(names))
	var missing []string
	c.mu.Lock()
	for _, name := range names {
		if r, ok := c.byID[name]; ok {
			out[name] = r
		} else if name != "" {
			missing = append(missing, name)
		}
	}
	c.mu.Unlock()
	if len(missing) == 0 {
		return out, nil
	}
	loaded, err := store.Releases.LoadMany(ctx, q, missing)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil || len(c.byID) > releaseCacheSize {
		c.byID = map[string]*deploymentv1.Release{}
	}
	for name, r := range loaded {
		out[name], c.byID[name] = r, r
	}
	return out, nil
}
