package engine_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/store"
	"github.com/golive-dev/golive/services/deployment/internal/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// tables is what every database of the tests of this package has.
var tables = storetest.Tables()

const (
	ws  = "workspaces/default"
	app = ws + "/applications/shop"
	env = ws + "/environments/prod"
	// live follows prod; it is there once a test has made it.
	live = ws + "/environments/live"
)

// world is a store with an engine at work, an application, an environment, and hosts that
// do what commands say.
type world struct {
	t      *testing.T
	ctx    context.Context
	store  *store.Store
	engine *engine.Engine
	gate   *gate
	other  *other
	blobs  blobs
	hosts  *hosts
	ahead  *atomic.Int64 // of the server's clock
}

// blobs has every archive but those that are gone. While somebody holds slow it does not answer.
type blobs struct {
	gone *sync.Map
	slow *sync.RWMutex
}

func (b blobs) Stat(_ context.Context, _, sum string) (blob.Info, error) {
	if b.slow != nil {
		b.slow.RLock()
		defer b.slow.RUnlock()
	}
	if b.gone != nil {
		if _, gone := b.gone.Load(sum); gone {
			return blob.Info{}, fault.NotFound("BLOB_NOT_FOUND", "gone")
		}
	}
	return blob.Info{Size: 1}, nil
}

func (blobs) Read(context.Context, string, string, int64) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("x")), nil
}

// gate answers like the implementation service.
type gate struct {
	mu      sync.Mutex
	state   gatev1.Verdict_State
	err     error
	asked   int
	changed chan struct{}
	now     func() time.Time
	// answer is asked instead of state where it is set.
	answer func(req *gatev1.EvaluateGateRequest) *gatev1.Verdict
}

func (g *gate) set(state gatev1.Verdict_State, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state, g.err = state, err
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *gate) EvaluateGate(_ context.Context, req *gatev1.EvaluateGateRequest, _ ...grpc.CallOption) (*gatev1.Verdict, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	if g.err != nil {
		return nil, g.err
	}
	if g.answer != nil {
		return g.answer(req), nil
	}
	v := &gatev1.Verdict{Resource: req.GetResource(), State: g.state, EvaluatedAt: timestamppb.New(g.now()), Ttl: durationpb.New(5 * time.Minute)}
	if g.state != gatev1.Verdict_PASS {
		v.Reasons = []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_CRITERION, Resource: req.GetResource(), Current: "12 of 20 trained (60.0 %)", Required: "at least 90.0 % trained"}}
	}
	return v, nil
}

func (g *gate) WatchGates(ctx context.Context, req *gatev1.WatchGatesRequest, _ ...grpc.CallOption) (grpc.ServerStreamingClient[gatev1.WatchGatesResponse], error) {
	return &gateWatch{ctx: ctx, gate: g, resource: req.GetResources()[0]}, nil
}

type gateWatch struct {
	grpc.ClientStream
	ctx      context.Context
	gate     *gate
	resource string
	next     <-chan struct{}
}

func (w *gateWatch) Recv() (*gatev1.WatchGatesResponse, error) {
	if w.next != nil {
		select {
		case <-w.ctx.Done():
			return nil, w.ctx.Err()
		case <-w.next:
		}
	}
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	if w.gate.err != nil {
		return nil, w.gate.err
	}
	w.next = w.gate.changed
	return &gatev1.WatchGatesResponse{Verdict: &gatev1.Verdict{Resource: w.resource}}, nil
}

// hosts play the agents of all targets: what the engine hints, they fetch and do.
type hosts struct {
	work *engine.Engine
	t    *testing.T
	mu   sync.Mutex
	seq  int64
	// ends says how an installation of a release ends on a target; HEALTHY when nil or zero.
	ends func(c *agentv1.Command) deploymentv1.Installation_State
	// migrate says how a migration ends; SUCCEEDED when nil or zero.
	migrate func(c *agentv1.Command, step *agentv1.MigrationStep) agentv1.MigrationOutcome_State
	// hold keeps commands of these targets unanswered.
	hold map[string]bool
	// done counts what was done, by "action target release".
	done   map[string]int
	hinted chan []string
}

func (h *hosts) Hint(targets []string) {
	select {
	case h.hinted <- targets:
	default:
	}
}

func (h *hosts) run(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.hinted:
		case <-tick.C:
		}
		h.round(ctx)
	}
}

func (h *hosts) round(ctx context.Context) {
	var targets []string
	for i := range 12 {
		targets = append(targets, fmt.Sprintf("%s/targets/t%d", env, i), fmt.Sprintf("%s/targets/t%d", live, i))
	}
	h.mu.Lock()
	held := maps.Clone(h.hold) // before it asks, so that who is let go does nothing that it was told while it was held
	h.mu.Unlock()
	commands, err := h.work.Pending(ctx, targets)
	if ctx.Err() != nil {
		return
	}
	require.NoError(h.t, err)
	for _, c := range commands {
		if held[c.GetTarget()[strings.LastIndex(c.GetTarget(), "/")+1:]] {
			continue
		}
		if err := h.work.Apply(ctx, h.do(c)); ctx.Err() == nil {
			require.NoError(h.t, err)
		}
	}
}

// do answers one command.
func (h *hosts) do(c *agentv1.Command) []*agentv1.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	target := c.GetTarget()[strings.LastIndex(c.GetTarget(), "/")+1:]
	h.done[fmt.Sprintf("%s %s %s", c.GetAction(), target, c.GetWorkload().GetVersion())]++
	report := func(s deploymentv1.Installation_State, health deploymentv1.Installation_Health, cause string) *agentv1.Report {
		h.seq++
		return &agentv1.Report{
			Sequence: h.seq, Installation: c.GetInstallation(), Attempt: c.GetAttempt(), Epoch: c.GetEpoch(), State: s, Health: health, Cause: cause,
			Steps: []*deploymentv1.InstallationStep{{State: s, Step: "test", Succeeded: cause == ""}},
		}
	}
	told, cause := h.migrations(c)
	if cause != "" && c.GetAction() == agentv1.Command_INSTALL {
		r := report(deploymentv1.Installation_FAILED, 0, cause)
		r.Migrations = told
		return []*agentv1.Report{r}
	}
	switch c.GetAction() {
	case agentv1.Command_MIGRATE:
		r := report(deploymentv1.Installation_SEALED, deploymentv1.Installation_HEALTHY_NOW, cause)
		r.Migrations = told
		return []*agentv1.Report{r}
	case agentv1.Command_PRESTAGE:
		r := report(0, 0, "")
		r.Prestaged = true
		return []*agentv1.Report{r}
	case agentv1.Command_REVERT:
		return []*agentv1.Report{report(deploymentv1.Installation_REVERTED, deploymentv1.Installation_HEALTHY_NOW, "")}
	case agentv1.Command_SEAL:
		return []*agentv1.Report{report(deploymentv1.Installation_SEALED, 0, "")}
	case agentv1.Command_CANCEL:
		return []*agentv1.Report{report(deploymentv1.Installation_CANCELLED, 0, "")}
	default:
		ends := deploymentv1.Installation_HEALTHY
		if h.ends != nil {
			if s := h.ends(c); s != 0 {
				ends = s
			}
		}
		if ends != deploymentv1.Installation_HEALTHY {
			return []*agentv1.Report{report(deploymentv1.Installation_FETCHING, 0, ""), report(ends, 0, "PROBE_FAILED")}
		}
		reports := []*agentv1.Report{report(deploymentv1.Installation_FETCHING, 0, ""), report(ends, deploymentv1.Installation_HEALTHY_NOW, "")}
		reports[0].Migrations = told
		return reports
	}
}

func (h *hosts) count(prefix string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for what, times := range h.done {
		if strings.HasPrefix(what, prefix) {
			n += times
		}
	}
	return n
}

func (h *hosts) keep(target string, held bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hold[target] = held
}

// each runs a test with a world of its own on both databases.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel() // each world has a database of its own, and mostly waits
	tables.Each(t, func(t *testing.T, db *sqldb.DB) { test(t, newWorld(t, db)) })
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	t.Helper()
	ahead := &atomic.Int64{}
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	st, err := store.Over(t.Context(), db, db, store.Config{Logger: zaptest.NewLogger(t), Now: now})
	require.NoError(t, err)
	w := &world{t: t, ahead: ahead, store: st, blobs: blobs{gone: &sync.Map{}, slow: &sync.RWMutex{}}, gate: &gate{state: gatev1.Verdict_WAIT, changed: make(chan struct{}), now: now}}
	w.other = &other{dependsOn: map[string][]string{}}
	w.engine, err = engine.New(engine.Config{Store: st, Blobs: w.blobs, Gate: w.gate, Waiting: w.other, Logger: zaptest.NewLogger(t)})
	require.NoError(t, err)
	w.hosts = &hosts{work: w.engine, t: t, hold: map[string]bool{}, done: map[string]int{}, hinted: make(chan []string, 100)}
	w.engine.HintTo(w.hosts)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	running.Go(func() { w.hosts.run(ctx) })
	running.Go(func() { _ = st.Log.Run(ctx) })
	running.Go(func() { _ = w.engine.Run(ctx) })
	w.ctx = as(t.Context(), "users/alice")
	w.seed()
	return w
}

func as(ctx context.Context, name string) context.Context {
	return auth.NewContext(ctx, &auth.Principal{Name: name})
}

// seed makes an application with three releases and six targets in three cohorts, all connected.
func (w *world) seed() {
	w.t.Helper()
	_, err := store.Applications.Create(w.ctx, w.store.Resources, &deploymentv1.CreateApplicationRequest{Parent: ws, ApplicationId: "shop", Application: &deploymentv1.Application{}})
	require.NoError(w.t, err)
	for i := 1; i <= 3; i++ {
		_, err := store.Releases.Create(w.ctx, w.store.Resources, &deploymentv1.CreateReleaseRequest{Parent: app, ReleaseId: fmt.Sprintf("v%d", i), Release: &deploymentv1.Release{
			Version:   fmt.Sprintf("%d.0.0", i),
			Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: strings.Repeat(fmt.Sprint(i), 64), SizeBytes: 1}},
			Run:       &deploymentv1.RunSpec{Command: []string{"bin/app"}},
		}})
		require.NoError(w.t, err)
	}
	_, err = store.Environments.Create(w.ctx, w.store.Resources, &deploymentv1.CreateEnvironmentRequest{Parent: ws, EnvironmentId: "prod", Environment: &deploymentv1.Environment{}})
	require.NoError(w.t, err)
	for i, cohort := range []string{"pilot", "pilot", "sales", "sales", "warehouse", "warehouse"} {
		w.target(i, cohort, true)
	}
}

func (w *world) target(i int, cohort string, connected bool) {
	w.t.Helper()
	id := fmt.Sprintf("t%d", i)
	_, err := store.Targets.Create(w.ctx, w.store.Resources, &deploymentv1.CreateTargetRequest{Parent: env, TargetId: id, Target: &deploymentv1.Target{Cohorts: []string{cohort}}})
	require.NoError(w.t, err)
	if connected {
		w.connect(id, time.Hour)
	}
}

// connect says that the agent of a target is there for so long.
func (w *world) connect(id string, lease time.Duration) {
	w.t.Helper()
	w.present(env+"/targets/"+id, lease)
}

func (w *world) present(target string, lease time.Duration) {
	w.t.Helper()
	require.NoError(w.t, w.store.DB.Tx(w.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO target_presence (target, agent, connected, changed_at, last_seen, replica, lease_until) VALUES ($1, 'a', 1, 0, 0, 'r', $2)
			ON CONFLICT (target) DO UPDATE SET lease_until = excluded.lease_until`, target, time.Now().Add(lease).UnixMicro())
		return err
	}))
	w.engine.Presence(w.ctx, []string{target}, true)
}

func (w *world) deploy(id, release string, r *deploymentv1.Rollout) *deploymentv1.Deployment {
	w.t.Helper()
	d, err := w.engine.Create(w.ctx, &deploymentv1.CreateDeploymentRequest{Parent: app, DeploymentId: id, Deployment: &deploymentv1.Deployment{
		Release: app + "/releases/" + release, Environment: env, Rollout: r,
	}})
	require.NoError(w.t, err)
	return d
}

// reach waits until a deployment is in a state, and says where it was if it never is.
func (w *world) reach(name string, state deploymentv1.Deployment_State) *deploymentv1.Deployment {
	w.t.Helper()
	return w.until(name, func(d *deploymentv1.Deployment) bool { return d.GetState() == state })
}

func (w *world) until(name string, ok func(*deploymentv1.Deployment) bool) *deploymentv1.Deployment {
	w.t.Helper()
	var d *deploymentv1.Deployment
	met := func() bool {
		var err error
		d, err = store.Deployments.Load(w.ctx, w.store.DB.Read(), name)
		require.NoError(w.t, err)
		return ok(d)
	}
	for deadline := time.Now().Add(20 * time.Second); !met(); {
		if time.Now().After(deadline) {
			require.Failf(w.t, "not reached", "%v", d)
		}
		select {
		case <-w.ctx.Done():
			return d
		case <-time.After(5 * time.Millisecond):
		}
	}
	return d
}

func (w *world) wave(deployment, id string) *deploymentv1.Wave {
	w.t.Helper()
	wave, err := store.Waves.Load(w.ctx, w.store.DB.Read(), deployment+"/waves/"+id)
	require.NoError(w.t, err)
	return wave
}

// runs says which release each target runs.
func (w *world) runs() map[string]string {
	w.t.Helper()
	slots, err := store.SlotsOf(w.ctx, w.store.DB.Read(), app, env)
	require.NoError(w.t, err)
	out := map[string]string{}
	for target, s := range slots {
		out[target[strings.LastIndex(target, "/")+1:]] = s.Release[strings.LastIndex(s.Release, "/")+1:]
	}
	return out
}
