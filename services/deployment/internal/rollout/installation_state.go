package rollout

import (
	"slices"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// InstallationState is where an installation is.
type InstallationState = deploymentv1.Installation_State

// agentStates are those that only the agent can know, and so the ones it may say after a
// silence: its journal decides. All others are decisions of the server.
var agentStates = []InstallationState{
	deploymentv1.Installation_CLAIMED, deploymentv1.Installation_FETCHING, deploymentv1.Installation_VERIFYING, deploymentv1.Installation_STAGED,
	deploymentv1.Installation_WAIT_MIGRATION, deploymentv1.Installation_MIGRATING, deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_PROBING,
	deploymentv1.Installation_HEALTHY, deploymentv1.Installation_REVERTING, deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED,
	deploymentv1.Installation_FAILED, deploymentv1.Installation_CANCELLED,
}

// installationMoves is the life of an installation. An agent may report several steps at
// once, so a report may jump forward (see Reported); these are the single steps.
var installationMoves = table[InstallationState]{
	deploymentv1.Installation_QUEUED:         {deploymentv1.Installation_CLAIMED, deploymentv1.Installation_SKIPPED, deploymentv1.Installation_CANCELLED},
	deploymentv1.Installation_CLAIMED:        {deploymentv1.Installation_FETCHING, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_CANCELLED, deploymentv1.Installation_UNKNOWN},
	deploymentv1.Installation_FETCHING:       {deploymentv1.Installation_VERIFYING, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_CANCELLED, deploymentv1.Installation_UNKNOWN},
	deploymentv1.Installation_VERIFYING:      {deploymentv1.Installation_STAGED, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_CANCELLED, deploymentv1.Installation_UNKNOWN},
	deploymentv1.Installation_STAGED:         {deploymentv1.Installation_WAIT_MIGRATION, deploymentv1.Installation_MIGRATING, deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_CANCELLED, deploymentv1.Installation_UNKNOWN},
	deploymentv1.Installation_WAIT_MIGRATION: {deploymentv1.Installation_MIGRATING, deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_CANCELLED, deploymentv1.Installation_UNKNOWN},
	deploymentv1.Installation_MIGRATING:      {deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_UNKNOWN},
	deploymentv1.Installation_ACTIVATING:     {deploymentv1.Installation_PROBING, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_UNKNOWN},
	deploymentv1.Installation_PROBING:        {deploymentv1.Installation_HEALTHY, deploymentv1.Installation_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_UNKNOWN},
	deploymentv1.Installation_HEALTHY:        {deploymentv1.Installation_SEALED, deploymentv1.Installation_REVERTING},
	deploymentv1.Installation_REVERTING:      {deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED, deploymentv1.Installation_UNKNOWN, deploymentv1.Installation_CANCELLED},
	deploymentv1.Installation_UNKNOWN:        append(slices.Clone(agentStates), deploymentv1.Installation_LOST),
	deploymentv1.Installation_LOST:           append(slices.Clone(agentStates), deploymentv1.Installation_QUEUED),
	deploymentv1.Installation_FAILED:         {deploymentv1.Installation_QUEUED, deploymentv1.Installation_REVERTING},
	deploymentv1.Installation_REVERTED:       {deploymentv1.Installation_QUEUED},
}

// forward is the order in which an installation goes well. A report may skip steps of it.
var forward = []InstallationState{
	deploymentv1.Installation_CLAIMED, deploymentv1.Installation_FETCHING, deploymentv1.Installation_VERIFYING, deploymentv1.Installation_STAGED,
	deploymentv1.Installation_WAIT_MIGRATION, deploymentv1.Installation_MIGRATING, deploymentv1.Installation_ACTIVATING,
	deploymentv1.Installation_PROBING, deploymentv1.Installation_HEALTHY,
}

// Reported returns whether a report may move an installation from one state to another:
// forward by any number of steps, or wherever the table leads from a step in between. What
// was never claimed has nothing to report, and no report makes a decision of the server.
func Reported(from, to InstallationState) bool {
	switch {
	case from == to:
		return true
	case from == deploymentv1.Installation_QUEUED, !slices.Contains(agentStates, to):
		return false
	case installationMoves.allows(from, to):
		return true
	}
	at, want := slices.Index(forward, from), slices.Index(forward, to)
	if at < 0 || want >= 0 {
		return at >= 0 && want > at
	}
	switch to {
	// An activation that fails is reverted on the host before anybody is asked, so the
	// end of a revert may be the first thing that is heard.
	case deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED:
		return true
	// Work that is called back before the new version took over has left nothing to revert.
	case deploymentv1.Installation_CANCELLED:
		return from != deploymentv1.Installation_HEALTHY
	default:
		return false
	}
}

// InProgress lists the states in which an agent is at work.
func InProgress() []InstallationState {
	return []InstallationState{
		deploymentv1.Installation_CLAIMED, deploymentv1.Installation_FETCHING, deploymentv1.Installation_VERIFYING,
		deploymentv1.Installation_STAGED, deploymentv1.Installation_WAIT_MIGRATION, deploymentv1.Installation_MIGRATING,
		deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_PROBING,
	}
}

// Touched lists the states in which a target may run, or may be about to run, something
// else than before; what a revert has to call back.
func Touched() []InstallationState {
	return append(InProgress(), deploymentv1.Installation_HEALTHY, deploymentv1.Installation_UNKNOWN, deploymentv1.Installation_LOST, deploymentv1.Installation_FAILED)
}
