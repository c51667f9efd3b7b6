package rollout

import (
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Count adds n installations of one state to the counts.
func Count(c *deploymentv1.InstallationCounts, state InstallationState, health deploymentv1.Installation_Health, prestaged bool, n int32) {
	c.Total += n
	switch state {
	case deploymentv1.Installation_QUEUED:
		c.Queued += n
	case deploymentv1.Installation_HEALTHY:
		c.Healthy += n
	case deploymentv1.Installation_SEALED:
		c.Sealed += n
	case deploymentv1.Installation_FAILED:
		c.Failed += n
	case deploymentv1.Installation_UNKNOWN:
		c.Unknown += n
	case deploymentv1.Installation_LOST:
		c.Lost += n
	case deploymentv1.Installation_REVERTING:
		c.Reverting += n
	case deploymentv1.Installation_REVERTED:
		c.Reverted += n
	case deploymentv1.Installation_REVERT_FAILED:
		c.RevertFailed += n
	case deploymentv1.Installation_SKIPPED:
		c.Skipped += n
	case deploymentv1.Installation_CANCELLED:
		c.Cancelled += n
	default:
		c.InProgress += n
	}
	if prestaged && state == deploymentv1.Installation_QUEUED {
		c.Prestaged += n
	}
	lives := state == deploymentv1.Installation_HEALTHY || state == deploymentv1.Installation_SEALED
	if lives && health == deploymentv1.Installation_UNHEALTHY {
		c.Unhealthy += n
	}
}
