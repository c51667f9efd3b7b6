package engine

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// commandRequest is what pause, resume, cancel and abandon have in common.
type commandRequest interface {
	proto.Message
	GetName() string
	GetReason() string
	GetEtag() string
}

// Command records what a person wants of a deployment and goes as far towards it as it can at once.
func (e *Engine) Command(ctx context.Context, req commandRequest, command rollout.Command) (*deploymentv1.Deployment, error) {
	return resource.Do(ctx, e.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Deployment, error) {
		l, err := load(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if err := checkEtag(req.GetName(), req.GetEtag(), l.Deployment.GetEtag()); err != nil {
			return nil, err
		}
		if err := rollout.Give(l.Deployment, command, auth.Actor(ctx), req.GetReason(), e.store.Now()); err != nil {
			return nil, err
		}
		if command == rollout.Resume {
			if err := e.allow(ctx, tx, deploymentv1.Verb_RESUME, l.Deployment, nil); err != nil {
				return nil, err
			}
		}
		if _, err := e.settle(ctx, tx, l, answers{}); err != nil {
			return nil, err
		}
		if !rollout.Ended(l.Deployment.GetState()) {
			err = e.wake(ctx, tx, req.GetName(), e.store.Now()) // what the network has to say is asked by the job
		}
		return l.Deployment, err
	})
}

// Skip leaves out a wave that has not started.
func (e *Engine) Skip(ctx context.Context, req *deploymentv1.SkipWaveRequest) (*deploymentv1.Wave, error) {
	return e.onWave(ctx, req, func(ctx context.Context, tx *sqldb.Tx, l *loaded, w *deploymentv1.Wave) error {
		if err := rollout.Skip(w, auth.Actor(ctx), req.GetReason(), e.store.Now()); err != nil {
			return err
		}
		if err := e.allow(ctx, tx, deploymentv1.Verb_SKIP, l.Deployment, w); err != nil {
			return err
		}
		dropped, err := store.DropWave(ctx, tx, e.store.Now(), w.GetName())
		if err != nil {
			return err
		}
		return e.record(ctx, tx, dropped, "cancelled", e.store.Now())
	})
}

// onWave runs fn on a wave under the lock of its deployment, then lets the deployment go on.
func (e *Engine) onWave(ctx context.Context, req commandRequest, fn func(context.Context, *sqldb.Tx, *loaded, *deploymentv1.Wave) error) (*deploymentv1.Wave, error) {
	return resource.Do(ctx, e.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Wave, error) {
		if _, err := store.Waves.Parse(req.GetName()); err != nil {
			return nil, err
		}
		l, err := load(ctx, tx, rollout.DeploymentOf(req.GetName()))
		if err != nil {
			return nil, err
		}
		var wave *deploymentv1.Wave
		for _, w := range l.Waves {
			if w.GetName() == req.GetName() {
				wave = w
			}
		}
		if wave == nil {
			return nil, store.Waves.Required(ctx, tx, req.GetName())
		}
		if err := checkEtag(req.GetName(), req.GetEtag(), wave.GetEtag()); err != nil {
			return nil, err
		}
		if err := fn(ctx, tx, l, wave); err != nil {
			return nil, err
		}
		if _, err := e.settle(ctx, tx, l, answers{}); err != nil {
			return nil, err
		}
		return wave, e.wake(ctx, tx, l.Deployment.GetName(), e.store.Now())
	})
}

// Retry tries an installation again while its wave runs.
func (e *Engine) Retry(ctx context.Context, req *deploymentv1.RetryInstallationRequest) (*deploymentv1.Installation, error) {
	return resource.Do(ctx, e.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Installation, error) {
		deployment, _, _ := strings.Cut(req.GetName(), "/installations/")
		// Under the lock of the deployment: its wave does not end between the look and the retry.
		d, err := store.Deployments.Lock(ctx, tx, deployment)
		if err != nil {
			return nil, err
		}
		rows, err := store.LoadInstallations(ctx, tx, []string{req.GetName()})
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return nil, fault.NotFound(resource.ReasonNotFound, "installation %q does not exist; list them with `golive list installations`", req.GetName())
		}
		wave, err := store.Waves.Load(ctx, tx, rows[0].GetWave())
		if err != nil {
			return nil, err
		}
		if s := wave.GetState(); s != deploymentv1.Wave_RUNNING && s != deploymentv1.Wave_BAKING && s != deploymentv1.Wave_HELD {
			return nil, fault.Precondition(rollout.ReasonStateForbids, "wave %s is %s; installations are tried again while their wave runs", wave.GetRule().GetId(), s)
		}
		changed, err := store.Retry(ctx, tx, e.store.Now(), req.GetName())
		if err != nil {
			return nil, err
		}
		if len(changed) == 0 {
			return nil, fault.Precondition(rollout.ReasonStateForbids, "the installation is %s; only FAILED, REVERTED and LOST ones are tried again", rows[0].GetState())
		}
		if err := e.allow(ctx, tx, deploymentv1.Verb_RETRY, d, wave); err != nil {
			return nil, err
		}
		if err := e.record(ctx, tx, changed, "retried", e.store.Now()); err != nil {
			return nil, err
		}
		return changed[0].Installation, e.wake(ctx, tx, rows[0].Deployment, e.store.Now())
	})
}

func checkEtag(name, sent, stored string) error {
	if sent == "" || sent == stored {
		return nil
	}
	return fault.Conflict("ETAG_MISMATCH", "%s was changed by somebody else; read it again and repeat the command", name).Meta("etag", stored)
}
