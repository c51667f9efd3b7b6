package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Rollback creates a linked deployment that takes targets back to what each ran before.
// If the old deployment is still active, it ends ROLLED_BACK and its targets are handed
// over in the same transaction, so there is no moment in which nobody holds them.
func (e *Engine) Rollback(ctx context.Context, req *deploymentv1.RollbackDeploymentRequest) (*deploymentv1.Deployment, error) {
	return resource.Do(ctx, e.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Deployment, error) {
		l, err := load(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if err := checkEtag(l.Deployment.GetName(), req.GetEtag(), l.Deployment.GetEtag()); err != nil {
			return nil, err
		}
		if err := rollout.Accepts(l.Deployment.GetState(), rollout.Rollback); err != nil {
			return nil, err
		}
		back, s, err := e.wayBack(ctx, tx, l, req)
		if err != nil {
			return nil, err
		}
		if err := e.checkWayBack(ctx, tx, l.Deployment, back, s, req.GetRollbackOrder()); err != nil {
			return nil, err
		}
		ended := rollout.Ended(l.Deployment.GetState())
		if !ended {
			if err := e.takeBack(ctx, tx, l, back); err != nil {
				return nil, err
			}
		}
		if err := e.lineUp(ctx, tx, back, s); err != nil {
			return nil, err
		}
		if err := e.forget(ctx, tx, l.Deployment, req.GetWaves(), l.Waves); err != nil {
			return nil, fmt.Errorf("forget the stragglers: %w", err)
		}
		if err := store.Deployments.Insert(ctx, tx, e.store.Resources, back, resource.Meta{Cause: req.GetReason()}); err != nil {
			return nil, err
		}
		if err := e.begin(ctx, tx, back, s); err != nil || ended {
			return back, err
		}
		return back, e.handOver(ctx, tx, l, back)
	})
}

// wayBack makes the linked deployment: the same waves in reverse, and each target to its own past.
func (e *Engine) wayBack(ctx context.Context, tx *sqldb.Tx, l *loaded, req *deploymentv1.RollbackDeploymentRequest) (*deploymentv1.Deployment, *snapshot, error) {
	old := l.Deployment
	touched, err := store.RollbackSet(ctx, tx, old.GetName(), rollout.Ended(old.GetState()))
	if err != nil {
		return nil, nil, err
	}
	if err := knownWaves(l, req.GetWaves()); err != nil {
		return nil, nil, err
	}
	back := &deploymentv1.Deployment{
		Name:        applicationOf(old.GetName()) + "/deployments/rollback-" + e.newID(),
		Environment: old.GetEnvironment(), Rollout: rollout.Reverse(old.GetRollout()), Reason: req.GetReason(), RollbackOf: old.GetName(),
		Kind: deploymentv1.Deployment_ROLLBACK, Creator: auth.Actor(ctx), State: deploymentv1.Deployment_PENDING, DesiredState: deploymentv1.Deployment_RUN, TargetSetDigest: old.GetTargetSetDigest(),
	}
	s := &snapshot{urgent: true}
	if err := e.takeBackStragglers(ctx, tx, old, back, touched, s); err != nil {
		return nil, nil, err
	}
	releases := map[string]int{}
	for i, rule := range back.GetRollout().GetWaves() {
		wave := newWave(back, rule, i)
		s.waves = append(s.waves, wave)
		if len(req.GetWaves()) > 0 && !slices.Contains(req.GetWaves(), rule.GetId()) {
			continue
		}
		for _, was := range touched[old.GetName()+"/waves/"+rule.GetId()] {
			now := queued(back, wave.GetName(), was.GetTarget())
			now.FromRelease, now.FromOverlay, now.FromConfigDigest = was.GetToRelease(), was.Overlay, was.ConfigDigest
			now.ToRelease, now.Overlay, now.ConfigDigest = was.GetFromRelease(), was.FromOverlay, was.FromConfigDigest
			s.installations = append(s.installations, now)
			releases[now.GetToRelease()]++
		}
	}
	if len(s.installations) == 0 {
		return nil, nil, fault.Precondition("NOTHING_TO_ROLL_BACK", "no target runs what %s brought and nothing has to go back; cancel a deployment that has not begun", old.GetName())
	}
	back.Release = mostCommon(releases, old.GetRelease())
	if err := s.digest(back); err != nil {
		return nil, nil, err
	}
	s.count(back, e.store.Now())
	return back, s, nil
}

// takeBack ends the old deployment and frees its targets; it is saved by handOver.
func (e *Engine) takeBack(ctx context.Context, tx *sqldb.Tx, l *loaded, back *deploymentv1.Deployment) error {
	facts, err := e.facts(ctx, tx, l, e.store.Now())
	if err != nil {
		return err
	}
	effects := rollout.TakeBack(&l.State, facts, "rolled back by "+back.GetName())
	_, err = e.act(ctx, tx, l.Deployment.GetName(), effects, facts.Now)
	return err
}

// handOver gives what the old deployment was doing to the new one, which holds the targets by now.
func (e *Engine) handOver(ctx context.Context, tx *sqldb.Tx, l *loaded, back *deploymentv1.Deployment) error {
	now := e.store.Now()
	over, left, err := store.Retract(ctx, tx, now, l.Deployment.GetName(), back.GetName())
	if err != nil {
		return fmt.Errorf("retract commands: %w", err)
	}
	if err := e.record(ctx, tx, over, "cancelled", now); err != nil {
		return err
	}
	if err := e.record(ctx, tx, left, "called_back", now); err != nil {
		return err
	}
	facts, err := e.facts(ctx, tx, l, now)
	if err != nil {
		return err
	}
	rollout.Recount(&l.State, facts) // what it leaves behind
	return e.save(ctx, tx, l)
}

func knownWaves(l *loaded, ids []string) error {
	for _, id := range ids {
		if !slices.ContainsFunc(l.Waves, func(w *deploymentv1.Wave) bool { return w.GetRule().GetId() == id }) {
			return fault.Invalid("WAVE_UNKNOWN", "%s has no wave %q; leave waves out to take all of them back", l.Deployment.GetName(), id).Field("waves", "must be ids of waves of the deployment")
		}
	}
	return nil
}

// mostCommon names the release that most targets go back to; targets that ran none do not count.
func mostCommon(releases map[string]int, otherwise string) string {
	best, most := otherwise, 0
	for name, n := range releases {
		if name != "" && (n > most || n == most && name < best) {
			best, most = name, n
		}
	}
	return best
}
