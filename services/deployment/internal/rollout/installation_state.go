package rollout

import (
	"maps"
	"slices"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// InstallationState is where an installation is.
type InstallationState = deploymentv1.Installation_State

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
	deploymentv1.Installation_UNKNOWN: {
		deploymentv1.Installation_CLAIMED, deploymentv1.Installation_FETCHING, deploymentv1.Installation_VERIFYING, deploymentv1.Installation_STAGED,
		deploymentv1.Installation_ACTIVATING, deploymentv1.Installation_PROBING, deploymentv1.Installation_HEALTHY, deploymentv1.Installation_REVERTING,
		deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED, deploymentv1.Installation_FAILED, deploymentv1.Installation_CANCELLED,
		deploymentv1.Installation_LOST,
	},
	deploymentv1.Installation_LOST:     {deploymentv1.Installation_HEALTHY, deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED, deploymentv1.Installation_REVERTING, deploymentv1.Installation_FAILED, deploymentv1.Installation_QUEUED},
	deploymentv1.Installation_FAILED:   {deploymentv1.Installation_QUEUED, deploymentv1.Installation_REVERTING},
	deploymentv1.Installation_REVERTED: {deploymentv1.Installation_QUEUED},
}

// forward is the order in which an installation goes well. A report may skip steps of it.
var forward = []InstallationState{
	deploymentv1.Installation_CLAIMED, deploymentv1.Installation_FETCHING, deploymentv1.Installation_VERIFYING,
	deploymentv1.Installation_STAGED, deploymentv1.Installation_MIGRATING, deploymentv1.Installation_ACTIVATING,
	deploymentv1.Installation_PROBING, deploymentv1.Installation_HEALTHY,
}

// Reported returns whether a report may move an installation from one state to another:
// forward by any number of steps, or wherever the table leads from a step in between.
func Reported(from, to InstallationState) bool {
	if from == to || installationMoves.allows(from, to) {
		return true
	}
	at, want := slices.Index(forward, from), slices.Index(forward, to)
	if from == deploymentv1.Installation_WAIT_MIGRATION {
		at = slices.Index(forward, deploymentv1.Installation_STAGED)
	}
	if at < 0 {
		return from == deploymentv1.Installation_UNKNOWN && want >= 0 ||
			from == deploymentv1.Installation_LOST && want >= 0
	}
	if want >= 0 {
		return want > at
	}
	// An activation that fails is reverted on the host before anybody is asked, so the
	// end of a revert may be the first thing that is heard.
	switch to {
	case deploymentv1.Installation_REVERTED, deploymentv1.Installation_REVERT_FAILED:
		return true
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

// InstallationStates lists every state of the table, for exhaustive tests and queries.
func InstallationStates() []InstallationState {
	return slices.Sorted(maps.Keys(installationNames()))
}

func installationNames() map[InstallationState]string {
	names := make(map[InstallationState]string, len(deploymentv1.Installation_State_name))
	for n, name := range deploymentv1.Installation_State_name {
		if n != 0 {
			names[InstallationState(n)] = name
		}
	}
	return names
}
