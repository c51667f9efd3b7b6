package engine

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// leaveBehind hands the targets that a wave was sealed without to the catch-up of the deployment, in the
// transaction of the seal. There is one for all its waves; it is created with the first of them.
func (e *Engine) leaveBehind(ctx context.Context, tx *sqldb.Tx, l *loaded, sealed string) error {
	if l.Deployment.GetKind() == deploymentv1.Deployment_CATCH_UP {
		return nil
	}
	left, err := store.LeftBehind(ctx, tx, sealed)
	if err != nil || len(left) == 0 {
		return err
	}
	var rule *deploymentv1.WaveRule
	for _, w := range l.Waves {
		if w.GetName() == sealed {
			rule = rollout.CatchUp(w.GetRule())
		}
	}
	if l.Deployment.GetCaughtUpBy() != "" {
		return e.growCatchUp(ctx, tx, l.Deployment.GetCaughtUpBy(), rule, left)
	}
	return e.createCatchUp(ctx, tx, l.Deployment, rule, left)
}

func (e *Engine) createCatchUp(ctx context.Context, tx *sqldb.Tx, of *deploymentv1.Deployment, rule *deploymentv1.WaveRule, left []*store.Installation) error {
	plan := of.GetRollout()
	c := &deploymentv1.Deployment{
		Name: applicationOf(of.GetName()) + "/deployments/catch-up-" + e.newID(), Kind: deploymentv1.Deployment_CATCH_UP, CatchUpOf: of.GetName(),
		Release: of.GetRelease(), Environment: of.GetEnvironment(), DeploymentPlan: of.GetDeploymentPlan(), Hotfix: of.GetHotfix(),
		Reason: "for the targets that were away when " + lastSegment(of.GetName()) + " sealed their wave", Creator: Principal,
		State: deploymentv1.Deployment_PENDING, DesiredState: deploymentv1.Deployment_RUN,
		RollbackOf: of.GetRollbackOf(), RollbackOrder: of.GetRollbackOrder(), // who goes back late goes back as freely, and by the same word
		Rollout: &deploymentv1.Rollout{
			Waves: []*deploymentv1.WaveRule{rule}, OnFailure: plan.GetOnFailure(),
			StepTimeout: plan.GetStepTimeout(), LostAfter: plan.GetLostAfter(), CancelTimeout: plan.GetCancelTimeout(),
		},
	}
	if of.GetRollbackOf() != "" {
		c.RollbackPath = proto.CloneOf(of.GetRollbackPath()) // each target takes its own migrations back
	}
	s := &snapshot{waves: []*deploymentv1.Wave{newWave(c, rule, 0)}}
	s.installations = stragglersOf(c, s.waves[0], left)
	if err := s.digest(c); err != nil {
		return err
	}
	s.count(c, e.store.Now())
	if err := store.Deployments.Insert(ctx, tx, e.store.Resources, c, resource.Meta{Actor: Principal, Cause: "STRAGGLERS"}); err != nil {
		return fmt.Errorf("create the catch-up: %w", err)
	}
	of.CaughtUpBy = c.GetName()
	return e.begin(ctx, tx, c, s)
}

// growCatchUp adds the stragglers of another wave. Where a person has ended the catch-up, they stay what
// they are: drift, that a re-apply puts right.
func (e *Engine) growCatchUp(ctx context.Context, tx *sqldb.Tx, name string, rule *deploymentv1.WaveRule, left []*store.Installation) error {
	l, err := load(ctx, tx, name)
	if err != nil || rollout.Ended(l.Deployment.GetState()) || l.Deployment.GetSupersededBy() != "" {
		return err
	}
	d := l.Deployment
	d.Rollout = proto.CloneOf(d.GetRollout())
	d.Rollout.Waves = append(d.Rollout.Waves, rule)
	wave := newWave(d, rule, len(l.Waves))
	more := stragglersOf(d, wave, left)
	if err := store.Waves.Insert(ctx, tx, e.store.Resources, wave, resource.Meta{Actor: Principal}); err != nil {
		return err
	}
	if err := store.InsertInstallations(ctx, tx, e.store.Now(), more); err != nil {
		return err
	}
	members, err := store.Members(ctx, tx, name)
	if err != nil {
		return err
	}
	plan, err := rollout.PlanDigest(d.GetRollout())
	if err != nil {
		return err
	}
	d.SnapshotDigest = rollout.SnapshotDigest(plan, members)
	if err := store.SetPlanDigest(ctx, tx, name, plan); err != nil {
		return err
	}
	if err := e.save(ctx, tx, l); err != nil {
		return err
	}
	return e.wake(ctx, tx, name, e.store.Now())
}

// stragglersOf makes the installations that bring to targets what they have missed.
func stragglersOf(c *deploymentv1.Deployment, wave *deploymentv1.Wave, left []*store.Installation) []*store.Installation {
	out := make([]*store.Installation, 0, len(left))
	for _, was := range left {
		i := queued(c, wave.GetName(), was.GetTarget())
		i.FromRelease, i.FromOverlay, i.FromConfigDigest = was.GetFromRelease(), was.FromOverlay, was.FromConfigDigest
		i.ToRelease, i.Overlay, i.ConfigDigest = was.GetToRelease(), was.Overlay, was.ConfigDigest
		out = append(out, i)
	}
	return out
}

// growing says whether the deployment that a catch-up belongs to may still leave targets to it.
func (e *Engine) growing(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, f *rollout.Facts) error {
	of, err := store.Deployments.Load(ctx, tx, d.GetCatchUpOf())
	if err == nil && !rollout.Ended(of.GetState()) {
		f.Growing = of.GetName()
	}
	return err
}

// takeBackStragglers ends the catch-up of a deployment that is being taken back and adds, by wave, what of the
// deployment's own has caught up by then, or may have.
func (e *Engine) takeBackStragglers(ctx context.Context, tx *sqldb.Tx, of, back *deploymentv1.Deployment, touched map[string][]*store.Installation, s *snapshot) error {
	name := of.GetCaughtUpBy()
	if name == "" {
		return nil
	}
	c, err := store.Deployments.Load(ctx, tx, name)
	if err != nil {
		return err
	}
	ended := rollout.Ended(c.GetState())
	late, err := store.RollbackSet(ctx, tx, name, ended)
	if err != nil {
		return err
	}
	for wave, more := range late {
		own := of.GetName() + "/waves/" + lastSegment(wave)
		touched[own] = append(touched[own], more...)
	}
	if ended {
		return nil
	}
	return e.supersede(ctx, tx, back, s, name)
}

// forget takes back that stragglers should run what their deployment would have brought, as it is being
// taken back itself.
func (e *Engine) forget(ctx context.Context, tx *sqldb.Tx, of *deploymentv1.Deployment, only []string, waves []*deploymentv1.Wave) error {
	var names []string
	for _, w := range waves {
		if len(only) == 0 || slices.Contains(only, w.GetRule().GetId()) {
			names = append(names, w.GetName())
		}
	}
	return store.ForgetStragglers(ctx, tx, e.store.Now(), of.GetName(), names)
}
