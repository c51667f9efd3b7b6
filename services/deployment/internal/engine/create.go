package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Create creates a deployment and takes its snapshots: the plan, the targets and the wave of
// each, variables and references to secrets, and what every target would go back to.
func (e *Engine) Create(ctx context.Context, req *deploymentv1.CreateDeploymentRequest) (*deploymentv1.Deployment, error) {
	if err := e.refuseCircle(ctx, req.GetParent(), req.GetDeploymentId(), req.GetDeployment()); err != nil {
		return nil, err // asked before the transaction: the other service may take its time
	}
	var s *snapshot
	kind := store.Deployments.With(resource.Hooks[*deploymentv1.Deployment]{
		Default: func(_ context.Context, _ *sqldb.Tx, d *deploymentv1.Deployment) error { return kindOf(d) },
		Validate: func(ctx context.Context, tx *sqldb.Tx, _, d *deploymentv1.Deployment) (err error) {
			if s, err = e.snapshot(ctx, tx, d, deploymentv1.Verb_CREATE); err != nil {
				return err
			}
			return expected(d, req.GetExpectTargetSetDigest())
		},
		AfterWrite: func(ctx context.Context, tx *sqldb.Tx, _, d *deploymentv1.Deployment) error {
			return e.begin(ctx, tx, d, s)
		},
	})
	return kind.Create(ctx, e.store.Resources, req)
}

// snapshot is what a deployment is made of beside its own message.
type snapshot struct {
	waves         []*deploymentv1.Wave
	installations []*store.Installation
	// plan is the digest of the plan as it was copied.
	plan string
	// ahead are the deployments that come first; the targets are not held until they have ended.
	ahead []rollout.Ahead
	// urgent deployments wait for nobody.
	urgent bool
	// instead are the deployments whose place this one takes; they are saved when it has its targets.
	instead []*loaded
}

func (s *snapshot) targets() []string {
	out := make([]string, 0, len(s.installations))
	for _, i := range s.installations {
		out = append(out, i.GetTarget())
	}
	return out
}

// digest fills in what the snapshot is recognized by.
func (s *snapshot) digest(d *deploymentv1.Deployment) (err error) {
	if s.plan, err = rollout.PlanDigest(d.GetRollout()); err != nil {
		return err
	}
	members := make([]rollout.Member, 0, len(s.installations))
	for _, i := range s.installations {
		members = append(members, rollout.Member{Target: i.GetTarget(), Wave: i.GetWave(), Release: i.GetToRelease(), ConfigDigest: i.ConfigDigest})
	}
	d.SnapshotDigest = rollout.SnapshotDigest(s.plan, members)
	return nil
}

// expected refuses a deployment that is not the one that was previewed.
func expected(d *deploymentv1.Deployment, digest string) error {
	if digest == "" || digest == d.GetTargetSetDigest() {
		return nil
	}
	return fault.Precondition("TARGET_SET_CHANGED", "the targets of %s or their waves are not those of the preview any more; look at it again with validate_only, then repeat with the new digest", d.GetEnvironment()).
		Subject("TARGET_SET_CHANGED", d.GetEnvironment(), "has the target set "+d.GetTargetSetDigest()).Meta("target_set_digest", d.GetTargetSetDigest())
}

// snapshot takes what a deployment is made of, if that can be done and policies let it be begun by these verbs.
func (e *Engine) snapshot(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, verbs ...deploymentv1.Verb) (*snapshot, error) {
	d.State, d.DesiredState, d.Creator = deploymentv1.Deployment_PENDING, deploymentv1.Deployment_RUN, auth.Actor(ctx)
	release, err := deployable(ctx, tx, d)
	if err != nil {
		return nil, err
	}
	if err := e.deployableNow(ctx, tx, release); err != nil {
		return nil, err
	}
	environment, err := store.Environments.Load(ctx, tx, d.GetEnvironment())
	if err != nil {
		return nil, store.Referred("deployment.environment", err)
	}
	if err := e.promotionRequired(ctx, tx, d, release, environment); err != nil {
		return nil, err
	}
	if err := takePlan(ctx, tx, d, environment); err != nil {
		return nil, err
	}
	slots, err := store.SlotsOf(ctx, tx, applicationOf(d.GetName()), environment.GetName())
	if err != nil {
		return nil, fmt.Errorf("read what runs: %w", err)
	}
	chosen, err := choose(ctx, tx, d, slots)
	if err != nil {
		return nil, err
	}
	dealt := rollout.Assign(d.GetRollout().GetWaves(), chosen.targets)
	d.UnselectedTargets = chosen.left
	for _, t := range dealt.Unselected {
		d.UnselectedTargets = append(d.UnselectedTargets, t.GetName())
	}
	slices.Sort(d.GetUnselectedTargets())
	d.TargetSetDigest = dealt.Digest
	if err := checkTargets(d, release, dealt); err != nil {
		return nil, err
	}
	// Last: whoever asks for what cannot be done should not have to open a policy first to hear of it.
	for _, verb := range verbs {
		if err := e.allow(ctx, tx, verb, d, nil); err != nil {
			return nil, err
		}
	}
	if err := lastGood(ctx, tx, slots); err != nil {
		return nil, fmt.Errorf("find what ran well: %w", err)
	}
	s := &snapshot{}
	if err := e.fix(ctx, tx, d, slots, s); err != nil {
		return nil, err
	}
	for i, rule := range d.GetRollout().GetWaves() {
		wave := newWave(d, rule, i)
		s.waves = append(s.waves, wave)
		for _, t := range dealt.Waves[i] {
			installation, err := newInstallation(d, wave, environment, t, slots[t.GetName()])
			if err != nil {
				return nil, err
			}
			if was := chosen.brings[t.GetName()]; was != nil {
				installation.ToRelease, installation.Overlay, installation.ConfigDigest = was.Release, was.Overlay, was.ConfigDigest
			}
			s.installations = append(s.installations, installation)
		}
	}
	if err := s.digest(d); err != nil {
		return nil, err
	}
	s.count(d, e.store.Now())
	return s, e.lineUp(ctx, tx, d, s)
}

// lastGood puts, where a failed release was left in place, the one before it: that is what a
// failure of the next one should bring back.
func lastGood(ctx context.Context, tx *sqldb.Tx, slots map[string]*store.Slot) error {
	broken := map[string]*store.Slot{}
	for _, s := range slots {
		if !s.Settled && s.Health == deploymentv1.Installation_UNHEALTHY {
			broken[s.Installation] = s
		}
	}
	if len(broken) == 0 {
		return nil
	}
	left, err := store.LoadInstallations(ctx, tx, slices.Sorted(maps.Keys(broken)))
	for _, i := range left {
		s := broken[i.GetName()]
		s.Release, s.Overlay, s.ConfigDigest = i.GetFromRelease(), i.FromOverlay, i.FromConfigDigest
	}
	return err
}

// deployable loads the release, if it may be deployed as this deployment says.
func deployable(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment) (*deploymentv1.Release, error) {
	if err := store.SameWorkspace("deployment.release", d.GetName(), d.GetRelease()); err != nil {
		return nil, err
	}
	if err := store.SameWorkspace("deployment.environment", d.GetName(), d.GetEnvironment()); err != nil {
		return nil, err
	}
	application := applicationOf(d.GetName())
	if !strings.HasPrefix(d.GetRelease(), application+"/releases/") {
		return nil, fault.Invalid("OTHER_APPLICATION", "%s is no release of %s; deploy it there", d.GetRelease(), application).
			Field("deployment.release", "must be a release of "+application)
	}
	release, err := store.Releases.Load(ctx, tx, d.GetRelease())
	if err != nil {
		return nil, store.Referred("deployment.release", err)
	}
	if release.GetState() == deploymentv1.Release_ABANDONED {
		return nil, fault.Precondition("RELEASE_ABANDONED", "%s was abandoned (%s); deploy another release", release.GetName(), release.GetAbandonReason())
	}
	return release, nil
}

// takePlan copies the plan into the deployment, if its gates can be judged there.
func takePlan(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, environment *deploymentv1.Environment) (err error) {
	if d.Rollout, err = plan(ctx, tx, d); err != nil {
		return err
	}
	if err := store.CheckGates(d.GetName(), d.GetRollout()); err != nil {
		return err
	}
	return store.CheckGateReferences(ctx, tx, environment, d.GetRollout())
}

// plan returns the rollout in its expanded form: the one given, the plan named, or the application's default.
func plan(ctx context.Context, q sqldb.Queryer, d *deploymentv1.Deployment) (*deploymentv1.Rollout, error) {
	if d.GetRollout() != nil {
		if d.GetDeploymentPlan() != "" {
			return nil, fault.Invalid("INVALID_ROLLOUT", "a deployment names a plan or brings a rollout, not both; leave one of them out").
				Field("deployment.rollout", "must not be set together with deployment_plan")
		}
		return rollout.Expand(d.GetRollout())
	}
	if d.GetDeploymentPlan() == "" {
		application, err := store.Applications.Load(ctx, q, applicationOf(d.GetName()))
		if err != nil {
			return nil, err
		}
		d.DeploymentPlan = application.GetDefaultPlan()
	}
	if d.GetDeploymentPlan() == "" {
		return rollout.Expand(nil)
	}
	if err := store.SameWorkspace("deployment.deployment_plan", d.GetName(), d.GetDeploymentPlan()); err != nil {
		return nil, err
	}
	p, err := store.DeploymentPlans.Load(ctx, q, d.GetDeploymentPlan())
	if err != nil {
		return nil, store.Referred("deployment.deployment_plan", err)
	}
	return rollout.Expand(p.GetRollout())
}

// checkTargets refuses a deployment that reaches nobody, or targets that cannot take the release.
func checkTargets(d *deploymentv1.Deployment, release *deploymentv1.Release, dealt rollout.Assignment) error {
	var selected []*deploymentv1.Target
	for _, wave := range dealt.Waves {
		selected = append(selected, wave...)
	}
	if len(selected) == 0 {
		return fault.Precondition("NO_TARGETS", "no wave selects any of the %d targets of %s; add targets, or change cohorts, labels or waves",
			len(dealt.Unselected), d.GetEnvironment())
	}
	misfits := rollout.Incompatible(release, selected)
	if len(misfits) == 0 {
		return nil
	}
	f := fault.Precondition("TARGETS_INCOMPATIBLE", "%d of %d targets cannot take %s; each is named with its reasons", len(misfits), len(selected), release.GetName())
	for _, m := range misfits {
		f = f.Subject("TARGET_INCOMPATIBLE", m.Target, strings.Join(m.Reasons, "; "))
	}
	return f
}

func newWave(d *deploymentv1.Deployment, rule *deploymentv1.WaveRule, position int) *deploymentv1.Wave {
	return &deploymentv1.Wave{
		Name: d.GetName() + "/waves/" + rule.GetId(), Ordinal: int32(position + 1), //nolint:gosec // G115: a plan has at most a hundred waves
		Rule: rule, State: deploymentv1.Wave_PENDING, Counts: &deploymentv1.InstallationCounts{},
	}
}

func newInstallation(d *deploymentv1.Deployment, wave *deploymentv1.Wave, environment *deploymentv1.Environment, t *deploymentv1.Target, runs *store.Slot) (*store.Installation, error) {
	frozen, err := overlay(environment, t)
	if err != nil {
		return nil, err
	}
	i := queued(d, wave.GetName(), t.GetName())
	i.ToRelease, i.Overlay, i.ConfigDigest = d.GetRelease(), frozen, configDigest(d.GetRelease(), frozen)
	if runs != nil {
		i.FromRelease, i.FromOverlay, i.FromConfigDigest = runs.Release, runs.Overlay, runs.ConfigDigest
	}
	return i, nil
}

func queued(d *deploymentv1.Deployment, wave, target string) *store.Installation {
	return &store.Installation{
		Installation: &deploymentv1.Installation{
			Name:   d.GetName() + "/installations/" + target[strings.LastIndexByte(target, '/')+1:],
			Target: target, Wave: wave, State: deploymentv1.Installation_QUEUED, Revision: 1,
		},
		Deployment: d.GetName(), Application: applicationOf(d.GetName()), Active: true,
	}
}

// count fills the counts of the deployment and its waves before anything has moved.
func (s *snapshot) count(d *deploymentv1.Deployment, now time.Time) {
	d.Counts = &deploymentv1.InstallationCounts{}
	byName := map[string]*deploymentv1.InstallationCounts{}
	for _, w := range s.waves {
		byName[w.GetName()] = w.GetCounts()
	}
	for _, i := range s.installations {
		for _, c := range []*deploymentv1.InstallationCounts{d.GetCounts(), byName[i.GetWave()]} {
			rollout.Count(c, i.GetState(), i.GetHealth(), false, 1)
		}
	}
	rollout.Explain(d, s.waves, now)
}

// begin stores what belongs to a new deployment and wakes it.
func (e *Engine) begin(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, s *snapshot) error {
	bind(s.plan, s.waves, s.installations)
	for _, w := range s.waves {
		if err := store.Waves.Insert(ctx, tx, e.store.Resources, w, resource.Meta{}); err != nil {
			return err
		}
	}
	for _, i := range s.installations {
		i.Active = len(s.ahead) == 0
	}
	err := store.InsertInstallations(ctx, tx, e.store.Now(), s.installations)
	if sqldb.IsUnique(err) {
		return e.busy(ctx, d, s)
	}
	if err != nil {
		return err
	}
	if err := store.SetPlanDigest(ctx, tx, d.GetName(), s.plan); err != nil {
		return err
	}
	for _, l := range s.instead {
		if err := e.handOver(ctx, tx, l, d); err != nil {
			return fmt.Errorf("take over from %s: %w", l.Deployment.GetName(), err)
		}
	}
	return e.wake(ctx, tx, d.GetName(), e.store.Now())
}

// busy names who holds the targets. The transaction is spoilt by then, so it reads beside it.
func (e *Engine) busy(ctx context.Context, d *deploymentv1.Deployment, s *snapshot) error {
	targets := s.targets()
	held, err := store.HeldBy(ctx, e.store.DB.Read(), applicationOf(d.GetName()), targets)
	if err != nil {
		return err
	}
	f := fault.Precondition("TARGET_BUSY", "%d of %d targets are held by another deployment of %s; wait for it, cancel it or roll it back",
		len(held), len(targets), applicationOf(d.GetName()))
	for _, i := range held {
		f = f.Subject("TARGET_BUSY", i.GetTarget(), "held by "+i.Deployment)
	}
	return f
}

func applicationOf(deployment string) string {
	application, _, _ := strings.Cut(deployment, "/deployments/")
	return application
}

func cloneOf(i *store.Installation) *deploymentv1.Installation { return proto.CloneOf(i.Installation) }
