package rollout

import (
	"fmt"
	"strings"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// Standing is how a release stands in an environment.
type Standing struct {
	// Desired counts the targets that it is the desired release of, Running those that run it, and Healthy and
	// Unhealthy those of them of which it is known that they answer their probes, or do not.
	Desired, Running, Healthy, Unhealthy int32
	// Deployment is the last one of it there, and State where that one is.
	Deployment string
	State      DeploymentState
	// Sealed is when the last deployment that brought it there was sealed as a whole; zero when none was.
	Sealed time.Time
}

// Obstacle is one reason against a promotion.
type Obstacle struct {
	// Reason is stable: NOT_SEALED, UNHEALTHY, SOAKING, RELEASE_FAILED_HERE, RELEASE_ABANDONED, NO_ENVIRONMENT_BEFORE.
	Reason    string
	BlockedBy *gatev1.BlockedBy
}

// Promotable returns what is against promoting a release to an environment now. before is how it stands in
// the environment that it would be promoted from, here how in this one. A release that failed here is
// not tried again by itself: anew says that a person wants it tried, and why.
func Promotable(release *deploymentv1.Release, to *deploymentv1.Environment, before, here Standing, anew bool, now time.Time) []Obstacle {
	var out []Obstacle
	application, _, _ := strings.Cut(release.GetName(), "/releases/")
	add := func(reason, resource, current, required string, eta time.Time) {
		b := &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_ENVIRONMENT, Resource: resource, Current: current, Required: required, Owner: "operators",
			Command: "golive matrix " + lastSegment(application),
		}
		if !eta.IsZero() {
			b.Eta, b.Owner = stamp(eta), "time"
		}
		out = append(out, Obstacle{Reason: reason, BlockedBy: b})
	}
	from := to.GetPromotedFrom()
	if release.GetState() == deploymentv1.Release_ABANDONED {
		add("RELEASE_ABANDONED", release.GetName(), "it was abandoned: "+release.GetAbandonReason(), "another release", time.Time{})
	}
	if from == "" {
		add("NO_ENVIRONMENT_BEFORE", to.GetName(), "nothing is promoted to it", "promoted_from, or a deployment", time.Time{})
		return out
	}
	if !anew && failedHere(here.State) {
		add("RELEASE_FAILED_HERE", here.Deployment, fmt.Sprintf("the last deployment of it there is %s", here.State), "another release, or a reason to try it again", time.Time{})
	}
	if before.Desired == 0 || before.Sealed.IsZero() {
		current := "it has not been sealed in " + lastSegment(from)
		if !before.Sealed.IsZero() {
			current = fmt.Sprintf("it was sealed in %s at %s and does not stand there any more", lastSegment(from), before.Sealed.UTC().Format(time.RFC3339))
		}
		add("NOT_SEALED", from, current, "sealed there", time.Time{})
		return out
	}
	if before.Unhealthy > 0 {
		add("UNHEALTHY", from, fmt.Sprintf("%d of %d targets are unhealthy", before.Unhealthy, before.Running), "healthy there", time.Time{})
	}
	if soak := to.GetSoak().AsDuration(); now.Before(before.Sealed.Add(soak)) {
		add("SOAKING", from, fmt.Sprintf("sealed since %s", before.Sealed.UTC().Format(time.RFC3339)), fmt.Sprintf("sealed for %s", soak), before.Sealed.Add(soak))
	}
	return out
}

// failedHere reports whether the last deployment of a release is evidence against it.
func failedHere(s DeploymentState) bool {
	switch s {
	case deploymentv1.Deployment_FAILED, deploymentv1.Deployment_ROLLBACK_FAILED, deploymentv1.Deployment_ROLLED_BACK:
		return true
	default:
		return false
	}
}
