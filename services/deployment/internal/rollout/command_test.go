package rollout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

var commands = []Command{Pause, Resume, Cancel, Abandon, Rollback}

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// standing is a deployment of two waves, two targets each, as it may stand in a state: for
// every state of the first wave that can go with it.
func standing(d DeploymentState, w WaveState) *State {
	const name = "workspaces/w/applications/a/deployments/d"
	s := &State{Deployment: &deploymentv1.Deployment{
		Name: name, Release: "workspaces/w/applications/a/releases/r", State: d, DesiredState: deploymentv1.Deployment_RUN, Rollout: &deploymentv1.Rollout{},
	}}
	for i, id := range []string{"one", "two"} {
		s.Waves = append(s.Waves, &deploymentv1.Wave{
			Name: name + "/waves/" + id, Ordinal: int32(i + 1), State: deploymentv1.Wave_PENDING,
			Rule: &deploymentv1.WaveRule{Id: id, Members: rest()},
		})
	}
	first := s.Waves[0]
	first.State, first.GatedTime, first.StartTime = w, stamp(noon), stamp(noon)
	switch w {
	case deploymentv1.Wave_HELD:
		first.HeldFrom, first.HeldTime, first.BakeStartTime = deploymentv1.Wave_BAKING, stamp(noon), stamp(noon)
	case deploymentv1.Wave_BAKING:
		first.BakeStartTime = stamp(noon)
	default:
	}
	switch d {
	case deploymentv1.Deployment_PAUSING, deploymentv1.Deployment_PAUSED:
		s.Deployment.DesiredState = deploymentv1.Deployment_PAUSE
	case deploymentv1.Deployment_CANCELLING:
		s.Deployment.DesiredState, s.Deployment.CancelDeadline = deploymentv1.Deployment_CANCEL, stamp(noon.Add(time.Minute))
	default:
	}
	return s
}

// meet tells which states its first wave can have while a deployment is in one.
func meet(d DeploymentState, w WaveState) bool {
	switch d {
	case deploymentv1.Deployment_PENDING, deploymentv1.Deployment_PREFLIGHT:
		return w == deploymentv1.Wave_PENDING
	case deploymentv1.Deployment_WAITING:
		return !waveStarted(w)
	case deploymentv1.Deployment_RUNNING, deploymentv1.Deployment_FINALIZING:
		return w == deploymentv1.Wave_RUNNING || w == deploymentv1.Wave_BAKING || w == deploymentv1.Wave_SEALED
	case deploymentv1.Deployment_PAUSING:
		return w == deploymentv1.Wave_HELD
	case deploymentv1.Deployment_PAUSED:
		return !waveStarted(w) || w == deploymentv1.Wave_HELD
	case deploymentv1.Deployment_FROZEN:
		return w == deploymentv1.Wave_FAILED
	case deploymentv1.Deployment_REVERTING:
		return w == deploymentv1.Wave_REVERTING
	default:
		return true
	}
}

// TestEveryCommandInEveryStateIsAnswered gives every command to every state of a deployment
// with every state that its wave can have: nothing panics, nothing goes on without end, what
// is refused changes nothing, and what has ended stays.
func TestEveryCommandInEveryStateIsAnswered(t *testing.T) {
	t.Parallel()
	for _, d := range deploymentStates() {
		for _, w := range waveStates() {
			for _, c := range commands {
				if !meet(d, w) {
					continue
				}
				for _, counts := range []*deploymentv1.InstallationCounts{
					{Total: 2, Queued: 2},
					{Total: 2, Queued: 1, InProgress: 1},
					{Total: 2, Healthy: 2},
					{Total: 2, Healthy: 1, Failed: 1},
					{Total: 2, Unknown: 1, Lost: 1},
					{Total: 2, Sealed: 2},
				} {
					give(t, standing(d, w), c, counts)
				}
			}
		}
	}
}

func give(t *testing.T, s *State, c Command, counts *deploymentv1.InstallationCounts) {
	t.Helper()
	before := proto.CloneOf(s.Deployment)
	err := Give(s.Deployment, c, "users/alice", "", noon)
	require.Equal(t, Accepts(before.GetState(), c) == nil, err == nil)
	if err != nil {
		require.Equal(t, ReasonStateForbids, fault.ReasonOf(err))
		require.ErrorContains(t, err, c.String())
		require.True(t, proto.Equal(before, s.Deployment), "a command that is refused changes nothing")
	}
	f := &Facts{Now: noon.Add(time.Second), Preflight: &Preflight{}, Counts: map[string]*deploymentv1.InstallationCounts{
		s.Waves[0].GetName(): counts, s.Waves[1].GetName(): {Total: 2, Queued: 2},
	}}
	Advance(s, f)
	if Ended(before.GetState()) {
		require.Equal(t, before.GetState(), s.Deployment.GetState(), "what has ended stays")
		return
	}
	if c == Abandon {
		require.Equal(t, deploymentv1.Deployment_ABANDONED, s.Deployment.GetState())
	}
}

// TestCommandsByState draws which command makes sense where.
func TestCommandsByState(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, s := range deploymentStates() {
		var verbs []string
		for _, c := range commands {
			if Accepts(s, c) == nil {
				verbs = append(verbs, c.String())
			}
		}
		fmt.Fprintf(&b, "%-15s %s\n", s, strings.Join(verbs, ", "))
	}
	golden(t, "commands.golden", b.String())
}
