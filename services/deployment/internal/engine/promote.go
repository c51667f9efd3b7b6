package engine

import (
	"context"
	"path"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// Promote deploys a release to the environment that follows one in which it has stood. Whoever asks twice,
// a person and an automation, gets the same deployment.
func (e *Engine) Promote(ctx context.Context, req *deploymentv1.PromoteReleaseRequest) (*deploymentv1.Deployment, error) {
	application, _, _ := strings.Cut(req.GetName(), "/releases/")
	if err := e.refuseCircle(ctx, application, req.GetDeploymentId(), &deploymentv1.Deployment{
		Release: req.GetName(), Environment: req.GetEnvironment(), DeploymentPlan: req.GetDeploymentPlan(),
	}); err != nil {
		return nil, err
	}
	return resource.Do(ctx, e.store.Resources, req, func(ctx context.Context, tx *sqldb.Tx) (*deploymentv1.Deployment, error) {
		if err := store.SameWorkspace("environment", req.GetName(), req.GetEnvironment()); err != nil {
			return nil, err
		}
		release, err := store.Releases.Load(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		environment, err := store.Environments.Load(ctx, tx, req.GetEnvironment())
		if err != nil {
			return nil, err
		}
		if _, err := store.Applications.Lock(ctx, tx, application); err != nil {
			return nil, err // two promotions at once agree on which is the first
		}
		if d, err := store.PromotedDeployment(ctx, tx, application, environment.GetName(), release.GetName()); err != nil || d != nil {
			return d, err
		}
		against, err := e.against(ctx, tx, release, environment, req.GetReason() != "")
		if err != nil {
			return nil, err
		}
		if len(against) > 0 {
			return nil, obstacles(against, "NOT_PROMOTABLE", "%s cannot be promoted to %s now; see how it stands with `golive matrix %s`", release.GetName(), environment.GetName(), path.Base(application))
		}
		return e.promote(ctx, tx, req, application, environment)
	})
}

func (e *Engine) promote(ctx context.Context, tx *sqldb.Tx, req *deploymentv1.PromoteReleaseRequest, application string, environment *deploymentv1.Environment) (*deploymentv1.Deployment, error) {
	id := req.GetDeploymentId()
	if id == "" {
		id = "promotion-" + e.newID()
	}
	d := &deploymentv1.Deployment{
		Name: store.Deployments.Name(application, id), Kind: deploymentv1.Deployment_RELEASE, Release: req.GetName(), Environment: environment.GetName(),
		DeploymentPlan: req.GetDeploymentPlan(), Reason: req.GetReason(), PromotedFrom: environment.GetPromotedFrom(),
	}
	if _, err := store.Deployments.Parse(d.GetName()); err != nil {
		return nil, err
	}
	s, err := e.snapshot(ctx, tx, d, deploymentv1.Verb_PROMOTE, deploymentv1.Verb_CREATE)
	if err != nil {
		return nil, err
	}
	if err := store.Deployments.Insert(ctx, tx, e.store.Resources, d, resource.Meta{Cause: "PROMOTED"}); err != nil {
		return nil, err
	}
	return d, e.begin(ctx, tx, d, s)
}

// against gathers what speaks against a release in an environment that others are promoted to.
func (e *Engine) against(ctx context.Context, tx *sqldb.Tx, release *deploymentv1.Release, to *deploymentv1.Environment, anew bool) ([]rollout.Obstacle, error) {
	application, _, _ := strings.Cut(release.GetName(), "/releases/")
	first, last := store.OneApplication(application)
	standings, err := store.ReleaseStandings(ctx, tx, first, last)
	if err != nil {
		return nil, err
	}
	before := standings[store.Cell{Release: release.GetName(), Environment: to.GetPromotedFrom()}]
	here := standings[store.Cell{Release: release.GetName(), Environment: to.GetName()}]
	return rollout.Promotable(release, to, before, here, anew, e.store.Now()), nil
}

// promotionRequired refuses a release that has not stood where the environment wants it to have stood.
func (e *Engine) promotionRequired(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, release *deploymentv1.Release, to *deploymentv1.Environment) error {
	if !to.GetPromotionRequired() || d.GetPromotedFrom() != "" || d.GetKind() != deploymentv1.Deployment_RELEASE {
		return nil
	}
	against, err := e.against(ctx, tx, release, to, true)
	if err != nil || len(against) == 0 {
		return err
	}
	return obstacles(against, "PROMOTION_REQUIRED", "%s takes only releases that have stood in %s; promote %s with `golive promote` once they have", to.GetName(), to.GetPromotedFrom(), release.GetName())
}

func obstacles(all []rollout.Obstacle, reason, format string, args ...any) error {
	f := fault.Precondition(reason, format, args...)
	for _, o := range all {
		text := o.BlockedBy.GetCurrent() + "; required: " + o.BlockedBy.GetRequired()
		if eta := o.BlockedBy.GetEta(); eta != nil {
			text += ", which is at " + eta.AsTime().Format("2006-01-02T15:04:05Z07:00")
		}
		f = f.Subject(o.Reason, o.BlockedBy.GetResource(), text)
	}
	return f
}
