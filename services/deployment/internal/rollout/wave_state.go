package rollout

import (
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// WaveState is where a wave is.
type WaveState = deploymentv1.Wave_State

// waveMoves is the life of a wave. FAILED leaves to RUNNING when a person lets a
// frozen deployment go on as it stands, BAKING to GATED between two rounds of a catch-up.
var waveMoves = table[WaveState]{
	deploymentv1.Wave_PENDING:   {deploymentv1.Wave_GATED, deploymentv1.Wave_SKIPPED, deploymentv1.Wave_CANCELLED},
	deploymentv1.Wave_GATED:     {deploymentv1.Wave_RUNNING, deploymentv1.Wave_SKIPPED, deploymentv1.Wave_CANCELLED},
	deploymentv1.Wave_RUNNING:   {deploymentv1.Wave_BAKING, deploymentv1.Wave_HELD, deploymentv1.Wave_FAILED, deploymentv1.Wave_CANCELLED},
	deploymentv1.Wave_BAKING:    {deploymentv1.Wave_SEALED, deploymentv1.Wave_GATED, deploymentv1.Wave_RUNNING, deploymentv1.Wave_HELD, deploymentv1.Wave_FAILED, deploymentv1.Wave_CANCELLED},
	deploymentv1.Wave_HELD:      {deploymentv1.Wave_RUNNING, deploymentv1.Wave_BAKING, deploymentv1.Wave_FAILED, deploymentv1.Wave_CANCELLED},
	deploymentv1.Wave_FAILED:    {deploymentv1.Wave_REVERTING, deploymentv1.Wave_RUNNING, deploymentv1.Wave_CANCELLED},
	deploymentv1.Wave_REVERTING: {deploymentv1.Wave_REVERTED, deploymentv1.Wave_CANCELLED},
}

// WaveEnded reports whether a wave is in a terminal state.
func WaveEnded(s WaveState) bool { return waveMoves.terminal(s) }

// waveStarted reports whether a wave has begun to install and has not ended.
func waveStarted(s WaveState) bool {
	switch s {
	case deploymentv1.Wave_RUNNING, deploymentv1.Wave_BAKING, deploymentv1.Wave_HELD, deploymentv1.Wave_FAILED, deploymentv1.Wave_REVERTING:
		return true
	default:
		return false
	}
}
