package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// policyOf returns what happens to a new deployment of an application that finds another one in an environment. Where
// deployments wait for each other the application is locked, so that two which are created at once agree on who is first.
func policyOf(ctx context.Context, tx *sqldb.Tx, application, environment string) (deploymentv1.QueuePolicy, error) {
	a, err := store.Applications.Load(ctx, tx, application)
	if err != nil {
		return 0, err
	}
	policies := a.GetQueuePolicies()
	policy, ok := policies[lastSegment(environment)]
	if !ok {
		policy = policies["*"]
	}
	if policy == deploymentv1.QueuePolicy_QUEUE || policy == deploymentv1.QueuePolicy_SUPERSEDE {
		_, err = store.Applications.Lock(ctx, tx, application)
	}
	return policy, err
}

// lineUp gives a new deployment its place: whom it takes the place of ends here and hands over in begin, and whom
// it waits for leaves it without its targets until its turn comes.
func (e *Engine) lineUp(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, s *snapshot) error {
	application := applicationOf(d.GetName())
	policy, err := policyOf(ctx, tx, application, d.GetEnvironment())
	if err != nil {
		return err
	}
	others, err := store.Unended(ctx, tx, application, d.GetEnvironment())
	if err != nil || len(others) == 0 {
		return err
	}
	holders, err := holdersOf(ctx, tx, application, s)
	if err != nil {
		return err
	}
	// Oldest first, so that a deployment is locked before its catch-up, as everywhere.
	for _, other := range others {
		place := rollout.PlaceOf(other, policy, slices.Contains(holders, other.GetName()))
		if s.ends(other.GetName()) || other.GetName() == d.GetRollbackOf() || s.urgent && other.GetKind() != deploymentv1.Deployment_CATCH_UP {
			continue
		}
		if err := e.give(ctx, tx, d, s, other, place); err != nil {
			return err
		}
	}
	if len(s.ahead) > 0 {
		d.BlockedBy = rollout.InLine(s.ahead, e.store.Now())
	}
	return nil
}

// give makes room for a new deployment beside another one.
func (e *Engine) give(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, s *snapshot, other *deploymentv1.Deployment, place rollout.Place) error {
	switch {
	case place == rollout.Behind && !s.urgent:
		s.ahead = append(s.ahead, rollout.Ahead{Name: other.GetName(), State: other.GetState()})
	case place == rollout.Instead, place == rollout.After && s.urgent:
		return e.supersede(ctx, tx, d, s, other.GetName())
	case place == rollout.After:
		l, err := load(ctx, tx, other.GetName())
		if err != nil {
			return err
		}
		l.Deployment.SupersededBy = d.GetName()
		if _, err := e.settle(ctx, tx, l, answers{}); err != nil {
			return err
		}
		if !rollout.Ended(l.Deployment.GetState()) {
			s.ahead = append(s.ahead, rollout.Ahead{Name: other.GetName(), State: l.Deployment.GetState()})
		}
	default:
	}
	return nil
}

// ends reports whether a deployment makes way already.
func (s *snapshot) ends(name string) bool {
	return slices.ContainsFunc(s.instead, func(l *loaded) bool { return l.Deployment.GetName() == name })
}

// supersede ends a deployment in favour of d; begin hands over what it was doing, and saves it.
func (e *Engine) supersede(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, s *snapshot, other string) error {
	l, err := load(ctx, tx, other)
	if err != nil {
		return err
	}
	facts, err := e.facts(ctx, tx, l, e.store.Now())
	if err != nil {
		return err
	}
	effects := rollout.Supersede(&l.State, facts, d.GetName())
	if _, err := e.act(ctx, tx, other, effects, facts.Now); err != nil {
		return err
	}
	s.instead = append(s.instead, l)
	return nil
}

// fix ends the frozen deployment that d is to mend, and lets its targets go back, should d fail, to what ran well before.
func (e *Engine) fix(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, slots map[string]*store.Slot, s *snapshot) error {
	if d.GetFixes() == "" {
		return nil
	}
	if applicationOf(d.GetFixes()) != applicationOf(d.GetName()) {
		return fault.Invalid("OTHER_APPLICATION", "%s is no deployment of %s; fix it there", d.GetFixes(), applicationOf(d.GetName())).
			Field("deployment.fixes", "must be a deployment of "+applicationOf(d.GetName()))
	}
	frozen, err := store.Deployments.Load(ctx, tx, d.GetFixes())
	if err != nil {
		return err
	}
	if frozen.GetEnvironment() != d.GetEnvironment() {
		return fault.Invalid("OTHER_ENVIRONMENT", "%s went to %s; fix it there", frozen.GetName(), frozen.GetEnvironment()).
			Field("deployment.environment", "must be "+frozen.GetEnvironment())
	}
	if frozen.GetState() != deploymentv1.Deployment_FROZEN {
		return fault.Precondition(rollout.ReasonStateForbids, "%s is %s; only what is FROZEN is fixed by another deployment: leave fixes out", frozen.GetName(), frozen.GetState()).
			Subject(rollout.ReasonStateForbids, frozen.GetName(), "is "+frozen.GetState().String())
	}
	left, err := store.Unsealed(ctx, tx, frozen.GetName())
	if err != nil {
		return err
	}
	for _, i := range left {
		if slot := slots[i.GetTarget()]; slot != nil && slot.Installation == i.GetName() {
			slot.Release, slot.Overlay, slot.ConfigDigest = i.GetFromRelease(), i.FromOverlay, i.FromConfigDigest
		}
	}
	return e.supersede(ctx, tx, d, s, frozen.GetName())
}

// holdersOf names the deployments that hold a target of a new one.
func holdersOf(ctx context.Context, tx *sqldb.Tx, application string, s *snapshot) ([]string, error) {
	held, err := store.HeldBy(ctx, tx, application, s.targets())
	names := make([]string, 0, len(held))
	for _, i := range held {
		names = append(names, i.Deployment)
	}
	return distinct(names), err
}

// wakeLine lets those look again who may have waited for a deployment that has ended.
func (e *Engine) wakeLine(ctx context.Context, tx *sqldb.Tx, ended *deploymentv1.Deployment) error {
	names, err := store.NextInLine(ctx, tx, applicationOf(ended.GetName()), ended.GetEnvironment())
	if err != nil {
		return fmt.Errorf("find who waits for %s: %w", ended.GetName(), err)
	}
	if ended.GetCaughtUpBy() != "" {
		names = append(names, ended.GetCaughtUpBy())
	}
	for _, name := range distinct(names) {
		if err := e.wake(ctx, tx, name, e.store.Now()); err != nil {
			return err
		}
	}
	return nil
}

// inLine adds to the facts what a deployment waits for beside gates and hosts.
func (e *Engine) inLine(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, f *rollout.Facts) (err error) {
	if d.GetState() == deploymentv1.Deployment_PENDING {
		if f.Ahead, err = store.AheadOf(ctx, tx, d, applicationOf(d.GetName())); err != nil {
			return fmt.Errorf("read the queue: %w", err)
		}
	}
	if d.GetKind() != deploymentv1.Deployment_CATCH_UP {
		return nil
	}
	if f.Away, err = store.Away(ctx, tx, f.Now, d.GetName()); err != nil {
		return fmt.Errorf("name who is away: %w", err)
	}
	return e.growing(ctx, tx, d, f)
}

// intact freezes a deployment whose wave would install something else than what was previewed and digested.
func (e *Engine) intact(ctx context.Context, tx *sqldb.Tx, l *loaded, f *rollout.Facts, effects rollout.Effects) (rollout.Effects, error) {
	d := l.Deployment
	if effects.Start == "" || d.GetSnapshotDigest() == "" {
		return effects, nil
	}
	plan, err := store.PlanDigest(ctx, tx, d.GetName())
	if err != nil {
		return effects, fmt.Errorf("read the digest of the plan: %w", err)
	}
	members, err := store.Members(ctx, tx, d.GetName())
	if err != nil {
		return effects, fmt.Errorf("read the snapshot: %w", err)
	}
	if found := rollout.SnapshotDigest(plan, members); found != d.GetSnapshotDigest() {
		return rollout.Distrust(&l.State, f, effects.Start, fmt.Sprintf("what it would install has the digest %.12s, its snapshot had %.12s; cancel it and deploy again", found, d.GetSnapshotDigest())), nil
	}
	return effects, nil
}

func lastSegment(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
