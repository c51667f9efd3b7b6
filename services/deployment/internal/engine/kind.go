package engine

import (
	"context"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// choice is whom a deployment may reach, out of the targets of its environment.
type choice struct {
	targets []*deploymentv1.Target
	// left names those that are left out for what they run.
	left []string
	// brings holds what a target gets that is not the release with the variables of now.
	brings map[string]*store.Desired
}

// kindOf fills in the kind, and refuses those that only the engine creates.
func kindOf(d *deploymentv1.Deployment) error {
	switch d.GetKind() {
	case deploymentv1.Deployment_KIND_UNSPECIFIED:
		d.Kind = deploymentv1.Deployment_RELEASE
	case deploymentv1.Deployment_CATCH_UP, deploymentv1.Deployment_ROLLBACK:
		return fault.Invalid(resource.ReasonInvalidField, "a deployment of the kind %s comes by itself; create one of RELEASE, CONFIGURATION or REAPPLY", d.GetKind()).
			Field("deployment.kind", "must be RELEASE, CONFIGURATION or REAPPLY")
	default:
	}
	return nil
}

// choose picks the targets that a deployment of its kind is about.
func choose(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, slots map[string]*store.Slot) (*choice, error) {
	all, err := store.Targets.Select(ctx, tx, `WHERE parent = $1 ORDER BY name`, d.GetEnvironment())
	if err != nil {
		return nil, err
	}
	switch d.GetKind() {
	case deploymentv1.Deployment_CONFIGURATION:
		return whoRuns(d, all, slots)
	case deploymentv1.Deployment_REAPPLY:
		return whoDrifted(ctx, tx, d, all)
	default:
		return &choice{targets: all}, nil
	}
}

// whoRuns leaves the targets on which the release runs already: a configuration does not change it.
func whoRuns(d *deploymentv1.Deployment, all []*deploymentv1.Target, slots map[string]*store.Slot) (*choice, error) {
	c := &choice{}
	for _, t := range all {
		if s := slots[t.GetName()]; s != nil && s.Release == d.GetRelease() {
			c.targets = append(c.targets, t)
		} else {
			c.left = append(c.left, t.GetName())
		}
	}
	if len(c.targets) == 0 {
		return nil, fault.Precondition("RELEASE_NOT_RUNNING", "%s runs on no target of %s, so there is nothing to configure; name the release that runs, or deploy this one with kind RELEASE",
			d.GetRelease(), d.GetEnvironment())
	}
	return c, nil
}

// whoDrifted leaves the targets on which the release should run and something is otherwise. They get
// what they were given last, with the variables of then; who has joined since gets those of now.
func whoDrifted(ctx context.Context, tx *sqldb.Tx, d *deploymentv1.Deployment, all []*deploymentv1.Target) (*choice, error) {
	drifted, err := store.DriftedIn(ctx, tx, applicationOf(d.GetName()), d.GetEnvironment())
	if err != nil {
		return nil, err
	}
	byTarget := map[string]*store.Drifted{}
	for _, x := range drifted {
		byTarget[x.Target] = x
	}
	c := &choice{brings: map[string]*store.Desired{}}
	for _, t := range all {
		x := byTarget[t.GetName()]
		switch {
		case x == nil:
		case x.Release != d.GetRelease():
			c.left = append(c.left, t.GetName())
		default:
			c.targets = append(c.targets, t)
			if !x.Joined {
				c.brings[t.GetName()] = x.Desired
			}
		}
	}
	if len(c.targets) == 0 {
		return nil, fault.Precondition("NO_DRIFT", "every target of %s that should run %s does; see what differs with `golive drift %s`", d.GetEnvironment(), d.GetRelease(), d.GetEnvironment())
	}
	return c, nil
}
