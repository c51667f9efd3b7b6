package waits

import (
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// Presence is what is known of the host of a target.
type Presence struct {
	Connected bool
	// LastSeen is when its agent was heard last; zero when never.
	LastSeen time.Time
	// Maintenance is set while people keep everything off it.
	Maintenance bool
	// Agent serves the target; empty when none does.
	Agent string
}

// InstallationWaits tells whether an installation in a state waits for something outside itself: for its turn, its host,
// another target, or a person. All others are at work, or done.
func InstallationWaits(state deploymentv1.Installation_State) bool {
	switch state {
	case deploymentv1.Installation_QUEUED, deploymentv1.Installation_WAIT_MIGRATION, deploymentv1.Installation_UNKNOWN,
		deploymentv1.Installation_LOST, deploymentv1.Installation_FAILED:
		return true
	default:
		return false
	}
}

// InstallationListed are the states in which an installation is on the list of what waits by itself. One that is queued is not: its wave
// says in one line how many of its targets are away, where ten thousand lines would say nothing more.
func InstallationListed() []deploymentv1.Installation_State {
	return []deploymentv1.Installation_State{deploymentv1.Installation_WAIT_MIGRATION, deploymentv1.Installation_UNKNOWN, deploymentv1.Installation_LOST}
}

// InstallationOwner is who moves those.
const InstallationOwner = operators

// InstallationReasons says why an installation waits; nothing where it does not.
func InstallationReasons(i *deploymentv1.Installation, host Presence) []*gatev1.BlockedBy {
	r := &gatev1.BlockedBy{Owner: operators, Since: i.GetUpdateTime()}
	switch i.GetState() {
	case deploymentv1.Installation_QUEUED:
		if out := TargetReasons(i.GetTarget(), host, i.GetUpdateTime().AsTime()); len(out) > 0 {
			return out
		}
		r.Kind, r.Resource, r.Owner = gatev1.BlockedBy_PRIOR_WAVE, i.GetWave(), "services/deployment"
		r.Current, r.Required, r.Command = "its wave has not taken it yet", "its turn in the wave", "golive why "+i.GetWave()
	case deploymentv1.Installation_WAIT_MIGRATION:
		r.Kind, r.Resource = gatev1.BlockedBy_MIGRATION, i.GetWave()
		r.Current, r.Required, r.Command = "another target runs the migration that it needs", "the migration made", "golive why "+i.GetWave()
	case deploymentv1.Installation_UNKNOWN:
		r.Kind, r.Resource, r.Command = gatev1.BlockedBy_TARGET, i.GetTarget(), "golive why "+i.GetTarget()
		r.Current, r.Required = "its agent went silent in the middle of the work", "the agent connected, or the time after which it counts as lost"
		if host.Connected {
			r.Current = "its agent is back and has not said how the work ended"
		}
	case deploymentv1.Installation_LOST:
		r.Kind, r.Resource, r.Command = gatev1.BlockedBy_TARGET, i.GetTarget(), "golive why "+i.GetTarget()
		r.Current, r.Required = "it was silent for too long; what runs there is not known", "the agent connected, so that its journal decides"
	case deploymentv1.Installation_FAILED:
		r.Kind, r.Resource, r.Command = gatev1.BlockedBy_OPERATOR, i.GetName(), "golive retry "+i.GetName()
		r.Current, r.Required = "it failed: "+i.GetCause()+" "+i.GetMessage(), "another try, or the end of its wave"
	default:
		return nil
	}
	return []*gatev1.BlockedBy{r}
}

// TargetReasons says why nothing can be done on a target now; nothing where it can.
func TargetReasons(target string, host Presence, since time.Time) []*gatev1.BlockedBy {
	r := &gatev1.BlockedBy{Kind: gatev1.BlockedBy_TARGET, Resource: target, Required: "connected", Owner: operators, Since: stamp(since), Command: "golive why " + target}
	switch {
	case host.Maintenance:
		r.Current, r.Required, r.Command = "it is in maintenance", "the end of its maintenance", "golive describe "+target
	case host.Connected:
		return nil
	case host.Agent == "":
		r.Current, r.Required, r.Command = "no agent serves it", "an agent that does", "golive agent token "+lastSegment(target)
	default:
		r.Current = "its agent is not connected"
		if !host.LastSeen.IsZero() {
			r.Current += "; it was heard last at " + host.LastSeen.UTC().Format(time.RFC3339)
		}
	}
	return []*gatev1.BlockedBy{r}
}
