package rollout

import (
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// DeploymentState is where a deployment is.
type DeploymentState = deploymentv1.Deployment_State

// deploymentMoves is the life of a deployment. ABANDONED and ROLLED_BACK are reached
// from everywhere that is not final: giving up and going back are always possible.
var deploymentMoves = withAlways(table[DeploymentState]{
	deploymentv1.Deployment_PENDING:    {deploymentv1.Deployment_PREFLIGHT, deploymentv1.Deployment_SUPERSEDED, deploymentv1.Deployment_CANCELLED, deploymentv1.Deployment_REJECTED},
	deploymentv1.Deployment_PREFLIGHT:  {deploymentv1.Deployment_WAITING, deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_FAILED, deploymentv1.Deployment_CANCELLING, deploymentv1.Deployment_SUPERSEDED},
	deploymentv1.Deployment_WAITING:    {deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_FINALIZING, deploymentv1.Deployment_PAUSED, deploymentv1.Deployment_CANCELLING, deploymentv1.Deployment_REJECTED, deploymentv1.Deployment_EXPIRED, deploymentv1.Deployment_SUPERSEDED},
	deploymentv1.Deployment_RUNNING:    {deploymentv1.Deployment_WAITING, deploymentv1.Deployment_PAUSING, deploymentv1.Deployment_REVERTING, deploymentv1.Deployment_FROZEN, deploymentv1.Deployment_CANCELLING, deploymentv1.Deployment_FINALIZING, deploymentv1.Deployment_SUPERSEDED},
	deploymentv1.Deployment_PAUSING:    {deploymentv1.Deployment_PAUSED, deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_REVERTING, deploymentv1.Deployment_FROZEN, deploymentv1.Deployment_CANCELLING, deploymentv1.Deployment_SUPERSEDED},
	deploymentv1.Deployment_PAUSED:     {deploymentv1.Deployment_WAITING, deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_REVERTING, deploymentv1.Deployment_FROZEN, deploymentv1.Deployment_CANCELLING, deploymentv1.Deployment_SUPERSEDED},
	deploymentv1.Deployment_FROZEN:     {deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_SUPERSEDED, deploymentv1.Deployment_CANCELLING},
	deploymentv1.Deployment_REVERTING:  {deploymentv1.Deployment_FAILED, deploymentv1.Deployment_ROLLBACK_FAILED, deploymentv1.Deployment_CANCELLING},
	deploymentv1.Deployment_FINALIZING: {deploymentv1.Deployment_SUCCEEDED, deploymentv1.Deployment_FAILED, deploymentv1.Deployment_ROLLBACK_FAILED, deploymentv1.Deployment_CANCELLING},
	deploymentv1.Deployment_CANCELLING: {deploymentv1.Deployment_CANCELLED, deploymentv1.Deployment_REJECTED},
})

func withAlways(t table[DeploymentState]) table[DeploymentState] {
	for from := range t {
		t[from] = append(t[from], deploymentv1.Deployment_ABANDONED, deploymentv1.Deployment_ROLLED_BACK)
	}
	return t
}

// Ended reports whether a deployment is in a terminal state.
func Ended(s DeploymentState) bool { return deploymentMoves.terminal(s) }

// CheckMove returns a STATE_FORBIDS fault unless a deployment in state from may become to.
func CheckMove(from, to DeploymentState) error {
	return deploymentMoves.check("the deployment", from, to)
}
