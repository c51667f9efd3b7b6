package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/engine"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

// people is what operators have done that invariants must know of.
type people struct {
	created int
	retries map[string]int32 // by installation
	// commanding counts who is giving a command to a deployment at this moment.
	commanding map[string]int
}

// gateService is the other service. It is asked between transactions, which is when
// everybody else may do something too.
type gateService struct {
	gatev1.GateServiceClient
	w    *world
	says map[string]gatev1.Verdict_State
	ill  illness
	// drift is how far its clock is off.
	drift time.Duration
	lies  []func(*gatev1.Verdict)
	told  map[string]told
	// words counts how often it changed its mind: the revision of whatever was decided.
	words int64
}

// told is the last answer about a cohort plan, or about a decision to a wave.
type told struct {
	at       time.Time
	state    gatev1.Verdict_State
	revision int64
}

// decisionOf is a decision as a wave asks about it: it opens those it names alone.
func decisionOf(wave, decision string) string { return decision + " for " + wave }

func newGateService(w *world) *gateService {
	return &gateService{w: w, says: map[string]gatev1.Verdict_State{}, told: map[string]told{}, lies: lies()}
}

// EvaluateGate implements gatev1.GateServiceClient. An engine asks for all gates of a wave at the
// same time, and plans here have one to ask for at most: so whoever acts meanwhile is alone.
func (g *gateService) EvaluateGate(_ context.Context, req *gatev1.EvaluateGateRequest, _ ...grpc.CallOption) (*gatev1.Verdict, error) {
	g.w.meanwhile()
	if strings.HasPrefix(req.GetResource(), decisions) {
		return g.decision(req)
	}
	state := g.says[req.GetResource()]
	g.told[req.GetResource()] = told{at: g.w.now}
	if g.ill == well {
		g.told[req.GetResource()] = told{at: g.w.now, state: state}
	}
	v := &gatev1.Verdict{Resource: req.GetResource(), State: state}
	if state != gatev1.Verdict_PASS && state != gatev1.Verdict_WAIVED {
		v.Reasons = []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_CRITERION, Resource: req.GetResource(), Current: "12 of 20 trained", Required: "at least 90 %"}}
	}
	return g.answer(v)
}

// decision answers whether somebody decided that a wave goes.
func (g *gateService) decision(req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	key := decisionOf(req.GetOnBehalfOf(), req.GetResource())
	v := &gatev1.Verdict{Resource: req.GetResource(), State: g.says[req.GetResource()], Revision: g.words}
	current := "expired: readiness of sales was PASS, is WAIT"
	if req.GetPurpose() != gatev1.Purpose_PURPOSE_ALL || req.GetOnBehalfOf() == "" {
		v.State, current = gatev1.Verdict_FAIL, "not bound to whoever asks"
	}
	g.told[key] = told{at: g.w.now}
	if g.ill == well {
		g.told[key] = told{at: g.w.now, state: v.GetState(), revision: g.words}
	}
	if v.GetState() != gatev1.Verdict_PASS && v.GetState() != gatev1.Verdict_WAIVED {
		v.Reasons = []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_DECISION, Resource: req.GetResource(), Current: current, Required: "GO"}}
	}
	return g.answer(v)
}

// turn lets the other service change its mind.
func (g *gateService) turn() {
	states := []gatev1.Verdict_State{gatev1.Verdict_PASS, gatev1.Verdict_PASS, gatev1.Verdict_PASS, gatev1.Verdict_WAIVED, gatev1.Verdict_WAIT, gatev1.Verdict_FAIL, gatev1.Verdict_UNDECIDED, gatev1.Verdict_UNKNOWN, 99}
	n := g.w.pick(2)
	plan, decision := plans+fmt.Sprintf("p%d", n), decisions+fmt.Sprintf("p%d", n)
	g.says[plan] = states[g.w.pick(len(states))]
	g.says[decision] = g.says[plan]
	g.words++
	g.ill, g.drift = well, 0
	if g.w.chance(g.w.faults.gateDown) {
		g.ill = illness(1 + g.w.pick(int(illnesses)-1))
	}
	if g.w.faults.clocks {
		g.drift = time.Duration(g.w.pick(3)-1) * time.Hour
	}
	g.w.note("%s says %s, the other service %s, its clock is off by %s", short(plan), g.says[plan], g.ill, g.drift)
}

// blobs has every archive. It too is asked between transactions.
type blobs struct{ w *world }

// Stat implements engine.Blobs.
func (b blobs) Stat(_ context.Context, _, sha256 string) (blob.Info, error) {
	b.w.meanwhile()
	if b.w.lostArchive && sha256[0] == '1' {
		return blob.Info{}, fault.NotFound("BLOB_NOT_FOUND", "it is gone")
	}
	return blob.Info{Size: 1}, nil
}

// Read implements engine.Blobs.
func (b blobs) Read(context.Context, string, string, int64) (io.ReadCloser, error) {
	b.w.meanwhile()
	return io.NopCloser(strings.NewReader("x")), nil
}

// meanwhile lets somebody do something while a server waits for the network.
func (w *world) meanwhile() {
	if !w.faulty || w.nested || !w.chance(300) {
		return
	}
	waiting := w.bench.disk.user
	w.bench.disk.user, w.nested = nil, true
	defer func() { w.bench.disk.user, w.nested = waiting, false }()
	w.note("meanwhile")
	if alive, running := w.alive(), w.book.running(); w.chance(300) && len(alive) > 0 && len(running) > 0 {
		r, name := alive[w.pick(len(alive))], running[w.pick(len(running))]
		_ = r.do("advance "+short(name), func(ctx context.Context) error { return r.engine.Advance(as(ctx, engine.Principal), name) })
		return
	}
	w.operator()
}

// somebody may do anything, at any time, from any server.
func (w *world) operator() {
	alive := w.alive()
	if len(alive) == 0 {
		return
	}
	r := alive[w.pick(len(alive))]
	switch w.pick(14) {
	case 0, 1, 2:
		w.create(r)
	case 3:
		w.gate.turn()
	case 4, 5:
		w.approve(r)
	case 6:
		w.retry(r)
	case 8, 9:
		w.rule(r)
	case 10:
		w.metrics.turn(w)
	case 7:
		if wave := w.someWave(); wave != "" {
			_ = r.do("skip "+short(wave), func(ctx context.Context) error {
				_, err := r.engine.Skip(as(ctx, "users/alice"), &deploymentv1.SkipWaveRequest{Name: wave, Reason: "not this one"})
				return err
			})
		}
	default:
		w.command(r)
	}
}

func (w *world) create(r *replica) {
	if w.people.created >= 4 {
		return
	}
	w.people.created++
	name := fmt.Sprintf("d%d", w.people.created)
	d := &deploymentv1.Deployment{Release: releaseName(w.pick(min(releases, w.people.created+1))), Environment: environment, Rollout: w.rollout(), Hotfix: w.chance(150)}
	if w.people.created == 1 && w.chance(700) { // so that there is something to go back to
		d.Release, d.Rollout = releaseName(0), &deploymentv1.Rollout{LostAfter: seconds(60), StepTimeout: seconds(20)}
	}
	w.note("%s creates %s of %s: %s", r.name, name, short(d.GetRelease()), outline(d.GetRollout()))
	_ = r.do("create "+name, func(ctx context.Context) error {
		_, err := r.engine.Create(as(ctx, "users/alice"), &deploymentv1.CreateDeploymentRequest{Parent: application, DeploymentId: name, Deployment: d})
		return err
	})
}

// command gives one of the commands to some deployment, most often one that runs.
func (w *world) command(r *replica) {
	name := w.someDeployment()
	if name == "" {
		return
	}
	if w.chance(200) {
		w.rollback(r, name)
		return
	}
	often := []rollout.Command{rollout.Pause, rollout.Pause, rollout.Resume, rollout.Resume, rollout.Resume, rollout.Cancel, rollout.Abandon}
	c := often[w.pick(len(often))]
	if c == rollout.Cancel && w.chance(300) || c == rollout.Abandon && w.chance(700) {
		return
	}
	w.give(r, name, c)
}

func (w *world) give(r *replica, name string, c rollout.Command) {
	w.note("%s: %s %s", r.name, c, short(name))
	w.people.commanding[name]++
	defer func() { w.people.commanding[name]-- }()
	_ = r.do(c.String()+" "+short(name), func(ctx context.Context) error {
		_, err := r.engine.Command(as(ctx, "users/bob"), &deploymentv1.AbandonDeploymentRequest{Name: name, Reason: "test"}, c)
		return err
	})
}

func (w *world) rollback(r *replica, name string) {
	w.note("%s: roll back %s", r.name, short(name))
	_ = r.do("roll back "+short(name), func(ctx context.Context) error {
		_, err := r.engine.Rollback(as(ctx, "users/bob"), &deploymentv1.RollbackDeploymentRequest{Name: name, Reason: "test"})
		return err
	})
}

func (w *world) approve(r *replica) {
	wave := w.someWave()
	if wave == "" {
		return
	}
	person, yes := fmt.Sprintf("users/p%d", w.pick(4)), w.chance(930) || !w.faulty
	w.decide(r, wave, person, yes)
}

func (w *world) decide(r *replica, wave, person string, yes bool) {
	_ = r.do("word on "+short(wave), func(ctx context.Context) error {
		_, err := r.engine.Decide(as(ctx, person), &deploymentv1.RejectWaveRequest{Name: wave, Reason: "test"}, yes)
		if err == nil {
			w.note("%s says %t to %s", person, yes, short(wave))
		}
		return err
	})
}

func (w *world) retry(r *replica) {
	var some []string
	for _, i := range w.book.installations {
		if i.active && (i.state == deploymentv1.Installation_FAILED || i.state == deploymentv1.Installation_REVERTED || i.state == deploymentv1.Installation_LOST) {
			some = append(some, i.name)
		}
	}
	if len(some) == 0 {
		return
	}
	slices.Sort(some)
	name := some[w.pick(len(some))]
	err := r.do("retry "+short(name), func(ctx context.Context) error {
		_, err := r.engine.Retry(as(ctx, "users/alice"), &deploymentv1.RetryInstallationRequest{Name: name})
		if err == nil {
			w.note("retry %s", short(name))
		}
		return err
	})
	if err == nil || errors.Is(err, errCrashed) { // whoever died after the commit has retried too
		w.people.retries[name]++
	}
}

// someDeployment returns a deployment, most often one that has not ended; empty when there is none.
func (w *world) someDeployment() string {
	all := w.book.running()
	if len(all) == 0 || w.chance(100) {
		all = w.book.names()
	}
	if len(all) == 0 {
		return ""
	}
	return all[w.pick(len(all))]
}

// someWave returns a wave that has not begun; empty when there is none.
func (w *world) someWave() string {
	var some []string
	for name, wave := range w.book.waves {
		if s := wave.message.GetState(); s == deploymentv1.Wave_PENDING || s == deploymentv1.Wave_GATED {
			some = append(some, name)
		}
	}
	if len(some) == 0 {
		return ""
	}
	slices.Sort(some)
	return some[w.pick(len(some))]
}
